"""The same frames as windows of each length."""

import numpy as np
import pytest

from tests.making.bundles import person, window
from tests.making.figures import whole
from unmask.model.clips import PersonFrames
from unmask.train.evaluation import LENGTHS, _parted, _shortened
from unmask.train.page import summary


def times_of(found: PersonFrames) -> list[list[float]]:
    return [list(each.times) for each in found.windows]


@pytest.mark.parametrize("length", LENGTHS)
def test_every_length_holds_every_frame_in_the_fewest_windows(length: int) -> None:
    whole_one = window(150, seed=1, size=2)
    found = _shortened(person(whole_one), length)
    assert {len(each.times) for each in found.windows} == {length}
    assert sorted({time for each in found.windows for time in each.times}) == list(whole_one.times)
    assert len(found.windows) == (150 + length - 1) // length
    assert [each.number for each in found.windows] == list(range(len(found.windows)))


def test_windows_overlap_evenly_where_the_length_does_not_go_into_them() -> None:
    own = window(10, seed=1, size=2)
    found = _shortened(person(own), 4)
    assert times_of(found) == [list(own.times[start : start + 4]) for start in (0, 3, 6)]
    for each, start in zip(found.windows, (0, 3, 6), strict=True):
        assert np.array_equal(each.frames, own.frames[start : start + 4])


def test_what_is_shorter_than_the_length_is_left_out() -> None:
    long, short = window(5, seed=1, size=2), window(3, seed=2, number=1, size=2)
    assert times_of(_shortened(person(long, short), 5)) == [list(long.times)]
    [kept] = _parted([person(short, number=4), person(long, number=7)], 5)
    assert kept.person == 7


def test_a_table_without_a_row_says_why() -> None:
    assert not any("by length" in line for line in summary(whole()))
    lines = summary(whole() | {"by length": {}})
    assert "  windows by length: too few frames with a face, of one class at least" in lines
