"""Fault 13: kill -9 at every named state transition, before and after its transaction is committed.

One test for each transition, so that what fails has a name.
"""

import signal
import subprocess
import sys

import pytest

from schemas.stages import Stage
from tests.chaos import oracle
from tests.chaos.deeds import Deed, uri
from tests.chaos.fleet import CAMPAIGN, ROOT, Fleet
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
#: What the sweep does with items whose worker dies of them.
SWEEPS: dict[str, Deed] = {
    "extracting>waiting": Deed.SEGFAULT,
    "extracting>dead": Deed.SEGFAULT,
    "classifying>extracted": Deed.GPU_SEGFAULT,
    "classifying>dead": Deed.GPU_SEGFAULT,
}
#: What a person does, after an item has ended by this deed; begun again where it broke off.
PEOPLE: dict[str, tuple[Deed | None, tuple[str, ...]]] = {
    "waiting>cancelled": (None, ("cancel", "--campaign", CAMPAIGN)),
    "rejected>waiting": (
        Deed.REFUSED,
        ("requeue", "--campaign", CAMPAIGN, "--outcome", "undecodable"),
    ),
    "dead>waiting": (Deed.BUG, ("requeue", "--campaign", CAMPAIGN, "--outcome", "dead")),
    "done>cancelled": (None, ("erase", "--item", "1")),
}
WHEN = ("before", "after")
PLACES_OF = [f"{move}:{when}" for move in WORKERS for when in WHEN]
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


@pytest.mark.parametrize(
    ("database", "place"),
    [
        (database, f"{move}:{when}")
        for move in SWEEPS
        for database, when in zip(("sqlite", "postgresql"), WHEN, strict=True)
    ],
    indirect=["database"],
)
def test_death_of_the_sweep(fleet: Fleet, place: str) -> None:
    deed = SWEEPS[place.rpartition(":")[0]]
    accepted = fleet.submit([uri(0, deed), *map(uri, range(1, ITEMS))])
    fleet.mortal |= {"sweep", "gpu"}
    fleet.start("cpu", "gpu")
    fleet.start("sweep", **{PLACES: place})
    fleet.until_ended()
    assert (fleet.memory / place).exists(), f"{MEMORY} knows of no death at {place}"
    oracle.check(fleet, accepted=accepted)
    assert fleet.ledger.status(CAMPAIGN).stages == {Stage.DONE: ITEMS - 1, Stage.DEAD: 1}


@pytest.mark.parametrize("place", [f"{move}:{when}" for move in PEOPLE for when in WHEN])
def test_death_of_what_a_person_does(fleet: Fleet, place: str) -> None:
    move = place.rpartition(":")[0]
    deed, words = PEOPLE[move]
    accepted = fleet.submit([uri(0, deed), *map(uri, range(1, ITEMS))])
    fleet.memory.mkdir()
    if move != "waiting>cancelled":
        fleet.start("sweep", "cpu", "gpu")
        fleet.until_ended()
    assert told(fleet, words, **{PLACES: place}) == -signal.SIGKILL
    assert told(fleet, words) == 0
    fleet.until_ended()
    oracle.check(fleet, accepted=accepted)
    cancelled = {"waiting>cancelled": ITEMS, "done>cancelled": 1}.get(move, 0)
    assert fleet.ledger.status(CAMPAIGN).stages.get(Stage.CANCELLED, 0) == cancelled


def told(fleet: Fleet, words: tuple[str, ...], **extra: str) -> int:
    """The exit status of a producer that was told this."""
    command = [sys.executable, "-m", "tests.chaos.run", "producer", *words]
    environment = fleet.environment(extra)
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
