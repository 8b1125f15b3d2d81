"""Figures of scores against labels. Higher scores mean fake; plain NumPy, no model."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]
Labels = NDArray[np.bool_]


def auc(scores: ArrayLike, fake: ArrayLike) -> float:
    """How often a fake scores above a real, ties counting half (Mann and Whitney)."""
    values, labels = _checked(scores, fake)
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    fakes = int(labels.sum())
    reals = len(labels) - fakes
    return float((ranks[labels].sum() - fakes * (fakes + 1) / 2) / (fakes * reals))


def rates(scores: ArrayLike, fake: ArrayLike) -> tuple[Numbers, Numbers]:
    """(false alarm rate, hit rate) as the threshold falls past each distinct score."""
    values, labels = _checked(scores, fake)
    order = np.argsort(-values, kind="stable")
    last = np.flatnonzero(np.diff(values[order], append=-np.inf))
    hits, alarms = np.cumsum(labels[order])[last], np.cumsum(~labels[order])[last]
    start = np.zeros(1)
    return (
        np.concatenate([start, alarms / (~labels).sum()]),
        np.concatenate([start, hits / labels.sum()]),
    )


def equal_error_rate(scores: ArrayLike, fake: ArrayLike) -> float:
    """Where as many reals are called fake as fakes real, on the line between two thresholds."""
    alarms, hits = rates(scores, fake)
    gap = alarms - (1 - hits)
    after = int(np.argmax(gap >= 0))
    if gap[after] == 0 or after == 0:
        return float(alarms[after])
    part = -gap[after - 1] / (gap[after] - gap[after - 1])
    return float(alarms[after - 1] + part * (alarms[after] - alarms[after - 1]))


def average_precision(scores: ArrayLike, fake: ArrayLike) -> float:
    """Precision, weighed by how much recall each threshold adds."""
    values, labels = _checked(scores, fake)
    order = np.argsort(-values, kind="stable")
    last = np.flatnonzero(np.diff(values[order], append=-np.inf))
    hits = np.cumsum(labels[order])[last]
    recall = hits / labels.sum()
    return float(np.sum(np.diff(recall, prepend=0.0) * hits / (last + 1)))


def log_loss(probabilities: ArrayLike, fake: ArrayLike, edge: float = 1e-7) -> float:
    values, labels = _checked(probabilities, fake)
    inside = values.clip(edge, 1 - edge)
    return float(-np.mean(np.where(labels, np.log(inside), np.log(1 - inside))))


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Fakes called fake, reals called fake, reals called real, fakes called real."""

    hits: int
    alarms: int
    passed: int
    misses: int

    @property
    def accuracy(self) -> float:
        return _ratio(self.hits + self.passed, self.hits + self.alarms + self.passed + self.misses)

    @property
    def precision(self) -> float:
        return _ratio(self.hits, self.hits + self.alarms)

    @property
    def recall(self) -> float:
        return _ratio(self.hits, self.hits + self.misses)

    @property
    def f1(self) -> float:
        return _ratio(2 * self.hits, 2 * self.hits + self.alarms + self.misses)


def confusion(probabilities: ArrayLike, fake: ArrayLike, threshold: float = 0.5) -> Confusion:
    values, labels = _checked(probabilities, fake)
    called = values >= threshold
    return Confusion(
        hits=int((called & labels).sum()),
        alarms=int((called & ~labels).sum()),
        passed=int((~called & ~labels).sum()),
        misses=int((~called & labels).sum()),
    )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _checked(scores: ArrayLike, fake: ArrayLike) -> tuple[Numbers, Labels]:
    values, labels = np.asarray(scores, np.float64), np.asarray(fake, np.bool_)
    if values.shape != labels.shape or values.ndim != 1:
        raise ValueError(f"{values.shape} scores for {labels.shape} labels")
    if not np.isfinite(values).all():
        raise ValueError("a score is not finite")
    if labels.all() or not labels.any():
        raise ValueError("figures need both fake and real items")
    return values, labels
