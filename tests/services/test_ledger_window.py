from collections.abc import Callable

from infra.ledger import Ledger
from schemas.records import Claim, Offer, Priority
from schemas.stages import Stage
from tests.services.effort import Effort, analyse
from tests.services.items import (
    claimed,
    digest,
    extracted,
    new,
    options,
    pass_time,
    submitted,
    to_classify,
)
from unmask.spec import ScanSpec

BACKLOG = 100_000


def items_of(offers: list[Offer]) -> list[int]:
    return [offer.item for offer in offers]


def test_the_window_is_topped_up_and_never_overfilled(ledger: Ledger) -> None:
    items = submitted(ledger, 10)
    assert items_of(ledger.offer(window=4, lease_s=60)) == items[:4]
    assert ledger.offer(window=4, lease_s=60) == []
    claimed(ledger, items[0])
    claimed(ledger, items[2])
    assert items_of(ledger.offer(window=4, lease_s=60)) == items[4:6]


def test_an_offer_is_for_people_and_keeps_secrets(ledger: Ledger) -> None:
    campaign = ledger.open_campaign(options())
    ledger.submit(campaign, [new(1, uri="https://u:p@cdn.example/a.mp4?token=SECRET")])
    (offer,) = ledger.offer(window=4, lease_s=60)
    assert offer.label == "https://cdn.example/a.mp4?token=***"
    assert (offer.stage, offer.priority, offer.attempt) == (Stage.WAITING, Priority.NORMAL, 1)


def test_a_lost_offer_is_made_again_before_new_ones(ledger: Ledger) -> None:
    items = submitted(ledger, 10)
    ledger.offer(window=2, lease_s=60)
    pass_time(ledger, 61)
    again = ledger.offer(window=2, lease_s=60)
    assert items_of(again) == items[:2]
    assert {offer.priority for offer in again} == {Priority.LIVE}


def test_retries_come_before_what_never_ran_and_carry_their_attempt(ledger: Ledger) -> None:
    items = submitted(ledger, 5)
    ledger.fail(claimed(ledger, items[3]), "a bug")
    assert items_of(ledger.offer(window=1, lease_s=60)) == items[:1]
    pass_time(ledger, 50)
    again = ledger.offer(window=2, lease_s=60)
    assert [(offer.item, offer.attempt) for offer in again] == [(items[3], 2)]


def test_an_extracted_item_is_handed_over_by_its_worker(ledger: Ledger) -> None:
    """It counts as offered; if the message is lost, the window offers it."""
    (item,) = submitted(ledger, 1)
    ledger.extracted(claimed(ledger, item), extracted(1))
    assert ledger.offer(window=4, lease_s=60) == []
    pass_time(ledger, ledger.policy.hand_over_s + 1)
    (offer,) = ledger.offer(window=4, lease_s=60)
    assert (offer.item, offer.stage) == (item, Stage.EXTRACTED)


def test_live_is_next_behind_a_full_window_of_bulk(ledger: Ledger) -> None:
    submitted(ledger, 100, "archive", priority=Priority.BULK)
    assert len(ledger.offer(window=16, lease_s=60)) == 12
    live = submitted(ledger, 1, "upload", priority=Priority.LIVE)
    (offer,) = ledger.offer(window=16, lease_s=60)
    assert (offer.item, offer.priority) == (live[0], Priority.LIVE)


def test_bulk_is_not_starved_by_endless_live(ledger: Ledger) -> None:
    live = submitted(ledger, 100, "upload", priority=Priority.LIVE)
    bulk = submitted(ledger, 100, "archive", priority=Priority.BULK)
    offers = ledger.offer(window=16, lease_s=60)
    assert items_of(offers) == live[:14] + bulk[:2]
    assert {offer.priority for offer in offers} == {Priority.LIVE}


def test_bulk_keeps_its_own_list_while_live_is_quiet(ledger: Ledger) -> None:
    submitted(ledger, 1, "upload", priority=Priority.LIVE)
    submitted(ledger, 100, "archive", priority=Priority.BULK)
    first, *others = ledger.offer(window=16, lease_s=60)
    assert first.priority is Priority.LIVE
    assert {offer.priority for offer in others} == {Priority.BULK}


def test_campaigns_take_turns(ledger: Ledger) -> None:
    large = submitted(ledger, 100, "large")
    small = submitted(ledger, 3, "small")
    other = submitted(ledger, 100, "other")
    offers = items_of(ledger.offer(window=10, lease_s=60))
    assert len([one for one in offers if one in small]) == 3
    shares = [len([one for one in offers if one in items]) for items in (large, other)]
    assert sorted(shares) in ([2, 3], [3, 3], [3, 2])


def test_one_place_goes_to_each_campaign_in_turn(ledger: Ledger) -> None:
    campaigns = {name: submitted(ledger, 10, name) for name in ("a", "b", "c")}
    served = []
    for _ in range(6):
        (offer,) = ledger.offer(window=1, lease_s=60)
        served += [name for name, items in campaigns.items() if offer.item in items]
        claimed(ledger, offer.item)
    assert served == ["a", "b", "c", "a", "b", "c"]


def test_extraction_rests_while_classification_lags(ledger: Ledger) -> None:
    items = submitted(ledger, 20)
    for content, item in enumerate(items[:8]):
        ledger.extracted(claimed(ledger, item), extracted(content))
    assert ledger.offer(window=8, lease_s=60) == []
    live = submitted(ledger, 1, "upload", priority=Priority.LIVE)
    assert items_of(ledger.offer(window=8, lease_s=60)) == live
    only_cut = submitted(ledger, 1, "cut", extract_only=True)
    assert items_of(ledger.offer(window=8, lease_s=60)) == only_cut
    claimed(ledger, items[0], Stage.EXTRACTED)
    assert items[8] in items_of(ledger.offer(window=8, lease_s=60))


def test_what_is_being_classified_is_not_offered(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    to_classify(ledger, item, content=1)
    assert ledger.offer(window=4, lease_s=60) == []


def test_no_step_of_the_machinery_reads_the_backlog(ledger: Ledger) -> None:
    """Neither right after a list came in, without statistics, nor with them."""
    campaign = ledger.open_campaign(options())
    ledger.submit(campaign, (new(number) for number in range(BACKLOG)))
    submitted(ledger, 50, "upload", priority=Priority.LIVE)
    effort = Effort(ledger)
    fresh = _efforts(ledger, effort, content=1)
    analyse(ledger)
    later = _efforts(ledger, effort, content=2)
    for spent in (fresh, later):
        assert {step: cost for step, cost in spent.items() if cost > effort.limit} == {}


def _efforts(ledger: Ledger, effort: Effort, content: int) -> dict[str, int]:
    offers: list[Offer] = []
    held: list[Claim] = []
    steps: dict[str, Callable[[], object]] = {
        "offer": lambda: offers.extend(ledger.offer(window=20 * content, lease_s=60)),
        "claim": lambda: held.append(claimed(ledger, offers[-1].item)),
        "renew": lambda: ledger.renew(held, lease_s=60),
        "extracted": lambda: ledger.extracted(held[0], extracted(content)),
        "sweep": ledger.sweep,
        "status": lambda: ledger.status("one"),
        "results": lambda: list(ledger.results("one", after=BACKLOG // 2, limit=10)),
        "known": lambda: ledger.known(digest(content), ScanSpec().digest, "m"),
    }
    return {name: effort.of(step) for name, step in steps.items()}
