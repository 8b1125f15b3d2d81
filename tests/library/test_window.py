from hypothesis import given
from hypothesis import strategies as st

from infra.ledger.window import crowded, lane, quotas
from schemas.records import Priority

LIVE, NORMAL, BULK = Priority.LIVE, Priority.NORMAL, Priority.BULK
LEVELS = st.dictionaries(st.sampled_from(list(Priority)), st.integers(0, 40))


def test_one_priority_leaves_room_for_the_more_urgent() -> None:
    assert quotas(16, {}, frozenset({LIVE})) == {LIVE: 16}
    assert quotas(16, {}, frozenset({NORMAL})) == {NORMAL: 14}
    assert quotas(16, {}, frozenset({BULK})) == {BULK: 12}


def test_each_lower_priority_with_work_keeps_a_share() -> None:
    assert quotas(16, {}, frozenset(Priority)) == {LIVE: 12, NORMAL: 12, BULK: 12}
    assert quotas(16, {LIVE: 12, NORMAL: 2}, frozenset(Priority)) == {LIVE: 0, NORMAL: 0, BULK: 2}


def test_a_window_of_one_still_moves() -> None:
    assert quotas(1, {}, frozenset({BULK})) == {BULK: 1}


def test_a_window_that_filled_itself_lets_live_in() -> None:
    assert quotas(16, {BULK: 40}, frozenset({LIVE, BULK})) == {LIVE: 2, BULK: 0}


@given(st.integers(1, 400), LEVELS, st.frozensets(st.sampled_from(list(Priority))))
def test_no_quota_is_below_zero_or_beyond_the_window(
    window: int, outstanding: dict[Priority, int], due: frozenset[Priority]
) -> None:
    shares = quotas(window, outstanding, due)
    assert shares.keys() == due
    assert all(0 <= share <= window for share in shares.values())


def test_an_item_offered_in_vain_climbs() -> None:
    assert [lane(BULK, offers, None) for offers in range(4)] == [BULK, NORMAL, LIVE, LIVE]
    assert lane(BULK, 0, LIVE) is LIVE
    assert lane(LIVE, 0, NORMAL) is LIVE


def test_only_what_is_as_urgent_holds_back_an_extraction() -> None:
    assert crowded(8, {}) == frozenset()
    assert crowded(8, {BULK: 8}) == {BULK}
    assert crowded(8, {NORMAL: 5, BULK: 3}) == {BULK}
    assert crowded(8, {LIVE: 8}) == {LIVE, NORMAL, BULK}
