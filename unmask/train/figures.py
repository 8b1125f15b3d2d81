"""Tables of figures, each with its interval, from scored items."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmask.model.calibrate import calibration_error
from unmask.outcomes import Outcome
from unmask.train import metrics
from unmask.train.bootstrap import DRAWS, Interval, interval
from unmask.train.scoring import Scored
from unmask.train.sets.item import REAL

#: Where softmax scores are cut for accuracy, precision, recall, F1.
_HALF = 0.5
_BINS = 10

_Figure = Callable[[NDArray[np.float64], NDArray[np.bool_]], float]


def _of_confusion(name: str) -> _Figure:
    def figure(scores: NDArray[np.float64], fake: NDArray[np.bool_]) -> float:
        return float(getattr(metrics.confusion(scores, fake, _HALF), name))

    return figure


def _calibration_error(scores: NDArray[np.float64], fake: NDArray[np.bool_]) -> float:
    return calibration_error(scores.tolist(), fake.tolist(), _BINS)


FIGURES: dict[str, _Figure] = {
    "auc": metrics.auc,
    "equal error rate": metrics.equal_error_rate,
    "average precision": metrics.average_precision,
    "accuracy": _of_confusion("accuracy"),
    "precision": _of_confusion("precision"),
    "recall": _of_confusion("recall"),
    "f1": _of_confusion("f1"),
    "log loss": metrics.log_loss,
    "calibration error": _calibration_error,
}


@dataclass(frozen=True, kw_only=True)
class Level:
    """Scores of one kind (frames, windows, items), with labels and groups."""

    scores: NDArray[np.float64]
    fake: NDArray[np.bool_]
    groups: tuple[str, ...]

    def figures(
        self, names: Sequence[str] = tuple(FIGURES), draws: int = DRAWS
    ) -> dict[str, Interval]:
        return {name: self._interval(FIGURES[name], draws) for name in names}

    def _interval(self, figure: _Figure, draws: int) -> Interval:
        return interval(
            lambda some: figure(self.scores[some], self.fake[some]), self.groups, draws=draws
        )

    def confusion(self) -> dict[str, int]:
        return asdict(metrics.confusion(self.scores, self.fake, _HALF))


def level(items: Sequence[Scored], scores: Callable[[Scored], Sequence[float]]) -> Level:
    parts = [(value, item.fake, item.group) for item in items for value in scores(item)]
    return Level(
        scores=np.array([value for value, _, _ in parts]),
        fake=np.array([fake for _, fake, _ in parts]),
        groups=tuple(group for _, _, group in parts),
    )


def levels(items: Sequence[Scored]) -> dict[str, Level]:
    """Frames and windows by the network's own word; items by calibrated probability."""
    return {
        "frame": level(items, lambda item: item.frames),
        "window": level(items, lambda item: item.windows),
        "video": level(items, lambda item: [item.said]),
    }


def by_method(items: Sequence[Scored]) -> dict[str, dict[str, Any]]:
    """Each manipulation against all real items: what the item's score and time are worth."""
    real = [item for item in items if not item.fake]
    table: dict[str, dict[str, Any]] = {}
    for method in sorted({item.method for item in items} - {REAL}):
        some = [*real, *(item for item in items if item.method == method)]
        row: dict[str, Any] = {
            "fakes": len(some) - len(real),
            "reals": len(real),
            "auc": level(some, lambda item: [item.score]).figures(["auc"])["auc"],
            "window auc": level(some, lambda item: item.windows).figures(["auc"])["auc"],
        }
        if all(item.without_time is not None for item in some):
            row |= _worth_of_time(some)
        table[method] = row
    return table


def _worth_of_time(items: Sequence[Scored]) -> dict[str, Interval]:
    """The same frames judged one by one and averaged, and what judging them in order adds."""
    with_time = np.array([item.score for item in items])
    without = np.array([item.without_time for item in items], dtype=np.float64)
    fake = np.array([item.fake for item in items])
    groups = [item.group for item in items]

    def gained(some: NDArray[np.intp]) -> float:
        return metrics.auc(with_time[some], fake[some]) - metrics.auc(without[some], fake[some])

    alone = interval(lambda some: metrics.auc(without[some], fake[some]), groups)
    return {"auc of averaged frames": alone, "added by time": interval(gained, groups)}


def outcomes(items: Sequence[Scored]) -> dict[str, Any]:
    """What the default thresholds make of real and of fake items."""
    table: dict[str, Any] = {}
    for label, fake in (("real", False), ("fake", True)):
        some = [item for item in items if item.fake == fake]
        table[label] = {
            str(outcome): sum(item.outcome == outcome for item in some)
            for outcome in (Outcome.REAL, Outcome.UNSURE, Outcome.FAKE)
        }
    reals = [item for item in items if not item.fake]
    called = np.array([item.outcome == Outcome.FAKE for item in reals], dtype=np.float64)
    groups = [item.group for item in reals]
    table["reals called fake"] = interval(lambda some: float(called[some].mean()), groups)
    return table


def reliability(items: Sequence[Scored], bins: int = _BINS) -> list[dict[str, float]]:
    """Items in order of what was said, in equal parts: what was said, and what is true."""
    said = np.array([item.said for item in items])
    fake = np.array([item.fake for item in items], dtype=np.float64)
    parts = np.array_split(np.argsort(said, kind="stable"), min(bins, len(said)))
    return [
        {"said": float(said[p].mean()), "true": float(fake[p].mean()), "items": float(len(p))}
        for p in parts
    ]


def curve(items: Sequence[Scored]) -> list[tuple[float, float]]:
    """False alarm rate and hit rate at every threshold."""
    alarms, hits = metrics.rates([item.score for item in items], [item.fake for item in items])
    return [(float(alarm), float(hit)) for alarm, hit in zip(alarms, hits, strict=True)]
