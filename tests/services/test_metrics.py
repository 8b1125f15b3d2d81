"""The exporter's figures, from real ledgers and a real Redis."""

import json
import re
import time

import pytest
import redis
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

import settings
from infra.doorbell import refusals
from infra.ledger import Ledger, metering, places, retention
from producer.local.redis_server import free_port
from schemas.records import Answer, Priority
from schemas.stages import Stage
from schemas.tables import DoomedTable, ItemTable, MoveTable, PlaceTable
from tasks.fill import KEY, Fill
from tasks.metrics import CATALOGUE, LedgerCollector
from tasks.metrics.broker import Broker
from tasks.names import CPU_QUEUE, GPU_QUEUE
from tasks.send import send
from tests.monitoring import expressions
from tests.polling import until
from tests.services import items
from unmask.outcomes import Outcome
from workers.app import make_app

WINDOW = 200


@pytest.fixture
def registry(ledger: Ledger, redis_url: str) -> CollectorRegistry:
    made = CollectorRegistry()
    LedgerCollector(ledger, Broker(redis_url), made, window=WINDOW)
    return made


def sample(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(name, labels)


def settle(ledger: Ledger) -> None:
    """Let the history be older than what may still get neighbours."""
    with ledger.engine.begin() as db:
        db.execute(update(MoveTable).values(at=MoveTable.at - 2 * metering.SETTLED_S))


def test_a_campaign_is_counted_stage_by_stage(ledger: Ledger, registry: CollectorRegistry) -> None:
    first, *_ = items.submitted(ledger, 5)
    claim = ledger.claim(first, Stage.WAITING, owner="one", lease_s=60)
    assert claim is not None
    assert sample(registry, "unmask_items", campaign="one", stage="waiting") == 4
    assert sample(registry, "unmask_items", campaign="one", stage="extracting") == 1
    assert sample(registry, "unmask_window_items") == WINDOW
    assert sample(registry, "unmask_up", service="ledger") == 1
    assert sample(registry, "unmask_up", service="redis") == 1
    assert sample(registry, "unmask_campaign_paused", campaign="one") == 0
    ledger.pause("one", "a look at it")
    assert sample(registry, "unmask_campaign_paused", campaign="one") == 1


def test_only_items_that_could_run_wait(ledger: Ledger, registry: CollectorRegistry) -> None:
    items.submitted(ledger, 2)
    assert sample(registry, "unmask_oldest_waiting_seconds", priority="normal") is not None
    ledger.pause("one", "a look at it")
    assert sample(registry, "unmask_oldest_waiting_seconds", priority="normal") is None


def test_an_ended_campaign_gives_up_its_name(ledger: Ledger, registry: CollectorRegistry) -> None:
    items.submitted(ledger, 3, "gone")
    ledger.cancel("gone")
    assert sample(registry, "unmask_items", campaign="gone", stage="cancelled") is None
    assert sample(registry, "unmask_items", campaign="(ended)", stage="cancelled") == 3


def test_totals_never_fall(ledger: Ledger, registry: CollectorRegistry) -> None:
    """For Prometheus a fall is a new start from zero, so all there is would look like a burst."""

    def told() -> tuple[float | None, float | None]:
        return (
            sample(registry, "unmask_outcomes_total", outcome="fake"),
            sample(registry, "unmask_footage_seconds_total"),
        )

    seconds = items.VIDEO.duration_s
    assert seconds
    assert told() == (0, 0)
    one, other = items.submitted(ledger, 2)
    for content, item in enumerate((one, other)):
        ledger.finish([(items.to_classify(ledger, item, content), items.judged())])
    assert told() == (2, 2 * seconds), "and the campaign has ended"
    assert ledger.requeue("one", {Outcome.FAKE}) == 2
    assert told() == (2, 2 * seconds)
    ledger.finish([(items.claimed(ledger, one, Stage.EXTRACTED), items.judged())])
    assert told() == (3, 3 * seconds)
    ledger.erase(one)
    assert told() == (3, 3 * seconds)
    assert ledger.status("one").outcomes == {}


def test_moves_are_counted_once_and_leases_timed(
    ledger: Ledger, registry: CollectorRegistry
) -> None:
    one, other = items.submitted(ledger, 2)
    sample(registry, "unmask_up", service="ledger")  # counts from here on
    claim = ledger.claim(one, Stage.WAITING, owner="one", lease_s=60)
    assert claim is not None
    ledger.fail(claim, "a fault of ours")
    lost = ledger.claim(other, Stage.WAITING, owner="two", lease_s=60)
    assert lost is not None
    with ledger.engine.begin() as db:
        db.execute(update(ItemTable).where(ItemTable.id == other).values(lease_until=1.0))
    assert ledger.sweep().returned == 1
    moves = {"old": "waiting", "new": "extracting"}
    assert sample(registry, "unmask_moves_total", **moves) is None, "not settled yet"
    settle(ledger)
    for _ in range(2):
        assert sample(registry, "unmask_moves_total", **moves) == 2
        assert sample(registry, "unmask_leases_returned_total", stage="extracting") == 1
        assert sample(registry, "unmask_attempts_charged_total", stage="extracting") == 2
        assert sample(registry, "unmask_stage_seconds_count", stage="extracting") == 2
    assert sample(registry, "unmask_exporter_moves_behind") == 0


def test_queues_and_batches_come_from_redis(
    ledger: Ledger, registry: CollectorRegistry, redis_url: str
) -> None:
    items.submitted(ledger, 4)
    app = make_app(settings=settings.load(redis_url=redis_url))
    offers = ledger.offer(window=10, lease_s=60)
    assert send(app, offers) == 4
    assert sample(registry, "unmask_queue_messages", queue=CPU_QUEUE) == 4
    assert sample(registry, "unmask_queue_messages", queue=GPU_QUEUE) == 0
    assert sample(registry, "unmask_offered_items", stage="waiting") == 4

    fill = Fill(lambda: redis.Redis.from_url(redis_url), "gpu-7")
    fill.add(items=12, busy_s=0.5)
    fill.start()
    try:
        until(lambda: sample(registry, "unmask_gpu_batches_total", worker="gpu-7") == 1)
        assert sample(registry, "unmask_gpu_batch_items_total", worker="gpu-7") == 12
        assert sample(registry, "unmask_gpu_busy_seconds_total", worker="gpu-7") == 0.5
    finally:
        fill.stop()


def test_a_store_that_rests_is_seen_and_hosts_are_counted(
    ledger: Ledger, registry: CollectorRegistry
) -> None:
    def resting() -> dict[str, float | None]:
        return {one: sample(registry, "unmask_resting", place=one) for one in ("store", "hosts")}

    assert resting() == {"store": 0, "hosts": 0}
    hosts = places.SHOWN + 2
    lines = (items.new(one, uri=f"https://h{one}.example/a.mp4") for one in range(hosts))
    ledger.submit(ledger.open_campaign(items.options()), lines)
    claims = [items.claimed(ledger, row.item) for row in ledger.results("one")]
    for claim in claims:
        ledger.visited(claim, Answer.BUSY, "come back later", after_s=100)
    assert resting() == {"store": 0, "hosts": hosts}, "more than a status shows"
    ledger.store_trouble("object storage: no space left", after_s=100)
    assert resting() == {"store": 1, "hosts": hosts}
    with ledger.engine.begin() as db:
        db.execute(update(PlaceTable).values(rest_until=PlaceTable.rest_until - 101))
    assert resting() == {"store": 0, "hosts": 0}, "they are tried again"
    ledger.store_trouble("object storage: no space left", after_s=100)
    assert resting() == {"store": 1, "hosts": 0}
    assert ledger.extracted(claims[0], items.extracted(1)) is Stage.EXTRACTED
    assert resting() == {"store": 0, "hosts": 0}, "somebody could write"


def test_objects_that_are_past_their_term_and_stay_are_counted(
    ledger: Ledger, registry: CollectorRegistry
) -> None:
    ledger.doom_unknown(["clips/late", "clips/gone", "clips/young"])
    assert sample(registry, "unmask_overdue_deletions") == 0
    ledger.gone(["clips/gone"])
    with ledger.engine.begin() as db:
        late = update(DoomedTable).where(DoomedTable.key != "clips/young")
        db.execute(late.values(doomed_at=DoomedTable.doomed_at - retention.OVERDUE_S))
    assert sample(registry, "unmask_overdue_deletions") == 1


def test_a_service_that_is_gone_is_a_figure_too(ledger: Ledger) -> None:
    registry = CollectorRegistry()
    broker = Broker(f"redis://127.0.0.1:{free_port()}/0")
    LedgerCollector(ledger, broker, registry, window=WINDOW)
    assert sample(registry, "unmask_up", service="redis") == 0
    assert sample(registry, "unmask_up", service="ledger") == 1


def test_refused_messages_are_counted_by_kind(registry: CollectorRegistry, redis_url: str) -> None:
    assert sample(registry, "unmask_refused_messages_total", kind="not JSON") is None
    client = redis.Redis.from_url(redis_url)
    for kind in ("not JSON", "not JSON", "too deep"):
        refusals.record(client, queue=CPU_QUEUE, kind=kind, size=7)
    assert sample(registry, "unmask_refused_messages_total", kind="not JSON") == 2
    assert sample(registry, "unmask_refused_messages_total", kind="too deep") == 1


ENDLESS = json.dumps({"at": time.time(), "batches": 10**400, "items": 1, "busy_s": 1}).encode()
JUNK = [
    ENDLESS,
    b"9" * 400,
    b"hello",
    b"[]",
    b"{}",
    b'{"at": "x"}',
    b"[" * 100_000,
    b"\xff",
    b'{"at": 1e400}',
]


def test_what_strangers_leave_on_redis_blinds_nobody(
    registry: CollectorRegistry, redis_url: str
) -> None:
    """Whoever has its password may write where workers leave their figures."""
    client = redis.Redis.from_url(redis_url)
    refusals.record(client, queue=CPU_QUEUE, kind="not JSON", size=7)
    newer = json.dumps({"at": time.time(), "batches": 2, "items": 9, "busy_s": 1, "more": 1})
    client.hset(KEY, "gpu-of-a-newer-version", newer)
    for number, junk in enumerate(JUNK):
        client.hset(KEY, f"gpu-{number}", junk)
        client.hset(refusals.COUNTS, f"kind-{number}", junk)
        client.lpush(refusals.LAST, junk)
    client.hset(KEY, b"\xff\x1b[2J", newer)
    assert sample(registry, "unmask_up", service="redis") == 1
    assert sample(registry, "unmask_refused_messages_total", kind="not JSON") == 1
    assert sample(registry, "unmask_gpu_batch_items_total", worker="gpu-of-a-newer-version") == 9
    assert sample(registry, "unmask_gpu_batch_items_total", worker="gpu-0") is None
    assert [one["kind"] for one in refusals.read_refusals(client).last] == ["not JSON"]
    assert "\x1b" not in generate_latest(registry).decode()


def test_every_label_value_that_panels_and_alerts_ask_for_is_told(
    ledger: Ledger, registry: CollectorRegistry
) -> None:
    sample(registry, "unmask_up", service="ledger")  # counts from here on
    everything_happens(ledger)
    settle(ledger)
    told = {
        (one.name, label, value)
        for found in text_string_to_metric_families(generate_latest(registry).decode())
        for one in found.samples
        for label, value in one.labels.items()
    }
    asked = {
        (name, label, value)
        for expression in expressions()
        for name, inside in re.findall(r"(unmask_\w+)\{([^}]*)\}", expression)
        for label, values in re.findall(r'(\w+)=~?"([^"]*)"', inside)
        for value in values.split("|")
    }
    assert len(asked) > 10
    assert asked - told == set()


def everything_happens(ledger: Ledger) -> None:
    """Each way of an item that a panel or an alert looks for."""
    items.submitted(ledger, 1, "now", priority=Priority.LIVE)
    judged, faceless, refused, mourned = items.submitted(ledger, 4)
    ledger.finish([(items.to_classify(ledger, judged, 1), items.judged())])
    ledger.extracted(items.claimed(ledger, faceless), items.no_face(2))
    items.refused(ledger, items.claimed(ledger, refused))
    while items.row_of(ledger, mourned).stage is not Stage.DEAD:
        ledger.fail(items.claimed(ledger, mourned), "a fault of ours")
        items.pass_time(ledger, 3600)


def test_the_catalogue_names_all_there_is(ledger: Ledger, registry: CollectorRegistry) -> None:
    items.submitted(ledger, 1)
    told = {family.name for family in registry.collect()}
    assert told <= {metric.name for metric in CATALOGUE}
