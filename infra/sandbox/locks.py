"""Tries every lock of the room from inside; stands in for the media library.

What it found leaves as the reason of a refusal, the only words that the room lets out.
"""

import errno
import fcntl
import json
import mmap
import os
import resource
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from infra.sandbox.kernel import die_with_parent
from unmask.errors import Refused
from unmask.media.values import Clip, Limits, Manifest
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec

_REFUSALS = {errno.EPERM, errno.EACCES}
#: Readable for everybody, on every Linux.
_A_FILE = Path("/etc/passwd")


def warm(_detectors: tuple[str, ...]) -> None:
    tempfile.gettempdir()


def extract(_file: BinaryIO, _spec: ScanSpec, _limits: Limits) -> Iterator[Clip | Manifest]:
    found = {what: _holds(attempt) for what, attempt in ATTEMPTS.items()}
    found["no memory without bound"] = _bounded(resource.RLIMIT_AS)
    found["no processor time without bound"] = _bounded(resource.RLIMIT_CPU)
    found["no core dump"] = resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
    yield from ()
    raise Refused(Outcome.NOT_MEDIA, json.dumps(found))


def _write_a_file() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"x")


def _read_a_file() -> None:
    _A_FILE.read_bytes()


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _execute() -> None:
    """A program that is not there: a filter refuses before the kernel looks for it."""
    os.execv("/nonexistent", ["/nonexistent"])  # noqa: S606  (that it can't start is the test)


def _signal_by_a_pipe() -> None:
    """Whoever owns a file's news is told of them by a signal of one's choice."""
    reading, writing = os.pipe()
    try:
        fcntl.fcntl(writing, fcntl.F_SETOWN, os.getppid())
    finally:
        os.close(reading)
        os.close(writing)


ATTEMPTS: dict[str, Callable[[], object]] = {
    "no network": lambda: socket.socket(socket.AF_INET).close(),
    "no local socket": lambda: socket.socket(socket.AF_UNIX).close(),
    "no other file read": _read_a_file,
    "no file written": _write_a_file,
    "no new process": _fork,
    "no other program": _execute,
    "no signal to others": lambda: os.kill(os.getppid(), 0),
    "no signal by way of a pipe": _signal_by_a_pipe,
    "no memory out of sight": lambda: mmap.mmap(-1, mmap.PAGESIZE).close(),
    "no slowing of others": lambda: os.setpriority(os.PRIO_PROCESS, os.getppid(), 19),
    "no life after its worker": lambda: die_with_parent(signal.SIGKILL),
}


def _holds(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError as error:
        return error.errno in _REFUSALS
    return False


def _bounded(kind: int) -> bool:
    return resource.getrlimit(kind)[1] != resource.RLIM_INFINITY
