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
_MICROSECONDS = 1_000_000


def told_length(container: Any, stream: Any) -> float | None:
    """By the file's own words."""
    if stream.duration is not None and stream.duration > 0:
        return float(stream.duration * stream.time_base)
    if container.duration is not None and container.duration > 0:
        return float(container.duration / _MICROSECONDS)
    return None


def walked_lengths(container: Any, streams: Sequence[Any], budget: Budget) -> list[float | None]:
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
