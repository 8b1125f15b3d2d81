"""`python -m workers.health cpu|gpu|sweep|flower|exporter`: does the service here serve?

A process that runs is not one that serves: a worker may have lost its broker, a model thread may
hang. Status 0: it serves. 1: it does not, and the line says why.

It runs every half minute beside the service, so each question imports only what it needs.
"""

import socket
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tasks import names
from unmask.errors import UnmaskError
from workers.sign import NEVER, last_rounds

if TYPE_CHECKING:
    from settings import Settings

#: Questions that a worker answers from its own loop.
PING = "ping"
#: An answer over Redis from a worker that serves takes milliseconds.
WITHIN_S = 5.0
#: The model thread hands in at least this often while there is work.
STUCK_S = 120.0
#: A round of the sweep takes far less than this, and the next one begins within seconds.
SILENT_S = 20.0


class NotServing(Exception):
    """The message says why."""


def worker(kind: str) -> None:
    name = f"{kind}@{socket.gethostname()}"
    answer = _asked(name, PING if kind == "cpu" else names.PULSE)
    if answer.get("open") and answer["still_s"] > STUCK_S:
        raise NotServing(
            f"{name} holds {answer['open']} items and its model thread has not moved "
            f"for {answer['still_s']:.0f} s"
        )


def _asked(name: str, question: str) -> Mapping[str, Any]:
    from kombu.exceptions import OperationalError

    from workers.app import make_app

    try:
        replies = make_app().control.broadcast(
            question, destination=[name], reply=True, timeout=WITHIN_S
        )
    except OperationalError as error:
        raise NotServing(f"Redis: {error}") from error
    if not replies:
        raise NotServing(f"{name} does not answer over Redis")
    answer: Mapping[str, Any] = replies[0][name]
    return answer


def sweep() -> None:
    """Those of this container, or of this user where there is none: each must do its rounds."""
    rounds = dict(last_rounds())
    if not rounds:
        raise NotServing("no sweep runs here")
    for process, at in rounds.items():
        if at == NEVER:
            raise NotServing(f"process {process} has finished no round yet: its log says why")
        if (still_s := time.time() - at) > SILENT_S:
            raise NotServing(
                f"process {process} has finished no round for {still_s:.0f} s: it hangs, or its "
                "log says whether the ledger or Redis is away"
            )


def flower() -> None:
    settings = _settings()
    password = settings.flower_password
    auth = (settings.flower_user, password.get_secret_value()) if password else None
    _answers(settings.flower_port, "/healthcheck", auth)


def exporter() -> None:
    _answers(_settings().exporter_port, "/metrics")


def _settings() -> "Settings":
    from infra.resources import resources

    return resources().settings


def _answers(port: int, path: str, auth: tuple[str, str] | None = None) -> None:
    import httpx

    try:
        answer = httpx.get(
            f"http://127.0.0.1:{port}{path}", auth=auth, timeout=WITHIN_S, trust_env=False
        )
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise NotServing(f"port {port}: {error}") from error


CHECKS: Mapping[str, Callable[[], None]] = {
    "cpu": lambda: worker("cpu"),
    "gpu": lambda: worker("gpu"),
    "sweep": sweep,
    "flower": flower,
    "exporter": exporter,
}


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in CHECKS:
        print(f"say which: {', '.join(CHECKS)}", file=sys.stderr)
        return 2
    try:
        CHECKS[arguments[0]]()
    except (NotServing, UnmaskError) as error:
        print(f"{arguments[0]} does not serve: {error}")
        return 1
    print(f"{arguments[0]} serves")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
