"""The window on a real Redis: filled, kept while workers are slow, made again when it is lost."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import redis
from sqlalchemy import create_engine, text

import settings
from infra.ledger import Ledger, migrate, open_ledger
from infra.ledger.policy import Policy
from infra.resources import Resources, build
from producer.campaigns import Wanted, choose
from schemas.records import Answer, Claim, Happened, Happening, NewItem, Trust
from schemas.stages import Stage
from tasks.brake import ENOUGH
from tasks.names import CPU_QUEUE
from tasks.send import depth
from tasks.sweep import BRAKE_EVERY_S, Feeder
from tests import servers
from tests.services.items import extracted, refused
from unmask.outcomes import Outcome
from workers.app import make_app

WINDOW = 20
LEASE_S = 1000.0


@pytest.fixture
def tools(tmp_path: Path, redis_url: str) -> Iterator[Resources]:
    address = f"sqlite:///{tmp_path / 'unmask.db'}"
    migrate(address)
    given = settings.load(
        database_url=address,
        redis_url=redis_url,
        store_url=str(tmp_path / "objects"),
        window_items=WINDOW,
        offer_lease_s=LEASE_S,
        host_connections=0,
    )
    tools = build(given)
    options = choose(Wanted(), name="feed", media="-", shelf=given.models_dir, device="cpu")
    items = [
        NewItem(uri=f"https://h{n}.example.org/{n}.mp4", trust=Trust.REMOTE) for n in range(100)
    ]
    tools.ledger.submit(tools.ledger.open_campaign(options), items)
    yield tools
    tools.ledger.close()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_window_is_bounded_and_lost_messages_are_sent_again(
    tools: Resources, redis_url: str
) -> None:
    app, clock = make_app(settings=tools.settings), Clock()
    feeder = Feeder(app, tools, clock)
    first = feeder.tick()
    assert first is not None
    # A part of the window is kept free for items of higher priority.
    assert WINDOW / 2 < first.sent <= WINDOW
    assert depth(app, CPU_QUEUE) == first.sent
    again = feeder.tick()
    assert again is not None
    assert again.sent == 0, "a full window was filled again"

    # Slow workers: the messages still lie there, so the offers stay made.
    before = offered_until(tools)
    clock.now += LEASE_S / 2
    feeder.tick()
    assert offered_until(tools) > before
    assert depth(app, CPU_QUEUE) == first.sent

    # Redis forgot everything: the offers lapse and are made again.
    with redis.Redis.from_url(servers.redis_admin(redis_url)) as client:
        client.flushall()
    before = offered_until(tools)
    clock.now += LEASE_S / 2
    feeder.tick()
    assert offered_until(tools) == before, "offers whose messages are lost were kept alive"
    tools.ledger.release_all("the test does not wait for the lease")
    rebuilt = feeder.tick()
    assert rebuilt is not None
    assert rebuilt.sent == first.sent == depth(app, CPU_QUEUE)


def test_one_leads_and_leaves_the_lead_on_stop(tools: Resources) -> None:
    app = make_app(settings=tools.settings)
    first = Feeder(app, tools)
    assert first.tick() is not None
    second = Feeder(app, second_process(tools))
    assert second.tick() is None
    first.step_down()
    assert second.tick() is not None


def test_the_brake_pauses_when_nearly_everything_is_dead(tools: Resources) -> None:
    clock = Clock()
    feeder = Feeder(make_app(settings=tools.settings), tools, clock)
    ledger = open_ledger(
        tools.settings.database_url.get_secret_value(), policy=Policy(max_attempts=1)
    )
    clock.now += BRAKE_EVERY_S
    feeder.tick()
    for item in range(1, ENOUGH + 1):
        ledger.release_all("so that the next is on offer")
        ledger.offer(window=WINDOW * 100, lease_s=60)
        claim = ledger.claim(item, Stage.WAITING, owner="test", lease_s=60)
        assert claim is not None
        assert ledger.status("feed").campaign.state == "running"
        ledger.fail(claim, "the disk is on fire")
        clock.now += BRAKE_EVERY_S
        feeder.tick()
    campaign = ledger.status("feed").campaign
    assert campaign.state == "paused"
    assert "the disk is on fire" in campaign.reason
    ledger.resume("feed")
    clock.now += BRAKE_EVERY_S
    feeder.tick()
    assert ledger.status("feed").campaign.state == "running"
    ledger.close()


def test_the_brake_counts_what_waits_for_a_classifier_that_is_not_there(tools: Resources) -> None:
    clock = Clock()
    feeder = Feeder(make_app(settings=tools.settings), tools, clock)
    strict = Ledger(tools.ledger.engine, policy=Policy(max_attempts=1))
    look(feeder, clock)
    for item in range(1, 2 * ENOUGH + 1, 2):
        tools.ledger.extracted(claimed(tools, item), extracted(item))
        assert strict.fail(claimed(tools, item + 1), "the disk is on fire") is Stage.DEAD
        look(feeder, clock)
    assert tools.ledger.status("feed").campaign.state == "running"


def test_the_brake_looks_only_at_campaigns_with_something_left(
    tools: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that has ended stays `running`; and no failures are read before the brake trips."""
    ledger, clock = tools.ledger, Clock()
    feed = ledger.campaign("feed").options
    for name in ("ended", "empty", "paused"):
        ledger.open_campaign(dataclasses.replace(feed, name=name))
    for name in ("ended", "paused"):
        item = NewItem(uri=f"https://{name}.example/1.mp4", trust=Trust.REMOTE)
        ledger.submit(ledger.campaign(name), [item])
    ended = next(ledger.results("ended")).item
    claim = ledger.claim(ended, Stage.WAITING, owner="test", lease_s=60)
    assert claim is not None
    refused(ledger, claim)
    ledger.pause("paused", "a person")
    looked: list[str] = []
    happened = ledger.happened

    def noted(name: str) -> dict[Happening, Happened]:
        looked.append(name)
        return happened(name)

    monkeypatch.setattr(ledger, "happened", noted)
    for reading in ("status", "dead"):
        monkeypatch.setattr(ledger, reading, lambda *_, **__: pytest.fail("failures were read"))
    clock.now += BRAKE_EVERY_S
    feeder = Feeder(make_app(settings=tools.settings), tools, clock)
    clock.now += BRAKE_EVERY_S
    feeder.tick()
    assert looked == ["feed"]


