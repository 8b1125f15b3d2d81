"""How long a film is whose header does not say: its packets tell, and none of them is decoded.

A browser's own recordings, and files whose recorder died before it could write their length.
"""

import math
from contextlib import suppress
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


def walked_length(container: Any, stream: Any, budget: Budget) -> float | None:
    """From the first time stamp to the end of the last packet; the container is used up by it."""
    begin, end, count = math.inf, -math.inf, 0
    with suppress(av.FFmpegError):  # what is broken there is met again, and told, when it is read
        for packet in container.demux(stream):
            budget.check()
            count += packet.size > 0
            if packet.pts is not None:
                begin = min(begin, packet.pts)
                end = max(end, packet.pts + (packet.duration or 0))
    if end >= begin:
        return float((end - begin) * stream.time_base) or None
    return count / float(stream.average_rate or USUAL_RATE) or None
