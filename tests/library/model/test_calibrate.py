"""Calibration finds what was put in, and thresholds keep their promises."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.judgement import Isotonic, Logistic, Thresholds
from unmask.model.alarms import expected_alarms
from unmask.model.calibrate import (
    calibration_error,
    choose_thresholds,
    fit_isotonic,
    fit_logistic,
)


def drawn(slope: float, shift: float, count: int = 20_000) -> tuple[list[float], list[bool]]:
    """Scores whose true probability of fake is known: log-odds = slope × score's + shift."""
    rng = np.random.default_rng(1)
    odds = rng.normal(0, 2, count)
    scores = 1 / (1 + np.exp(-odds))
    truth = rng.random(count) < 1 / (1 + np.exp(-(slope * odds + shift)))
    return scores.tolist(), truth.tolist()


@pytest.mark.parametrize(("slope", "shift"), [(1.0, 0.0), (0.5, -1.0), (2.0, 0.7)])
def test_logistic_finds_slope_and_shift(slope: float, shift: float) -> None:
    found = fit_logistic(*drawn(slope, shift))
    assert found.slope == pytest.approx(slope, abs=0.06)
    assert found.shift == pytest.approx(shift, abs=0.06)


def test_isotonic_lowers_the_calibration_error() -> None:
    scores, truth = drawn(0.4, -1.0)
    curve = fit_isotonic(scores[::2], truth[::2])
    held_out, labels = scores[1::2], truth[1::2]
    before = calibration_error(held_out, labels)
    after = calibration_error([curve(score) for score in held_out], labels)
    assert before > 0.15
    assert after < 0.02


def test_separable_and_constant_scores_stay_finite() -> None:
    labels = [False] * 20 + [True] * 20
    fitted = fit_logistic([0.1] * 20 + [0.9] * 20, labels)
    assert math.isfinite(fitted.slope)
    assert fitted(0.9) > 0.9
    assert fitted(0.1) < 0.1
    assert fit_isotonic([0.5] * 40, labels)(0.3) == pytest.approx(0.5)


def test_one_class_alone_is_refused() -> None:
    for fit in (fit_logistic, fit_isotonic):
        with pytest.raises(ValueError, match="both fake and real"):
            fit([0.1, 0.2], [True, True])
    with pytest.raises(ValueError, match="finite"):
        fit_logistic([0.1, math.nan], [True, False])


unit = st.floats(0, 1)
labelled = st.lists(st.tuples(unit, st.booleans()), min_size=4, max_size=60).filter(
    lambda items: len({fake for _, fake in items}) == 2
)


@given(labelled, unit, unit)
def test_curves_never_turn_an_order_round(
    items: list[tuple[float, bool]], one: float, other: float
) -> None:
    scores, fake = [score for score, _ in items], [label for _, label in items]
    low, high = sorted((one, other))
    curves: list[Logistic | Isotonic] = [fit_logistic(scores, fake), fit_isotonic(scores, fake)]
    for curve in curves:
        assert 0 <= curve(low) <= curve(high) + 1e-12 <= 1 + 1e-9


@given(labelled)
def test_thresholds_say_what_they_do(items: list[tuple[float, bool]]) -> None:
    scores, fake = [score for score, _ in items], [label for _, label in items]
    chosen = choose_thresholds(scores, fake, most_false_alarms=0.1, most_misses=0.2)
    real = [score for score, label in items if not label]
    fakes = [score for score, label in items if label]
    assert chosen.real <= chosen.fake
    assert chosen.real_called_fake == pytest.approx(
        sum(score >= chosen.fake for score in real) / len(real)
    )
    assert chosen.fake_called_real == pytest.approx(
        sum(score < chosen.real for score in fakes) / len(fakes)
    )
    assert chosen.fake_called_real <= 0.2
    assert chosen.real_called_fake <= 0.1 or chosen.fake == 1.0


def test_expected_alarms_count_items() -> None:
    thresholds = Thresholds(
        real=0.2, fake=0.9, real_called_fake=0.01, fake_called_real=0.1,
        real_unsure=0.2, fake_unsure=0.3,
    )  # fmt: skip
    alarms = expected_alarms(thresholds, base_rate=0.02)
    assert (alarms.false_alarms, alarms.misses) == pytest.approx((98, 20))
    assert alarms.unsure == pytest.approx(9_800 * 0.2 + 200 * 0.3)
    with pytest.raises(ValueError, match="share"):
        expected_alarms(thresholds, base_rate=2)
