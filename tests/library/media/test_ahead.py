"""Made on another thread: the same items in the same order, never too many, errors included."""

import threading
from collections.abc import Iterator

import pytest

from unmask.media.ahead import ahead


def test_the_same_items_in_the_same_order() -> None:
    assert list(ahead(iter(range(100)), 4)) == list(range(100))


def test_what_goes_wrong_is_told_after_what_went_well() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise LookupError("broken")

    made = ahead(items(), 4)
    assert next(made) == 1
    with pytest.raises(LookupError, match="broken"):
        next(made)


def test_never_more_than_asked_for_is_made() -> None:
    made = 0

    def items() -> Iterator[int]:
        nonlocal made
        for item in range(100):
            made += 1
            yield item

    seen = ahead(items(), 3)
    for count in range(1, 20):
        next(seen)
        assert made <= count + 3


def test_beyond_what_is_sure_nothing_is_made_before_it_is_asked_for() -> None:
    items = iter(range(100))
    seen = ahead(items, 3, sure=5)
    assert [next(seen) for _ in range(7)] == list(range(7))
    seen.close()
    assert next(items) == 7


def test_who_stops_early_leaves_no_thread() -> None:
    before = threading.active_count()
    seen = ahead(iter(range(100)), 3)
    next(seen)
    assert threading.active_count() == before + 1
    seen.close()
    assert threading.active_count() == before
