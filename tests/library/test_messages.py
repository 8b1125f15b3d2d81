"""Workers of two releases share a queue: each reads what the other writes."""

from typing import Any

import pytest

from schemas.messages import ItemMessage, UnknownMessage


def read_by_the_release_before(body: Any) -> int:
    """As that release does: two fields, or from version 2 on some that it leaves unread."""
    match body:
        case {"v": 1, "item": int(item)} if len(body) == 2:
            return item
        case {"v": 2, "item": int(item)} if len(body) <= 8:
            return item
        case _:
            raise AssertionError(f"refused: {body}")


def test_the_release_before_reads_what_is_written_now() -> None:
    assert read_by_the_release_before(ItemMessage(item=17).to_json()) == 17
    assert read_by_the_release_before(ItemMessage(item=17, more=(18, 19)).to_json()) == 17


@pytest.mark.parametrize(
    "body",
    [{"v": 1, "item": 17}, {"v": 2, "item": 17}, {"v": 3, "item": 17, "more": [], "since": "2027"}],
)
def test_what_the_releases_before_and_after_write_is_read(body: Any) -> None:
    assert ItemMessage.from_json(body).items == (17,)


def test_a_handful_comes_as_it_was_sent() -> None:
    sent = ItemMessage(item=17, more=(19, 18))
    assert ItemMessage.from_json(sent.to_json()) == sent
    assert sent.items == (17, 19, 18)


@pytest.mark.parametrize(
    "body",
    [
        {"v": 4, "item": 17},
        {"v": 2, "item": 17, "more": 18},
        {"v": 2, "item": 17, "more": [18, "19"]},
        {"v": 2, "item": 17, "more": [18, 0]},
        {"v": 2, "item": 17, "more": list(range(1, 65))},
        {"v": 0, "item": 17},
        {"v": 1, "item": 17, "more": 1},
        {"v": 2, "item": 17} | {str(number): 0 for number in range(9)},
        {"v": 2, "item": True},
        {"v": 2, "item": -1},
        {"v": 2},
        ["v", 2],
        None,
    ],
)
def test_what_nobody_writes_is_refused(body: Any) -> None:
    with pytest.raises(UnknownMessage):
        ItemMessage.from_json(body)
