"""What Prometheus gets: one look at the ledger and at Redis per scrape."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from infra.ledger import Ledger
from schemas.pace import left_s
from schemas.records import CampaignStatus, Tallied
from schemas.stages import Stage
from tasks import names
from tasks.fill import Filled
from tasks.metrics import catalogue
from tasks.metrics.broker import Broker, Seen
from tasks.metrics.campaigns import ENDED, OTHERS, Sums, by_label
from tasks.metrics.catalogue import Metric
from tasks.metrics.history import History
from unmask.errors import UnmaskError
from unmask.outcomes import Outcome

log = logging.getLogger(__name__)

Sample = tuple[Sequence[str], float]
Family = GaugeMetricFamily | CounterMetricFamily
HOUR_S = 3600.0


class LedgerCollector(Collector):
    """A service that does not answer is a metric like any other, and the rest is still told."""

    def __init__(
        self, ledger: Ledger, broker: Broker, registry: CollectorRegistry, *, window: int
    ) -> None:
        self._ledger, self._broker, self._window = ledger, broker, window
        # First in line, so that its look at the history comes before the history's own counters.
        registry.register(self)
        self._history = History(ledger, registry)

    def describe(self) -> Iterable[Family]:
        """So that registering asks nobody."""
        return []

    def collect(self) -> Iterator[Family]:
        yield family(catalogue.WINDOW, [((), self._window)])
        reached = {}
        for service, look in {"ledger": self._from_ledger, "redis": self._from_redis}.items():
            try:
                yield from list(look())
                reached[service] = 1.0
            except UnmaskError as error:
                log.warning("%s does not answer: %s", service, error)
                reached[service] = 0.0
        yield family(catalogue.UP, [((name,), value) for name, value in reached.items()])

    def _from_ledger(self) -> Iterator[Family]:
        yield family(catalogue.BEHIND, [((), self._history.catch_up())])
        tallies = self._ledger.tallies()
        yield from _totals(tallies)
        sums = by_label(tallies)
        yield from _sums(sums)
        named = [name for name, one in sums.items() if name not in (ENDED, OTHERS) and one.is_open]
        yield from _pace([self._ledger.status(name) for name in named])
        offered = self._ledger.offered()
        yield family(catalogue.OFFERED, [((stage,), count) for stage, count in offered.items()])
        resting = self._ledger.resting_count()
        yield family(catalogue.RESTING, [((place,), count) for place, count in resting.items()])
        yield family(catalogue.OVERDUE, [((), self._ledger.overdue())])
        leads = self._ledger.leader(names.SWEEP) is not None
        yield family(catalogue.LEADER, [((), float(leads))])

    def _from_redis(self) -> Iterator[Family]:
        seen = self._broker.look()
        yield from _redis(seen)
        yield from _fill(seen.workers)


def family(metric: Metric, samples: Iterable[Sample]) -> Family:
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    made: Family = kind(metric.name, metric.means, labels=metric.labels)
    for labels, value in samples:
        made.add_metric(labels, value)
    return made


def _totals(tallies: Sequence[Tallied]) -> Iterator[Family]:
    """Without a campaign: one that ends would move into a sum, and look like a burst of work."""
    amounts = {
        catalogue.FOOTAGE: "answered_s",
        catalogue.CPU: "cpu_seconds",
        catalogue.GPU: "gpu_seconds",
        catalogue.BYTES: "bytes_fetched",
    }
    for metric, amount in amounts.items():
        yield family(metric, [((), sum(getattr(one, amount) for one in tallies))])
    # Those that never came too: a counter that appears with its first item has no rise to show.
    ended = dict.fromkeys(Outcome, 0)
    for one in tallies:
        if one.outcome:
            ended[Outcome(one.outcome)] += one.ended
    yield family(catalogue.OUTCOMES, [((outcome,), count) for outcome, count in ended.items()])


def _sums(sums: Mapping[str, Sums]) -> Iterator[Family]:
    yield family(
        catalogue.ITEMS,
        [
            ((name, stage), one.stages.get(stage, 0))
            for name, one in sums.items()
            for stage in Stage
        ],
    )
    prices = {catalogue.CPU_PER_HOUR: "cpu_seconds", catalogue.GPU_PER_HOUR: "gpu_seconds"}
    for metric, amount in prices.items():
        yield family(
            metric,
            [
                ((name,), getattr(one, amount) * HOUR_S / one.answered_s)
                for name, one in sums.items()
                if one.answered_s > 0
            ],
        )


def _pace(open_: Sequence[CampaignStatus]) -> Iterator[Family]:
    left = {one.campaign.options.name: left_s(one) for one in open_}
    yield family(
        catalogue.ETA, [((name,), seconds) for name, seconds in left.items() if seconds is not None]
    )
    yield family(
        catalogue.PAUSED,
        [((one.campaign.options.name,), float(one.campaign.state == "paused")) for one in open_],
    )
    oldest: dict[str, float] = {}
    for one in open_:
        if one.campaign.state == "paused":  # none of its items could run
            continue
        for priority, seconds in one.oldest_waiting_s.items():
            word = priority.name.lower()
            oldest[word] = max(seconds, oldest.get(word, 0.0))
    yield family(catalogue.OLDEST, [((word,), seconds) for word, seconds in oldest.items()])


def _redis(seen: Seen) -> Iterator[Family]:
    yield family(catalogue.QUEUE, [((queue,), count) for queue, count in seen.queues.items()])
    yield family(catalogue.REDIS_MEMORY, [((), seen.memory_bytes)])
    yield family(catalogue.REDIS_LIMIT, [((), seen.memory_limit_bytes)])
    yield family(catalogue.REFUSED, [((kind,), count) for kind, count in seen.refused.items()])


def _fill(workers: Mapping[str, Filled]) -> Iterator[Family]:
    amounts = {
        catalogue.BATCHES: "batches",
        catalogue.BATCH_ITEMS: "items",
        catalogue.BATCH_BUSY: "busy_s",
    }
    for metric, amount in amounts.items():
        yield family(metric, [((name,), getattr(one, amount)) for name, one in workers.items()])
