"""Files of this machine, for items that its own command line named."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO
from urllib.parse import unquote_to_bytes, urlsplit

from infra.download.body import CHUNK
from infra.download.limits import Deadline, DownloadLimits, too_large
from infra.guard import blocked
from schemas.records import Fetched, Trust
from unmask.errors import Refused, TryAgain
from unmask.outcomes import Outcome

#: Opening a pipe or a terminal must neither wait nor take it over.
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def stamp_of(about: os.stat_result) -> str:
    """What tells two versions of a file apart: its size, and its time in nanoseconds."""
    return f"{about.st_size}-{about.st_mtime_ns}"


def local_path(uri: str) -> str:
    """The path in `file:///path`, `file:/path` or a plain path."""
    if not uri.lower().startswith("file:"):
        return uri
    parts = urlsplit(uri)
    if parts.netloc not in ("", "localhost") or parts.query or parts.fragment:
        raise blocked("a file: address names a file of this machine: file:///path")
    return os.fsdecode(unquote_to_bytes(parts.path))


@contextmanager
def open_local(uri: str, trust: Trust, stamp: str, limits: DownloadLimits) -> Iterator[BinaryIO]:
    if trust is not Trust.LOCAL:
        raise blocked("files of this machine are read only for its own command line")
    handle = _handle(local_path(uri))
    try:
        _check(os.fstat(handle), stamp, limits)
    except Refused:
        os.close(handle)
        raise
    with os.fdopen(handle, "rb") as file:
        yield file


def _handle(path: str) -> int:
    try:
        return os.open(path, _FLAGS)
    except FileNotFoundError as error:
        raise Refused(Outcome.UNREACHABLE, "there is no such file") from error
    except (OSError, ValueError) as error:
        raise Refused(Outcome.UNREACHABLE, f"the file can't be opened: {error}") from error


def hash_local(file: BinaryIO, uri: str, deadline: Deadline) -> Fetched:
    """Read the file once, and see that nobody wrote to it meanwhile."""
    before = stamp_of(os.fstat(file.fileno()))
    digest = hashlib.sha256()
    try:
        while chunk := file.read(16 * CHUNK):
            digest.update(chunk)
            deadline.left()
    except OSError as error:
        raise TryAgain(f"the file can't be read: {error}") from error
    if stamp_of(os.fstat(file.fileno())) != before:
        raise TryAgain("the file is being written to")
    file.seek(0)
    return Fetched(final_uri=uri, sha256=digest.hexdigest(), bytes_fetched=0)


def _check(about: os.stat_result, stamp: str, limits: DownloadLimits) -> None:
    if not stat.S_ISREG(about.st_mode):
        raise Refused(Outcome.NOT_MEDIA, "not a file, but a folder, pipe or device")
    if stamp and stamp_of(about) != stamp:
        raise Refused(
            Outcome.UNREACHABLE,
            "the file changed after it was submitted; submit it again",
        )
    if about.st_size > limits.max_bytes:
        raise too_large(about.st_size, limits.max_bytes)
    if not about.st_size:
        raise Refused(Outcome.NOT_MEDIA, "the file is empty")
