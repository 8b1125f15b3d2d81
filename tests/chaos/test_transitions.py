"""Fault 13: kill -9 at every named state transition, before and after its transaction is committed.

One test for each transition, so that what fails has a name.
"""

import pytest

from schemas.stages import Stage
from tests.chaos import oracle
from tests.chaos.deeds import Deed, uri
from tests.chaos.fleet import CAMPAIGN, Fleet
from tests.chaos.points import MEMORY, PLACES

#: A transition, whose process makes it, and the deed that leads there.
WORKERS: dict[str, tuple[str, Deed | None]] = {
    "waiting>extracting": ("cpu", None),
    "extracting>extracted": ("cpu", None),
    "extracting>done": ("cpu", Deed.NOBODY),
    "extracting>rejected": ("cpu", Deed.REFUSED),
    "extracting>waiting": ("cpu", Deed.BUSY_ONCE),
    "extracting>dead": ("cpu", Deed.BUG),
    "extracted>classifying": ("gpu", None),
    "classifying>done": ("gpu", None),
    "classifying>extracted": ("gpu", Deed.GPU_BUG),
    "classifying>waiting": ("gpu", Deed.ROTTEN_ONCE),
    "classifying>dead": ("gpu", Deed.GPU_BUG),
    "window": ("sweep", None),
}
PLACES_OF = [f"{move}:{when}" for move in WORKERS for when in ("before", "after")]
ITEMS = 12


@pytest.mark.parametrize("place", PLACES_OF)
def test_death_at_a_transition(fleet: Fleet, place: str) -> None:
    kind, deed = WORKERS[place.rpartition(":")[0]]
    accepted = fleet.submit([uri(0, deed), *map(uri, range(1, ITEMS))])
    fleet.mortal.add(kind)
    for one in ("sweep", "cpu", "gpu"):
        fleet.start(one, **({PLACES: place} if one == kind else {}))
    fleet.until_ended()
    assert (fleet.memory / place).exists(), f"{MEMORY} knows of no death at {place}"
    oracle.check(fleet, accepted=accepted)
    ends = fleet.ledger.status(CAMPAIGN).stages
    assert ends.get(Stage.DONE, 0) >= ITEMS - 1, dict(ends)
