"""What went wrong with an item charges it an attempt; at the last one it ends."""

import traceback

from infra.ledger import Ledger
from infra.redact import redact_text
from schemas.records import Claim
from schemas.stages import ENDS, Stage
from tasks.say import STALE, again, said
from unmask.errors import Refused
from unmask.outcomes import Outcome

#: Calls of a traceback that are kept: the last ones.
CALLS = 8


def failed(ledger: Ledger, claim: Claim, error: Exception) -> str:
    """What the task says; raises Retry where the item has another attempt."""
    words = redact_text(f"{type(error).__name__}: {error}")
    trace = "".join(traceback.format_exception(error, limit=-CALLS))
    return _told(ledger.fail(claim, words, log=redact_text(trace)), Outcome.DEAD, words)


def cut_anew(ledger: Ledger, claim: Claim, error: Exception) -> str:
    """Its clips are no good, by our store's fault or by the file's: that is how it ends at last."""
    words, at_last = str(error), Outcome.DEAD
    if isinstance(error, Refused):
        words, at_last = error.reason, error.outcome
    return _told(ledger.recut(claim, words, at_last=at_last), at_last, words)


def _told(stage: Stage | None, at_last: Outcome, words: str) -> str:
    if stage is None:
        return STALE
    if stage in ENDS:
        return said(at_last, words)
    raise again(stage, words)
