"""In bf16 too, a verdict belongs to its item, whatever else is in the batch."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.making.bundles import THRESHOLDS, person, window, write_bundle
from unmask.model.clips import PersonFrames
from unmask.model.predict import Predictor, load
from unmask.outcomes import Outcome
from unmask.verdict import WindowScore, judge

LENGTHS = (2, 9, 4, 1, 6, 3)
#: Between the items' scores, so that each verdict occurs.
BETWEEN = {"real": 0.375, "fake": 0.3843}
#: Below what separates any item here from a threshold; bf16 against float32 is allowed 0.02.
BOUND = 1e-3


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    folder: Path = tmp_path_factory.mktemp("bf16")
    as_it_is = {"window": {"kind": "logistic"}, "item": {"kind": "logistic"}}
    bundle = write_bundle(
        folder,
        architecture={"trunk": "mobilenet_v2", "width": 32, "pooling": "mean"},
        untrained=False,
        calibration=as_it_is,
        thresholds=THRESHOLDS | BETWEEN,
    )
    return load(bundle, "cpu", "bf16")


@pytest.fixture(scope="module")
def items() -> list[PersonFrames]:
    return [person(window(length, seed)) for seed, length in enumerate(LENGTHS)]


@pytest.fixture(scope="module")
def alone(predictor: Predictor, items: list[PersonFrames]) -> list[WindowScore]:
    return [predictor.score([item])[0][0] for item in items]


def same(
    predictor: Predictor, found: Sequence[Sequence[WindowScore]], alone: list[WindowScore]
) -> None:
    """Every item has the score it has alone, and the verdict."""
    for [score], known in zip(found, alone, strict=True):
        assert score.raw == pytest.approx(known.raw, abs=BOUND)
        one, other = (judge([each], predictor.bundle.judgement) for each in (score, known))
        assert one.outcome is other.outcome


def test_every_verdict_occurs(predictor: Predictor, alone: list[WindowScore]) -> None:
    said = {judge([score], predictor.bundle.judgement).outcome for score in alone}
    assert said == {Outcome.REAL, Outcome.UNSURE, Outcome.FAKE}


def test_order_and_batch_mates_change_no_verdict(
    predictor: Predictor, items: list[PersonFrames], alone: list[WindowScore]
) -> None:
    same(predictor, predictor.score(items), alone)
    same(predictor, predictor.score(items[::-1])[::-1], alone)
    same(predictor, predictor.score(items[::2]), alone[::2])


def test_padding_changes_no_verdict(
    predictor: Predictor, items: list[PersonFrames], alone: list[WindowScore]
) -> None:
    """Beside one that is longer than all of them, each is padded."""
    longest = person(window(14, seed=99))
    same(predictor, predictor.score([longest, *items])[1:], alone)
