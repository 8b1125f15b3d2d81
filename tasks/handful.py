"""Items that came behind one message: worked on one by one, refused together.

They are claimed in company. What has not begun when the first second is over goes back, so that
one long film keeps nobody waiting; what was refused waits a moment for more, and is written with
it in one transaction.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Protocol, Self

from schemas.records import Claim, Rejected
from tasks.drain import Drain
from tasks.ticker import Ticker, ticker
from unmask.errors import TryAgain

log = logging.getLogger(__name__)

#: What has not begun by then is given back. Far less than a lease: nothing here renews one.
PATIENCE_S = 1.0
TOOK_LONG = "what it was taken together with takes long"
STOPPING = "the worker is stopping"


class Writes(Protocol):
    def reject(self, done: Sequence[Rejected]) -> Collection[int]: ...
    def release(self, claim: Claim, reason: str) -> bool: ...


class Handful:
    """Iterate for the claims whose turn it is; the ticker looks after the others."""

    def __init__(
        self,
        ledger: Writes,
        claims: Sequence[Claim],
        *,
        drain: Drain,
        by: Ticker = ticker,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger, self._drain, self._by, self._clock = ledger, drain, by, clock
        self._since = clock()
        self._waiting, self._refused = deque(claims), list[Rejected]()
        self._lock = threading.Lock()
        #: Held while refusals are written, so that none is under way once the handful is closed.
        self._writing = threading.Lock()
        self._number = 0
        #: Refused here, but by then another worker had the item.
        self.stale: set[int] = set()

    def __enter__(self) -> Self:
        self._number = self._by.add(self._look)
        return self

    def __exit__(self, *_: object) -> None:
        self._by.remove(self._number)

    def __iter__(self) -> Iterator[Claim]:
        while not self._drain.started and (claim := self._next()):
            yield claim
        self._give_back(STOPPING)

    def reject(self, refused: Rejected) -> bool:
        """Written within a moment; whether it was too late is known then."""
        with self._lock:
            self._refused.append(refused)
        return True

    def write(self) -> None:
        """All that was refused so far; what the database does not take is kept for the next try."""
        with self._writing:
            with self._lock:
                refused, self._refused = self._refused, []
            try:
                self._write(refused)
            except TryAgain:
                with self._lock:
                    self._refused = refused + self._refused
                raise

    def _write(self, refused: Sequence[Rejected]) -> None:
        if refused:
            kept = self._ledger.reject(refused)
            self.stale |= {one.claim.item for one in refused} - set(kept)

    def _next(self) -> Claim | None:
        with self._lock:
            return self._waiting.popleft() if self._waiting else None

    def _look(self) -> None:
        """In the ticker's thread, several times a second."""
        try:
            if self._clock() >= self._since + PATIENCE_S:
                self._give_back(TOOK_LONG)
            self.write()
        except TryAgain as trouble:  # what is not written at last comes back by its lease
            log.warning("could not tell the ledger of a handful of items: %s", trouble.reason)

    def _give_back(self, why: str) -> None:
        while claim := self._next():
            self._ledger.release(claim, why)
