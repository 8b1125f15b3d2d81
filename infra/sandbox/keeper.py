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
from pathlib import Path

from infra.sandbox import guest, landlock
from infra.sandbox.kernel import die_with_parent
from infra.sandbox.wire import READY, Report, Request, receive, send
from unmask.errors import Unusable

#: How often a guest's memory is looked at: a process fills about 100 MB in this time.
LOOK_MS = 20
#: How much of what decoders printed is worth keeping.
PRINTED = 4000
#: The default detector; others when they are first asked for.
FIRST = "centerface"
_PAGE = os.sysconf("SC_PAGE_SIZE")


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

    def warm(self, detector: str) -> None:
        """Once per detector, before a fork: guests share what it loads."""
        if detector not in self._warm:
            self._warm.add(detector)
            with suppress(Unusable, ImportError):  # the guest meets it too, and can say so
                self._extractor.warm((detector,))
            gc.collect()
            gc.freeze()

    def serve(self) -> None:
        while True:
            try:
                data, handles = receive(self._control, 3)
            except ConnectionError:  # the worker was killed in the middle of a word
                return
            if not data:
                return
            request = Request.from_bytes(data)
            self.warm(request.spec.detector)
            self._look(request, *handles)

    def _look(self, request: Request, file: int, results: int, answers: int | None = None) -> None:
        printed, keeper = os.memfd_create("printed"), os.getpid()
        pid = os.fork()
        if pid == 0:
            _end_with(keeper)
            self._control.close()
            handles = file, results, printed, answers
            guest.run(request, handles, self._ruleset, self._extractor)
        for handle in (file, results, answers):
            if handle is not None:
                os.close(handle)
        report = _watch(pid, self._control, request, printed)
        os.close(printed)
        send(self._control, report.to_bytes())


def _end_with(keeper: int) -> None:
    """Where the keeper ended before this was said, nobody would tell."""
    die_with_parent(signal.SIGKILL)
    if os.getppid() != keeper:
        os._exit(1)


def _watch(pid: int, control: socket.socket, request: Request, printed: int) -> Report:
    why = _wait(pid, control, request)
    if why:
        _kill(pid)
    _, status, usage = os.wait4(pid, 0)
    return Report(
        ended=os.waitstatus_to_exitcode(status),
        cpu_s=usage.ru_utime + usage.ru_stime,
        killed_for=why,
        printed=os.pread(printed, PRINTED, 0).decode("utf-8", "replace"),
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
            if _resident(pid) > request.room.resident_bytes:
                return "memory"
        return "time"
    finally:
        os.close(ended)


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except OSError:  # it ended just now
        return 0


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
