from typing import Any

import pytest

from infra.ledger import Ledger, recall
from schemas.records import Priority
from schemas.stages import Stage
from tests.services.items import claimed, new, options, refused, stages, submitted
from unmask.errors import Unusable
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec


def test_a_campaign_is_opened_once(ledger: Ledger) -> None:
    first = ledger.open_campaign(options())
    again = ledger.open_campaign(options())
    assert again == first
    assert first.options == options()
    assert ledger.campaigns() == [first]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": "other"}, "model is lite, not other"),
        ({"model_digest": "x"}, "model-digest"),
        ({"spec": ScanSpec(frames=40)}, "frames is 20, not 40"),
        ({"priority": Priority.LIVE}, "priority is normal, not live"),
        ({"extract_only": True}, "extract-only is False, not True"),
    ],
)
def test_other_options_under_the_same_name_are_named(
    ledger: Ledger, changes: dict[str, Any], said: str
) -> None:
    ledger.open_campaign(options())
    with pytest.raises(Unusable, match=said):
        ledger.open_campaign(options(**changes))


def test_the_name_of_a_spec_is_only_for_people(ledger: Ledger) -> None:
    first = ledger.open_campaign(options())
    assert ledger.open_campaign(options(spec=ScanSpec(name="another"))) == first


def test_an_unknown_name_is_answered_with_near_ones(ledger: Ledger) -> None:
    ledger.open_campaign(options("archive-2024"))
    with pytest.raises(Unusable, match=r"'archive-2025'; did you mean 'archive-2024'\?"):
        ledger.campaign("archive-2025")


def test_what_is_paused_is_neither_offered_nor_claimed_but_may_finish(ledger: Ledger) -> None:
    held, waiting = submitted(ledger, 2)
    claim = claimed(ledger, held)
    ledger.pause("one", "the network is gone")
    assert ledger.campaign("one").reason == "the network is gone"
    assert ledger.offer(window=10, lease_s=60) == []
    assert ledger.claim(waiting, Stage.WAITING, owner="w", lease_s=60) is None
    assert ledger.renew([claim], lease_s=60) == {held}
    ledger.resume("one")
    assert ledger.campaign("one").reason == ""
    assert [offer.item for offer in ledger.offer(window=10, lease_s=60)] == [waiting]


def test_cancelling_takes_back_all_that_has_not_ended(ledger: Ledger) -> None:
    held, *_ = submitted(ledger, 5)
    claim = claimed(ledger, held)
    assert ledger.cancel("one") == 5
    assert ledger.cancel("one") == 0
    assert stages(ledger) == {Stage.CANCELLED: 5}
    assert not ledger.release(claim, "too late")
    assert ledger.offer(window=10, lease_s=60) == []


def test_a_cancelled_campaign_is_not_resumed(ledger: Ledger) -> None:
    submitted(ledger, 1)
    ledger.cancel("one")
    with pytest.raises(Unusable, match="was cancelled"):
        ledger.resume("one")


def test_a_cancelled_campaign_is_not_opened_again(ledger: Ledger) -> None:
    submitted(ledger, 1)
    ledger.cancel("one")
    with pytest.raises(Unusable, match=r"was cancelled.* into another one"):
        ledger.open_campaign(options())


def test_a_cancelled_campaign_takes_no_more_items(ledger: Ledger) -> None:
    campaign = ledger.open_campaign(options())
    ledger.cancel("one")
    with pytest.raises(Unusable, match="was cancelled"):
        ledger.submit(campaign, [new(1)])


def test_a_finished_campaign_is_not_cancelled(ledger: Ledger) -> None:
    campaign = ledger.open_campaign(options("done"))
    ledger.submit(campaign, [new(1)])
    (offer,) = ledger.offer(window=10, lease_s=60)
    claim = ledger.claim(offer.item, Stage.WAITING, owner="test", lease_s=60)
    assert claim is not None
    refused(ledger, claim, Outcome.UNREACHABLE, "404")
    assert ledger.cancel("done") == 0
    assert ledger.campaign("done").state == "running"


def test_a_batch_of_a_requeue_leaves_a_cancelled_campaign_as_it_is(ledger: Ledger) -> None:
    """It was cancelled since the batch before."""
    ended, _ = submitted(ledger, 2)
    refused(ledger, claimed(ledger, ended))
    campaign = ledger.campaign("one")
    ledger.cancel("one")
    with ledger.engine.begin() as db, pytest.raises(Unusable, match="was cancelled"):
        recall.requeue(db, campaign, Outcome.NOT_MEDIA, recall.begin(db))
    assert stages(ledger) == {Stage.CANCELLED: 1, Stage.REJECTED: 1}
