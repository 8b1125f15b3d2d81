"""Hosts are visited politely by the whole fleet, and one that has trouble holds up nobody else."""

import dataclasses
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from sqlalchemy import text

from infra.hosts import host_name, host_number
from infra.ledger import Ledger, Policy, migrate, open_ledger
from infra.ledger.engine import make_engine, parse
from infra.ledger.policy import Politeness
from infra.ledger.window import shares
from schemas.records import Answer, Claim, Happening, Led, NewItem, Offer, Trust
from schemas.stages import Stage
from tests.services.effort import POSTGRESQL_LIMIT, SQLITE_LIMIT, Effort
from tests.services.items import (
    claimed,
    extracted,
    judged,
    new,
    options,
    pass_time,
    submitted,
    to_classify,
)
from unmask.outcomes import Outcome

LEASE_S = 60.0


def polite(ledger: Ledger, **rules: Any) -> Ledger:
    return Ledger(ledger.engine, policy=Policy(politeness=Politeness(**rules), jitter=0.0))


def filled(ledger: Ledger, hosts: Iterable[str], name: str = "one") -> None:
    """An item for each mention of a host, in this order."""
    campaign = ledger.open_campaign(options(name))
    lines = (new(number, uri=f"https://{host}/{number}") for number, host in enumerate(hosts))
    ledger.submit(campaign, lines)


def offered(ledger: Ledger, window: int = 100) -> list[Offer]:
    return ledger.offer(window=window, lease_s=LEASE_S)


def by_host(offers: Iterable[Offer]) -> Counter[str]:
    return Counter(host_name(offer.uri) for offer in offers)


def answered(ledger: Ledger, offer: Offer, answer: Answer, after_s: float | None = None) -> None:
    """The item is claimed, its host visited, and the item given back for later."""
    claim = claimed(ledger, offer.item)
    ledger.visited(claim, answer, f"{answer} it was", after_s=after_s)
    ledger.retry_fetch(claim, "later", after_s=after_s)


def later(ledger: Ledger, seconds: float) -> None:
    pass_time(ledger, seconds)
    with ledger.engine.begin() as db:
        for column in ("rest_until", "next_at", "down_since", "failed_at"):
            sooner = f"UPDATE place SET {column} = {column} - :s WHERE {column} > 0"
            db.execute(text(sooner), {"s": seconds})


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("https://CDN.Example.:8443/a.mp4", "cdn.example"),
        ("http://[2001:db8::1]:80/a", "[2001:db8::1]"),
        ("https://user:pw@cdn.example?x", "cdn.example"),
        ("/media/a.mp4", ""),
        ("file:///media/a.mp4", ""),
        ("s3://bucket/a.mp4", ""),
    ],
)
def test_whose_host_it_is(uri: str, name: str) -> None:
    assert host_name(uri) == name
    assert bool(host_number(uri)) == bool(name)


def test_the_same_host_is_the_same_number() -> None:
    assert host_number("https://a.example/1") == host_number("http://A.EXAMPLE:8080/2")
    assert host_number("https://a.example/1") != host_number("https://b.example/1")


def test_shares_are_even_and_use_what_others_leave() -> None:
    assert shares(7, {1: 1, 2: 9, 3: 2}) == {1: 1, 2: 4, 3: 2}
    assert shares(100, {1: 0, 2: 3}) == {2: 3}
    assert shares(2, {1: 5, 2: 5, 3: 5}) == {1: 1, 2: 1}
    assert shares(0, {1: 5}) == {}


def test_a_host_gets_so_many_connections_and_no_more(ledger: Ledger) -> None:
    kind = polite(ledger, connections=3)
    filled(kind, ["a.example"] * 20 + ["b.example"] * 2)
    first = offered(kind)
    assert by_host(first) == {"a.example": 3, "b.example": 2}
    assert offered(kind) == []
    claim = claimed(kind, next(one.item for one in first if "a.example" in one.uri))
    assert offered(kind) == [], "a fetch that is under way is a connection"
    kind.visited(claim, Answer.ANSWERED)
    assert by_host(offered(kind)) == {"a.example": 1}, "it is cut now, and its host is free"


