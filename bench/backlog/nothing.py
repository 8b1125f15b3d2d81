"""The queue's own overhead: items that are no work, beside plain Celery's tasks of no work."""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from celery import Celery

from bench.backlog import Figures
from bench.backlog.fleets import fleet
from tests.chaos.deeds import Deed, uri
from tests.chaos.fleet import ALONE, CAMPAIGN, Fleet

ITEMS = 4_000
#: Those before count as warming up.
FROM = 500
ROUNDS = 5
GLANCE_S = 0.02
WITHIN_S = 280.0


def noop(kind: str) -> Figures:
    """One hop on both sides, in turns: take, do nothing, write the result, acknowledge."""
    pairs = []
    for _ in range(ROUNDS):
        with fleet(kind) as one:
            pairs.append((ours(one), plain_celerys(one)))
    return {
        f"noop_per_s_{kind}": statistics.median(one for one, _ in pairs),
        f"noop_plain_per_s_{kind}": statistics.median(one for _, one in pairs),
        f"ratio_noop_{kind}": statistics.median(one / other for one, other in pairs),
    }


def ours(one: Fleet) -> float:
    one.submit(uri(number, Deed.BLOCKED) for number in range(ITEMS))
    one.start("sweep", "cpu")
    rate = _rate(one, one.ended)
    one.stop()
    outcomes = one.ledger.status(CAMPAIGN).outcomes
    assert outcomes == {"blocked": ITEMS}, outcomes
    assert sum(1 for _ in one.ledger.results(CAMPAIGN)) == ITEMS
    return rate


def plain_celerys(one: Fleet) -> float:
    # An app of its own for each Redis: one that has sent keeps its connections.
    sender = Celery("plain", broker=one.redis.url)
    sender.conf.update(task_send_sent_event=True, task_ignore_result=True)
    with sender.producer_pool.acquire(block=True) as given:
        producer: Any = given
        with producer.batch():
            for number in range(ITEMS):
                sender.send_task(f"{plain_name()}.nothing", args=[number], producer=producer)
    sender.close()
    command = [sys.executable, "-m", "celery", "-A", plain_name(), "worker", "-E", *ALONE]
    one.add("plain", command)
    with one.redis.client() as client:
        rate = _rate(one, lambda: ITEMS - int(client.llen("celery")) - int(client.hlen("unacked")))
    one.stop()
    return rate


def plain_name() -> str:
    return "bench.backlog.plain_celery"


def _rate(one: Fleet, ended: Callable[[], int]) -> float:
    """Items a second, from the first that count to the last."""
    until = time.monotonic() + WITHIN_S
    begun = 0.0
    while (count := ended()) < ITEMS:
        if count >= FROM and not begun:
            begun, first = time.perf_counter(), count
        assert time.monotonic() < until, one.report()
        time.sleep(GLANCE_S)
    return (ITEMS - first) / (time.perf_counter() - begun)
