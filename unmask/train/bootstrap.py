"""Intervals by group: whole groups are drawn again and again, since their members are alike."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DRAWS = 400
_LEVEL = 0.95


class Interval(NamedTuple):
    """A figure, and where 95 of 100 drawings of the groups put it; None where none could."""

    value: float
    low: float | None
    high: float | None


def interval(
    figure: Callable[[NDArray[np.intp]], float],
    groups: Sequence[str],
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Interval:
    """`figure` takes the indices of items and raises ValueError where it has no meaning."""
    names, place = np.unique(np.array(groups), return_inverse=True)
    order = np.argsort(place, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(place))[:-1])
    rng = np.random.default_rng(seed)
    found: list[float] = []
    for _ in range(draws):
        drawn = np.concatenate([members[i] for i in rng.integers(0, len(names), len(names))])
        try:
            found.append(figure(drawn))
        except ValueError:
            continue
    value = figure(np.arange(len(groups)))
    # One group drawn again and again is always itself: that is no certainty.
    if len(found) < draws / 2 or len(names) < 2:
        return Interval(value, None, None)
    edge = (1 - _LEVEL) / 2
    low, high = np.quantile(found, [edge, 1 - edge])
    return Interval(value, float(low), float(high))
