"""What a bundle says of labelled items, kept so that every table can be made from it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unmask.media.coding import sharpness
from unmask.model.clips import PersonFrames, Window
from unmask.model.predict import Predictor
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec
from unmask.train.crops import Crops
from unmask.train.extracting import load
from unmask.train.sets.item import REAL, Item
from unmask.train.splits import joined
from unmask.verdict import WindowScore, deciding, judge

#: Crops that are scored at once.
_AT_ONCE = 256


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One item. Scores are the network's softmax for `fake`, before any calibration."""

    name: str
    method: str
    fake: bool
    group: str
    frames: tuple[float, ...]
    windows: tuple[float, ...]
    #: By the bundle's rule: the most suspect person's windows as one number.
    score: float
    probability: float | None
    outcome: Outcome
    #: The same rule over frames that were judged one by one.
    without_time: float | None = None
    #: The file, or the crop's name.
    source: str = ""
    #: Person, window and frame that spoke most for `fake`.
    telling: tuple[int, int, int] = (0, 0, 0)

    @property
    def said(self) -> float:
        """Calibrated where the bundle is."""
        return self.score if self.probability is None else self.probability


def score_crops(crops: Crops, chosen: NDArray[np.intp], predictor: Predictor) -> list[Scored]:
    """Each crop is a picture of one person: a window of one frame."""
    found: list[Scored] = []
    for start in range(0, len(chosen), _AT_ONCE):
        some = chosen[start : start + _AT_ONCE]
        persons = [still(crops.pictures[index]) for index in some]
        for index, scores in zip(some, predictor.score(persons), strict=True):
            fake = bool(crops.fake[index])
            found.append(
                _scored(
                    scores,
                    predictor,
                    name=crops.names[index],
                    method="fake" if fake else REAL,
                    fake=fake,
                    group=crops.groups[index],
                    source=crops.names[index],
                )
            )
    return found


def still(picture: NDArray[np.uint8]) -> PersonFrames:
    window = Window(0, (0.0,), np.ascontiguousarray(picture)[None], sharpness(picture))
    return PersonFrames(person=0, windows=(window,))


def score_items(
    items: Sequence[Item],
    folder: Path,
    spec: ScanSpec,
    predictor: Predictor,
    *,
    alone: bool = False,
) -> Iterator[Scored]:
    """Items whose clips lie in `folder`; those in which nobody could be judged are left out."""
    groups = joined([item.identities for item in items])
    for item in items:
        persons = load(item, folder, spec).persons
        if not persons:
            continue
        group = groups[item.identities[0]]
        yield score_persons(item, group, persons, predictor, alone=alone)


def score_persons(
    item: Item,
    group: str,
    persons: Sequence[PersonFrames],
    predictor: Predictor,
    *,
    alone: bool = False,
) -> Scored:
    scores = [each for windows in predictor.score(persons) for each in windows]
    apart = _without_time(persons, predictor) if alone else None
    return _scored(
        scores,
        predictor,
        name=item.name,
        method=item.method,
        fake=item.fake,
        group=group,
        source=str(item.path),
        without_time=apart,
    )


def _scored(
    scores: Sequence[WindowScore],
    predictor: Predictor,
    *,
    name: str,
    method: str,
    fake: bool,
    group: str,
    source: str,
    without_time: float | None = None,
) -> Scored:
    verdict = judge(scores, predictor.bundle.judgement)
    return Scored(
        name=name,
        method=method,
        fake=fake,
        group=group,
        frames=tuple(value for score in scores for value in score.frame_scores),
        windows=tuple(score.raw for score in scores),
        score=_by_rule(scores, predictor),
        probability=verdict.probability,
        outcome=verdict.outcome,
        without_time=without_time,
        source=source,
        telling=_telling(deciding(scores, predictor.bundle.judgement)),
    )


def _telling(scores: Sequence[WindowScore]) -> tuple[int, int, int]:
    most = max(scores, key=lambda score: score.raw)
    frame = int(np.argmax(most.frame_scores)) if most.frame_scores else 0
    return most.person, most.window, frame


def _by_rule(scores: Sequence[WindowScore], predictor: Predictor) -> float:
    by_person: dict[int, list[float]] = {}
    for score in deciding(scores, predictor.bundle.judgement):
        by_person.setdefault(score.person, []).append(score.raw)
    return max(predictor.bundle.judgement.rule(raws) for raws in by_person.values())


def _without_time(persons: Sequence[PersonFrames], predictor: Predictor) -> float:
    """The same verdict with each frame judged as if it were a picture."""
    apart = [
        PersonFrames(person=person.person, windows=tuple(_stills(person.windows)))
        for person in persons
    ]
    return _by_rule([each for own in predictor.score(apart) for each in own], predictor)


def _stills(windows: Sequence[Window]) -> Iterator[Window]:
    each = (
        (time, frame, window.sharpness)
        for window in windows
        for time, frame in zip(window.times, window.frames, strict=True)
    )
    for number, (time, frame, sharp) in enumerate(each):
        yield Window(number, (time,), frame[None], sharp)
