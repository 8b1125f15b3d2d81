"""What the fleet is told of a visit: how the host did, or that our own store is in trouble."""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from infra.download import Content, NotInParts
from infra.hosts import NO_HOST, host_number
from infra.redact import redact_text
from infra.resources import Resources
from schemas.records import Answer, Claim
from unmask.errors import OwnTrouble, Refused, TryAgain, Unanswered
from unmask.outcomes import Outcome


class NotFetched(TryAgain):
    """Its address did not give it this time; such tries have a schedule of their own."""


@contextmanager
def fetched(claim: Claim, tools: Resources, lost: NotInParts | None = None) -> Iterator[Content]:
    """The item's bytes; the connection to its host is closed by then.

    Where only the beginning matters it may come in parts, and the visit lasts until it is read.
    """
    with ExitStack() as stack:
        try:
            content = stack.enter_context(_fetch(claim, tools, lost))
        except OwnTrouble:
            _tell(claim, tools, Answer.ANSWERED)
            raise
        except TryAgain as trouble:
            answer = Answer.SILENT if isinstance(trouble, Unanswered) else Answer.BUSY
            _tell(claim, tools, answer, trouble.reason, trouble.after_s)
            raise NotFetched(redact_text(trouble.reason), after_s=trouble.after_s) from trouble
        except Refused as refusal:
            _tell_refused(claim, tools, refusal)
            raise
        if content.parts is None:
            _tell(claim, tools, Answer.ANSWERED)
            yield content
            return
        try:
            yield content
        except Refused as refusal:
            _tell_refused(claim, tools, refusal)
            raise
        _tell(claim, tools, Answer.ANSWERED)


def _tell_refused(claim: Claim, tools: Resources, refusal: Refused) -> None:
    slow = refusal.outcome is Outcome.TIMED_OUT
    if refusal.outcome is not Outcome.BLOCKED:  # such a host was not visited at all
        _tell(claim, tools, Answer.BUSY if slow else Answer.ANSWERED, refusal.reason)


def _fetch(
    claim: Claim, tools: Resources, lost: NotInParts | None
) -> AbstractContextManager[Content]:
    about = claim.uri, claim.trust, claim.stamp
    if lost is not None:
        return tools.fetcher.after(lost).fetch(*about)
    if claim.campaign.options.spec.moments == "first":
        return tools.fetcher.fetch_beginning(*about)
    return tools.fetcher.fetch(*about)


def _tell(
    claim: Claim, tools: Resources, answer: Answer, reason: str = "", after_s: float | None = None
) -> None:
    if host_number(claim.uri) != NO_HOST:
        tools.ledger.visited(claim, answer, reason, after_s=after_s)


@contextmanager
def our_store() -> Iterator[None]:
    """What goes wrong inside lies with our own object storage."""
    try:
        yield
    except TryAgain as trouble:
        raise OwnTrouble(trouble.reason, after_s=trouble.after_s) from trouble


def tell_trouble(tools: Resources, trouble: TryAgain) -> None:
    """Lets the whole fleet rest before it fetches more that could not be stored."""
    if isinstance(trouble, OwnTrouble):
        with contextlib.suppress(TryAgain):  # the database is away too: the item's lease ends
            tools.ledger.store_trouble(trouble.reason, after_s=trouble.after_s)
