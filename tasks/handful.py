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

from infra.hosts import host_number
from schemas.records import Claim, Rejected
from tasks.drain import Drain
from tasks.ticker import Ticker, ticker
from unmask.errors import TryAgain

log = logging.getLogger(__name__)

#: What has not begun by then is given back. Far less than a lease: nothing here renews one.
PATIENCE_S = 1.0
TOOK_LONG = "what it was taken together with takes long"
STOPPING = "the worker is stopping"
BROKE_OFF = "what it was taken together with broke off"


class Writes(Protocol):
    def reject(self, done: Sequence[Rejected]) -> Collection[int]: ...
    def release_many(self, held: Sequence[Claim], reason: str) -> Collection[int]: ...


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
        #: Held while the ledger is told: whoever closes the handful waits for the ticker's word.
        self._telling = threading.Lock()
        self._number = 0
        #: Given back, and why.
        self.back: dict[int, str] = {}
        #: Refused here, but by then another worker had the item.
        self.stale: set[int] = set()

    def __enter__(self) -> Self:
        self._number = self._by.add(self._look)
        return self

    def __exit__(self, *_: object) -> None:
        """However it ends: what has not begun is nobody's any more, what was refused is written."""
        self._by.remove(self._number)
        try:
            self.give_back(BROKE_OFF)
            self.write()
        except TryAgain as trouble:
            self._not_told(trouble)

    def __iter__(self) -> Iterator[Claim]:
        while claim := self._next():
            yield claim
            if self._drain.started:
                self.give_back(STOPPING)

    def reject(self, refused: Rejected) -> bool:
        """Written within a moment; whether it was too late is known then."""
        with self._lock:
            self._refused.append(refused)
        return True

    def write(self) -> None:
        """All that was refused so far; what could not be written is kept for the next try."""
        with self._telling:
            while refused := self._refused_so_far():
                self._write(refused)

    def give_back(self, why: str, host: int | None = None) -> None:
        """What has not begun: all of it, or what lies at one host."""
        with self._telling:
            if gone := self._taken_out(host):
                self._ledger.release_many(gone, why)
                self.back |= dict.fromkeys((claim.item for claim in gone), why)

    def _refused_so_far(self) -> list[Rejected]:
        with self._lock:
            return list(self._refused)

    def _write(self, refused: Sequence[Rejected]) -> None:
        items = {one.claim.item for one in refused}
        try:
            self.stale |= items - set(self._ledger.reject(refused))
        except TryAgain:
            raise
        except Exception:  # the outermost edge of one refusal: the others are written all the same
            if len(refused) > 1:
                for one in refused:
                    self._write([one])
                return
            log.exception("how item %d ended can't be written; its lease ends", *items)
        with self._lock:
            del self._refused[: len(refused)]

    def _next(self) -> Claim | None:
        with self._lock:
            return self._waiting.popleft() if self._waiting else None

    def _taken_out(self, host: int | None) -> list[Claim]:
        with self._lock:
            gone = [one for one in self._waiting if host in (None, host_number(one.uri))]
            self._waiting = deque(one for one in self._waiting if one not in gone)
        return gone

    def _look(self) -> None:
        """In the ticker's thread, several times a second."""
        try:
            if self._clock() >= self._since + PATIENCE_S:
                self.give_back(TOOK_LONG)
            self.write()
        except TryAgain as trouble:
            self._not_told(trouble)

    def _not_told(self, trouble: TryAgain) -> None:
        log.warning(
            "the ledger was not told of a handful of items, whose leases end: %s", trouble.reason
        )
