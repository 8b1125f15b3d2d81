"""Every metric: its name, what it means, and what to do about it.

`docs/reference/metrics.md` is made from this table, and dashboard and alerts may use nothing else.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["gauge", "counter", "histogram"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    name: str
    kind: Kind
    means: str
    do: str
    labels: tuple[str, ...] = ()

    @property
    def series(self) -> tuple[str, ...]:
        """The names under which Prometheus stores it."""
        match self.kind:
            case "counter":
                return (f"{self.name}_total",)
            case "histogram":
                return tuple(f"{self.name}_{part}" for part in ("bucket", "sum", "count"))
            case _:
                return (self.name,)


UP = Metric(
    name="unmask_up",
    kind="gauge",
    labels=("service",),
    means="1 where the exporter reached the ledger, or Redis, at this look.",
    do="At 0 start the service or correct its address; `python -m producer doctor` says which.",
)
ITEMS = Metric(
    name="unmask_items",
    kind="gauge",
    labels=("campaign", "stage"),
    means="Items by the stage they stand at; those of ended campaigns are summed as `(ended)`.",
    do="`waiting` that does not fall means nobody works: look at the workers.",
)
OUTCOMES = Metric(
    name="unmask_outcomes",
    kind="counter",
    labels=("outcome",),
    means="Items that ended so, of all campaigns; one that ends again counts again.",
    do="Many `dead` are our faults: `producer status`, mend, `producer requeue --outcome dead`.",
)
FOOTAGE = Metric(
    name="unmask_footage_seconds",
    kind="counter",
    means="Seconds of video that got an answer; those of requeued and erased items stay counted.",
    do="Its rate times 3600 is the hours of footage answered per hour.",
)
CPU = Metric(
    name="unmask_cpu_seconds",
    kind="counter",
    means="CPU seconds that items cost, all attempts that could report it.",
    do="Divide by footage for the price of an hour; a jump is a new kind of media.",
)
GPU = Metric(
    name="unmask_gpu_seconds",
    kind="counter",
    means="Seconds of the classifier's GPU that items cost.",
    do="Compare its rate with the number of GPUs: below it, GPUs are idle.",
)
BYTES = Metric(
    name="unmask_fetched_bytes",
    kind="counter",
    means="Bytes that came over the wire.",
    do="Its rate is the load on the link and on other people's hosts.",
)
CPU_PER_HOUR = Metric(
    name="unmask_cpu_seconds_per_footage_hour",
    kind="gauge",
    labels=("campaign",),
    means="What an hour of footage cost so far in CPU seconds.",
    do="Size the CPU fleet by it: footage hours per hour × this ÷ 3600 is the number of cores.",
)
GPU_PER_HOUR = Metric(
    name="unmask_gpu_seconds_per_footage_hour",
    kind="gauge",
    labels=("campaign",),
    means="What an hour of footage cost so far in GPU seconds; 0 where the CPU classifies.",
    do="Footage hours per hour × this ÷ 3600 is the number of GPUs.",
)
ETA = Metric(
    name="unmask_campaign_left_seconds",
    kind="gauge",
    labels=("campaign",),
    means="Until the last item ends at the pace of the last minute; absent without a pace.",
    do="Too long: add workers of the stage that is behind.",
)
PAUSED = Metric(
    name="unmask_campaign_paused",
    kind="gauge",
    labels=("campaign",),
    means="1 while a person or the brake holds the campaign.",
    do="`producer status` says why; mend it, then `producer resume`.",
)
OLDEST = Metric(
    name="unmask_oldest_waiting_seconds",
    kind="gauge",
    labels=("priority",),
    means="How long the oldest item that could run has waited, by priority.",
    do="A `live` item that waits for minutes wants more CPU workers.",
)
RESTING = Metric(
    name="unmask_resting",
    kind="gauge",
    labels=("place",),
    means="Places that rest after failures: `hosts`, and the `store` (0 or 1) until it is well.",
    do="The store: make room or start it; little is offered before. Hosts mend themselves.",
)
OVERDUE = Metric(
    name="unmask_overdue_deletions",
    kind="gauge",
    means="Objects past their term for more than ten minutes and still stored; counts to 100,000.",
    do="The sweep's log names what the store refuses to delete and why: give it the right to.",
)
OFFERED = Metric(
    name="unmask_offered_items",
    kind="gauge",
    labels=("stage",),
    means="Items in the window that nobody has taken yet.",
    do="At the window's size workers are behind; at 0 with items waiting the sweep stands still.",
)
WINDOW = Metric(
    name="unmask_window_items",
    kind="gauge",
    means="The size of the window: the most items on offer per stage.",
    do="Set UNMASK_WINDOW_ITEMS to a few times the items that all workers hold at once.",
)
QUEUE = Metric(
    name="unmask_queue_messages",
    kind="gauge",
    labels=("queue",),
    means="Messages that lie in a queue on Redis, all priorities.",
    do="It never exceeds the window by much; if it does, two fleets share a Redis.",
)
REDIS_MEMORY = Metric(
    name="unmask_redis_memory_bytes",
    kind="gauge",
    means="Memory that Redis uses.",
    do="It does not grow with the backlog; if it grows, look for strangers' keys.",
)
REDIS_LIMIT = Metric(
    name="unmask_redis_memory_limit_bytes",
    kind="gauge",
    means="Its `maxmemory`; 0 is none.",
    do="Keep four times of what is used.",
)
REFUSED = Metric(
    name="unmask_refused_messages",
    kind="counter",
    labels=("kind",),
    means="Messages on the queue that no worker of ours wrote, refused before Celery saw them.",
    do="Any at all: somebody else has the password of Redis, or two systems share it; change it.",
)
LEADER = Metric(
    name="unmask_sweep_leads",
    kind="gauge",
    means="1 while a sweep holds the lead.",
    do="At 0 start `python -m workers.sweep`: without it nothing is offered and nothing returned.",
)
MOVES = Metric(
    name="unmask_moves",
    kind="counter",
    labels=("old", "new"),
    means="Moves of items between stages since the exporter started.",
    do="The rate into `extracted` and into `done` is the pace of the two stages.",
)
LOST = Metric(
    name="unmask_leases_returned",
    kind="counter",
    labels=("stage",),
    means="Items taken back from workers that fell silent or ran past their deadline.",
    do="More than a few an hour: workers are killed (memory?) or hang; read their logs.",
)
CHARGED = Metric(
    name="unmask_attempts_charged",
    kind="counter",
    labels=("stage",),
    means="Attempts that failed by our own fault and will be repeated.",
    do="`producer status` shows the last errors.",
)
STAGE_TIME = Metric(
    name="unmask_stage_seconds",
    kind="histogram",
    labels=("stage",),
    means="How long an item was held at a stage, from claim to hand-in.",
    do="A p95 near the stage's limit: time-outs are next. Raise the limit or look at the media.",
)
BATCHES = Metric(
    name="unmask_gpu_batches",
    kind="counter",
    labels=("worker",),
    means="Batches that a GPU worker scored.",
    do="Its rate at 0 with items at `extracted`: the worker hangs; restart it.",
)
BATCH_ITEMS = Metric(
    name="unmask_gpu_batch_items",
    kind="counter",
    labels=("worker",),
    means="Items in those batches.",
    do="Divided by the batches it is the fill: far below UNMASK_GPU_ITEMS the GPU starves.",
)
BATCH_BUSY = Metric(
    name="unmask_gpu_busy_seconds",
    kind="counter",
    labels=("worker",),
    means="Seconds the model thread spent scoring.",
    do="A rate near 1 is a busy GPU: add one. Far below 1: add CPU workers.",
)
BEHIND = Metric(
    name="unmask_exporter_moves_behind",
    kind="gauge",
    means="Moves of the history that the exporter has not counted yet.",
    do="Above zero for long: scrape less often, or run one exporter only.",
)

CATALOGUE = tuple(value for value in globals().values() if isinstance(value, Metric))
