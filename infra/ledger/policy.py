"""How often, how soon and how long: the ledger's rules as one value."""

import random
from dataclasses import dataclass

from schemas.stages import Stage


@dataclass(frozen=True, kw_only=True)
class Policy:
    #: Attempts charged in one stage before an item is dead.
    max_attempts: int = 3
    #: Waits after the first, second, … charged attempt; the last is repeated.
    backoff_s: tuple[float, ...] = (2.0, 30.0)
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

    def __post_init__(self) -> None:
        waits = (*self.backoff_s, *self.fetch_schedule_s, self.longest_wait_s, self.jitter)
        deadlines = (self.extract_deadline_s, self.classify_deadline_s)
        if self.max_attempts < 1 or not self.backoff_s or min(waits) < 0 or min(deadlines) <= 0:
            raise ValueError(f"not a policy: {self}")

    def deadline_s(self, stage: Stage) -> float:
        """For an open stage: how long its work may take."""
        return self.extract_deadline_s if stage is Stage.WAITING else self.classify_deadline_s

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
