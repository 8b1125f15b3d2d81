"""What people look for and take back among items that ended: found without a look at the others."""

from collections.abc import Callable

import pytest

from infra.ledger import Ledger, recall
from infra.ledger.failures import DEAD_SHOWN, SHOWN
from infra.ledger.policy import Policy
from schemas.records import Failure
from schemas.stages import Stage
from tests.services.effort import Effort, analyse
from tests.services.items import (
    claimed,
    end_alike,
    judged,
    moves,
    refused,
    stages,
    submitted,
    to_classify,
)
from unmask.outcomes import Outcome

#: Items that ended: reading them all is ten times over the limit of one step.
ENDED = 20_000


@pytest.fixture
def strict(ledger: Ledger) -> Ledger:
    """A ledger whose items are dead at their first fault."""
    ledger.policy = Policy(max_attempts=1)
    return ledger


def died(ledger: Ledger, item: int, error: str) -> None:
    assert ledger.fail(claimed(ledger, item), error, log=f"a log\n{error}") is Stage.DEAD


def ended_well(ledger: Ledger, item: int, others: int = 0) -> None:
    ledger.finish([(to_classify(ledger, item, content=1), judged())])
    end_alike(ledger, item, others, ago_s=3600)


def items_of(failures: tuple[Failure, ...]) -> list[int]:
    return [one.item for one in failures]


def test_a_status_reads_none_of_what_went_well(strict: Ledger) -> None:
    """One item died and one was refused; everything else ended well."""
    dead, gone, *rest = submitted(strict, ENDED)
    died(strict, dead, "a bug")
    refused(strict, claimed(strict, gone), Outcome.UNREACHABLE, "404")
    ended_well(strict, rest[0], len(rest) - 2)
    effort = Effort(strict)
    steps: dict[str, Callable[[], object]] = {
        "status": lambda: strict.status("one"),
        "dead": lambda: list(strict.dead("one")),
        "under way": strict.under_way,
    }
    fresh = {name: effort.of(step) for name, step in steps.items()}
    analyse(strict)
    later = {name: effort.of(step) for name, step in steps.items()}
    assert _dear(fresh, effort) | _dear(later, effort) == {}
    assert items_of(strict.status("one").failures) == [dead, gone]


def _dear(spent: dict[str, int], effort: Effort) -> dict[str, int]:
    return {step: cost for step, cost in spent.items() if cost > effort.limit}


def test_a_dead_item_is_not_hidden_by_later_dead_links(strict: Ledger) -> None:
    items = submitted(strict, 30)
    for item in items[:3]:
        died(strict, item, f"fault {item}")
    for item in items[3:20]:
        refused(strict, claimed(strict, item), Outcome.UNREACHABLE, "404")
    failures = strict.status("one").failures
    assert items_of(failures) == [*items[2::-1], *items[19:14:-1]]
    assert [one.log for one in failures[:3]] == [f"a log\nfault {item}" for item in items[2::-1]]
    assert {one.log for one in failures[3:]} == {""}


def test_dead_items_leave_room_for_others_and_take_what_is_free(strict: Ledger) -> None:
    items = submitted(strict, 30)
    for item in items[:10]:
        died(strict, item, "a bug")
    assert items_of(strict.status("one").failures) == items[9:1:-1]
    for item in items[10:12]:
        refused(strict, claimed(strict, item), Outcome.UNREACHABLE, "404")
    assert items_of(strict.status("one").failures) == [*items[9:3:-1], *items[11:9:-1]]
    for item in items[12:25]:
        refused(strict, claimed(strict, item), Outcome.BLOCKED, "private")
    shown = strict.status("one").failures
    assert [one.outcome for one in shown].count(Outcome.DEAD) == DEAD_SHOWN
    assert len(shown) == SHOWN


