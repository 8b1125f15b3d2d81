"""Is the network there? Asked only when nothing that a campaign fetches answers any more."""

import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from concurrent.futures import TimeoutError as TooLate

#: Who is silent for longer does not answer.
WITHIN_S = 3.0


def network_answers(probes: Sequence[str]) -> bool:
    """Whether any of them does. Without one to ask, what the hosts say is all there is."""
    if not probes:
        return False
    asking = ThreadPoolExecutor(max_workers=len(probes), thread_name_prefix="probe")
    try:
        asked = [asking.submit(answers, probe) for probe in probes]
        return any(one.result() for one in as_completed(asked, timeout=WITHIN_S))
    except TooLate:
        return False
    finally:
        asking.shutdown(wait=False, cancel_futures=True)


def answers(probe: str) -> bool:
    """`name`: looked up; `host:port`: connected to. A refusal is an answer too."""
    host, _, port = probe.rpartition(":")
    return _connects(host, int(port)) if host else _is_looked_up(probe)


def _is_looked_up(name: str) -> bool:
    try:
        socket.getaddrinfo(name, None, proto=socket.IPPROTO_TCP)
    except socket.gaierror as error:
        return error.errno == socket.EAI_NONAME
    except OSError:
        return False
    return True


def _connects(host: str, port: int) -> bool:
    try:
        socket.create_connection((host.strip("[]"), port), timeout=WITHIN_S).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return True
