"""Every frame and every window is planned once, within memory, with little padding."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from tests.making.bundles import window
from unmask.model.loading import FrameLine, ahead
from unmask.model.plan import SHARE, chunks, fitting, groups, padding_share

lengths = st.lists(st.integers(1, 150), max_size=60)


@given(st.integers(0, 500), st.integers(1, 64))
def test_chunks_cover_all_frames_once(frames: int, most: int) -> None:
    planned = chunks(frames, most)
    assert list(itertools.chain(*planned)) == list(range(frames))
    assert all(0 < len(part) <= most for part in planned)


sizes = st.integers(0, 1 << 40)


@given(st.integers(1, 4096), st.integers(1, 1 << 30), sizes, sizes)
def test_no_more_go_together_than_have_room(most: int, each: int, free: int, more: int) -> None:
    found = fitting(most, each=each, free=free)
    assert 1 <= found <= most
    assert found == 1 or found * each <= SHARE * free
    assert found == most or (found + 1) * each > SHARE * free
    assert found <= fitting(most, each=each, free=free + more)


@given(st.integers(1, 4096))
def test_where_memory_does_not_decide_the_most_go_together(most: int) -> None:
    assert fitting(most, each=1 << 30, free=None) == most


@given(lengths, st.integers(1, 2000))
def test_groups_cover_all_windows_once(lengths: list[int], most: int) -> None:
    planned = groups(lengths, most=most)
    assert sorted(itertools.chain(*(group.windows for group in planned))) == list(
        range(len(lengths))
    )
    for group in planned:
        own = [lengths[each] for each in group.windows]
        assert group.length == max(own)
        assert len(own) == 1 or len(own) * group.length <= most
        assert sum(own) >= 0.9 * len(own) * group.length


@given(lengths)
def test_padding_stays_below_a_tenth(lengths: list[int]) -> None:
    assert 0 <= padding_share(groups(lengths, most=4000), lengths) <= 0.1


def test_windows_of_one_length_go_together() -> None:
    assert [len(group.windows) for group in groups([20] * 100, most=1000)] == [50, 50]
    assert groups([], most=1000) == []


def test_frames_of_many_windows_stand_in_line() -> None:
    windows = [window(length, length).frames for length in (3, 1, 5)]
    line = FrameLine(windows)
    everything = line.gather(range(9))
    assert len(line) == 9
    for part in (range(2), range(2, 5), range(3, 4), range(8, 9)):
        assert (line.gather(part) == everything[part.start : part.stop]).all()


def test_ahead_keeps_order_and_passes_errors_on() -> None:
    assert list(ahead(range(7), lambda job: job * job)) == [0, 1, 4, 9, 16, 25, 36]

    def fails(job: int) -> int:
        return 1 // (2 - job)

    done = ahead(range(5), fails)
    assert [next(done), next(done)] == [0, 1]
    try:
        next(done)
    except ZeroDivisionError:
        return
    raise AssertionError("the error was swallowed")
