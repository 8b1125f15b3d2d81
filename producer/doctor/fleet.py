"""Who is at work: workers that answer, and the sweep that feeds them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from celery import Celery

from infra.doorbell import broker_tls, guard_transport
from infra.ledger import Ledger, Schema, open_ledger
from infra.ledger import check as schema_of
from producer.doctor.broker import ANSWER_WITHIN_S, answers, is_private
from producer.doctor.finding import Finding, bad, note, well
from producer.sources.values import counted
from schemas.stages import Stage
from tasks import names
from unmask.errors import UnmaskError

if TYPE_CHECKING:
    from settings import Settings

#: A worker answers within milliseconds; all are given this long.
ASK_FOR_S = 1.5
STARTS = {
    names.CPU_QUEUE: "celery -A workers.cpu worker",
    names.GPU_QUEUE: "celery -A workers.gpu worker",
}


@dataclass(frozen=True, kw_only=True)
class Ledgers:
    """What the ledger knows of the work."""

    #: Items of running campaigns that wait for a queue's workers.
    waiting: Mapping[str, int]
    #: Who leads the sweep.
    leader: str | None


def check(settings: "Settings") -> Iterator[Finding]:
    url = settings.redis_url.get_secret_value()
    if not answers(url):
        own = ": `scan` starts all it needs" if is_private(settings) else ""
        yield note("workers", f"not asked, since no Redis answers{own}")
        return
    working = _working(url)
    work = _work(settings.database_url.get_secret_value())
    for queue in STARTS:
        yield _workers(queue, working[queue], work.waiting.get(queue, 0))
    yield _sweep(work, anyone=bool(working))


def _working(url: str) -> Counter[str]:
    """How many workers serve each queue."""
    guard_transport()
    app = Celery("doctor", broker=url, set_as_current=False)
    app.conf.broker_use_ssl = broker_tls(url)
    app.conf.broker_transport_options = {
        "socket_timeout": ANSWER_WITHIN_S,
        "socket_connect_timeout": ANSWER_WITHIN_S,
    }
    served = app.control.inspect(timeout=ASK_FOR_S).active_queues() or {}
    app.close()
    return Counter(queue["name"] for queues in served.values() for queue in queues)


def _work(database: str) -> Ledgers:
    """Nothing where the ledger can't be read: another check tells about that."""
    try:
        if schema_of(database) is not Schema.CURRENT:
            return Ledgers(waiting={}, leader=None)
        ledger = open_ledger(database)
    except UnmaskError:
        return Ledgers(waiting={}, leader=None)
    try:
        return Ledgers(waiting=_waiting(ledger), leader=ledger.leader(names.SWEEP))
    finally:
        ledger.close()


def _waiting(ledger: Ledger) -> Counter[str]:
    count: Counter[str] = Counter()
    for campaign in ledger.campaigns():
        if campaign.state == "running":
            stages = ledger.status(campaign.options.name).stages
            count[names.CPU_QUEUE] += stages.get(Stage.WAITING, 0)
            if not campaign.options.extract_only:
                count[names.GPU_QUEUE] += stages.get(Stage.EXTRACTED, 0)
    return count


def _workers(queue: str, answering: int, waiting: int) -> Finding:
    what = f"{queue.upper()} workers"
    if answering:
        return well(what, f"{answering} answer{'s' if answering == 1 else ''}")
    start = f"start `{STARTS[queue]}`"
    if waiting:
        wait = f"{counted(waiting, 'item')} {'waits' if waiting == 1 else 'wait'} for one"
        return bad(what, f"none answers, and {wait}", start)
    return note(what, "none answers, and nothing waits for one", start)


def _sweep(work: Ledgers, *, anyone: bool) -> Finding:
    if work.leader:
        return well("sweep", f"led by {work.leader}")
    start = "start `python -m workers.sweep`"
    if anyone or any(work.waiting.values()):
        return bad("sweep", "nobody hands out items, so the workers get none", start)
    return note("sweep", "nobody hands out items, and none waits", start)
