"""Doomed objects go from the store: taken in the ledger, deleted, marked.

A process may stand still at any point (frozen, or before a store that hangs) while another one
takes the same objects, deletes and marks them, and a worker stores them anew. So whoever took them
looks at its clock before each step, and leaves them once its time is over.
"""

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from infra.ledger import Ledger
from infra.ledger.retention import TAKEN_S
from infra.objects import NotDeleted, Store
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


@dataclass(frozen=True, kw_only=True)
class Deleted:
    went: int = 0
    #: What the store says of those that stay; they are tried again behind all others.
    trouble: NotDeleted | None = None
    #: Its time was over; a smaller batch may be done in time.
    late: bool = False


def delete_some(
    ledger: Ledger, store: Store, clock: Callable[[], float] = awake, at_most: int | None = None
) -> Deleted:
    """A batch of what is doomed by now."""
    begun = clock()
    return _delete(ledger, store, ledger.take_doomed(at_most or BATCH), begun, clock)


def delete_these(
    ledger: Ledger, store: Store, keys: Sequence[str], clock: Callable[[], float] = awake
) -> Deleted:
    """Those of them that are doomed and still there."""
    begun = clock()
    return _delete(ledger, store, ledger.take_these(keys), begun, clock)


def _delete(
    ledger: Ledger, store: Store, taken: Taken, begun: float, clock: Callable[[], float]
) -> Deleted:
    if not taken.keys:
        return Deleted()
    went, trouble = taken.keys, None
    try:
        store.delete(taken.keys, functools.partial(_in_time, begun, clock))
    except NotDeleted as some:
        went, trouble = tuple(key for key in taken.keys if key not in some.keys), some
    ledger.gone(went, taken.at)
    late = trouble is not None and clock() - begun >= TAKEN_S
    return Deleted(went=len(went), trouble=trouble, late=late)


def _in_time(begun: float, clock: Callable[[], float]) -> None:
    if (passed := clock() - begun) >= TAKEN_S:
        raise TooLate(passed)
