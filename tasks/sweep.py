"""One tick of the feeder: return what was lost, top up the window, ring the doorbell."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from celery import Celery

from infra.resources import Resources
from schemas.records import Happened, Happening
from schemas.stages import Stage
from tasks import names
from tasks.brake import Brake, Counts
from tasks.network import network_answers
from tasks.pace import Pace
from tasks.send import depth, send

log = logging.getLogger(__name__)

#: A leader that is silent for so many ticks has lost the lead.
LEAD_TICKS = 6
LEAD_AT_LEAST_S = 5.0
#: How often in a lease it is looked whether its offers still lie in their queues.
EXTENSIONS = 4
#: How often the ends are counted.
BRAKE_EVERY_S = 2.0


@dataclass(frozen=True, kw_only=True)
class Ticked:
    returned: int
    buried: int
    sent: int


class Feeder:
    """Keeps the window full, one tick at a time."""

    def __init__(
        self,
        app: Celery,
        tools: Resources,
        clock: Callable[[], float] = time.monotonic,
        network: Callable[[Sequence[str]], bool] = network_answers,
    ) -> None:
        self._app, self._tools, self._clock, self._network = app, tools, clock, network
        self._extended_at = self._braked_at = clock()
        self._brake, self._pace = Brake(), Pace(tools.settings.window_items)
        self.leads = False

    def tick(self) -> Ticked | None:
        """None where another process leads."""
        ledger, settings = self._tools.ledger, self._tools.settings
        lead_s = max(LEAD_AT_LEAST_S, LEAD_TICKS * settings.sweep_every_s)
        self.leads = ledger.lead(names.SWEEP, self._tools.owner, lease_s=lead_s)
        if not self.leads:
            return None
        swept = ledger.sweep()
        self._extend()
        self._pull_brake()
        self._keep_pace()
        offers = ledger.offer(window=settings.window_items, lease_s=settings.offer_lease_s)
        self._pace.take(sum(offer.stage is Stage.WAITING for offer in offers))
        sent = send(self._app, offers, most=self._pace.together) if offers else 0
        if swept.returned or swept.buried:
            log.warning("returned %d lost leases, buried %d", swept.returned, swept.buried)
        return Ticked(returned=swept.returned, buried=swept.buried, sent=sent)

    def step_down(self) -> None:
        """Leave the lead to whoever starts next, at once."""
        self._tools.ledger.lead(names.SWEEP, self._tools.owner, lease_s=0.0)

    def _keep_pace(self) -> None:
        if self._pace.is_due(now := self._clock()):
            self._pace.look(now, self._tools.ledger.in_hand(Stage.EXTRACTING))

    def _pull_brake(self) -> None:
        if self._clock() < self._braked_at + BRAKE_EVERY_S:
            return
        self._braked_at = self._clock()
        for name, stages in self._tools.ledger.under_way().items():
            self._look_at(name, stages)

    def _look_at(self, name: str, stages: Mapping[Stage, int]) -> None:
        happened = self._tools.ledger.happened(name)
        rule = self._brake.trips(name, _counts(stages, happened))
        if rule is None or (rule == "silent" and self._network_is_there(name)):
            return
        reason = self._silence(happened) if rule == "silent" else self._fault(name, happened)
        log.error("campaign %s is paused: %s", name, reason)
        self._tools.ledger.pause(name, reason)

    def _silence(self, happened: Mapping[Happening, Happened]) -> str:
        probes = self._tools.settings.network_probes
        asked = f", nor does {' or '.join(probes)}" if probes else ""
        last = happened[Happening.SILENT].words
        return f"nobody answers any more{asked}: the resolver or the network is gone; last: {last}"

    def _fault(self, name: str, happened: Mapping[Happening, Happened]) -> str:
        last = happened[Happening.FAILED].words
        if not last:
            dead = next(self._tools.ledger.dead(name, limit=1), None)
            last = dead.reason if dead else ""
        return f"nearly every item fails by our own fault, the last with: {last}"

    def _network_is_there(self, name: str) -> bool:
        answered = self._network(self._tools.settings.network_probes)
        if answered:
            log.warning("campaign %s: nearly no host answers, but the network is there", name)
        return answered

    def _extend(self) -> None:
        """While a queue still holds what was offered, only the workers are slow."""
        lease_s = self._tools.settings.offer_lease_s
        if self._clock() < self._extended_at + lease_s / EXTENSIONS:
            return
        self._extended_at = self._clock()
        offered = self._tools.ledger.offered()
        for stage, task in names.TASKS.items():
            # Of handfuls there are fewer messages than offers; those are taken long before.
            if 0 < offered[stage] <= depth(self._app, names.QUEUES[task]):
                self._tools.ledger.extend_offers(stage, lease_s=lease_s)


def _counts(stages: Mapping[Stage, int], happened: Mapping[Happening, Happened]) -> Counts:
    return Counts(
        dead=stages.get(Stage.DEAD, 0),
        done=stages.get(Stage.DONE, 0),
        cut=stages.get(Stage.EXTRACTED, 0) + stages.get(Stage.CLASSIFYING, 0),
        failed=happened[Happening.FAILED].times,
        silent=happened[Happening.SILENT].times,
        answered=happened[Happening.ANSWERED].times + happened[Happening.BUSY].times,
    )
