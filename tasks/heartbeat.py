"""A live worker renews its leases; one that can't must stop writing."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol, Self

from schemas.records import Claim
from tasks.drain import Drain
from tasks.ticker import Ticker, ticker
from unmask.errors import UnmaskError

log = logging.getLogger(__name__)


class Renews(Protocol):
    def renew(self, claims: Sequence[Claim], *, lease_s: float) -> set[int]: ...


class Heartbeat:
    """Renews what it holds as the ticker looks at it, and calls `on_end` when work must stop.

    From then on it calls at every look: what is to end may just have begun.
    """

    def __init__(
        self,
        ledger: Renews,
        *,
        every_s: float,
        lease_s: float,
        drain: Drain,
        on_end: Callable[[], None] = lambda: None,
        by: Ticker = ticker,
    ) -> None:
        self._ledger, self._every_s, self._lease_s = ledger, every_s, lease_s
        self._drain, self._on_end, self._by = drain, on_end, by
        self._claims: dict[int, Claim] = {}
        self._lock = threading.Lock()
        #: Held during a look, so that none is under way once the heartbeat has stopped.
        self._looking = threading.Lock()
        self._renewed_at = time.monotonic()
        self._stopped = False
        self._number = 0
        self.lost: set[int] = set()

    def hold(self, claims: Sequence[Claim]) -> None:
        with self._lock:
            self._claims |= {claim.item: claim for claim in claims}

    def drop(self, items: Sequence[int]) -> None:
        with self._lock:
            for item in items:
                self._claims.pop(item, None)
                self.lost.discard(item)

    def __enter__(self) -> Self:
        self._renewed_at = time.monotonic()
        self._number = self._by.add(self._look)
        return self

    def __exit__(self, *_: object) -> None:
        self._by.remove(self._number)
        with self._looking:
            self._stopped = True

    def _look(self) -> None:
        with self._looking:
            if self._stopped:
                return
            is_over = self._drain.is_over
            if not is_over and time.monotonic() >= self._renewed_at + self._every_s:
                self._renewed_at = time.monotonic()
                self._renew()
            if is_over or self.lost:
                self._on_end()

    def _renew(self) -> None:
        with self._lock:
            claims = list(self._claims.values())
        if not claims:
            return
        try:
            held = self._ledger.renew(claims, lease_s=self._lease_s)
        except UnmaskError as error:  # the database may come back before the lease ends
            log.warning("could not renew %d leases: %s", len(claims), error)
            return
        with self._lock:  # what ended while the ledger was asked is no loss
            kept = [claim for claim in claims if self._claims.get(claim.item) is claim]
            gone = {claim.item for claim in kept} - held - self.lost
            self.lost |= gone
        if gone:
            log.warning("lost the lease on %s", ", ".join(map(str, sorted(gone))))
