import threading
from collections.abc import Callable

import pytest

from infra.ledger import Ledger, open_ledger
from schemas.records import Claim
from schemas.stages import Stage
from tests.services.items import (
    LEASE_S,
    claimed,
    extracted,
    fetched,
    judged,
    moves,
    pass_time,
    refused,
    row_of,
    stages,
    submitted,
    to_classify,
)
from unmask.outcomes import Outcome

CLAIMANTS = 8
ITEMS = 200

HandIn = Callable[[Ledger, Claim], object]

#: Every write that a worker makes under a claim for extraction, and what it says when it is stale.
HAND_INS: dict[str, HandIn] = {
    "extracted": lambda ledger, claim: ledger.extracted(claim, extracted(1)),
    "inherit": lambda ledger, claim: ledger.inherit(claim, fetched(1), 1),
    "reject": lambda ledger, claim: refused(ledger, claim) or None,
    "retry_fetch": lambda ledger, claim: ledger.retry_fetch(claim, "no answer"),
    "fail": lambda ledger, claim: ledger.fail(claim, "a bug"),
    "release": lambda ledger, claim: ledger.release(claim, "stopping") or None,
    "renew": lambda ledger, claim: ledger.renew([claim], lease_s=LEASE_S) or None,
}


def test_a_claim_says_what_the_worker_needs(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    claim = claimed(ledger, item, owner="host:1")
    assert (claim.item, claim.fence, claim.stage) == (item, 1, Stage.EXTRACTING)
    assert (claim.owner, claim.attempt) == ("host:1", 1)
    assert claim.uri == "https://cdn.example/0.mp4"
    assert claim.campaign == ledger.campaign("one")
    assert claim.extraction is None


def test_a_claim_for_classification_carries_the_clips(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    claim = to_classify(ledger, item, content=1)
    assert claim.extraction == extracted(1).extraction


def test_the_second_to_claim_gets_nothing(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    claimed(ledger, item)
    assert ledger.claim(item, Stage.WAITING, owner="other", lease_s=LEASE_S) is None
    assert ledger.claim(item, Stage.EXTRACTED, owner="other", lease_s=LEASE_S) is None
    assert ledger.claim(item + 1_000, Stage.WAITING, owner="other", lease_s=LEASE_S) is None


def test_many_are_claimed_at_once_and_each_once(ledger: Ledger) -> None:
    items = submitted(ledger, 5)
    claimed(ledger, items[2])
    taken = ledger.claim_many(items, Stage.WAITING, owner="w", lease_s=LEASE_S)
    assert [claim.item for claim in taken] == [one for one in items if one != items[2]]


def test_eight_claimants_get_each_item_once(ledger: Ledger, address: str) -> None:
    items = submitted(ledger, ITEMS)
    start = threading.Barrier(CLAIMANTS)
    taken: list[int] = []

    def take(number: int) -> None:
        mine = open_ledger(address)
        start.wait()
        for item in items[number:] + items[:number]:
            claim = mine.claim(item, Stage.WAITING, owner=f"w{number}", lease_s=LEASE_S)
            taken.extend([claim.item] if claim else [])
        mine.close()

    threads = [threading.Thread(target=take, args=(number,)) for number in range(CLAIMANTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == items
    assert stages(ledger) == {Stage.EXTRACTING: ITEMS}
    assert all(moves(ledger, item) == [Stage.WAITING, Stage.EXTRACTING] for item in items)


@pytest.mark.parametrize("hand_in", HAND_INS.values(), ids=HAND_INS.keys())
def test_a_stale_claim_changes_nothing(ledger: Ledger, hand_in: HandIn) -> None:
    """The first worker hangs past its lease; the second has the item when the first wakes up."""
    (item,) = submitted(ledger, 1)
    first = claimed(ledger, item, owner="first")
    pass_time(ledger, LEASE_S + 1)
    assert ledger.sweep().returned == 1
    pass_time(ledger, LEASE_S)
    second = claimed(ledger, item, owner="second")
    assert (second.fence, second.attempt) == (first.fence + 1, 2)
    before = ledger.history(item)
    assert hand_in(ledger, first) is None
    assert ledger.history(item) == before
    assert row_of(ledger, item).outcome is None
    assert ledger.renew([second], lease_s=LEASE_S) == {item}


def test_a_stale_verdict_is_left_out_of_its_batch(ledger: Ledger) -> None:
    one, two = submitted(ledger, 2)
    stale = to_classify(ledger, one, content=1)
    pass_time(ledger, LEASE_S + 1)
    ledger.sweep()
    pass_time(ledger, LEASE_S)
    claimed(ledger, one, Stage.EXTRACTED)
    good = to_classify(ledger, two, content=2)
    assert ledger.finish([(stale, judged()), (good, judged())]) == {two}
    assert row_of(ledger, one).outcome is None
    assert row_of(ledger, two).outcome is Outcome.FAKE


def test_a_claim_of_another_stage_is_stale_too(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    claim = claimed(ledger, item)
    ledger.extracted(claim, extracted(1))
    assert ledger.extracted(claim, extracted(1)) is None
    assert ledger.fail(claim, "late") is None
    assert moves(ledger, item)[-1] is Stage.EXTRACTED


def test_a_renewed_lease_is_not_swept(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    claim = claimed(ledger, item, deadline_s=10 * LEASE_S)
    pass_time(ledger, LEASE_S - 5)
    assert ledger.renew([claim], lease_s=LEASE_S) == {item}
    pass_time(ledger, LEASE_S - 5)
    assert ledger.sweep().returned == 0
    pass_time(ledger, 10)
    assert ledger.sweep().returned == 1


def test_no_renewal_reaches_past_the_deadline(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    claim = claimed(ledger, item, deadline_s=LEASE_S + 10)
    assert ledger.renew([claim], lease_s=100 * LEASE_S) == {item}
    pass_time(ledger, LEASE_S + 11)
    assert ledger.sweep().returned == 1
    assert "deadline" in ledger.history(item)[-1].note


def test_giving_back_costs_no_attempt_and_keeps_the_turn(ledger: Ledger) -> None:
    items = submitted(ledger, 3)
    for _ in range(5):
        claim = claimed(ledger, items[1])
        assert claim.attempt == 1
        assert ledger.release(claim, "shutting down")
    assert [offer.item for offer in ledger.offer(window=1, lease_s=60)] == [items[1]]
    assert ledger.history(items[1])[-1].note == "shutting down"


def test_an_item_given_back_for_later_is_not_claimed_before(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    ledger.release(claimed(ledger, item), "the store is full", after_s=100)
    assert ledger.claim(item, Stage.WAITING, owner="w", lease_s=LEASE_S) is None
    assert ledger.offer(window=10, lease_s=60) == []
    pass_time(ledger, 101)
    assert [offer.item for offer in ledger.offer(window=10, lease_s=60)] == [item]
    claimed(ledger, item)


def test_one_leads_until_it_falls_silent(ledger: Ledger) -> None:
    assert ledger.lead("sweep", "a", lease_s=60)
    assert ledger.lead("sweep", "a", lease_s=60)
    assert not ledger.lead("sweep", "b", lease_s=60)
    assert ledger.lead("another", "b", lease_s=60)
    assert ledger.lead("sweep", "a", lease_s=-1)
    assert ledger.lead("sweep", "b", lease_s=60)
    assert not ledger.lead("sweep", "a", lease_s=60)
