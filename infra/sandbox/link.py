"""The worker's side of the keeper process."""

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from infra.sandbox.frames import BadFrames, FrameReader
from infra.sandbox.more import More, served
from infra.sandbox.results import Results, most_bytes
from infra.sandbox.verdict import RoomCrashed
from infra.sandbox.wire import READY, Report, Request, receive, send

#: Importing the media library on a busy machine.
START_S = 120.0
#: How much later than a file's end the keeper may report it.
SLACK_S = 10.0

ROOT = Path(__file__).resolve().parents[2]

#: All that the keeper sees of our environment: no credential, and of settings only where a detector
#: lies that no package ships. Its guests are many on one machine, and threads started before a fork
#: are lost in it.
_PASSED_ON = (
    *("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "VIRTUAL_ENV"),
    "UNMASK_YUNET_WEIGHTS",
)
_ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    # Large pages, where the kernel has them: a fork copies less, a guest faults less often. And one
    # heap for all threads that grows in one go: else every picture is mapped, and its pages met one
    # by one, anew; and what a guest met while it waited would be another thread's.
    "GLIBC_TUNABLES": (
        "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=33554432"
        ":glibc.malloc.top_pad=268435456:glibc.malloc.trim_threshold=1073741824"
    ),
}


class Link:
    def __init__(
        self, extractor: str, search_path: tuple[str, ...], readable: tuple[str, ...]
    ) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = _spawn(theirs.fileno(), extractor, search_path, readable)
        self._busy = threading.Lock()
        self._ready = False
        self.stopped = False

    def look(self, handle: int, request: Request, more: More | None) -> tuple[Results, Report]:
        """Have one open file looked at."""
        with self._busy:
            self._await_ready()
            end = time.monotonic() + request.limits.deadline_s + request.room.grace_s + SLACK_S
            results = Results(spec=request.spec)
            source, answers = self._ask(handle, request)
            try:
                reader = FrameReader(source, end=end, budget=most_bytes(request.spec))
                results.collect(served(reader.frames(), more, answers))
            except BadFrames as error:
                raise RoomCrashed(f"its results do not check: {error}", by_the_file=True) from error
            except TimeoutError as error:
                raise RoomCrashed(str(error), by_the_file=False) from error
            finally:
                os.close(source)
                os.close(answers)
            return results, self._report(end)

    def stop(self) -> None:
        """Killing the keeper kills its guest; whoever waits for either is woken by that."""
        self.stopped = True
        self._process.kill()
        self._process.wait()
        with self._busy:
            self._control.close()

    def _ask(self, handle: int, request: Request) -> tuple[int, int]:
        """Hand the file over; where its results will come from, and where answers go."""
        source, sink = os.pipe2(os.O_CLOEXEC)
        heard, answers = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(heard, True)
        given = (handle, sink) if request.held is None else (handle, sink, heard)
        try:
            send(self._control, request.to_bytes(), given)
        except OSError as error:
            os.close(source)
            os.close(answers)
            raise RoomCrashed(f"the keeper is gone: {error}", by_the_file=False) from error
        finally:
            os.close(sink)
            os.close(heard)
        return source, answers

    def _await_ready(self) -> None:
        if self._ready:
            return
        try:
            self._ready = self._message(START_S) == READY
        except RoomCrashed as error:
            reason = f"the room could not be warmed up: {error} (its words are in the log)"
            raise RoomCrashed(reason, by_the_file=False) from error

    def _report(self, end: float) -> Report:
        return Report.from_bytes(self._message(max(end - time.monotonic(), 1.0)))

    def _message(self, within_s: float) -> bytes:
        try:
            self._control.settimeout(within_s)
            data, _ = receive(self._control)
        except OSError as error:
            raise RoomCrashed(f"the keeper does not answer: {error}", by_the_file=False) from error
        if not data:
            raise RoomCrashed("the keeper of the room ended", by_the_file=False)
        return data


def _spawn(
    control: int,
    extractor: str,
    search_path: tuple[str, ...],
    readable: tuple[str, ...],
) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "infra.sandbox.keeper", str(control), extractor]
    return subprocess.Popen(
        [*command, *search_path, *readable],
        pass_fds=(control,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        env=_environment(search_path),
        cwd="/",
    )


def _environment(search_path: tuple[str, ...]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return kept | _ONE_THREAD | {"PYTHONPATH": os.pathsep.join((str(ROOT), *search_path))}
