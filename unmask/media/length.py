"""How long a film is: its packets tell, and none of them is decoded.

What a header says is one number that anybody can write, and windows lie within it: too small, and
nobody ever looks behind it. So the last packets are asked, and all of them where those disagree or
nothing is told: in a browser's own recordings, and where a recorder died before it could write it.
"""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av

from unmask.media.budget import Budget

#: Where neither time stamps nor a rate are told.
USUAL_RATE = 25
#: No film has as many pictures a second: so many ticks has its clock.
_CLOCK_RATE = 1000
#: Of each stream, in seconds; None where it is not told.
Lengths = list[float | None]
_MICROSECONDS = 1_000_000
#: Containers that call every stream as long as the file is.
_OF_THE_FILE = frozenset({"asf"})
#: Coded pictures without a container: what is told of their length is guessed by the bits a
#: second that they claim.
_BARE = frozenset({"mpegvideo", "m4v", "h264", "hevc", "vvc", "vc1", "obu", "mjpeg"})
#: Containers read by their index alone: a packet that is not in it is no part of the film.
_BY_INDEX = frozenset({"mov,mp4,m4a,3gp,3g2,mj2"})
#: Opening one of these goes through all of it already, and counts.
_COUNTED = frozenset({"gif"})
#: A seek to the end of one of these goes through all of it, and then finds nothing.
_WITHOUT_AN_END = frozenset({"flv", "live_flv"})
#: Sound ends a little before or after the last picture in most films.
_NEAR_THE_END_S = 1.0
#: A seek so far ends at the last key frame, in a file of any length that is looked at.
_BEHIND_ALL_S = 1e6


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


def frame_rate(stream: Any) -> Fraction | None:
    """Where two pictures have one stamp, and in raw DV, what is told is the rate of the clock."""
    told: Fraction | None = stream.average_rate
    if told and told >= _CLOCK_RATE:
        told = stream.guessed_rate
    return told if told and told < _CLOCK_RATE else None


def indexed_lengths(container: Any, streams: Sequence[Any], told: Lengths) -> Lengths | None:
    """Without reading anything; None where no index tells of one of them."""
    lengths = [
        None if told_s is None else _indexed_length(container, stream, told_s)
        for stream, told_s in zip(streams, told, strict=True)
    ]
    return None if None in lengths else lengths


def _indexed_length(container: Any, stream: Any, told_s: float) -> float | None:
    """What is told, or more where the index goes on behind it; None where no index tells."""
    if container.format.name in _COUNTED:
        return told_s
    last = _last_indexed(stream) if container.format.name in _BY_INDEX else None
    if last is None:
        return None
    indexed_s = float((last - (stream.start_time or 0)) * stream.time_base)
    if indexed_s < told_s - _NEAR_THE_END_S:  # a last picture that stays is in no index
        return None
    return indexed_s if indexed_s > told_s + _NEAR_THE_END_S else told_s


def _last_indexed(stream: Any) -> int | None:
    """What an edit cuts off is there too, so that the rest can be decoded, and is never shown."""
    shown = (entry.timestamp for entry in reversed(stream.index_entries) if not entry.is_discard)
    return next(shown, None)


def lengths_by_the_end(
    container: Any, streams: Sequence[Any], told: Lengths, budget: Budget
) -> Lengths | None:
    """By the last packets, where none ends much before what is told; the container is used up.

    If one does, only a walk through the whole file tells: an index that leads astray must not make
    a film shorter than it is.
    """
    if container.format.name in _WITHOUT_AN_END:
        return None
    walks = {stream.index: _Walk() for stream in streams}
    with suppress(av.FFmpegError):
        container.seek(round(_BEHIND_ALL_S / streams[0].time_base), stream=streams[0])
        for packet in container.demux():  # of all, or nobody would look at the clock among others'
            budget.check()
            if walk := walks.get(packet.stream.index):
                walk.pass_by(packet)
    lengths = [walks[stream.index].length_from_start(stream) for stream in streams]
    return lengths if all(map(_as_told, lengths, told)) else None


def _as_told(length_s: float | None, told_s: float | None) -> bool:
    return length_s is not None and told_s is not None and length_s >= told_s - _NEAR_THE_END_S


def walked_lengths(container: Any, streams: Sequence[Any], budget: Budget) -> Lengths:
    """Of each, by its packets; the container is used up by it."""
    walks = {stream.index: _Walk() for stream in streams}
    with suppress(av.FFmpegError):  # what is broken there is met again, and told, when it is read
        for packet in container.demux():  # of all, or nobody would look at the clock among others'
            budget.check()
            if walk := walks.get(packet.stream.index):
                walk.pass_by(packet)
    return [walks[stream.index].length(stream) for stream in streams]


@dataclass
class _Walk:
    """From the first time stamp to the end of the last packet."""

    begin: float = math.inf
    end: float = -math.inf
    count: int = 0

    def pass_by(self, packet: Any) -> None:
        self.count += packet.size > 0
        if packet.pts is not None and not packet.is_discard:
            self.begin = min(self.begin, packet.pts)
            self.end = max(self.end, packet.pts + (packet.duration or 0))

    def length_from_start(self, stream: Any) -> float | None:
        """Of the whole film, where only its end went by."""
        if not self.count or math.isinf(self.end):
            return None
        return float((self.end - (stream.start_time or 0)) * stream.time_base)

    def length(self, stream: Any) -> float | None:
        if self.end >= self.begin:
            return float((self.end - self.begin) * stream.time_base) or None
        return self.count / float(frame_rate(stream) or USUAL_RATE) or None