def test_a_lost_worker_holds_no_connection_for_ever(ledger: Ledger) -> None:
    kind = polite(ledger, connections=1)
    filled(kind, ["a.example"] * 3)
    (offer,) = offered(kind)
    claimed(kind, offer.item)
    pass_time(kind, LEASE_S + 1)
    kind.sweep()
    assert len(offered(kind)) == 1


def test_without_a_limit_one_host_may_fill_the_window(ledger: Ledger) -> None:
    filled(ledger, ["a.example"] * 50)
    assert len(offered(ledger, window=16)) == 14


def test_files_of_this_machine_have_no_host(ledger: Ledger) -> None:
    kind = polite(ledger, connections=1, per_s=1)
    campaign = kind.open_campaign(options())
    kind.submit(campaign, (NewItem(uri=f"/media/{n}.mp4", trust=Trust.LOCAL) for n in range(30)))
    assert len(offered(kind, window=16)) == 14


def test_a_rate_holds_over_many_looks(ledger: Ledger) -> None:
    kind = polite(ledger, per_s=2)
    filled(kind, ["a.example"] * 50 + ["b.example"] * 50)
    first = by_host(offered(kind))
    assert set(first.values()) <= {2, 3, 4}, "a burst of a second, and the one before"
    assert offered(kind) == []
    seen = 0
    for _ in range(10):
        later(kind, 1.0)
        seen += by_host(offered(kind))["a.example"]
    assert 18 <= seen <= 22


def test_retry_after_is_meant_for_the_host(ledger: Ledger) -> None:
    kind = polite(ledger, connections=4)
    filled(kind, ["a.example"] * 20 + ["b.example"] * 20)
    one = next(offer for offer in offered(kind) if "a.example" in offer.uri)
    answered(kind, one, Answer.BUSY, after_s=500)
    kind.forget_offers()
    assert by_host(offered(kind)) == {"b.example": 4}
    (rest,) = kind.resting()
    assert (rest.name, rest.reason) == ("a.example", "busy it was")
    assert 490 < rest.for_s <= 500
    later(kind, 501)
    assert by_host(offered(kind))["a.example"] > 0


def test_what_is_on_offer_for_a_host_that_asks_for_patience_is_not_visited(ledger: Ledger) -> None:
    kind = polite(ledger, connections=4)
    filled(kind, ["a.example"] * 4 + ["b.example"] * 4)
    offers = offered(kind)
    first, *waiting = [one.item for one in offers if "a.example" in one.uri]
    others = [one.item for one in offers if "b.example" in one.uri]
    kind.visited(claimed(kind, first), Answer.BUSY, after_s=500)
    take: dict[str, Any] = {"owner": "another", "lease_s": LEASE_S}
    assert [kind.claim(item, Stage.WAITING, **take) for item in waiting] == [None] * 3
    assert len(kind.claim_many(others, Stage.WAITING, **take)) == 4
    later(kind, 501)
    again = [one.item for one in offered(kind)]
    assert set(again) >= set(waiting)
    assert {claimed(kind, item).attempt for item in waiting} == {1}, "it cost them nothing"


def test_a_failing_host_rests_longer_each_time_and_others_go_on(ledger: Ledger) -> None:
    kind = polite(ledger, connections=4, rest_s=30, patience=3)
    filled(kind, ["a.example"] * 30 + ["b.example"] * 30)
    for one in [offer for offer in offered(kind) if "a.example" in offer.uri][:3]:
        answered(kind, one, Answer.SILENT)
    kind.forget_offers()
    assert by_host(offered(kind)) == {"b.example": 4}
    later(kind, 31)
    kind.forget_offers()
    (again,) = [offer for offer in offered(kind) if "a.example" in offer.uri]
    answered(kind, again, Answer.SILENT)
    later(kind, 31)
    kind.forget_offers()
    assert "a.example" not in by_host(offered(kind)), "the second rest is twice as long"
    later(kind, 31)
    kind.forget_offers()
    (again,) = [offer for offer in offered(kind) if "a.example" in offer.uri]
    kind.visited(claimed(kind, again.item), Answer.ANSWERED)
    kind.forget_offers()
    assert by_host(offered(kind))["a.example"] == 4, "one success, and it is well again"
    assert kind.resting() == ()


