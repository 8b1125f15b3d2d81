import multiprocessing
from collections.abc import Iterator
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

import pytest

from infra.ledger import Ledger, open_ledger
from infra.ledger.submit import CHUNK
from schemas.records import NewItem, Submitted, Trust
from schemas.stages import Stage
from tests.services.items import claimed, moves, new, options, refused, row_of, stages
from unmask.outcomes import Outcome

AT_ONCE = CHUNK + 17


def test_every_line_is_an_item_once(ledger: Ledger) -> None:
    campaign = ledger.open_campaign(options())
    assert ledger.submit(campaign, [new(1), new(2), new(1)]) == Submitted(new=2, known=1)
    assert ledger.submit(campaign, [new(2), new(3)]) == Submitted(new=1, known=1)
    assert stages(ledger) == {Stage.WAITING: 3}


def test_the_order_is_that_of_the_list(ledger: Ledger) -> None:
    campaign = ledger.open_campaign(options())
    ledger.submit(campaign, (new(number) for number in range(100)))
    sources = [row.source for row in ledger.results("one")]
    assert sources == [f"list.csv:{number}" for number in range(100)]


def test_another_stamp_is_another_item(ledger: Ledger) -> None:
    campaign = ledger.open_campaign(options())
    ledger.submit(campaign, [new(1, stamp="10:5")])
    assert ledger.submit(campaign, [new(1, stamp="11:5")]).new == 1


def test_an_older_version_of_a_file_names_the_later_one_once_that_has_ended(
    ledger: Ledger,
) -> None:
    path, odd = "/tapes/a b.mp4", "/tapes/what?token=1.mp4"
    campaign = ledger.open_campaign(options())
    versions = [(path, "10:5"), (odd, "1:1"), (path, "11:5"), ("/tapes/what?token=2.mp4", "2:2")]
    for uri, stamp in versions:
        ledger.submit(campaign, [new(1, uri=uri, trust=Trust.LOCAL, stamp=stamp)])
    elsewhere = ledger.open_campaign(options("other"))
    ledger.submit(elsewhere, [new(1, uri=path, trust=Trust.LOCAL, stamp="10:5")])
    old, *_, last = [row.item for name in ("one", "other") for row in ledger.results(name)]

    def later() -> list[int | None]:
        return [row.superseded_by for row in ledger.results("one")]

    refuse(ledger, old, last)
    assert later() == [None] * 4, "its later version has no answer yet"
    refuse(ledger, old + 2, old + 3)
    assert later() == [old + 2, None, None, None]
    assert [row.superseded_by for row in ledger.results("other")] == [None]


def refuse(ledger: Ledger, *items: int) -> None:
    for item in items:
        claim = claimed(ledger, item)
        refused(ledger, claim, Outcome.NOT_MEDIA, "no")


def test_campaigns_do_not_share_items(ledger: Ledger) -> None:
    for name in ("one", "two"):
        campaign = ledger.open_campaign(options(name))
        assert ledger.submit(campaign, [new(1)]).new == 1


def test_a_submitted_item_has_a_history(ledger: Ledger) -> None:
    campaign = ledger.open_campaign(options())
    ledger.submit(campaign, [new(1)])
    (row,) = ledger.results("one")
    (first,) = ledger.history(row.item)
    assert (first.old, first.new) == (None, Stage.WAITING)
    assert first.at == row.submitted_at


def test_extra_columns_come_through(ledger: Ledger) -> None:
    campaign = ledger.open_campaign(options())
    extra = {"id": 7, "título": "ß\u2028<b>", "score": float("nan"), "nested": [1, None]}
    ledger.submit(campaign, [new(1, extra=extra)])
    (row,) = ledger.results("one")
    assert row.extra == {**extra, "score": None}


def test_the_good_lines_before_a_broken_source_stay(ledger: Ledger) -> None:
    """A list that breaks off half-way is submitted again, and the counts are exact."""

    def breaking() -> Iterator[NewItem]:
        yield from (new(number) for number in range(CHUNK + 1))
        raise OSError("the disk is gone")

    campaign = ledger.open_campaign(options())
    with pytest.raises(OSError, match="gone"):
        ledger.submit(campaign, breaking())
    assert stages(ledger) == {Stage.WAITING: CHUNK + 1}
    again = ledger.submit(campaign, (new(number) for number in range(CHUNK + 5)))
    assert again == Submitted(new=4, known=CHUNK + 1)


@pytest.mark.parametrize("uri", ["", "a\0b", "a\ud800b"])
def test_what_no_database_can_hold_is_no_item(uri: str) -> None:
    with pytest.raises(ValueError, match="address"):
        NewItem(uri=uri, trust=Trust.REMOTE)


def _submit(address: str, start: Barrier, answer: "Queue[Submitted]") -> None:
    ledger = open_ledger(address)
    campaign = ledger.open_campaign(options())
    start.wait()
    done = ledger.submit(campaign, (new(number) for number in range(AT_ONCE)))
    answer.put(done)
    ledger.close()


def test_two_processes_that_submit_the_same_list_at_once_count_exactly(
    ledger: Ledger, address: str
) -> None:
    spawn = multiprocessing.get_context("spawn")
    start, answers = spawn.Barrier(2), spawn.Queue()
    children = [spawn.Process(target=_submit, args=(address, start, answers)) for _ in range(2)]
    for child in children:
        child.start()
    done = [answers.get(timeout=60) for _ in children]
    for child in children:
        child.join()
    assert sum(one.new for one in done) == AT_ONCE
    assert sum(one.known for one in done) == AT_ONCE
    assert stages(ledger) == {Stage.WAITING: AT_ONCE}
    last = row_of(ledger, max(row.item for row in ledger.results("one", after=AT_ONCE // 2)))
    assert moves(ledger, last.item) == [Stage.WAITING]


AWKWARD = ("a\tb", "a\nb", "a\r\nb", "a\\b", "\\N", "\\.", "\\x41", "ends in \\", 'a"b', "ä 🎬")


def test_any_text_comes_through_as_it_is(ledger: Ledger) -> None:
    campaign = ledger.open_campaign(options())
    ledger.submit(
        campaign,
        [
            new(number, uri=f"/media/{words}", stamp=words, source=words, extra={"title": words})
            for number, words in enumerate(AWKWARD)
        ],
    )
    found = [(row.uri, row.source, row.extra["title"]) for row in ledger.results("one")]
    assert found == [(f"/media/{words}", words, words) for words in AWKWARD]
