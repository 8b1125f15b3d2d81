"""The one entry: from an item's address to an open file and the facts about its bytes."""

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Protocol, Self, cast

from infra.download.buckets import Buckets
from infra.download.limits import Deadline, DownloadLimits, Wire
from infra.download.local import hash_local, open_local
from infra.download.parts import Parts, begin
from infra.download.ranges import NotInParts
from infra.download.web import Downloaded, Follow, Web, download
from infra.guard import Guard
from schemas.records import Fetched, Trust
from unmask.errors import OwnTrouble


@dataclass(frozen=True, kw_only=True)
class Content:
    """The bytes of an item: open, for reading only, and gone when the context ends."""

    file: BinaryIO
    fetched: Fetched
    #: Where only the beginning is here yet.
    parts: Parts | None = None

    def facts(self, own: str) -> Fetched:
        """As they are by now; `own` tells this item's part of a file from every other's."""
        return self.parts.facts(own) if self.parts else self.fetched


class Fetches(Protocol):
    """What a worker asks of a fetcher: `Refused`, or `TryAgain` where another try may succeed."""

    def fetch(self, uri: str, trust: Trust, stamp: str = "") -> AbstractContextManager[Content]: ...

    def fetch_beginning(
        self, uri: str, trust: Trust, stamp: str = ""
    ) -> AbstractContextManager[Content]:
        """For who will read from the beginning and stop early: the rest stays away."""
        ...

    def after(self, lost: NotInParts) -> "Fetches":
        """For the second try, which may cost what the first one left."""
        ...

    def telling(self, follow: Follow) -> "Fetches":
        """`follow` is told of each address that a redirect leads to, before it is visited."""
        ...


@dataclass(frozen=True, kw_only=True)
class Fetcher:
    guard: Guard
    limits: DownloadLimits = field(default_factory=DownloadLimits)
    buckets: Buckets = field(default_factory=Buckets)
    #: Where temporary files go; None is the system's own place.
    temp_dir: Path | None = None
    #: For servers with certificates of their own authority.
    tls: ssl.SSLContext | None = None
    #: Told of each address that a redirect leads to, before it is visited.
    follow: Follow = lambda _: None

    def telling(self, follow: Follow) -> Self:
        return replace(self, follow=follow)

    @contextmanager
    def fetch(self, uri: str, trust: Trust, stamp: str = "") -> Iterator[Content]:
        if _is_local(uri):
            with open_local(uri, trust, stamp, self.limits) as file:
                yield Content(file=file, fetched=hash_local(file, uri, self._deadline()))
        else:
            with self._temporary() as into:
                fetched = self._download(uri, into)
                with _reopened(into) as file:
                    yield Content(file=file, fetched=fetched)

    @contextmanager
    def fetch_beginning(self, uri: str, trust: Trust, stamp: str = "") -> Iterator[Content]:
        """Where the server gives no ranges, or the file is small, it comes whole."""
        if _is_local(uri):
            with self.fetch(uri, trust, stamp) as content:
                yield content
            return
        with self._temporary() as into:
            got = self._begin(uri, into)
            with _reopened(into) as file:
                if isinstance(got, Parts):
                    yield Content(file=file, fetched=got.facts(""), parts=got)
                else:
                    yield Content(file=file, fetched=got)

    def after(self, lost: NotInParts) -> Self:
        return replace(self, limits=self.limits.without(lost.received, lost.spent_s))

    def _begin(self, uri: str, into: BinaryIO) -> Parts | Fetched:
        with _own_disk():
            if _is_object(uri):
                from infra.download.object_parts import begin_object

                return begin_object(uri, into, self.buckets, self._web)
            got = begin(uri, into, self._web)
            return got if isinstance(got, Parts) else _fetched(got)

    def _download(self, uri: str, into: BinaryIO) -> Fetched:
        with _own_disk():
            if _is_object(uri):
                from infra.download.objects import download_object

                return download_object(uri, into, self.buckets, self.limits)
            return _fetched(download(uri, into, self._web))

    @property
    def _web(self) -> Web:
        """For one file."""
        return Web(
            guard=self.guard,
            limits=self.limits,
            wire=Wire(limit=self.limits.max_bytes),
            tls=self.tls,
            follow=self.follow,
        )

    @contextmanager
    def _temporary(self) -> Iterator[BinaryIO]:
        """A file without a name: a killed worker leaves nothing behind."""
        with tempfile.TemporaryFile(dir=self.temp_dir) as file:
            yield cast("BinaryIO", file)

    def _deadline(self) -> Deadline:
        return Deadline(self.limits.deadline_s)


def _fetched(got: Downloaded) -> Fetched:
    received = max(got.bytes, got.received)
    return Fetched(final_uri=got.final_uri, sha256=got.sha256, bytes_fetched=received)


@contextmanager
def _own_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OwnTrouble(f"the temporary folder can't take the download: {error}") from error


def _is_object(uri: str) -> bool:
    return uri.lower().startswith("s3://")


def _is_local(uri: str) -> bool:
    """`file:` or a path; anything with another scheme is not of this machine."""
    return uri.lower().startswith("file:") or uri.startswith("/") or "://" not in uri


def _reopened(file: BinaryIO) -> BinaryIO:
    """The same file with a handle of its own that can't write."""
    return open(f"/proc/self/fd/{file.fileno()}", "rb", opener=_read_only)


def _read_only(path: str, _flags: int) -> int:
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
