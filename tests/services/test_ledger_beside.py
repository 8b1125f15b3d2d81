"""Two processes at the same items, one in the middle of a transaction of the other.

On PostgreSQL alone: on SQLite a transaction that writes has no other beside it.
"""

import pytest

from infra.ledger import Ledger, recall
from infra.ledger.policy import Policy
from schemas.stages import Stage
from tests.services.beside import beside
from tests.services.items import (
    claimed,
    judged,
    new,
    options,
    row_of,
    stages,
    submitted,
    to_classify,
)
from unmask.errors import Unusable
from unmask.outcomes import Outcome

pytestmark = pytest.mark.parametrize("address", ["postgresql"], indirect=True)


def cancel(other: Ledger) -> int:
    return other.cancel("one")


# Cancelling beside what sends items on their way


def test_a_cancel_takes_back_the_chunk_that_is_being_submitted(ledger: Ledger) -> None:
    campaign = ledger.open_campaign(options())
    with (
        beside(ledger, "CREATE TEMPORARY TABLE", cancel) as taken,
        pytest.raises(Unusable, match="was cancelled"),
    ):
        ledger.submit(campaign, map(new, range(5)))
    assert taken.result() == 1, "the first chunk is one line"
    assert stages(ledger) == {Stage.CANCELLED: 1}


def test_a_cancel_takes_back_what_a_rescan_is_taking_over(ledger: Ledger) -> None:
    for content, item in enumerate(submitted(ledger, 2, "before")):
        ledger.finish([(to_classify(ledger, item, content), judged())])
    campaign = ledger.open_campaign(options(model_digest="another"))
    with (
        beside(ledger, "INSERT INTO item", cancel) as taken,
        pytest.raises(Unusable, match="was cancelled"),
    ):
        ledger.rescan("before", campaign)
    assert taken.result() == 2
    assert stages(ledger) == {Stage.CANCELLED: 2}


def test_a_cancel_between_two_batches_of_a_requeue_ends_it(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what the later batches queue again would wait for ever, its results gone."""
    ledger.policy = Policy(max_attempts=1)
    dead, waiting = submitted(ledger, 5)[:4], 1
    for item in dead:
        assert ledger.fail(claimed(ledger, item), "a bug") is Stage.DEAD
    monkeypatch.setattr("infra.ledger.recall.BATCH", 2)
    with (
        beside(ledger, "DELETE FROM result", cancel) as taken,
        pytest.raises(Unusable, match="was cancelled"),
    ):
        ledger.requeue("one", {Outcome.DEAD})
    assert taken.result() == waiting + recall.BATCH
    assert stages(ledger) == {Stage.CANCELLED: 3, Stage.DEAD: 2}
    assert sum(row_of(ledger, item).outcome is Outcome.DEAD for item in dead) == 2


@pytest.mark.parametrize("deed", ["pause", "resume"])
def test_a_campaign_that_is_cancelled_meanwhile_stays_so(ledger: Ledger, deed: str) -> None:
    submitted(ledger, 1)
    if deed == "resume":
        ledger.pause("one", "the network is gone")
    with beside(ledger, "UPDATE campaign", cancel) as taken:
        if deed == "pause":
            ledger.pause("one", "the network is gone")
        else:
            with pytest.raises(Unusable, match="was cancelled"):
                ledger.resume("one")
    assert taken.result() == 1
    assert ledger.campaign("one").state == "cancelled"
    assert ledger.campaign("one").reason == "cancelled by a person"
