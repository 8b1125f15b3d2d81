"""A file that comes in parts, as its reader asks for them.

Not the fetcher knows which bytes the beginning of a film needs, but the decoder: the index may
stand in front or at the end. So the decoder reads from a file with holes, and each hole that it
meets is fetched by a range: from the same server, of the same version, under the same guard, caps
and deadline. Whoever reads on and on gets all the rest at once, and the file is whole.
"""

import hashlib
import json
import os
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import BinaryIO

import httpcore
import httpx

from infra.download.body import CHUNK
from infra.download.limits import Deadline, too_large
from infra.download.ranges import (
    NOT_SATISFIABLE,
    PARTIAL,
    NotInParts,
    Piece,
    asking,
    read_piece,
)
from infra.download.web import Downloaded, Web, download, final_answer, one_answer, receive
from schemas.records import Fetched, FetchedPart
from unmask.errors import Refused, TryAgain
from unmask.media.holes import Range, holding, merged, missing

#: What is asked for first, and up to which size a file is not worth parting.
HEAD_BYTES, SMALL_BYTES = 512 << 10, 1 << 20
#: A step is this share of the file, within bounds: few requests, and little too much.
_STEP_SHARE, _LEAST_STEP, _MOST_STEP = 128, 128 << 10, 4 << 20
#: When a quarter has come, or so many requests were made, the rest comes too.
_ENOUGH_SHARE, _MOST_REQUESTS = 4, 64


