"""What a sweep leaves for its health check: when it last finished a round, Redis included.

Leading and standing by are both rounds; one that can't ring the doorbell has not finished. The sign
is the time of change of a file, which the process holds locked for as long as it lives, so that
nobody is told of a dead one.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

#: The time of change of a sign whose process has finished no round yet.
NEVER = 0.0


class Sign:
    """This process'."""

    def __init__(self) -> None:
        _folder().mkdir(mode=0o700, exist_ok=True)
        self._path = _folder() / str(os.getpid())
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        self._file = os.open(self._path, flags, mode=0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        os.utime(self._file, (NEVER, NEVER))

    def round_finished(self) -> None:
        os.utime(self._file)

    def take_away(self) -> None:
        self._path.unlink(missing_ok=True)
        os.close(self._file)


def last_rounds() -> Iterator[tuple[str, float]]:
    """Number and time of the last finished round of every sweep that lives here."""
    for path in sorted(_folder().glob("*")):
        with suppress(FileNotFoundError), path.open("rb") as file:
            if _is_held(file.fileno()):
                yield path.name, os.fstat(file.fileno()).st_mtime


def _is_held(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _folder() -> Path:
    """Of this user; a container has it to itself."""
    return Path(tempfile.gettempdir()) / f"unmask-sweeps-{os.getuid()}"
