"""Whoever kills its worker is found out alone; who was beside it is not charged."""

from infra.ledger import Ledger
from schemas.stages import Stage
from tests.services.items import (
    LEASE_S,
    claimed,
    extracted,
    judged,
    pass_time,
    row_of,
    stages,
    submitted,
)
from unmask.outcomes import Outcome

LONG_S = 10_000.0


def to_classify(ledger: Ledger, count: int) -> list[int]:
    items = submitted(ledger, count)
    for content, item in enumerate(items):
        ledger.extracted(claimed(ledger, item), extracted(content))
    return items


def died(ledger: Ledger) -> None:
    pass_time(ledger, LEASE_S + 1)
    ledger.sweep()
    pass_time(ledger, LONG_S)


def test_a_batch_that_dies_charges_nobody_and_comes_back_one_by_one(ledger: Ledger) -> None:
    items = to_classify(ledger, 4)
    batch = ledger.claim_many(items, Stage.EXTRACTED, owner="gpu:1", lease_s=LEASE_S)
    assert len(batch) == 4
    died(ledger)
    assert ledger.claim_many(items, Stage.EXTRACTED, owner="gpu:2", lease_s=LEASE_S) == []
    assert ledger.run_alone(items, Stage.EXTRACTED) == set(items)
    poison, *neighbours = items
    for item in neighbours:
        claim = claimed(ledger, item, Stage.EXTRACTED)
        assert claim.attempt == 2
        assert ledger.finish([(claim, judged())]) == {item}
        assert row_of(ledger, item).attempts == 1, "it was charged for its neighbour"
    for attempt in (2, 3):
        assert claimed(ledger, poison, Stage.EXTRACTED).attempt == attempt
        died(ledger)
    row = row_of(ledger, poison)
    assert (row.outcome, row.attempts) == (Outcome.DEAD, 3)
    assert stages(ledger) == {Stage.DONE: 3, Stage.DEAD: 1}


def test_an_item_alone_is_charged_at_once(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    for attempt in (1, 2, 3):
        assert claimed(ledger, item).attempt == attempt
        died(ledger)
    assert row_of(ledger, item).outcome is Outcome.DEAD


def test_what_was_suspected_and_goes_well_starts_the_next_stage_afresh(ledger: Ledger) -> None:
    items = submitted(ledger, 2)
    ledger.claim_many(items, Stage.WAITING, owner="cpu:1", lease_s=LEASE_S)
    died(ledger)
    claim = claimed(ledger, items[0])
    assert claim.attempt == 2
    ledger.extracted(claim, extracted(1))
    assert claimed(ledger, items[0], Stage.EXTRACTED).attempt == 1


def test_a_stuck_batch_is_past_its_deadline_however_lively_its_worker(ledger: Ledger) -> None:
    items = to_classify(ledger, 2)
    batch = ledger.claim_many(
        items, Stage.EXTRACTED, owner="gpu:1", lease_s=LEASE_S, deadline_s=100.0
    )
    pass_time(ledger, 50)
    assert ledger.renew(batch, lease_s=1_000.0) == set(items)
    pass_time(ledger, 51)
    assert ledger.sweep().returned == 2
    assert "past its deadline" in ledger.history(items[0])[-1].note
    assert "runs alone next" in ledger.history(items[0])[-1].note