@dataclass(kw_only=True)
class Parts:
    """The beginning is here; `fill` brings more."""

    into: BinaryIO
    url: httpx.URL
    web: Web
    size: int
    validator: str
    #: Bytes over the wire, and the seconds they took.
    received: int = 0
    spent_s: float = 0.0
    held: tuple[Range, ...] = ()
    #: Why `fill` gave up.
    trouble: Refused | NotInParts | None = None
    _requests: int = field(default=1, repr=False)

    def fill(self, place: int) -> Range | None:
        """The part that holds that place; None where it can't be had: then see `trouble`."""
        try:
            if not holding(self.held, place):
                self._fetch_about(place)
        except Refused as error:
            self.trouble = error
        except (NotInParts, TryAgain) as error:
            self.trouble = self._lost(error.reason)
        return holding(self.held, place)

    def _lost(self, reason: str) -> NotInParts:
        return NotInParts(reason, received=self.received, spent_s=self.spent_s)

    def take(self, answer: httpcore.Response, piece: Piece) -> None:
        """The body of an answer, to its place."""
        place = piece.start
        for chunk in answer.iter_stream():
            self.received += len(chunk)
            if place + len(chunk) > piece.end:
                raise self._lost("the server sent more than it said")
            _write(self.into, chunk, place)
            place += len(chunk)
        if place < piece.end:
            raise self._lost(f"a range broke off at {place}, {piece.end} was promised")
        self.held = merged((*self.held, (piece.start, piece.end)))

    def fill_up(self) -> None:
        for gap in missing(self.held, self.size):
            start = gap[0]
            while start < gap[1]:
                start = self._fetch((start, gap[1]))

    def downloaded(self) -> Downloaded:
        """Once all of it is here."""
        return Downloaded(
            final_uri=str(self.url), sha256=self._hash(), bytes=self.size, received=self.received
        )

    @property
    def is_whole(self) -> bool:
        return self.held == ((0, self.size),)

    def facts(self, own: str) -> Fetched:
        """`own` makes the identity one that no other item has, whatever the server says."""
        part = FetchedPart(
            size=self.size,
            validator=self.validator,
            ranges=tuple((start, end - 1) for start, end in self.held),
        )
        told = [str(self.url), part.size, part.validator, part.ranges, self._hash(), own]
        identity = hashlib.sha256(json.dumps(told).encode()).hexdigest()
        return Fetched(
            final_uri=str(self.url),
            sha256=self._hash() if self.is_whole else identity,
            bytes_fetched=self.received,
            part=None if self.is_whole else part,
        )

    def _hash(self) -> str:
        digest = hashlib.sha256()
        for start, end in self.held:
            for place in range(start, end, CHUNK):
                digest.update(os.pread(self.into.fileno(), min(CHUNK, end - place), place))
        return digest.hexdigest()

    def _fetch_about(self, place: int) -> None:
        if not 0 <= place < self.size:
            raise NotInParts(f"byte {place} of a file of {self.size}")
        if self._has_enough():
            self.fill_up()
            return
        step = min(max(self.size // _STEP_SHARE, _LEAST_STEP), _MOST_STEP)
        after = min((start for start, _ in self.held if start > place), default=self.size)
        self._fetch((place, min(place + step, after)))

    def _has_enough(self) -> bool:
        here = sum(end - start for start, end in self.held)
        return here * _ENOUGH_SHARE >= self.size or self._requests >= _MOST_REQUESTS

    def _fetch(self, part: Range) -> int:
        """Where what came ends: a server may send less than it was asked for."""
        self._requests += 1
        if self._requests > 2 * _MOST_REQUESTS:
            raise NotInParts("the server hands out crumbs")
        began = time.monotonic()
        deadline = Deadline(self.web.limits.deadline_s, began - self.spent_s)
        try:
            with self._answer(part, deadline) as answer:
                piece = read_piece(answer, part)
                if (piece.size, piece.validator) != (self.size, self.validator):
                    raise NotInParts("the file is another by now")
                self.take(answer, piece)
                return piece.end
        finally:
            self.spent_s += time.monotonic() - began

    def _answer(self, part: Range, deadline: Deadline) -> AbstractContextManager[httpcore.Response]:
        return one_answer(self.url, self._web_for(part), deadline, asking(part, self.validator))

    def _web_for(self, part: Range) -> Web:
        """What is left of the cap."""
        left = self.web.limits.max_bytes - self.received
        if part[1] - part[0] > left:
            raise too_large(f"more than {self.web.limits.max_bytes}", self.web.limits.max_bytes)
        return replace(self.web, limits=replace(self.web.limits, max_bytes=left))


def begin(uri: str, into: BinaryIO, web: Web) -> Parts | Downloaded:
    """The first part; or the whole, where the server gives no parts or the file is small."""
    began = time.monotonic()
    try:
        found = _first_answer(uri, into, web, Deadline(web.limits.deadline_s, began))
        if isinstance(found, Downloaded):
            return found
        found.spent_s = time.monotonic() - began
        if found.size <= SMALL_BYTES:
            found.fill_up()
    except NotInParts as error:
        into.seek(0)
        into.truncate(0)
        rest = web.limits.without(error.received, time.monotonic() - began)
        got = download(uri, into, replace(web, limits=rest))
        return replace(got, received=got.bytes + error.received)
    return found.downloaded() if found.is_whole else found


def _first_answer(uri: str, into: BinaryIO, web: Web, deadline: Deadline) -> Parts | Downloaded:
    asked = (0, HEAD_BYTES)
    with final_answer(web.guard.parse(uri), web, deadline, asking(asked)) as (url, answer):
        if answer.status not in (PARTIAL, NOT_SATISFIABLE):
            return receive(url, answer, into, web.limits.max_bytes)
        piece = read_piece(answer, asked)
        if piece.size > web.limits.max_bytes:
            raise too_large(piece.size, web.limits.max_bytes)
        parts = Parts(into=into, url=url, web=web, size=piece.size, validator=piece.validator)
        into.truncate(piece.size)
        parts.take(answer, piece)
        return parts


def _write(into: BinaryIO, chunk: bytes, place: int) -> None:
    rest = memoryview(chunk)
    while rest:
        written = os.pwrite(into.fileno(), rest, place)
        rest, place = rest[written:], place + written
