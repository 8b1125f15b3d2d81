"""What holds of every plan, every track and every crop."""

import dataclasses
import itertools
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.making.looked_at import NOISE, flat, picture_of
from unmask.media.align import cut
from unmask.media.clock import seconds
from unmask.media.crop import crop_box
from unmask.media.faces.port import Face
from unmask.media.geometry import View, iou
from unmask.media.plan import plan, window_length
from unmask.media.second import glances, windows_at
from unmask.media.tracks import Follower, Seen, match
from unmask.media.values import Box
from unmask.spec import ScanSpec

durations = st.floats(0.01, 50_000)
rates = st.none() | st.floats(1, 240)
specs = st.builds(
    ScanSpec,
    windows=st.integers(1, 20),
    frames=st.integers(1, 150),
    spacing_s=st.none() | st.floats(0.005, 2),
)


@given(durations, specs, rates)
def test_windows_follow_one_another_inside_the_film(
    duration: float, spec: ScanSpec, rate: float | None
) -> None:
    windows = plan(duration, spec, rate).windows
    assert 1 <= len(windows) <= spec.windows
    assert [window.index for window in windows] == list(range(len(windows)))
    length = window_length(spec, rate)
    for window in windows:
        assert window.start_s - window.slack_s >= -1e-6 * duration
        fits = window.start_s + window.slack_s + length <= duration * (1 + 1e-6)
        assert fits or len(windows) == 1
    for one, other in itertools.pairwise(windows):
        latest_end = one.start_s + one.slack_s + length
        assert latest_end <= other.start_s - other.slack_s + 1e-6 * duration


@given(durations, specs, rates)
def test_the_work_does_not_grow_with_the_film(
    duration: float, spec: ScanSpec, rate: float | None
) -> None:
    short, long = plan(duration, spec, rate), plan(10 * duration, spec, rate)
    assert len(short.windows) <= len(long.windows) <= spec.windows
    assert all(window.picks == spec.frames for window in long.windows)


@given(specs, st.sampled_from(["first", "stride"]), st.integers(1, 9), st.none() | durations)
def test_what_is_counted_is_not_timed(
    spec: ScanSpec, moments: str, stride: int, duration: float | None
) -> None:
    counted = spec.with_options(
        first=moments == "first", stride=stride if moments != "first" else 0
    )
    if counted.moments == "windows":
        return
    (window,) = plan(duration, counted).windows
    assert (window.start_s, window.picks, window.spacing_s) == (0.0, None, None)
    assert plan(duration, counted).face_frames == spec.frames


@given(durations, specs, rates)
def test_glances_lie_inside_the_film_and_in_order(
    duration: float, spec: ScanSpec, rate: float | None
) -> None:
    taken = glances(plan(duration, spec, rate), duration).windows
    moments = [window.start_s for window in taken]
    assert moments == sorted(moments)
    assert all(0 <= moment <= duration for moment in moments)


@given(st.lists(durations, max_size=40), specs, rates)
def test_a_second_look_has_no_more_windows_and_none_that_meet(
    moments: Sequence[float], spec: ScanSpec, rate: float | None
) -> None:
    windows = windows_at(moments, spec, rate).windows
    assert len(windows) <= spec.windows
    assert bool(windows) == bool(moments)
    length = window_length(spec, rate)
    for one, other in itertools.pairwise(windows):
        assert other.start_s >= one.start_s + length


# Who is who

places = st.floats(0, 1000)
sides = st.floats(8, 400)
boxes = st.builds(Box, x=places, y=places, width=sides, height=sides)
faces = st.builds(Face, box=boxes, score=st.floats(0.5, 1))
crowds = st.lists(faces, max_size=6)


def _seen(crowd: Sequence[Face]) -> list[Seen]:
    return [Seen(track=number, face=face) for number, face in enumerate(crowd)]


@given(crowds, crowds)
def test_nobody_is_two_people(before: Sequence[Face], after: Sequence[Face]) -> None:
    pairs = match(_seen(before), after)
    assert len({number for number, _, _ in pairs}) == len(pairs)
    assert len({id(face) for _, _, face in pairs}) == len(pairs)


@given(crowds)
def test_whoever_stays_keeps_the_number(crowd: Sequence[Face]) -> None:
    apart = [
        face
        for place, face in enumerate(crowd)
        if all(iou(face.box, other.box) == 0 for other in crowd[:place])
    ]
    pairs = match(_seen(apart), apart)
    assert [number for number, _, face in sorted(pairs, key=lambda pair: pair[0])] == list(
        range(len(apart))
    )
    assert all(seen.face is face for _, seen, face in pairs)


@given(crowds, crowds)
def test_the_order_of_detection_does_not_matter(
    before: Sequence[Face], after: Sequence[Face]
) -> None:
    assume(len({face.box for face in (*before, *after)}) == len(before) + len(after))
    one = {(number, id(face)) for number, _, face in match(_seen(before), after)}
    other = {(number, id(face)) for number, _, face in match(_seen(before), after[::-1])}
    assert one == other


small = st.builds(
    Box,
    x=st.floats(0, 60),
    y=st.floats(0, 40),
    width=st.floats(8, 20),
    height=st.floats(8, 20),
)
films = st.lists(st.lists(st.builds(Face, box=small), max_size=3), min_size=1, max_size=40)


