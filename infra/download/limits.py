"""What one fetch may cost."""

import time
from dataclasses import dataclass, field, replace
from typing import Self

from unmask.errors import Refused
from unmask.outcomes import Outcome


@dataclass(frozen=True, kw_only=True)
class DownloadLimits:
    max_bytes: int = 4 << 30
    #: From the first look-up to the last byte, redirects included.
    deadline_s: float = 300
    connect_s: float = 10
    #: A server may be silent for this long.
    idle_s: float = 30
    max_redirects: int = 10

    def __post_init__(self) -> None:
        positive = (self.max_bytes, self.deadline_s, self.connect_s, self.idle_s)
        if min(positive) <= 0 or self.max_redirects < 0:
            raise ValueError(f"a limit is not positive: {self}")

    def without(self, received: int, spent_s: float) -> Self:
        """What is left after a first try: of a file's bytes and time, at least a little."""
        return replace(
            self,
            max_bytes=max(1, self.max_bytes - received),
            deadline_s=max(0.001, self.deadline_s - spent_s),
        )


#: Beside the body: heads, of redirects too, and the frames of chunks.
_HEAD_ROOM = 16 << 10


@dataclass(kw_only=True)
class Wire:
    """What comes over the network for one file, from all its connections together.

    A body's limit alone does not bound that: answers before the answer, words beside a chunk and
    heads of redirects are as long as a server likes.
    """

    limit: int
    received: int = 0

    @property
    def left(self) -> int:
        return self.limit + _HEAD_ROOM - self.received

    def take(self, count: int) -> None:
        self.received += count
        if self.left < 0:
            raise too_large(f"more than {self.limit}", self.limit)


def too_large(found: int | str, limit: int) -> Refused:
    return Refused(Outcome.TOO_LARGE, f"{found} bytes; {limit} are allowed")


@dataclass(frozen=True)
class Deadline:
    """One end for all the steps of a fetch."""

    seconds: float
    _start: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """Seconds that are left; `Refused` when none are."""
        left = self._start + self.seconds - time.monotonic()
        if left <= 0:
            raise Refused(Outcome.TIMED_OUT, f"fetching took longer than {self.seconds:g} s")
        return left

    def within(self, most: float) -> float:
        return min(most, self.left())
