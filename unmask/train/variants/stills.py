"""Two models on the same single pictures: which of them should judge stills?

A model for pictures takes over only where its frame AUC is better beyond chance and it calls no
more real pictures fake. Chance is drawn over whole groups, both models on the same draw.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unmask.model.predict import Predictor
from unmask.outcomes import Outcome
from unmask.train import metrics
from unmask.train.bootstrap import Interval, interval
from unmask.train.crops import BadData
from unmask.train.scoring import Scored, score_crops
from unmask.train.splits import Part, Shares, split
from unmask.train.tars import find_tars, load_crops


@dataclass(frozen=True, kw_only=True)
class Stills:
    """What a model is worth on single pictures."""

    auc: Interval
    #: Share of real pictures that its thresholds call fake.
    false_alarms: Interval


@dataclass(frozen=True, kw_only=True)
class Contest:
    pictures: int
    video: Stills
    still: Stills
    #: Frame AUC of the model for pictures, less that of the model for videos.
    gained: Interval

    @property
    def still_wins(self) -> bool:
        better = self.gained.low is not None and self.gained.low > 0
        return better and self.still.false_alarms.value <= self.video.false_alarms.value


def contest(data: Path, cache: Path, part: Part, *, video: Predictor, still: Predictor) -> Contest:
    crops = load_crops(find_tars(data), cache)
    for predictor in (video, still):
        if predictor.bundle.spec.size != crops.size:
            raise BadData(
                f"the crops are {crops.size} pixels wide, {predictor.bundle.name} differs"
            )
    chosen = split(crops, Shares())[part]
    one, other = (score_crops(crops, chosen, predictor) for predictor in (video, still))
    return Contest(
        pictures=len(chosen), video=_worth(one), still=_worth(other), gained=_gained(one, other)
    )


def _worth(items: Sequence[Scored]) -> Stills:
    scores, fake, groups = _columns(items)
    reals = [item for item in items if not item.fake]
    called = np.array([item.outcome == Outcome.FAKE for item in reals], dtype=np.float64)
    return Stills(
        auc=interval(lambda some: metrics.auc(scores[some], fake[some]), groups),
        false_alarms=interval(
            lambda some: float(called[some].mean()), [item.group for item in reals]
        ),
    )


def _gained(video: Sequence[Scored], still: Sequence[Scored]) -> Interval:
    (before, fake, groups), (after, _, _) = _columns(video), _columns(still)
    return interval(
        lambda some: metrics.auc(after[some], fake[some]) - metrics.auc(before[some], fake[some]),
        groups,
    )


def _columns(
    items: Sequence[Scored],
) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[str]]:
    scores = np.array([item.score for item in items])
    return scores, np.array([item.fake for item in items]), [item.group for item in items]