def look(feeder: Feeder, clock: Clock) -> None:
    clock.now += BRAKE_EVERY_S
    feeder.tick()


def claimed(tools: Resources, item: int) -> Claim:
    tools.ledger.release_all("so that the next is on offer")
    tools.ledger.offer(window=WINDOW * 100, lease_s=60)
    claim = tools.ledger.claim(item, Stage.WAITING, owner="test", lease_s=60)
    assert claim is not None
    return claim


def test_the_brake_lets_an_archive_of_dead_links_pass(tools: Resources) -> None:
    clock = Clock()
    feeder = Feeder(make_app(settings=tools.settings), tools, clock)
    look(feeder, clock)
    for item in range(1, 2 * ENOUGH):
        refused(tools.ledger, claimed(tools, item), Outcome.UNREACHABLE, "404")
        look(feeder, clock)
    assert tools.ledger.status("feed").campaign.state == "running"


def test_dead_links_do_not_keep_the_brake_from_tripping(tools: Resources) -> None:
    """Every second link is dead, and all that is fetched dies by a fault of ours."""
    clock = Clock()
    feeder = Feeder(make_app(settings=tools.settings), tools, clock)
    look(feeder, clock)
    strict = Ledger(tools.ledger.engine, policy=Policy(max_attempts=1))
    for item in range(1, 2 * ENOUGH + 1, 2):
        assert tools.ledger.status("feed").campaign.state == "running"
        refused(tools.ledger, claimed(tools, item), Outcome.UNREACHABLE, "404")
        claimed(tools, item + 1)
        with tools.ledger.engine.begin() as db:
            db.execute(text("UPDATE item SET lease_until = 1 WHERE lease_until > 0"))
        assert strict.sweep().buried == 1
        look(feeder, clock)
    campaign = tools.ledger.status("feed").campaign
    assert campaign.state == "paused"
    assert "fell silent while extracting" in campaign.reason


def silence(tools: Resources, items: int, *, answer: Answer = Answer.SILENT) -> None:
    """So many fetches end like this, each from a host of its own."""
    for item in range(1, items + 1):
        claim = claimed(tools, item)
        tools.ledger.visited(claim, answer, "looking up example.org failed")
        tools.ledger.retry_fetch(claim, "looking up example.org failed")


@pytest.mark.parametrize(("network_is_there", "state"), [(False, "paused"), (True, "running")])
def test_the_brake_asks_the_network_before_it_believes_in_silence(
    tools: Resources, network_is_there: bool, state: str
) -> None:
    """Dead hosts are silent too: only where the network does not answer either, it is gone."""
    asked: list[Sequence[str]] = []

    def network(probes: Sequence[str]) -> bool:
        asked.append(probes)
        return network_is_there

    clock = Clock()
    feeder = Feeder(make_app(settings=tools.settings), tools, clock, network)
    clock.now += BRAKE_EVERY_S
    feeder.tick()
    silence(tools, ENOUGH)
    clock.now += BRAKE_EVERY_S
    feeder.tick()
    assert asked == [tools.settings.network_probes]
    campaign = tools.ledger.status("feed").campaign
    assert campaign.state == state
    if state == "paused":
        assert "nobody answers any more, nor does example.com" in campaign.reason
        assert "looking up example.org failed" in campaign.reason


def test_hosts_that_answer_that_there_is_nothing_are_no_silence(tools: Resources) -> None:
    clock = Clock()
    feeder = Feeder(make_app(settings=tools.settings), tools, clock, lambda _: False)
    clock.now += BRAKE_EVERY_S
    feeder.tick()
    silence(tools, ENOUGH, answer=Answer.BUSY)
    clock.now += BRAKE_EVERY_S
    feeder.tick()
    assert tools.ledger.status("feed").campaign.state == "running"


def second_process(tools: Resources) -> Resources:
    return dataclasses.replace(tools, owner="elsewhere:1")


def offered_until(tools: Resources) -> float:
    engine = create_engine(tools.settings.database_url.get_secret_value())
    with engine.connect() as db:
        latest: float = db.execute(text("select max(offered_until) from item")).scalar_one()
    engine.dispose()
    return latest
