"""How often, how soon and how long: the ledger's rules as one value."""

import random
from dataclasses import dataclass

from schemas.stages import Stage


@dataclass(frozen=True, kw_only=True)
class Politeness:
    """How strangers' hosts are treated, by the whole fleet together."""

    #: Connections to one host at the same time; 0 sets no limit.
    connections: int = 0
    #: Visits to one host in a second; 0 sets no limit.
    per_s: float = 0.0
    #: Failures in a row after which a host is left alone for a while.
    patience: int = 3
    #: For how long at first; each further failure doubles it.
    rest_s: float = 30.0
    longest_rest_s: float = 900.0
    #: No host may ask for more patience than this.
    longest_wait_s: float = 6 * 3600.0
    #: A host that failed for so long without one success is given up: its items end.
    give_up_s: float = 3600.0
    #: Who is led from host to host waits so often for room. A way over two of them takes a few
    #: waits; this many it takes only where it leads elsewhere each time.
    most_waits: int = 100

    def __post_init__(self) -> None:
        numbers = (self.connections, self.per_s, self.rest_s, self.longest_rest_s, self.give_up_s)
        if min(numbers) < 0 or self.patience < 1:
            raise ValueError(f"not a way to treat hosts: {self}")

    def rest(self, failures: int, after_s: float | None) -> float:
        """Seconds for which a host rests after so many failures in a row.

        30, 60, 120, … after the third, fourth, fifth; at once where it asks for patience itself.
        """
        asked = min(after_s or 0.0, self.longest_wait_s)
        doublings = failures - self.patience
        own = self.rest_s * 2.0 ** min(doublings, 30) if doublings >= 0 else 0.0
        return max(asked, min(own, self.longest_rest_s))


@dataclass(frozen=True, kw_only=True)
class Policy:
    #: Attempts charged in one stage before an item is dead.
    max_attempts: int = 3
    #: Waits after the first, second, … charged attempt; the last is repeated. A lease runs out
    #: first where a worker died, so longer waits would only add to that minute.
    backoff_s: tuple[float, ...] = (2.0, 10.0)
    #: Waits between tries to fetch; after the last one the item is `unreachable`.
    fetch_schedule_s: tuple[float, ...] = (5.0, 30.0, 120.0)
    #: No server may make an item wait longer than this.
    longest_wait_s: float = 6 * 3600.0
    #: A wait is stretched by up to this share of itself, so that retries spread.
    jitter: float = 0.25
    #: An item that was just extracted counts as offered for so long: the worker sends it on itself.
    hand_over_s: float = 120.0
    #: No worker holds an item longer than this, however lively.
    extract_deadline_s: float = 660.0
    classify_deadline_s: float = 600.0
    politeness: Politeness = Politeness()

    def __post_init__(self) -> None:
        waits = (*self.backoff_s, *self.fetch_schedule_s, self.longest_wait_s, self.jitter)
        deadlines = (self.extract_deadline_s, self.classify_deadline_s)
        if self.max_attempts < 1 or not self.backoff_s or min(waits) < 0 or min(deadlines) <= 0:
            raise ValueError(f"not a policy: {self}")

    def deadline_s(self, stage: Stage) -> float:
        """For an open stage: how long its work may take."""
        return self.extract_deadline_s if stage is Stage.WAITING else self.classify_deadline_s

    @property
    def longest_held_s(self) -> float:
        return max(self.extract_deadline_s, self.classify_deadline_s)

    def backoff(self, charged: int) -> float:
        """Seconds to wait after this many charged attempts."""
        return self._spread(self.backoff_s[min(charged, len(self.backoff_s)) - 1])

    def fetch_wait(self, tries: int, after_s: float | None) -> float | None:
        """Seconds to wait after this many failed tries; None once they are spent."""
        if tries > len(self.fetch_schedule_s):
            return None
        wait = self._spread(self.fetch_schedule_s[tries - 1])
        return min(max(wait, after_s or 0.0), self.longest_wait_s)

    def _spread(self, wait_s: float) -> float:
        return wait_s * (1 + random.uniform(0, self.jitter))
