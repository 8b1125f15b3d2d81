"""An error of our own: the item is charged an attempt, and at the last one it is dead."""

import traceback

from infra.ledger import Ledger
from infra.redact import redact_text
from schemas.records import Claim
from schemas.stages import ENDS
from tasks.say import STALE, again, said
from unmask.outcomes import Outcome

#: Calls of a traceback that are kept: the last ones.
CALLS = 8


def failed(ledger: Ledger, claim: Claim, error: Exception) -> str:
    """What the task says; raises Retry where the item has another attempt."""
    words = redact_text(f"{type(error).__name__}: {error}")
    trace = "".join(traceback.format_exception(error, limit=-CALLS))
    stage = ledger.fail(claim, words, log=redact_text(trace))
    if stage is None:
        return STALE
    if stage in ENDS:
        return said(Outcome.DEAD, words)
    raise again(stage, words) from error