def test_failures_of_visits_that_were_under_way_do_not_double_the_rest(ledger: Ledger) -> None:
    """The same fault, met by all who were on their way: one rest, not one doubled each time."""
    kind = polite(ledger, connections=20, rest_s=30, patience=3)
    filled(kind, ["a.example"] * 30)
    for claim in [claimed(kind, one.item) for one in offered(kind)]:
        kind.visited(claim, Answer.SILENT, "silent it was")
    for _ in range(20):
        kind.store_trouble("object storage: no space left")
    assert sorted(rest.name for rest in kind.resting()) == ["a.example", "object storage"]
    assert all(25 < rest.for_s <= 30 for rest in kind.resting())


def test_a_long_rest_that_was_asked_for_is_not_cut_short(ledger: Ledger) -> None:
    kind = polite(ledger, connections=8, rest_s=30, patience=2)
    filled(kind, ["a.example"] * 8)
    first, *others = [claimed(kind, one.item) for one in offered(kind)]
    kind.visited(first, Answer.BUSY, after_s=500)
    for claim in others:
        kind.visited(claim, Answer.SILENT)
    (rest,) = kind.resting()
    assert 490 < rest.for_s <= 500


def tried_again(ledger: Ledger, answer: Answer = Answer.SILENT) -> None:
    """The rest is over, and one visit shows how its host is."""
    ledger.forget_offers()
    (offer,) = [one for one in offered(ledger) if "a.example" in one.uri]
    answered(ledger, offer, answer)


def down(ledger: Ledger) -> None:
    """a.example has failed as often as it takes to rest; nobody tried b.example."""
    filled(ledger, ["a.example"] * 12 + ["b.example"] * 2)
    for one in [offer for offer in offered(ledger) if "a.example" in offer.uri][:3]:
        answered(ledger, one, Answer.SILENT)