@given(films, st.none() | st.integers(1, 50))
def test_every_picture_is_told_once_and_no_number_twice_in_it(
    film: Sequence[Sequence[Face]], wanted: int | None
) -> None:
    follower = Follower(lambda picture, _: list(film[round(picture.time_s)]), 8)
    looks = list(follower.follow([flat(index) for index in range(len(film))], wanted))
    assert [look.picture.time_s for look in looks] == list(range(len(film)))
    for look in looks:
        numbers = [seen.track for seen in look.seen]
        assert len(set(numbers)) == len(numbers)
    ends = {0, len(film) - 1}
    for index in ends:
        shown = {seen.face.box for seen in looks[index].seen if seen.detected}
        assert shown == {face.box for face in film[index]}
    assert follower.looks <= 2 * len(film)


@given(films, films)
def test_numbers_are_never_used_again(
    one: Sequence[Sequence[Face]], other: Sequence[Sequence[Face]]
) -> None:
    shown = [one]
    follower = Follower(lambda picture, _: list(shown[0][round(picture.time_s)]), 8)
    tracks = []
    for film in (one, other):
        shown[0] = film
        looks = follower.follow([flat(index) for index in range(len(film))])
        tracks.append({seen.track for look in looks for seen in look.seen})
    assert not tracks[0] & tracks[1]


# Crops

margins = st.floats(0, 1)


@given(boxes, margins)
def test_a_square_crop_is_square_and_holds_the_face(face: Box, margin: float) -> None:
    box = crop_box(face, ScanSpec(margin=margin))
    assert box.width == pytest.approx(box.height)
    assert box.width == pytest.approx(max(face.width, face.height) * (1 + 2 * margin))
    assert box.x <= face.x + 1e-6
    assert box.y <= face.y + 1e-6
    assert box.x + box.width >= face.x + face.width - 1e-6
    assert box.y + box.height >= face.y + face.height - 1e-6
    assert box.x + box.width / 2 == pytest.approx(face.x + face.width / 2)


views = st.builds(
    View,
    coded_width=st.integers(1, 3000),
    coded_height=st.integers(1, 3000),
    turns=st.integers(0, 3),
    mirrored=st.booleans(),
    aspect=st.floats(0.25, 4),
)


@given(views, boxes)
def test_there_and_back_again(view: View, box: Box) -> None:
    back = view.to_shown(view.to_coded(box))
    expected = (box.x, box.y, box.width, box.height)
    assert (back.x, back.y, back.width, back.height) == pytest.approx(expected, abs=1e-4)


@given(views)
def test_the_whole_is_the_whole(view: View) -> None:
    coded = Box(x=0, y=0, width=view.coded_width, height=view.coded_height)
    shown = view.to_shown(coded)
    assert (shown.x, shown.y) == pytest.approx((0, 0), abs=1e-6)
    assert (shown.width, shown.height) == pytest.approx(view.size, abs=0.51)


reaching = st.builds(
    Box,
    x=st.floats(-90, 90),
    y=st.floats(-90, 90),
    width=st.floats(1, 200),
    height=st.floats(1, 200),
)


@given(
    reaching, st.integers(8, 64), st.integers(0, 3), st.booleans(), st.sampled_from([0.5, 1.0, 2.0])
)
def test_a_crop_has_its_size_wherever_it_lies(
    face: Box, size: int, turns: int, mirrored: bool, aspect: float
) -> None:
    view = View(coded_width=80, coded_height=60, turns=turns, mirrored=mirrored, aspect=aspect)
    halves = (NOISE[..., 0], NOISE[::2, ::2, 1], NOISE[::2, ::2, 2])
    shown = cut(picture_of(halves, view), face, ScanSpec(size=size))
    assert shown.picture.shape == (size, size, 3)
    assert shown.box.width == pytest.approx(shown.box.height, abs=2 * 2 * 2)
    wanted = crop_box(face, ScanSpec(size=size))
    assert abs(shown.box.x - wanted.x) <= 4
    assert abs(shown.box.y - wanted.y) <= 4


@given(st.integers(0, 20), st.integers(0, 20), st.integers(8, 40), st.integers(0, 3), st.booleans())
def test_a_crop_at_its_own_size_is_the_part_of_the_whole(
    x: int, y: int, side: int, turns: int, mirrored: bool
) -> None:
    view = View(coded_width=80, coded_height=60, turns=turns, mirrored=mirrored)
    picture = picture_of((NOISE,), view)
    whole = picture.small_rgb(1000)
    shown, box = picture.crop(Box(x=x, y=y, width=side, height=side), side)
    assert (box.x, box.y, box.width, box.height) == (x, y, side, side)
    assert np.array_equal(shown, whole[y : y + side, x : x + side])


def test_specs_that_differ_only_in_name_are_one() -> None:
    assert dataclasses.replace(ScanSpec(), name="other").digest == ScanSpec().digest


# Time stamps


@given(st.integers(-(10**12), 10**12), st.fractions(0, 1))
def test_a_moment_is_the_fraction_nearest_to_it(ticks: int, tick: Fraction) -> None:
    assert seconds(ticks, tick) == float(ticks * tick)
