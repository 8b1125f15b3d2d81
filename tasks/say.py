"""How the end of a try reads in Flower: an answer or a rejection succeeded, the rest is a retry."""

from celery.exceptions import Retry

from schemas.stages import Stage
from unmask.outcomes import Outcome

#: Another worker holds the item, or it has moved on: nothing was done here.
DUPLICATE = "nothing to do: the item is held or finished"
STALE = "too late: the lease was lost and another worker has the item"


class NotYet(Exception):
    """What an event of a retry carries: Celery sends the cause of a retry, not its words."""


def said(outcome: Outcome, reason: str = "") -> str:
    return f"{outcome}: {reason}" if reason else str(outcome)


def again(stage: Stage, reason: str, after_s: float | None = None) -> Retry:
    """What a Celery entry raises when the ledger will offer the item once more."""
    when = f" in {after_s:.0f} s" if after_s else ""
    words = f"{reason}; back to {stage}{when}"
    return Retry(words, exc=NotYet(words))
