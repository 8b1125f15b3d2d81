"""Fits what turns a network's score into a probability, and the thresholds on it.

Always on groups of items the network never saw; who does it names them in `fitted_on`.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from unmask.judgement import Isotonic, Logistic, Thresholds, log_odds

Numbers = NDArray[np.float64]

#: Newton's method stops after a step smaller than this; it needs about six.
_TINY_STEP = 1e-9
_MOST_STEPS = 100
#: Keeps the fit finite where the classes don't overlap at all.
_RIDGE = 1e-3
#: A slope below this would turn every score into the same probability.
_LEAST_SLOPE = 1e-3


def fit_logistic(probabilities: Sequence[float], fake: Sequence[bool]) -> Logistic:
    """Slope and shift on log-odds by greatest likelihood (Platt), each class weighing as it is."""
    labels = _labels(probabilities, fake)
    inputs = np.array([[log_odds(each), 1.0] for each in probabilities])
    weights = np.array([1.0, 0.0])
    prior = weights.copy()
    for _ in range(_MOST_STEPS):
        predicted = 1 / (1 + np.exp(-np.clip(inputs @ weights, -500, 500)))
        slope = inputs.T @ (predicted - labels) + _RIDGE * (weights - prior)
        spread = predicted * (1 - predicted)
        bend = (inputs * spread[:, None]).T @ inputs + _RIDGE * np.eye(2)
        step = np.linalg.solve(bend, slope)
        weights = weights - step / max(1.0, float(np.abs(step).max()))
        if float(np.abs(step).max()) < _TINY_STEP:
            break
    return Logistic(slope=max(float(weights[0]), _LEAST_SLOPE), shift=float(weights[1]))


def fit_isotonic(probabilities: Sequence[float], fake: Sequence[bool]) -> Isotonic:
    """The best rising steps (pool adjacent violators), joined by lines through their middles."""
    labels = _labels(probabilities, fake)
    blocks: list[tuple[float, float, int]] = []  # sum of scores, sum of labels, count
    for score, fakes, count in _tied(np.array(probabilities, dtype=np.float64), labels):
        block = (score * count, fakes, count)
        while blocks and blocks[-1][1] / blocks[-1][2] >= block[1] / block[2]:
            last = blocks.pop()
            block = (last[0] + block[0], last[1] + block[1], last[2] + block[2])
        blocks.append(block)
    at = [scores / count for scores, _, count in blocks]
    # Laplace's rule keeps a handful of items from meaning certainty.
    value = [(labels + 1) / (count + 2) for _, labels, count in blocks]
    return _risen(at, value)


def choose_thresholds(
    probabilities: Sequence[float],
    fake: Sequence[bool],
    *,
    most_false_alarms: float = 0.01,
    most_misses: float = 0.05,
) -> Thresholds:
    """`fake` calls at most that share of real items fake; `real` at most that of fakes real.

    Where the classes are so well apart that the two would cross, they meet.
    """
    labels = _labels(probabilities, fake) > 0
    scores = np.array(probabilities, dtype=np.float64)
    high = _least_with(scores, lambda t: _share(scores[~labels] >= t) <= most_false_alarms)
    low = _greatest_with(scores, lambda t: _share(scores[labels] < t) <= most_misses)
    low = min(low, high)
    return Thresholds(
        real=low,
        fake=high,
        real_called_fake=_share(scores[~labels] >= high),
        fake_called_real=_share(scores[labels] < low),
        real_unsure=_share((scores[~labels] >= low) & (scores[~labels] < high)),
        fake_unsure=_share((scores[labels] >= low) & (scores[labels] < high)),
    )


def calibration_error(
    probabilities: Sequence[float], fake: Sequence[bool], bins: int = 10
) -> float:
    """Mean distance between what is said and what is true, over bins of equally many items."""
    labels = _labels(probabilities, fake)
    order = np.argsort(np.array(probabilities), kind="stable")
    said = np.array(probabilities, dtype=np.float64)[order]
    parts = zip(np.array_split(said, bins), np.array_split(labels[order], bins), strict=True)
    gaps = [abs(float(p.mean() - true.mean())) * len(p) for p, true in parts if len(p)]
    return sum(gaps) / len(labels)


def _labels(probabilities: Sequence[float], fake: Sequence[bool]) -> Numbers:
    if len(probabilities) != len(fake) or len(set(fake)) < 2:
        raise ValueError("fitting needs one label per score, and both fake and real items")
    if not np.isfinite(np.array(probabilities, dtype=np.float64)).all():
        raise ValueError("a score is not finite")
    return np.array(fake, dtype=np.float64)


def _tied(scores: Numbers, labels: Numbers) -> list[tuple[float, float, int]]:
    """Each distinct score from the lowest on, how many fakes have it, and how many items."""
    distinct, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    fakes = np.bincount(place, weights=labels)
    return list(zip(distinct.tolist(), fakes.tolist(), counts.tolist(), strict=True))


def _risen(at: list[float], value: list[float]) -> Isotonic:
    """Knots with distinct places and rising values, two at least."""
    rising = np.maximum.accumulate(np.array(value))
    knots = dict(zip(at, rising.tolist(), strict=True))
    if len(knots) == 1:
        [level] = knots.values()
        knots = {0.0: level, 1.0: level}
    return Isotonic(at=tuple(knots), value=tuple(knots.values()))


def _share(chosen: NDArray[np.bool_]) -> float:
    return float(chosen.mean())


def _between(scores: Numbers) -> Numbers:
    """Every threshold that parts the scores differently, in the middle of its gap."""
    distinct = np.unique(scores)
    return np.concatenate([[0.0], (distinct[1:] + distinct[:-1]) / 2, [1.0]])


def _least_with(scores: Numbers, holds: Callable[[float], bool]) -> float:
    """The least threshold for which it holds; 1 where it holds for none."""
    return next((float(t) for t in _between(scores) if holds(float(t))), 1.0)


def _greatest_with(scores: Numbers, holds: Callable[[float], bool]) -> float:
    """The greatest threshold for which it holds; 0 where it holds for none."""
    return next((float(t) for t in _between(scores)[::-1] if holds(float(t))), 0.0)