def test_a_host_that_is_down_for_good_is_given_up_and_tried_again_on_request(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.ledger.given_up.BATCH", 4)
    kind = polite(ledger, connections=4, give_up_s=1_000, rest_s=300, longest_rest_s=600)
    down(kind)
    for rest_s in (301, 601):
        kind.sweep()
        assert kind.status("one").outcomes == {}
        later(kind, rest_s)
        tried_again(kind)
    later(kind, 101)
    kind.sweep()
    assert kind.status("one").outcomes == {}, "it failed for a quarter of an hour, and then rested"
    later(kind, 500)
    tried_again(kind)
    for _ in range(4):
        kind.sweep()
    ended = kind.status("one").outcomes[Outcome.UNREACHABLE]
    assert ended == 12, "those that had their turn, and wait for another, as well"
    row = next(row for row in kind.results("one") if row.outcome)
    assert row.reason == "a.example failed for 25 min without one success; last: silent it was"
    assert kind.requeue("one", {Outcome.UNREACHABLE}) == ended
    kind.sweep()
    assert kind.status("one").outcomes == {}
    later(kind, 601)
    tried_again(kind, Answer.ANSWERED)
    kind.forget_offers()
    assert by_host(offered(kind))["a.example"] == 4


def test_time_in_which_nobody_tried_a_host_says_nothing_of_it(ledger: Ledger) -> None:
    """The machine slept, the scan was stopped, the brake was on: the host may have been well."""
    kind = polite(ledger, connections=4, give_up_s=1_000, longest_rest_s=600)
    down(kind)
    later(kind, 7_200)
    kind.sweep()
    assert kind.status("one").outcomes == {}
    tried_again(kind)
    kind.sweep()
    assert kind.status("one").outcomes == {}, "one failure after hours is no hour of failures"
    later(kind, 601)
    tried_again(kind)
    kind.sweep()
    row = next(row for row in kind.results("one") if row.outcome)
    assert row.reason.startswith("a.example failed for 20 min without one success")


def test_what_was_led_to_a_host_that_is_given_up_ends_with_it(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own host is well; each was there once, found the other one at rest, and waits for it."""
    monkeypatch.setattr("infra.ledger.given_up.BATCH", 2)
    kind = polite(ledger, connections=5, give_up_s=100, rest_s=60, longest_rest_s=200)
    filled(kind, ["b.example"] * 4)
    for each in [claimed(kind, offer.item) for offer in offered(kind)]:
        kind.visited(each, Answer.SILENT, "silent it was")
        kind.retry_fetch(each, "later")
    filled(kind, ["a.example"] * 5, "led")
    for each in [claimed(kind, offer.item) for offer in offered(kind)]:
        waited(kind, each, "https://b.example/mirror")
    kind.pause("one", "only those that were led there are left")
    later(kind, 101)
    on_the_way, *_ = offered(kind)
    probe = claimed(kind, on_the_way.item)
    assert kind.led(probe, "https://b.example/mirror") == Led()
    kind.visited(probe, Answer.SILENT, "silent it was", uri="https://b.example/mirror")
    kind.retry_fetch(probe, "later")
    for _ in range(3):
        kind.sweep()
    assert kind.status("led").outcomes == {Outcome.UNREACHABLE: 5}
    row = next(kind.results("led"))
    assert row.reason.startswith("b.example failed for 2 min without one success")


def test_what_tries_a_host_that_is_given_up_at_this_moment_is_left_to_it(ledger: Ledger) -> None:
    kind = polite(ledger, connections=4, give_up_s=1_000, longest_rest_s=600)
    down(kind)
    later(kind, 601)
    tried_again(kind)
    later(kind, 601)
    tried_again(kind)
    later(kind, 601)
    kind.forget_offers()
    (offer,) = [one for one in offered(kind) if "a.example" in one.uri]
    kind.sweep()
    assert kind.status("one").outcomes == {Outcome.UNREACHABLE: 11}
    kind.visited(claimed(kind, offer.item), Answer.ANSWERED)


def test_a_host_that_is_given_up_is_not_visited_before_it_wants_to_be(ledger: Ledger) -> None:
    kind = polite(ledger, connections=4, give_up_s=100)
    down(kind)
    later(kind, 101)
    kind.forget_offers()
    (offer,) = [one for one in offered(kind) if "a.example" in one.uri]
    answered(kind, offer, Answer.BUSY, after_s=5_000)
    kind.sweep()
    ended = kind.status("one").outcomes[Outcome.UNREACHABLE]
    assert kind.requeue("one", {Outcome.UNREACHABLE}) == ended
    later(kind, 4_900)
    assert "a.example" not in by_host(offered(kind))
    later(kind, 101)
    assert "a.example" in by_host(offered(kind))


def test_a_visit_that_goes_well_writes_no_row_for_its_host(ledger: Ledger) -> None:
    filled(ledger, ["a.example"])
    (offer,) = offered(ledger)
    ledger.visited(claimed(ledger, offer.item), Answer.ANSWERED)
    with ledger.engine.begin() as db:
        assert db.scalar(text("SELECT count(*) FROM place")) == 0


def test_hosts_take_turns(ledger: Ledger) -> None:
    filled(ledger, ["big.example"] * 200 + [f"h{n}.example" for n in range(6)])
    found = by_host(offered(ledger, window=16))
    assert len(found) == 7
    assert sum(found.values()) == 14


def test_whose_turn_it_was_waits_until_all_others_had_theirs(ledger: Ledger) -> None:
    filled(ledger, [f"h{n}.example" for n in range(6)] * 10)
    seen = []
    for _ in range(6):
        (offer,) = offered(ledger, window=1)
        seen.append(host_name(offer.uri))
        claimed(ledger, offer.item)
    assert len(set(seen)) == 6


def test_what_is_counted_for_the_brake(ledger: Ledger) -> None:
    first, second, third = submitted(ledger, 3)
    ledger.visited(claimed(ledger, first), Answer.ANSWERED)
    ledger.visited(claimed(ledger, second), Answer.SILENT, "no resolver")
    ledger.fail(claimed(ledger, third), "a bug of ours")
    found = ledger.happened("one")
    assert found[Happening.ANSWERED].times == 1
    assert (found[Happening.SILENT].times, found[Happening.SILENT].words) == (1, "no resolver")
    assert (found[Happening.FAILED].times, found[Happening.FAILED].words) == (1, "a bug of ours")
    assert found[Happening.BUSY].times == 0


def test_a_full_store_lets_everything_rest_and_one_item_tries_it_then(ledger: Ledger) -> None:
    kind = polite(ledger, rest_s=30, patience=3)
    filled(kind, [f"h{n}.example" for n in range(20)])
    before = offered(kind, window=4)
    for _ in range(3):
        kind.store_trouble("object storage: no space left")
    kind.forget_offers()
    assert offered(kind, window=8) == []
    assert kind.resting()[0].name == "object storage"
    later(kind, 31)
    kind.forget_offers()
    (trial,) = offered(kind, window=8)
    assert before
    assert kind.extracted(claimed(kind, trial.item), extracted(1)) is Stage.EXTRACTED
    kind.forget_offers()
    assert len(offered(kind, window=8)) > 1
    assert kind.resting() == ()


def test_a_store_that_failed_the_classifier_is_well_once_it_took_evidence(ledger: Ledger) -> None:
    """Where nothing is left to be cut, nobody else would find that out."""
    kind = polite(ledger, rest_s=30, patience=3)
    items = submitted(kind, 20)
    for item in items:
        kind.extracted(claimed(kind, item), extracted(item))
    for _ in range(3):
        kind.store_trouble("object storage: 503")
    assert offered(kind, window=8) == []
    later(kind, 10_000)
    (trial,) = offered(kind, window=8)
    (rest,) = kind.resting()
    assert (rest.name, rest.for_s, rest.trouble) == ("object storage", 0.0, 3)
    assert kind.resting_count() == {"store": 1, "hosts": 0}
    kind.finish([(claimed(kind, trial.item, Stage.EXTRACTED), judged())])
    assert kind.resting() == ()
    assert kind.resting_count() == {"store": 0, "hosts": 0}
    assert len(offered(kind, window=8)) > 1


def test_a_verdict_without_evidence_says_nothing_of_the_store(ledger: Ledger) -> None:
    (item,) = submitted(ledger, 1)
    claim = to_classify(ledger, item, 1)
    for _ in range(3):
        ledger.store_trouble("object storage: no space left")
    ledger.finish([(claim, dataclasses.replace(judged(), evidence=()))])
    assert ledger.resting_count()["store"] == 1


def test_a_host_that_nobody_visits_any_more_is_not_shown_for_ever(ledger: Ledger) -> None:
    kind = polite(ledger, connections=4, rest_s=30)
    down(kind)
    assert kind.resting_count() == {"store": 0, "hosts": 1}
    later(kind, 31)
    assert kind.resting_count() == {"store": 0, "hosts": 0}
    assert kind.resting() == ()


def test_one_host_with_a_huge_backlog_hides_no_other(ledger: Ledger) -> None:
    """Neither is it read from end to end to find the others."""
    kind = polite(ledger, connections=2)
    filled(kind, ["big.example"] * 60_000 + [f"h{n}.example" for n in range(10)])
    effort = Effort(kind)
    first: list[Offer] = []
    cost = effort.of(lambda: first.extend(offered(kind, window=40)))
    assert by_host(first) == {"big.example": 2} | {f"h{n}.example": 1 for n in range(10)}
    again: list[Offer] = []
    cost = max(cost, effort.of(lambda: again.extend(offered(kind, window=40))))
    assert again == []
    sqlite = kind.engine.dialect.name == "sqlite"
    assert cost <= (SQLITE_LIMIT if sqlite else POSTGRESQL_LIMIT)


def test_retries_of_a_closed_host_make_way(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.ledger.offer.LOOK", 2)
    kind = polite(ledger, connections=1)
    filled(kind, ["a.example"] * 10 + ["b.example"])
    with kind.engine.begin() as db:
        db.execute(text("UPDATE item SET not_before = 5 + id"))
    seen: Counter[str] = Counter()
    for _ in range(8):
        seen += by_host(offered(kind, window=8))
    assert seen == {"a.example": 1, "b.example": 1}


def test_an_upgrade_knows_the_hosts_of_what_waits(empty: str) -> None:
    migrate(empty, "0001")
    engine = make_engine(parse(empty))
    with engine.begin() as db:
        db.execute(
            text(
                "INSERT INTO campaign (id, name, model, model_digest, spec, spec_digest, priority,"
                " extract_only, created_at) VALUES (1, 'c', 'm', 'd', '{}', 's', 3, :no, 0)"
            ),
            {"no": False},
        )
        db.execute(
            text(
                "INSERT INTO item (campaign_id, digest, uri, trust, extra, submitted_at)"
                " VALUES (1, :digest, 'https://a.example/1', 'remote', '{}', 0)"
            ),
            {"digest": b"1"},
        )
    engine.dispose()
    migrate(empty)
    ledger = open_ledger(empty)
    with ledger.engine.begin() as db:
        assert db.scalar(text("SELECT host FROM item")) == host_number("https://a.example/2")
    ledger.close()


CDN = "https://cdn.example/a.mp4"


def led_together(ledger: Ledger) -> tuple[Claim, Claim, Led]:
    """Two items of two hosts that both lead to a third."""
    filled(ledger, ["a.example", "b.example"])
    first, second = (claimed(ledger, one.item) for one in offered(ledger))
    assert ledger.led(first, CDN) == Led()
    return first, second, ledger.led(second, CDN)


def test_where_a_redirect_leads_is_visited_as_politely(ledger: Ledger) -> None:
    kind = polite(ledger, connections=1)
    first, second, led = led_together(kind)
    assert led.wait_s > 0
    assert kind.led(first, CDN) == Led(), "it has its place there already"
    kind.visited(second, Answer.ANSWERED, uri=second.uri)
    kind.release(second, "no room")
    assert offered(kind) == [], "it waits for room at the host that it was led to"
    kind.visited(first, Answer.ANSWERED, uri=CDN)
    pass_time(kind, 2)
    (again,) = offered(kind)
    assert kind.led(claimed(kind, again.item), CDN) == Led(), "its place is held since the offer"


WWW = "https://www.example/a"


def waited(ledger: Ledger, claim: Claim, uri: str, at: str = "") -> None:
    """There is no room where it is led to: it goes back, and comes again."""
    led = ledger.led(claim, uri, at=at)
    assert led.wait_s > 0
    assert not led.spent
    ledger.visited(claim, Answer.ANSWERED, uri=at or claim.uri)
    ledger.release(claim, "no room", after_s=led.wait_s)


def test_who_is_led_on_keeps_its_place_at_the_last_host_while_it_comes_along(
    ledger: Ledger,
) -> None:
    kind = polite(ledger, connections=1)
    filled(kind, ["a.example", "b.example", "c.example"])
    one, two, three = (claimed(kind, offer.item) for offer in offered(kind))
    for each in (one, two, three):
        assert kind.led(each, WWW) == Led(), "the one before has left it"
        if each is one:
            assert kind.led(each, CDN, at=WWW) == Led()
        else:
            waited(kind, each, CDN, at=WWW)
    kind.visited(one, Answer.ANSWERED, uri=CDN)
    later(kind, 2)
    (again,) = offered(kind)
    back = claimed(kind, again.item)
    assert kind.led(back, WWW) == Led()
    later(kind, 2)
    assert offered(kind) == [], "its place at the last host is held"
    assert kind.led(back, CDN, at=WWW) == Led()


def held_up(ledger: Ledger) -> tuple[Claim, Claim]:
    """Who was at the last host, and who is on the way, where another had no room behind him."""
    filled(ledger, ["a.example", "b.example"])
    one, two = (claimed(ledger, offer.item) for offer in offered(ledger))
    assert ledger.led(one, WWW) == Led()
    assert ledger.led(one, CDN, at=WWW) == Led()
    assert ledger.led(two, WWW) == Led()
    waited(ledger, two, CDN, at=WWW)
    ledger.visited(one, Answer.ANSWERED, uri=CDN)
    filled(ledger, ["www.example"], "two")
    (busy,) = offered(ledger)
    on_the_way = claimed(ledger, busy.item)
    later(ledger, 2)
    (again,) = offered(ledger)
    waited(ledger, claimed(ledger, again.item), WWW)
    later(ledger, 10)
    return one, on_the_way


def test_without_room_on_its_way_it_waits_until_there_is_some_at_both(ledger: Ledger) -> None:
    kind = polite(ledger, connections=1)
    _, on_the_way = held_up(kind)
    assert offered(kind) == [], "there is room at the last host, and none on the way"
    kind.visited(on_the_way, Answer.ANSWERED)
    later(kind, 10)
    (again,) = offered(kind)
    filled(kind, ["www.example", "cdn.example"], "three")
    assert offered(kind) == [], "it counts for both"
    back = claimed(kind, again.item)
    assert kind.led(back, WWW) == Led()
    assert kind.led(back, CDN, at=WWW) == Led()
    assert by_host(offered(kind)) == {"www.example": 1}, "it has passed the one"


def test_who_is_to_pass_a_host_that_asks_for_patience_stays_away(ledger: Ledger) -> None:
    kind = polite(ledger, connections=1)
    other, on_the_way = held_up(kind)
    kind.visited(on_the_way, Answer.ANSWERED)
    later(kind, 10)
    (again,) = offered(kind)
    kind.visited(other, Answer.BUSY, after_s=500, uri=WWW)
    assert kind.claim(again.item, Stage.WAITING, owner="another", lease_s=LEASE_S) is None


def test_who_waits_for_another_host_visits_its_own_as_politely_again(ledger: Ledger) -> None:
    """Two of a short address, led to two hosts that were busy: both begin at that address."""
    kind = polite(ledger, connections=1)
    filled(kind, ["b.example", "c.example"])
    busy = [claimed(kind, offer.item) for offer in offered(kind)]
    filled(kind, ["short.example"] * 2, "two")
    led_to = {}
    for target in ("https://b.example/mirror", "https://c.example/mirror"):
        (offer,) = offered(kind)
        led_to[offer.item] = target
        waited(kind, claimed(kind, offer.item), target)
    for each in busy:
        kind.visited(each, Answer.ANSWERED)
    later(kind, 10)
    (first,) = offered(kind)
    claim = claimed(kind, first.item)
    later(kind, 10)
    assert offered(kind) == [], "there is one connection to the short address"
    assert kind.led(claim, led_to[first.item]) == Led()
    later(kind, 10)
    (second,) = offered(kind)
    kind.visited(claimed(kind, second.item), Answer.BUSY, after_s=500)
    assert [rest.name for rest in kind.resting()] == ["short.example"]


def test_who_finds_no_room_time_and_again_is_not_waited_for_without_end(ledger: Ledger) -> None:
    kind = polite(ledger, connections=1, most_waits=3)
    filled(kind, [f"h{number}.example" for number in range(4)])
    assert len([claimed(kind, offer.item) for offer in offered(kind)]) == 4
    (lost,) = submitted(kind, 1, "two")
    for number in range(3):
        waited(kind, claimed(kind, lost), f"https://h{number}.example/mirror")
        later(kind, 10)
    assert kind.led(claimed(kind, lost), "https://h3.example/mirror").spent


def test_a_rate_holds_for_redirects_too(ledger: Ledger) -> None:
    *_, led = led_together(polite(ledger, per_s=1))
    assert led.wait_s > 0


def test_without_a_limit_every_redirect_is_followed(ledger: Ledger) -> None:
    *_, led = led_together(ledger)
    assert led == Led()


def test_trouble_lies_with_the_host_that_it_was_led_to(ledger: Ledger) -> None:
    kind = polite(ledger, connections=5)
    first, *_ = led_together(kind)
    kind.visited(first, Answer.BUSY, "503", after_s=60, uri=CDN)
    (rest,) = kind.resting()
    assert (rest.name, rest.reason) == ("cdn.example", "503")
    filled(kind, ["d.example"], "two")
    (offer,) = [one for one in offered(kind) if "d.example" in one.uri]
    led = kind.led(claimed(kind, offer.item), CDN)
    assert 50 < led.wait_s <= 60


def test_a_worker_that_lost_its_item_moves_nothing(ledger: Ledger) -> None:
    kind = polite(ledger, connections=1)
    filled(kind, ["a.example"] * 2)
    (offer,) = offered(kind)
    stale = claimed(kind, offer.item)
    pass_time(kind, LEASE_S + 1)
    kind.sweep()
    assert kind.led(stale, CDN) == Led()
    assert by_host(offered(kind)) == {"a.example": 1}
