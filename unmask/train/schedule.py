"""The learning rate at a step: pure functions of how far the run is."""

import math

#: The share of a cycle that rises, and what the peak is divided by at its two ends.
_RISE, _FIRST, _LAST = 0.1, 20.0, 1000.0
#: A plateau: after so many epochs without a better validation the rate falls to this share.
PLATEAU_EPOCHS, PLATEAU_FALL = 2, 0.1


def one_cycle(step: int, steps: int, peak: float) -> float:
    """Up along half a cosine in the first tenth, down along another (Smith)."""
    part = min(max(step / max(steps - 1, 1), 0.0), 1.0)
    if part < _RISE:
        return _along(peak / _FIRST, peak, part / _RISE)
    return _along(peak, peak / _LAST, (part - _RISE) / (1 - _RISE))


def plateau(values: list[float], rate: float) -> float:
    """The rate after these validation values (higher is better), one per epoch so far."""
    best, flat = -math.inf, 0
    for value in values:
        if value > best:
            best, flat = value, 0
            continue
        flat += 1
        if flat == PLATEAU_EPOCHS:
            rate, flat = rate * PLATEAU_FALL, 0
    return rate


def worn_out(values: list[float], patience: int | None) -> bool:
    """Whether the best of these values is `patience` epochs old."""
    if patience is None or not values:
        return False
    return len(values) - 1 - values.index(max(values)) >= patience


def _along(start: float, end: float, part: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2
