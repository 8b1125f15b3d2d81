"""The pictures that a plan asks for, read window by window."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import dropwhile

from unmask.media.pick import picked
from unmask.media.picture import Picture
from unmask.media.plan import Plan, Window
from unmask.media.source import Source

#: Memory that pictures decoded ahead of being looked at may take, and their number.
_AHEAD_BYTES = 32 << 20
_FEWEST_AHEAD, _MOST_AHEAD = 2, 32
#: Bytes of a pixel as most films are coded: one of light, half of one of colour.
_PIXEL_BYTES = 1.5
#: No two pictures lie so near to each other.
_NEXT_S = 2e-6


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What reading came to so far: the same, however far ahead the decoder is."""

    frames_decoded: int
    broken_packets: int
    last_error: str

    @classmethod
    def of(cls, source: Source) -> "Progress":
        return cls(
            frames_decoded=source.frames_decoded,
            broken_packets=source.broken_packets,
            last_error=source.last_error,
        )


@dataclass(frozen=True, kw_only=True)
class Read:
    window: Window
    picture: Picture
    progress: Progress


def read(source: Source, plan: Plan) -> Iterator[Read]:
    """No moment twice: where frames are slow, a window may reach into the next one's time.

    Reading goes on behind it then; it does not go back for pictures that are known.
    """
    until_s = -math.inf
    for window in plan.windows:
        start = max(source.near(window.start_s, window.slack_s), until_s + _NEXT_S)
        for picture in picked(_after(source.pictures(start), until_s), window):
            until_s = picture.time_s
            yield Read(window=window, picture=picture, progress=Progress.of(source))


def _after(pictures: Iterator[Picture], moment_s: float) -> Iterator[Picture]:
    return dropwhile(lambda picture: picture.time_s <= moment_s, pictures)


def most_ahead(source: Source) -> int:
    """Fewer where pictures are large."""
    size = source.info.width * source.info.height * _PIXEL_BYTES
    return max(_FEWEST_AHEAD, min(_MOST_AHEAD, int(_AHEAD_BYTES // size)))
