"""Errors, split by what the caller does next.

UnmaskError
├── TryAgain            nothing is wrong with the item: give it back and try later
│   ├── Unanswered      nobody answered: the resolver, the way there or the host is silent
│   └── OwnTrouble      our own disk or store is full or away: any other item would meet it too
├── Refused             the item itself is at fault: it ends with a typed outcome and a reason
└── Unusable            our own set-up is at fault: stop and say so
"""

from unmask.outcomes import Outcome


class UnmaskError(Exception):
    """The root of every error raised on purpose."""


class TryAgain(UnmaskError):
    """Something the item needs is away for now; another try may succeed."""

    def __init__(self, reason: str, *, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_s = after_s


class Unanswered(TryAgain):
    """Nobody answered: the resolver, the way there or the host itself is silent."""


class OwnTrouble(TryAgain):
    """Our own disk or object storage is full or away: every other item would meet the same."""


class Refused(UnmaskError):
    """The item can't be judged, and trying again would not change that."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        if not outcome.is_rejection:
            raise ValueError(f"{outcome} is not a rejection")
        super().__init__(f"{outcome}: {reason}")
        self.outcome = outcome
        self.reason = reason


class Unusable(UnmaskError):
    """A part of the installation can't be used; the message says which and how to mend it."""
