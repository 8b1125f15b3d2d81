"""Moves of items, counted as the ledger's history grows."""

import threading

from prometheus_client import CollectorRegistry, Counter, Histogram

from infra.ledger import Ledger
from schemas.records import Passed
from schemas.stages import RETURNS, Stage
from tasks.metrics.catalogue import CHARGED, LOST, MOVES, STAGE_TIME

#: Pages read at one look: a backlog is caught up over several.
PAGES = 20
#: Claims whose end has not been seen yet; more are forgotten, the oldest first.
MOST_HELD = 200_000
BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


class History:
    """Counts from the moment it is made; Prometheus understands counters that begin again."""

    def __init__(self, ledger: Ledger, registry: CollectorRegistry) -> None:
        self._ledger = ledger
        self._after: int | None = None
        self._held: dict[tuple[int, Stage], float] = {}
        self._alone = threading.Lock()
        self._moves = Counter(MOVES.name, MOVES.means, MOVES.labels, registry=registry)
        self._lost = Counter(LOST.name, LOST.means, LOST.labels, registry=registry)
        self._charged = Counter(CHARGED.name, CHARGED.means, CHARGED.labels, registry=registry)
        self._times = Histogram(
            STAGE_TIME.name,
            STAGE_TIME.means,
            STAGE_TIME.labels,
            registry=registry,
            buckets=BUCKETS_S,
        )

    def catch_up(self) -> int:
        """How many moves are still uncounted afterwards."""
        with self._alone:
            if self._after is None:
                self._after = self._ledger.last_move()
            for _ in range(PAGES):
                moves, last = self._ledger.passed(self._after)
                if last == self._after:
                    break
                self._after = last
                for move in moves:
                    self._count(move)
            return self._ledger.last_move() - self._after

    def _count(self, move: Passed) -> None:
        self._moves.labels(move.old, move.new).inc()
        if move.lost:
            self._lost.labels(move.old).inc()
        if move.charged:
            self._charged.labels(move.old).inc()
        if move.new in RETURNS:
            self._held[move.item, move.new] = move.at
            if len(self._held) > MOST_HELD:
                self._held.pop(next(iter(self._held)))
        since = self._held.pop((move.item, move.old), None)
        if since is not None:
            self._times.labels(move.old).observe(max(0.0, move.at - since))
