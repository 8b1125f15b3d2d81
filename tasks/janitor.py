"""Deletes what nobody needs any more: what is past its term, and what nothing points at.

The ledger dooms, the store deletes, the ledger marks: cut short anywhere, the next round goes on.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from infra.resources import Resources
from tasks.deletion import delete_some

log = logging.getLogger(__name__)

#: Objects that are compared in one go.
BATCH = 500
#: How often the whole store is compared with the ledger.
COLLECT_EVERY_S = 24 * 3600.0
#: Not right after the start: a scan of a few minutes has better things to do.
FIRST_COLLECT_S = 600.0
#: What is younger may belong to a worker that has yet to tell the ledger.
GRACE_S = 24 * 3600.0
#: So long a round compares: a store of a hundred million items takes hours, and terms go on ending.
SLICE_S = 10.0
FOLDERS = ("clips/", "evidence/")


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    #: References whose term ended, and objects that were deleted.
    ended: int
    deleted: int


class Janitor:
    """One at a time is enough; two do no harm, nor does one that was frozen: `tasks.deletion`."""

    def __init__(self, tools: Resources, clock: Callable[[], float] = time.monotonic) -> None:
        self._tools, self._clock = tools, clock
        self._collect_at = clock() + FIRST_COLLECT_S
        #: A comparison that is under way.
        self._comparing: Iterator[int] | None = None

    def clean(self) -> Cleaned:
        """One round: what is past its term, and once a day, by and by, what nothing points at."""
        ended = self._tools.ledger.expire()
        cleaned = Cleaned(ended=ended, deleted=self.delete())
        if cleaned.deleted:
            log.info("deleted %d objects past their term", cleaned.deleted)
        if self._comparing is None and self._clock() >= self._collect_at:
            self._comparing = self._compare()
        if self._comparing is not None:
            self._go_on(self._comparing)
        return cleaned

    def _go_on(self, comparing: Iterator[int]) -> None:
        """For one slice; what fails on the way begins anew in the next round."""
        until, self._comparing = self._clock() + SLICE_S, None
        for found in comparing:
            if found:
                log.warning("%d stored objects belonged to nothing", found)
            if self._clock() >= until:
                self._comparing = comparing
                return
        self._collect_at = self._clock() + COLLECT_EVERY_S

    def delete(self) -> int:
        """Everything that is doomed by now, but for what the store refuses to delete."""
        total, at_most = 0, None
        while True:
            deleted = delete_some(self._tools.ledger, self._tools.store, at_most=at_most)
            if deleted.late:
                at_most = deleted.went // 2 + 1
            total += deleted.went
            if deleted.trouble is not None:
                log.warning("past their term, and not deleted: %s", deleted.trouble)
            if not deleted.went:
                return total

    def _compare(self) -> Iterator[int]:
        """Doom stored objects that no row names: half-done work of workers that died."""
        horizon = time.time() - GRACE_S
        for folder in FOLDERS:
            old = (
                one.key
                for one in self._tools.store.list(folder)
                if one.modified_at.timestamp() <= horizon
            )
            while keys := list(islice(old, BATCH)):
                yield len(self._tools.ledger.doom_unknown(keys))
        self._tools.store.clean(older_than_s=GRACE_S)
