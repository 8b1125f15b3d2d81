"""A live worker renews its leases; one that can't must stop writing."""

import logging
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol, Self

from schemas.records import Claim
from tasks.drain import Drain
from unmask.errors import UnmaskError

log = logging.getLogger(__name__)

#: How often a stopping worker is noticed.
GLANCE_S = 0.25


class Renews(Protocol):
    def renew(self, claims: Sequence[Claim], *, lease_s: float) -> set[int]: ...


class Heartbeat:
    """Renews what it holds from a thread of its own and calls `on_end` when work must stop."""

    def __init__(
        self,
        ledger: Renews,
        *,
        every_s: float,
        lease_s: float,
        drain: Drain,
        on_end: Callable[[], None],
    ) -> None:
        self._ledger, self._every_s, self._lease_s = ledger, every_s, lease_s
        self._drain, self._on_end = drain, on_end
        self._claims: dict[int, Claim] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.lost: set[int] = set()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def hold(self, claims: Sequence[Claim]) -> None:
        with self._lock:
            self._claims |= {claim.item: claim for claim in claims}

    def drop(self, items: Sequence[int]) -> None:
        with self._lock:
            for item in items:
                self._claims.pop(item, None)
                self.lost.discard(item)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        waited = 0.0
        while not self._stop.wait(GLANCE_S):
            waited += GLANCE_S
            if self._drain.is_over:
                self._on_end()
                return
            if waited >= self._every_s:
                waited = 0.0
                self._renew()

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
        gone = {claim.item for claim in claims} - held
        if gone - self.lost:
            log.warning("lost the lease on %s", ", ".join(map(str, sorted(gone))))
            self.lost |= gone
            self._on_end()
