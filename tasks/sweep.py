"""One tick of the feeder: return what was lost, top up the window, ring the doorbell."""

import logging
from dataclasses import dataclass

from celery import Celery

from infra.resources import Resources
from tasks import names
from tasks.send import send

log = logging.getLogger(__name__)

#: A leader that is silent for so many ticks has lost the lead.
LEAD_TICKS = 6
LEAD_AT_LEAST_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Ticked:
    returned: int
    buried: int
    sent: int


def step_down(tools: Resources) -> None:
    """Leave the lead to whoever starts next, at once."""
    tools.ledger.lead(names.SWEEP, tools.owner, lease_s=0.0)


def tick(app: Celery, tools: Resources) -> Ticked | None:
    """None where another process leads."""
    ledger, settings = tools.ledger, tools.settings
    lead_s = max(LEAD_AT_LEAST_S, LEAD_TICKS * settings.sweep_every_s)
    if not ledger.lead(names.SWEEP, tools.owner, lease_s=lead_s):
        return None
    swept = ledger.sweep()
    offers = ledger.offer(window=settings.window_items, lease_s=settings.offer_lease_s)
    sent = send(app, offers) if offers else 0
    if swept.returned or swept.buried:
        log.warning("returned %d lost leases, buried %d", swept.returned, swept.buried)
    return Ticked(returned=swept.returned, buried=swept.buried, sent=sent)
