"""A frame limit from a data set: the mean length of its videos, as some papers take it."""

from collections.abc import Iterator, Sequence
from statistics import fmean

from unmask.errors import Refused
from unmask.media.budget import Budget
from unmask.media.source import opened
from unmask.media.values import Limits
from unmask.train.crops import BadData
from unmask.train.sets.item import Item


def mean_frames(items: Sequence[Item]) -> int:
    """Over all videos that say how long they are; nothing is decoded for it."""
    found = list(_lengths(items))
    if not found:
        raise BadData("no video says how many frames it has, so there is no mean; give a number")
    return max(1, round(fmean(found)))


def _lengths(items: Sequence[Item]) -> Iterator[float]:
    for item in items:
        try:
            with item.path.open("rb") as file, opened(file, Budget(Limits())) as source:
                length, rate = source.info.duration_s, source.info.frame_rate
        except Refused:
            continue
        if length and rate:
            yield length * rate
