"""How long a film is whose header does not say: its packets tell, and none of them is decoded.

A browser's own recordings, and files whose recorder died before it could write their length.
"""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import av

from unmask.media.budget import Budget

#: Where neither time stamps nor a rate are told.
USUAL_RATE = 25
#: Of each stream, in seconds; None where it is not told.
Lengths = list[float | None]
_MICROSECONDS = 1_000_000
#: Containers that call every stream as long as the file is.
_OF_THE_FILE = frozenset({"asf"})
#: Coded pictures without a container: what is told of their length is guessed by the bits a
#: second that they claim.
_BARE = frozenset({"mpegvideo", "m4v", "h264", "hevc", "vvc", "vc1", "obu", "mjpeg"})
#: Sound ends a little before or after the last picture in most films.
_NEAR_THE_END_S = 1.0


def told_length(container: Any, stream: Any) -> float | None:
    """By the file's own words; where they tell of the whole file alone, sound may go on longer."""
    own = own_length(container, stream)
    if own is not None or container.format.name in _BARE:
        return own
    if container.duration is not None and container.duration > 0:
        return float(container.duration / _MICROSECONDS)
    return None


def own_length(container: Any, stream: Any) -> float | None:
    """What is told of this stream, and not of the file."""
    name = container.format.name
    if name in _BARE or (name in _OF_THE_FILE and len(container.streams) > 1):
        return None
    told = stream.duration is not None and stream.duration > 0
    return float(stream.duration * stream.time_base) if told else None


def may_be_of_others(container: Any, stream: Any) -> bool:
    """Whether what is told may be the length of sound or subtitles."""
    return len(container.streams) > 1 and own_length(container, stream) is None


def length_by_the_end(container: Any, stream: Any, told_s: float, budget: Budget) -> float | None:
    """By the packets near the told end, if the stream has any there; the container is used up.

    A short way to know that the told length holds. If there are none, only a walk through the
    whole file tells: an index that leads astray must not make a film shorter than it is.
    """
    walk = _Walk()
    with suppress(av.FFmpegError):
        container.seek(round(told_s / stream.time_base) + (stream.start_time or 0), stream=stream)
        for packet in container.demux(stream):
            budget.check()
            walk.pass_by(packet)
    length = float((walk.end - (stream.start_time or 0)) * stream.time_base) if walk.count else 0.0
    return length if length >= told_s - _NEAR_THE_END_S else None


def walked_lengths(container: Any, streams: Sequence[Any], budget: Budget) -> Lengths:
    """Of each, by its packets; the container is used up by it."""
    walks = {stream.index: _Walk() for stream in streams}
    with suppress(av.FFmpegError):  # what is broken there is met again, and told, when it is read
        for packet in container.demux(*streams):
            budget.check()
            walks[packet.stream.index].pass_by(packet)
    return [walks[stream.index].length(stream) for stream in streams]


@dataclass
class _Walk:
    """From the first time stamp to the end of the last packet."""

    begin: float = math.inf
    end: float = -math.inf
    count: int = 0

    def pass_by(self, packet: Any) -> None:
        self.count += packet.size > 0
        if packet.pts is not None:
            self.begin = min(self.begin, packet.pts)
            self.end = max(self.end, packet.pts + (packet.duration or 0))

    def length(self, stream: Any) -> float | None:
        if self.end >= self.begin:
            return float((self.end - self.begin) * stream.time_base) or None
        return self.count / float(stream.average_rate or USUAL_RATE) or None
