"""A file of which only parts are here: the guest asks for the rest, and the worker brings it.

    guest ── needs byte 8,000,000 ──> worker ── a range ──> server
      ^                                 |
      |<── 8,000,000 to 8,131,072 ──────┘  written to the file that the guest has open

The guest itself still reaches nothing: it can name a place in its own file, and wait.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO, Protocol

from infra.sandbox.frames import NEED, PART, PLACE, BadFrames, write_frame
from unmask.media.holes import Range

#: The guest ends with this when it gets no more.
NO_MORE = 3


class More(Protocol):
    """Who brings what is missing, under limits of its own."""

    @property
    def held(self) -> tuple[Range, ...]: ...

    @property
    def trouble(self) -> Exception | None:
        """Why it brings nothing any more."""

    def fill(self, place: int) -> Range | None: ...


def served(
    frames: Iterator[tuple[bytes, bytes]], more: More | None, answers: int
) -> Iterator[tuple[bytes, bytes]]:
    """Answers what the guest asks, and passes everything else on."""
    for kind, body in frames:
        if kind != NEED:
            yield kind, body
        elif more is None or len(body) != PLACE.size:
            raise BadFrames("it asks for more of a whole file")
        else:
            _answer(answers, more.fill(*PLACE.unpack(body)))


def _answer(answers: int, part: Range | None) -> None:
    try:
        with suppress(BrokenPipeError):  # the guest was ended meanwhile
            os.write(answers, PART.pack(*(part or (0, 0))))
    except BlockingIOError as error:
        raise BadFrames("it asks and does not listen") from error


class Asking:
    """The guest's side. Without an answer the guest ends: no library may go on with half a file."""

    def __init__(self, out: BinaryIO, answers: int) -> None:
        self._out, self._answers = out, answers

    def __call__(self, place: int) -> Range:
        write_frame(self._out, NEED, PLACE.pack(place))
        answer = os.read(self._answers, PART.size)
        start, end = PART.unpack(answer) if len(answer) == PART.size else (0, 0)
        if start >= end:
            os._exit(NO_MORE)
        return start, end
