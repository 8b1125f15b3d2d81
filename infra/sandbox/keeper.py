"""The keeper of the room: a warmed-up process that forks one guest per file.

It holds the library in memory and nothing else: no settings, no database, no credentials. It
watches each guest's time and memory, and is gone when its worker is.

    python -m infra.sandbox.keeper CONTROL_HANDLE EXTRACTOR_MODULE [READABLE_PATH…]
"""

import gc
import importlib
import os
import select
import signal
import socket
import sys
import time
import warnings
from contextlib import suppress
from functools import partial

from infra.sandbox import guest, landlock
from infra.sandbox.standby import Standby
from infra.sandbox.wire import READY, Report, Request, receive, send
from unmask.errors import Unusable

#: How often a guest's memory is looked at: a process fills about 100 MB in this time.
LOOK_MS = 20
#: How much of what decoders printed is worth keeping.
PRINTED = 4000
#: The default detector; others when they are first asked for.
FIRST = "centerface"
#: A guest that stood by may have died of what has passed; two in a row have not.
HAND_OVERS = 2
#: What is said of a file that no guest could take.
NOBODY = Report(ended=1, taken=False)
#: What /proc/PID/status says in kB; of one that has ended nothing.
_HELD = ("VmRSS:", "VmSwap:")


def main() -> None:
    # onnxruntime keeps one idle thread from its import on; no guest needs it.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    control = socket.socket(fileno=int(sys.argv[1]))
    ruleset = landlock.ruleset(landlock.code_paths(sys.argv[3:])) if landlock.version() else None
    keeper = Keeper(control, importlib.import_module(sys.argv[2]), ruleset)
    keeper.warm(FIRST)
    send(control, READY)
    keeper.serve()


class Keeper:
    def __init__(
        self, control: socket.socket, extractor: guest.Extractor, ruleset: int | None
    ) -> None:
        self._control = control
        self._extractor = extractor
        self._ruleset = ruleset
        self._warm: set[str] = set()
        self._standby: Standby | None = None

    def warm(self, detector: str) -> None:
        """Once per detector, before a fork: guests share what it loads."""
        if detector in self._warm:
            return
        self._warm.add(detector)
        self._dismiss()
        with suppress(Unusable, ImportError):  # the guest meets it too, and can say so
            self._extractor.warm((detector,))
        gc.collect()
        gc.freeze()

    def serve(self) -> None:
        while True:
            self._standby = self._fork()
            try:
                data, handles = receive(self._control, 3)
            except ConnectionError:  # the worker was killed in the middle of a word
                return
            if not data:
                return
            request = Request.from_bytes(data)
            self.warm(request.spec.detector)
            self._look(request, data, handles)

    def _look(self, request: Request, data: bytes, handles: list[int]) -> None:
        taken = self._handed_over(data, handles)
        for handle in handles:
            os.close(handle)
        report = _watch(*taken, self._control, request) if taken else NOBODY
        send(self._control, report.to_bytes())

    def _handed_over(self, data: bytes, handles: list[int]) -> tuple[Standby, float] | None:
        """To who stands by, or where that one has died, to a fresh one; what it took until then."""
        for _ in range(HAND_OVERS):
            chosen, self._standby = self._standby or self._fork(), None
            stood = chosen.hand_over(data, handles)
            if stood is not None:
                return chosen, stood
            chosen.dismiss()
        return None

    def _fork(self) -> Standby:
        return Standby.fork(self._control, partial(guest.wait, self._ruleset, self._extractor))

    def _dismiss(self) -> None:
        if self._standby:
            self._standby.dismiss()
            self._standby = None


def _watch(chosen: Standby, stood: float, control: socket.socket, request: Request) -> Report:
    why = _wait(chosen.pid, control, request)
    if why:
        _kill(chosen.pid)
    _, status, usage = os.wait4(chosen.pid, 0)
    printed = os.pread(chosen.printed, PRINTED, 0)
    os.close(chosen.printed)
    return Report(
        ended=os.waitstatus_to_exitcode(status),
        cpu_s=max(usage.ru_utime + usage.ru_stime - stood, 0.0),
        standby_cpu_s=stood,
        killed_for=why,
        printed=printed.decode("utf-8", "replace"),
    )


def _wait(pid: int, control: socket.socket, request: Request) -> str:
    """Until the guest ends, or must be ended: then the reason."""
    end = time.monotonic() + request.limits.deadline_s + request.room.grace_s
    ended = os.pidfd_open(pid)
    try:
        events = select.poll()
        events.register(ended, select.POLLIN)
        events.register(control.fileno(), select.POLLIN)
        while time.monotonic() < end:
            happened = events.poll(LOOK_MS)
            if any(handle == control.fileno() for handle, _ in happened):
                _kill(pid)
                sys.exit(0)  # the worker is gone, or has no more use for us
            if happened:
                return ""
            if _held(pid) > request.room.resident_bytes:
                return "memory"
        return "time"
    finally:
        os.close(ended)


def _held(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/status") as file:  # `Path` would keep each number's name
            return held(file.read())
    except OSError:  # it ended just now
        return 0


def held(status: str) -> int:
    """Bytes that are resident, and those in swap, where a process may send its own pages."""
    lines = (line.split() for line in status.splitlines() if line.startswith(_HELD))
    return sum(int(size) << 10 for _, size, _ in lines)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
