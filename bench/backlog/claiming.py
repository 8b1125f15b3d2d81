"""Does anything slow down as the backlog grows? Claims, status and Redis, at both ends of it."""

import statistics
import time
from collections.abc import Callable
from functools import partial

from bench.backlog import Figures
from bench.backlog.databases import campaign, ledgers
from bench.backlog.filling import fill
from bench.backlog.redis_memory import window_bytes
from infra.ledger import Ledger
from schemas.stages import Stage

SMALL, LARGE = 10_000, 10_000_000
CLAIMS_A_TURN = 100
TURNS = 20
LEASE_S = 600.0
STATUS_ROUNDS = 20


def claim(kind: str) -> Figures:
    """In turns at both sizes, so that what else the machine does hits both alike."""
    with ledgers(kind, "small", "large") as (small, large):
        begun = time.perf_counter()
        for ledger, items in ((small, SMALL), (large, LARGE)):
            fill(ledger, campaign(ledger), items)
        filled_s = time.perf_counter() - begun
        redis = [window_bytes(one) for one in (small, large)]
        _turn(small), _turn(large)  # each has its pages in memory before it counts
        turns = [(_turn(small), _turn(large)) for _ in range(TURNS)]
        status = [_seconds(lambda: large.status("bench")) for _ in range(STATUS_ROUNDS)]
    few = [one for turn, _ in turns for one in turn]
    many = [one for _, turn in turns for one in turn]
    return {
        f"fill_s_{kind}": filled_s,
        f"claims_per_s_{kind}": 1 / statistics.mean(many),
        f"ratio_claim_{kind}": statistics.median(sum(a) / sum(b) for a, b in turns),
        f"claim_p99_ms_{kind}": 1e3 * _p99(many),
        f"ratio_claim_p99_{kind}": _p99(many) / _p99(few),
        f"status_ms_{kind}": 1e3 * statistics.median(status),
        f"redis_growth_{kind}": redis[1] / redis[0],
        "redis_window_bytes": redis[1],
    }


def _turn(ledger: Ledger) -> list[float]:
    """Seconds of each claim; the offer that led to them is shared out among them."""
    begun = time.perf_counter()
    offers = ledger.offer(window=2 * CLAIMS_A_TURN, lease_s=LEASE_S)[:CLAIMS_A_TURN]
    share = (time.perf_counter() - begun) / len(offers)
    return [share + _seconds(partial(_claim, ledger, offer.item)) for offer in offers]


def _claim(ledger: Ledger, item: int) -> None:
    if ledger.claim(item, Stage.WAITING, owner="bench", lease_s=LEASE_S) is None:
        raise AssertionError(f"item {item} was offered and could not be claimed")


def _seconds(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[-1]
