"""Windows → person → item, and what must never happen on the way."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.judgement import Calibration, Isotonic, Judgement, Logistic, Rule, Thresholds
from unmask.outcomes import Outcome
from unmask.verdict import WindowScore, deciding, judge

PLAIN = Calibration(window=Logistic(), item=Logistic())
THRESHOLDS = Thresholds(
    real=0.3,
    fake=0.8,
    real_called_fake=0.01,
    fake_called_real=0.05,
    real_unsure=0.2,
    fake_unsure=0.2,
)
TRAINED = Judgement(untrained=False, calibration=PLAIN, thresholds=THRESHOLDS)


def score(raw: float, person: int = 0, window: int = 0, **more: Any) -> WindowScore:
    start = float(window)
    return WindowScore(
        person=person, window=window, start_s=start, end_s=start + 0.8, frames=20, raw=raw, **more
    )


@pytest.mark.parametrize(
    ("raw", "outcome"),
    [
        (0.05, Outcome.REAL),
        (0.29, Outcome.REAL),
        (0.31, Outcome.UNSURE),
        (0.79, Outcome.UNSURE),
        (0.81, Outcome.FAKE),
    ],
)
def test_thresholds_decide(raw: float, outcome: Outcome) -> None:
    verdict = judge([score(raw)], TRAINED)
    assert verdict.outcome is outcome
    assert verdict.probability == pytest.approx(raw)
    assert verdict.thresholds == (0.3, 0.8)


def test_one_fake_person_makes_the_item_fake() -> None:
    verdict = judge([score(0.1), score(0.95, person=1), score(0.2, person=2)], TRAINED)
    assert verdict.outcome is Outcome.FAKE
    assert [person.outcome for person in verdict.persons] == [
        Outcome.REAL,
        Outcome.FAKE,
        Outcome.REAL,
    ]
    assert verdict.reason == "person 2: 95 % likely fake, most telling at 0.0 s"


@pytest.mark.parametrize(
    ("raw", "film", "still"),
    [
        (0.95, "95 % likely fake, most telling at 0.0 s", "95 % likely fake"),
        (0.5, "50 % likely fake, too close to call; look at 0.0 s", "fake, too close to call"),
        (0.1, "10 % likely fake, highest of all people seen", "highest of all people seen"),
    ],
)
def test_a_reason_names_a_moment_only_where_there_is_one(raw: float, film: str, still: str) -> None:
    """A picture has none."""
    of_a_film = score(raw)
    of_a_picture = dataclasses.replace(of_a_film, end_s=of_a_film.start_s)
    assert judge([of_a_film], TRAINED).reason.replace("\u00a0", " ").endswith(film)
    assert judge([of_a_picture], TRAINED).reason.replace("\u00a0", " ").endswith(still)


def test_a_film_seen_in_single_frames_has_moments_to_name() -> None:
    seen = [
        dataclasses.replace(score(raw, window=number), end_s=float(number), frames=1)
        for number, raw in enumerate((0.9, 0.99, 0.9))
    ]
    assert judge(seen, TRAINED).reason.endswith("likely fake, most telling at 1.0 s")


def test_an_untrained_model_says_nothing() -> None:
    verdict = judge([score(0.99)], Judgement(untrained=True))
    assert (verdict.outcome, verdict.reason) == (Outcome.UNSURE, "untrained model")
    assert verdict.probability is None
    assert verdict.persons[0].probability is None
    assert verdict.persons[0].segments[0].probability is None


def test_without_calibration_only_the_raw_score_is_shown() -> None:
    verdict = judge([score(0.99)], Judgement(untrained=False))
    assert verdict.outcome is Outcome.UNSURE
    assert verdict.probability is None
    assert verdict.reason == "model without calibration: raw score 0.990"


def test_without_thresholds_nobody_is_judged() -> None:
    verdict = judge([score(0.99)], Judgement(untrained=False, calibration=PLAIN))
    assert verdict.outcome is Outcome.UNSURE
    assert verdict.probability == pytest.approx(0.99)


def test_segments_tell_when() -> None:
    frames = (0.1,) * 15 + (0.9,) + (0.1,) * 4
    later = score(0.6, window=3, frame_scores=frames)
    [person] = judge([later, score(0.4, window=1)], TRAINED).persons
    assert [segment.start_s for segment in person.segments] == [1.0, 3.0]
    assert person.segments[1].telling_s == pytest.approx(3 + 0.8 * 15 / 19)


BLUR_MATTERS = dataclasses.replace(TRAINED, least_sharpness=15.0)


def test_who_was_seen_only_blurred_is_never_called_fake_and_keeps_the_item_from_real() -> None:
    seen = [score(0.1, sharpness=80.0), score(0.97, person=1, sharpness=9.0)]
    verdict = judge(seen, BLUR_MATTERS)
    assert verdict.outcome is Outcome.UNSURE
    assert [person.blurred for person in verdict.persons] == [False, True]
    assert [person.outcome for person in verdict.persons] == [Outcome.REAL, Outcome.UNSURE]
    assert verdict.reason.replace("\u00a0", " ") == (
        "person 2: 97 % likely fake, but too blurred to conclude anything; look at 0.0 s"
    )


def test_a_person_judged_fake_decides_before_one_too_blurred_to_judge() -> None:
    seen = [score(0.85, sharpness=80.0), score(0.97, person=1, sharpness=9.0)]
    verdict = judge(seen, BLUR_MATTERS)
    assert verdict.outcome is Outcome.FAKE
    assert verdict.probability == pytest.approx(0.85)
    assert verdict.reason.startswith("person 1:")


def test_a_blurred_person_below_the_threshold_stands_in_nobodys_way() -> None:
    """The reason tells the highest of all people seen, and that it was seen only blurred."""
    seen = [score(0.1, sharpness=80.0), score(0.2, person=1, sharpness=9.0)]
    verdict = judge(seen, BLUR_MATTERS)
    assert verdict.outcome is Outcome.REAL
    assert verdict.reason.startswith("person 2: 20")
    assert verdict.reason.endswith("likely fake, highest of all people seen, seen only blurred")


def test_a_first_sharp_look_at_one_person_does_not_clear_another() -> None:
    seen = [score(0.05, sharpness=9.0), score(0.9, person=1, sharpness=9.0)]
    more = [*seen, score(0.1, window=1, sharpness=80.0)]
    for verdict in (judge(seen, BLUR_MATTERS), judge(more, BLUR_MATTERS)):
        assert verdict.outcome is Outcome.UNSURE
        assert verdict.reason.startswith("person 2: 90")
    assert judge(seen, BLUR_MATTERS).probability == pytest.approx(0.9)
    assert judge(more, BLUR_MATTERS).probability == pytest.approx(0.1), "of whom is seen sharply"


def test_where_everybody_is_blurred_somebody_should_look() -> None:
    verdict = judge([score(0.97, sharpness=9.0)], BLUR_MATTERS)
    assert verdict.outcome is Outcome.UNSURE
    assert verdict.probability == pytest.approx(0.97)
    assert "too blurred to conclude anything" in verdict.reason


def test_blurred_windows_do_not_count_beside_sharp_ones() -> None:
    sharp = score(0.9, sharpness=80.0)
    blurred = score(0.1, window=1, sharpness=9.0)
    assert judge([sharp, blurred], BLUR_MATTERS).probability == pytest.approx(0.9)


def test_a_probability_rests_on_sharp_windows_or_else_on_all() -> None:
    sharp, blurred = score(0.9, sharpness=80.0), score(0.1, window=1, sharpness=9.0)
    alone = score(0.5, person=1, sharpness=9.0)
    assert deciding([sharp, blurred, alone], BLUR_MATTERS) == [sharp]
    assert deciding([blurred, alone], BLUR_MATTERS) == [blurred, alone]


def test_what_nobody_measured_is_taken_as_sharp() -> None:
    assert judge([score(0.9)], BLUR_MATTERS).outcome is Outcome.FAKE


def test_no_windows_is_no_verdict() -> None:
    with pytest.raises(ValueError, match="at least one"):
        judge([], TRAINED)


def test_rule_takes_the_top_windows() -> None:
    assert Rule()([0.2, 0.5, 0.8]) == pytest.approx(0.5)
    assert Rule(top=1)([0.2, 0.5, 0.8]) == pytest.approx(0.8)
    assert Rule(top=2)([0.2, 0.5, 0.5]) == pytest.approx(0.5)


def test_rule_may_lie_between_mean_and_maximum() -> None:
    windows = [0.2, 0.5, 0.8]
    found = [Rule(sharpness=sharpness)(windows) for sharpness in (0.0, 0.01, 1.0, 100.0)]
    assert found == sorted(found)
    assert found[0] == pytest.approx(found[1], abs=0.01)
    assert found[3] == pytest.approx(0.8, abs=0.01)
    odds = [0.25, 1.0, 4.0]
    assert Rule(sharpness=1.0)(windows) == pytest.approx(sum(odds) / 3 / (1 + sum(odds) / 3))


#: Per person, of each window: what the network says, and how sharp it is (None: not measured).
Seen = list[list[tuple[float, float | None]]]

raws = st.floats(0, 1)
curves = st.one_of(
    st.builds(Logistic, slope=st.floats(0.1, 5), shift=st.floats(-3, 3)),
    st.just(Isotonic(at=(0.1, 0.4, 0.9), value=(0.0, 0.6, 0.6))),
)
judgements = st.builds(
    Judgement,
    untrained=st.just(False),
    calibration=st.builds(Calibration, window=curves, item=curves),
    thresholds=st.just(THRESHOLDS),
    rule=st.builds(Rule, top=st.none() | st.integers(1, 5), sharpness=st.floats(0, 100)),
    least_sharpness=st.sampled_from([0.0, 15.0]),
)
windows = st.tuples(raws, st.sampled_from([None, 9.0, 80.0]))
people = st.lists(st.lists(windows, min_size=1, max_size=6), min_size=1, max_size=3)
ORDER = [Outcome.REAL, Outcome.UNSURE, Outcome.FAKE]
#: A rounding may move a person this far.
ROUNDING = 1e-9


def scores_of(seen: Seen) -> list[WindowScore]:
    return [
        score(raw, person, window, sharpness=sharpness)
        for person, own in enumerate(seen)
        for window, (raw, sharpness) in enumerate(own)
    ]


def rank(scores: list[WindowScore], judgement: Judgement) -> tuple[int, float]:
    verdict = judge(scores, judgement)
    assert verdict.probability is not None
    return ORDER.index(verdict.outcome), verdict.probability


def check_not_lower(
    before: list[WindowScore], after: list[WindowScore], judgement: Judgement
) -> None:
    """Neither by outcome, but for a rounding of somebody at a threshold, nor by probability.

    The first sharp look at anybody takes the probability over from those seen only blurred.
    """
    (stood, was), (stands, now) = rank(before, judgement), rank(after, judgement)
    assert stands >= stood or at_a_threshold(before, judgement)
    if seen_sharply(before, judgement) or not seen_sharply(after, judgement):
        assert now >= was - ROUNDING


def at_a_threshold(scores: list[WindowScore], judgement: Judgement) -> bool:
    edges = (THRESHOLDS.real, THRESHOLDS.fake)
    return any(
        person.probability is not None and abs(person.probability - edge) <= ROUNDING
        for person in judge(scores, judgement).persons
        for edge in edges
    )


def seen_sharply(scores: list[WindowScore], judgement: Judgement) -> bool:
    return not all(person.blurred for person in judge(scores, judgement).persons)


@given(people, judgements, st.data())
def test_raising_a_window_never_lowers_the_item(
    seen: Seen, judgement: Judgement, data: st.DataObject
) -> None:
    scores = scores_of(seen)
    which = data.draw(st.integers(0, len(scores) - 1))
    higher = data.draw(st.floats(scores[which].raw, 1))
    raised = [*scores]
    raised[which] = dataclasses.replace(scores[which], raw=higher)
    check_not_lower(scores, raised, judgement)


@given(people, judgements, st.data())
def test_adding_a_window_at_or_above_never_lowers_the_item(
    seen: Seen, judgement: Judgement, data: st.DataObject
) -> None:
    """Be it sharp or blurred, and its person seen sharply or not."""
    assert judgement.calibration is not None
    scores = scores_of(seen)
    person = data.draw(st.integers(0, len(seen) - 1))
    own = deciding([each for each in scores if each.person == person], judgement)
    level = judgement.rule([judgement.calibration.window(each.raw) for each in own])
    added = data.draw(st.floats(0, 1))
    if judgement.calibration.window(added) < level:
        added = 1.0
    if judgement.calibration.window(added) < level:
        return
    sharpness = data.draw(st.sampled_from([None, 9.0, 80.0]))
    more = score(added, person, window=99, sharpness=sharpness)
    check_not_lower(scores, [*scores, more], judgement)


@given(people, judgements)
def test_nobody_is_called_fake_for_blur_alone(seen: Seen, judgement: Judgement) -> None:
    judgement = dataclasses.replace(judgement, least_sharpness=15.0)
    blurred = [dataclasses.replace(each, sharpness=9.0) for each in scores_of(seen)]
    verdict = judge(blurred, judgement)
    assert all(person.outcome is not Outcome.FAKE for person in verdict.persons)
    assert verdict.outcome is not Outcome.FAKE


@given(people, judgements)
def test_order_of_windows_changes_nothing(seen: Seen, judgement: Judgement) -> None:
    scores = scores_of(seen)
    assert judge(scores, judgement) == judge(scores[::-1], judgement)
