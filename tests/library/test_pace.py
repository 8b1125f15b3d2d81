"""How many items go behind one message follows from how long a worker holds one."""

from itertools import pairwise

import pytest

from tasks.pace import MOST, Pace

WINDOW = 200
WORKERS = 2


def run(pace: Pace, item_s: float, *, looks: int, begun: float = 0.0) -> list[int]:
    """What it says second by second while each worker takes so long for an item."""
    said = []
    for second in range(1, looks + 1):
        pace.take(round(WORKERS / item_s))
        assert pace.is_due(begun + second)
        pace.look(begun + second, WORKERS * pace.together)
        said.append(pace.together)
    return said


def test_what_takes_its_time_goes_alone() -> None:
    assert run(Pace(WINDOW), 1.0, looks=5) == [1] * 5


@pytest.mark.parametrize(("item_s", "together"), [(0.001, MOST), (0.02, 5), (0.03, 3)])
def test_quick_items_go_in_handfuls_that_last_a_moment(item_s: float, together: int) -> None:
    said = run(Pace(WINDOW), item_s, looks=10)
    assert said[0] == 1
    assert said[-1] == together
    assert all(after <= 2 * before for before, after in pairwise(said))


def test_one_look_is_enough_where_items_become_slow() -> None:
    pace = Pace(WINDOW)
    run(pace, 0.001, looks=10)
    assert run(pace, 2.0, looks=1, begun=10.0) == [1]


def test_a_pause_is_no_reason_for_handfuls() -> None:
    pace = Pace(WINDOW)
    run(pace, 0.001, looks=10)
    for second in range(11, 20):
        pace.look(second, 0)
    assert pace.together == 1


def test_a_small_window_is_not_shared_out_among_few() -> None:
    assert run(Pace(20), 0.001, looks=5) == [1] * 5
    assert run(Pace(60), 0.001, looks=5)[-1] == 5
