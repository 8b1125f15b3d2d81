"""Doomed objects go from the store: taken in the ledger, deleted, marked.

A process may stand still at any point (frozen, or before a store that hangs) while another one
takes the same objects, deletes and marks them, and a worker stores them anew. So whoever took them
looks at its clock before each step, and leaves them once its time is over.
"""

import functools
import time
from collections.abc import Callable, Sequence

from infra.ledger import Ledger
from infra.ledger.retention import TAKEN_S
from infra.objects import Store
from schemas.records import Taken
from unmask.errors import TryAgain

#: Objects that are deleted in one go.
BATCH = 500


class TooLate(TryAgain):
    """What was taken is no longer ours to delete."""

    def __init__(self, late_s: float) -> None:
        super().__init__(f"deleting began {late_s:.0f} s ago and is left to the next round")


def awake() -> float:
    """Seconds that pass while the process is frozen, and while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def delete_some(ledger: Ledger, store: Store, clock: Callable[[], float] = awake) -> int:
    """A batch of what is doomed by now; how many went."""
    begun = clock()
    return _delete(ledger, store, ledger.take_doomed(BATCH), begun, clock)


def delete_these(
    ledger: Ledger, store: Store, keys: Sequence[str], clock: Callable[[], float] = awake
) -> int:
    """Those of them that are doomed and still there."""
    begun = clock()
    return _delete(ledger, store, ledger.take_these(keys), begun, clock)


def _delete(
    ledger: Ledger, store: Store, taken: Taken, begun: float, clock: Callable[[], float]
) -> int:
    if taken.keys:
        store.delete(taken.keys, functools.partial(_in_time, begun, clock))
        ledger.gone(taken.keys, taken.at)
    return len(taken.keys)


def _in_time(begun: float, clock: Callable[[], float]) -> None:
    if (passed := clock() - begun) >= TAKEN_S:
        raise TooLate(passed)
