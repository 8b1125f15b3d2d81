"""The room in which strangers' bytes are decoded.

worker ── open file ──> keeper ── fork ──> guest: no network, no other file, a little memory
   ^                       |                 |
   |<── how it ended ──────┘                 |
   |<── clips and manifest, checked ─────────┘
"""

import threading
from collections.abc import Iterator
from typing import IO, Self

from infra.sandbox.limits import RoomLimits
from infra.sandbox.link import Link
from infra.sandbox.more import More
from infra.sandbox.verdict import RoomCrashed, given_up, judge
from infra.sandbox.wire import Request
from unmask.errors import UnmaskError
from unmask.media.values import Clip, Limits, Manifest
from unmask.spec import ScanSpec

#: A decoder that crashes is given a second, fresh process.
TRIES = 2


class RoomClosed(UnmaskError):
    """The room was closed while a file was in it."""


class Room:
    """Start one per process and keep it: a file costs a fork, not a start. One file at a time."""

    def __init__(
        self,
        room: RoomLimits | None = None,
        *,
        extractor: str = "unmask.media",
        search_path: tuple[str, ...] = (),
        readable: tuple[str, ...] = (),
    ) -> None:
        self._room = room or RoomLimits()
        self._extractor = extractor
        self._search_path = search_path
        self._readable = readable
        self._link: Link | None = None
        self._closing = threading.Lock()
        #: Processor seconds that the last file took, whatever became of it.
        self.cpu_seconds = 0.0
        #: And those that its guests had taken before it came, however long that was.
        self.standby_cpu_seconds = 0.0

    def extract(
        self, file: IO[bytes], spec: ScanSpec, limits: Limits, more: More | None = None
    ) -> Iterator[Clip | Manifest]:
        """As `unmask.media.extract`: all or nothing, and checked before the first is handed out.

        With `more` the file has holes, which are filled as they are met; its trouble is raised.
        """
        self.cpu_seconds = self.standby_cpu_seconds = 0.0
        for attempt in range(1, TRIES + 1):
            file.seek(0)
            held = more.held if more else None
            request = Request(spec=spec, limits=limits, room=self._room, held=held)
            try:
                return iter(self._once(file.fileno(), request, more))
            except RoomCrashed as crash:
                if not crash.by_the_file or attempt == TRIES:
                    raise given_up(crash) from crash
        raise AssertionError("unreachable")

    def start(self) -> Link:
        """Warm up ahead of the first file."""
        with self._closing:
            if self._link is None:
                self._link = Link(self._extractor, self._search_path, self._readable)
            return self._link

    def close(self) -> None:
        """End it, and what is in it. The next file finds a fresh one. Any thread may do this."""
        with self._closing:
            link, self._link = self._link, None
        if link:
            link.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _once(self, handle: int, request: Request, more: More | None) -> list[Clip | Manifest]:
        link = self.start()
        try:
            results, report = link.look(handle, request, more)
        except BaseException as error:
            if link.stopped and isinstance(error, RoomCrashed):
                raise RoomClosed("the room was closed while a file was in it") from error
            self.close()  # nobody knows what it is doing now
            raise
        self.cpu_seconds += report.cpu_s
        self.standby_cpu_seconds += report.standby_cpu_s
        if more and more.trouble:
            raise more.trouble
        return judge(results, report, request)