def test_all_dead_items_are_listed_page_by_page(
    strict: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = submitted(strict, 9)
    died(strict, items[0], "the first")
    end_alike(strict, items[0], 6)  # at the same moment
    refused(strict, claimed(strict, items[8]), Outcome.UNREACHABLE, "404")
    monkeypatch.setattr("infra.ledger.failures.PAGE", 2)
    assert [one.item for one in strict.dead("one")] == items[6::-1]
    assert {one.reason for one in strict.dead("one")} == {"the first"}
    assert [one.item for one in strict.dead("one", limit=3)] == items[6:3:-1]


def test_a_batch_of_a_requeue_costs_what_it_moves(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else ended so, or in another way."""
    gone, *others = submitted(ledger, 2 * ENDED)
    refused(ledger, claimed(ledger, gone), Outcome.UNREACHABLE, "404")
    end_alike(ledger, gone, ENDED - 1)
    ended_well(ledger, others[ENDED - 1], ENDED - 10)
    monkeypatch.setattr("infra.ledger.recall.BATCH", 20)
    campaign = ledger.campaign("one")
    effort = Effort(ledger)

    def batch() -> None:
        with ledger.engine.begin() as db:
            begun = recall.begin(db)
            assert recall.requeue(db, campaign, Outcome.UNREACHABLE, begun) == 20

    analyse(ledger)
    spent = {"one": effort.of(batch), "the next": effort.of(batch)}
    assert _dear(spent, effort) == {}


def test_a_cancel_costs_what_it_takes_back(ledger: Ledger) -> None:
    """The last few of many that ended."""
    first, *rest = submitted(ledger, ENDED)
    refused(ledger, claimed(ledger, first), Outcome.UNREACHABLE, "404")
    end_alike(ledger, first, len(rest) - 6)
    held, late = rest[-6], rest[-5]
    claimed(ledger, held)
    ledger.release(claimed(ledger, late), "not now", after_s=3600)
    analyse(ledger)
    campaign, effort = ledger.campaign("one"), Effort(ledger)

    def finished() -> None:
        with ledger.engine.begin() as db:
            assert not recall.is_finished(db, campaign)

    def cancelled() -> None:
        assert ledger.cancel("one") == 6

    spent = {"is finished": effort.of(finished), "cancel": effort.of(cancelled)}
    assert _dear(spent, effort) == {}
    assert stages(ledger) == {Stage.CANCELLED: 6, Stage.REJECTED: ENDED - 6}
    assert moves(ledger, late)[-1] is Stage.CANCELLED


def test_a_cancel_goes_on_from_batch_to_batch(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = submitted(ledger, 30)
    for content, item in enumerate(items[:7]):
        to_classify(ledger, item, content)
    for item in items[7:12]:
        ledger.release(claimed(ledger, item), "not now", after_s=float(item))
    for item in items[12:17]:
        claimed(ledger, item)
    ledger.offer(window=6, lease_s=60)
    monkeypatch.setattr("infra.ledger.recall.BATCH", 2)
    assert ledger.cancel("one") == 30
    assert stages(ledger) == {Stage.CANCELLED: 30}


def test_a_requeue_goes_on_from_batch_to_batch(
    strict: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = submitted(strict, 12)
    for item in items[:7]:
        died(strict, item, "a bug")
    for item in items[7:]:
        refused(strict, claimed(strict, item), Outcome.BLOCKED, "private")
    monkeypatch.setattr("infra.ledger.recall.BATCH", 2)
    assert strict.requeue("one", {Outcome.DEAD, Outcome.BLOCKED}) == 12
    assert stages(strict) == {Stage.WAITING: 12}


def test_what_ended_after_a_requeue_began_stays(strict: Ledger) -> None:
    """Else one that fails as fast as it is requeued would keep it going for ever."""
    early, late = submitted(strict, 2)
    died(strict, early, "a bug")
    with strict.engine.begin() as db:
        begun = recall.begin(db)
    died(strict, late, "a bug")
    campaign = strict.campaign("one")
    with strict.engine.begin() as db:
        assert recall.requeue(db, campaign, Outcome.DEAD, begun) == 1
        assert recall.requeue(db, campaign, Outcome.DEAD, begun) == 0
    assert [one.item for one in strict.dead("one")] == [late]
