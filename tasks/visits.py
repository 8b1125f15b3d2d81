"""What the fleet is told of a visit: how the host did, or that our own store is in trouble."""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

from infra.download import Content, NotInParts
from infra.hosts import NO_HOST, host_name, host_number
from infra.redact import redact_text
from infra.resources import Resources
from schemas.records import Answer, Claim
from tasks.break_off import LeaseLost, break_off
from tasks.drain import Stopping
from unmask.errors import OwnTrouble, Refused, TryAgain, Unanswered
from unmask.outcomes import Outcome


class NotFetched(TryAgain):
    """Its address did not give it this time; such tries have a schedule of their own."""


class NoRoom(TryAgain):
    """It was led to a host that is visited enough just now: it waits, and that costs no try."""


@dataclass
class Visit:
    """Which host the item is fetched from now: its own, or where that one led it."""

    claim: Claim
    tools: Resources
    uri: str

    def follow(self, uri: str) -> None:
        """To another host only as politely as to the first one."""
        if host_number(uri) != host_number(self.uri):
            with break_off.undisturbed():
                led = self.tools.ledger.led(self.claim, uri, at=self.uri)
            reason = f"redirected to {host_name(uri)}, which is visited enough for now"
            if led.spent:
                raise Refused(Outcome.UNREACHABLE, f"{reason}; each time before it had no room")
            if led.wait_s:
                raise NoRoom(reason, after_s=led.wait_s)
        self.uri = uri

    def tell(self, answer: Answer, reason: str = "", after_s: float | None = None) -> None:
        if host_number(self.uri) != NO_HOST:
            words = redact_text(reason)
            self.tools.ledger.visited(self.claim, answer, words, after_s=after_s, uri=self.uri)

    def tell_refused(self, refusal: Refused) -> None:
        slow = refusal.outcome is Outcome.TIMED_OUT
        if refusal.outcome is not Outcome.BLOCKED:  # such a host was not visited at all
            self.tell(Answer.BUSY if slow else Answer.ANSWERED, refusal.reason)


@contextmanager
def fetched(claim: Claim, tools: Resources, lost: NotInParts | None = None) -> Iterator[Content]:
    """The item's bytes; the connection to its host is closed by then.

    Where only the beginning matters it may come in parts, and the visit lasts until it is read.
    """
    visit = Visit(claim, tools, claim.uri)
    with ExitStack() as stack:
        try:
            with break_off.waiting():
                content = stack.enter_context(_fetch(visit, lost))
        except (Stopping, LeaseLost):
            raise  # that says nothing of the host
        except (OwnTrouble, NoRoom):
            visit.tell(Answer.ANSWERED)
            raise
        except TryAgain as trouble:
            answer = Answer.SILENT if isinstance(trouble, Unanswered) else Answer.BUSY
            visit.tell(answer, trouble.reason, trouble.after_s)
            raise NotFetched(redact_text(trouble.reason), after_s=trouble.after_s) from trouble
        except Refused as refusal:
            visit.tell_refused(refusal)
            raise
        if content.parts is None:
            visit.tell(Answer.ANSWERED)
            yield content
            return
        try:
            yield content
        except Refused as refusal:
            visit.tell_refused(refusal)
            raise
        visit.tell(Answer.ANSWERED)


def _fetch(visit: Visit, lost: NotInParts | None) -> AbstractContextManager[Content]:
    claim, fetcher = visit.claim, visit.tools.fetcher.telling(visit.follow)
    about = claim.uri, claim.trust, claim.stamp
    if lost is not None:
        return fetcher.after(lost).fetch(*about)
    if claim.campaign.options.spec.moments == "first":
        return fetcher.fetch_beginning(*about)
    return fetcher.fetch(*about)


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
