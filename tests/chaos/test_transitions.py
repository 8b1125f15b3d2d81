"""Fault 13: kill -9 at every named state transition, before and after its transaction is committed.

One test for each transition, so that what fails has a name.
"""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.stages import MOVES, Stage
from tests.chaos import oracle
from tests.chaos.deaths import WHEN, by_turns, died_at, run_with_a_death
from tests.chaos.deeds import HOSTS, Deed, uri
from tests.chaos.fleet import CAMPAIGN, ROOT, Fleet
from tests.chaos.points import PLACES

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
    "classifying>rejected": ("gpu", Deed.BLANK),
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
    "dead>extracted": (Deed.GPU_BUG, ("requeue", "--campaign", CAMPAIGN, "--outcome", "dead")),
    "done>waiting": (Deed.NOBODY, ("requeue", "--campaign", CAMPAIGN, "--outcome", "no_face")),
    "done>extracted": (None, ("requeue", "--campaign", CAMPAIGN, "--outcome", "unsure")),
    "done>cancelled": (None, ("erase", "--item", "1")),
    "rejected>cancelled": (Deed.REFUSED, ("erase", "--item", "1")),
    "dead>cancelled": (Deed.BUG, ("erase", "--item", "1")),
}
#: Cancelled while a worker holds an item by this deed, or while nobody classifies.
CANCELS: dict[str, Deed | None] = {
    "extracting>cancelled": Deed.HELD,
    "classifying>cancelled": Deed.GPU_HELD,
    "extracted>cancelled": None,
}
#: Made by the sweep for a host that was given up.
GIVEN_UP = "waiting>rejected"
PLACES_OF = [f"{move}:{when}" for move in WORKERS for when in WHEN]
ITEMS = 12


def test_no_transition_is_forgotten() -> None:
    legal = {f"{old}>{new}" for old, news in MOVES.items() for new in news}
    tried = {*WORKERS, *SWEEPS, *PEOPLE, *CANCELS, GIVEN_UP} - {"window"}
    assert tried == legal


@pytest.mark.parametrize("place", PLACES_OF)
def test_death_at_a_transition(fleet: Fleet, place: str) -> None:
    kind, deed = WORKERS[place.rpartition(":")[0]]
    accepted = fleet.submit([uri(0, deed), *map(uri, range(1, ITEMS))])
    run_with_a_death(fleet, kind, place)
    oracle.check(fleet, accepted=accepted)
    ends = fleet.ledger.status(CAMPAIGN).stages
    assert ends.get(Stage.DONE, 0) >= ITEMS - 1, dict(ends)


@pytest.mark.parametrize(("database", "place"), by_turns(SWEEPS), indirect=["database"])
def test_death_of_the_sweep(fleet: Fleet, place: str) -> None:
    deed = SWEEPS[place.rpartition(":")[0]]
    accepted = fleet.submit([uri(0, deed), *map(uri, range(1, ITEMS))])
    fleet.mortal.add("gpu")
    run_with_a_death(fleet, "sweep", place)
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
    assert fleet.ledger.status(CAMPAIGN).stages.get(Stage.CANCELLED, 0) == cancelled(move)


def cancelled(move: str) -> int:
    if move == "waiting>cancelled":
        return ITEMS
    return 1 if move.endswith(">cancelled") else 0


@pytest.mark.parametrize("place", [f"{move}:{when}" for move in CANCELS for when in WHEN])
def test_death_of_a_cancel_while_others_work(fleet: Fleet, place: str) -> None:
    """What they hand in afterwards comes too late."""
    move = place.rpartition(":")[0]
    deed = CANCELS[move]
    accepted = fleet.submit([uri(0, deed), *map(uri, range(1, ITEMS))])
    fleet.start("sweep", "cpu", *(["gpu"] if deed else []))
    old = Stage(move.partition(">")[0])
    fleet.until(lambda: old in fleet.ledger.status(CAMPAIGN).stages, 60, fleet.report)
    words = ("cancel", "--campaign", CAMPAIGN)
    assert told(fleet, words, **{PLACES: place}) == -signal.SIGKILL
    assert told(fleet, words) == 0
    for held in ("cpu", "gpu"):
        fleet.let_go(held)
    if not deed:
        fleet.start("gpu")
    fleet.until_ended()
    oracle.check(fleet, accepted=accepted)
    ends = fleet.ledger.status(CAMPAIGN).stages
    assert ends[Stage.CANCELLED] >= 1
    assert set(ends) <= {Stage.CANCELLED, Stage.DONE}


@pytest.mark.parametrize(("database", "place"), by_turns([GIVEN_UP]), indirect=["database"])
def test_death_of_the_sweep_that_gives_up_a_host(fleet: Fleet, place: str) -> None:
    """What never ran ends unreachable; what was tried has a schedule of its own, too long here."""
    fleet.extra |= {"UNMASK_HOST_GIVE_UP_S": "5", "UNMASK_HOST_CONNECTIONS": "4"}
    accepted = fleet.submit([uri(HOSTS * number, Deed.SILENT) for number in range(4 * ITEMS)])
    fleet.mortal.add("sweep")
    fleet.start("cpu")
    fleet.start("sweep", **{PLACES: place})
    fleet.until(lambda: fleet.ended() > ITEMS, 120, fleet.report)
    died_at(fleet, place)
    assert {row.outcome for row in fleet.ledger.results(CAMPAIGN) if row.outcome} == {"unreachable"}
    assert told(fleet, ("cancel", "--campaign", CAMPAIGN)) == 0
    fleet.until_ended()
    oracle.check(fleet, accepted=accepted)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("place", ["extracted>classifying:before", "classifying>done:after"])
def test_death_of_a_rescan(fleet: Fleet, place: str) -> None:
    """Begun again it takes over what it had not, each item once."""
    fleet.extra["UNMASK_MODELS_DIR"] = str(with_a_sibling(fleet.folder))
    fleet.submit([uri(0, Deed.NOBODY), *map(uri, range(1, ITEMS))])
    fleet.start("sweep", "cpu", "gpu")
    fleet.until_ended()
    words = ("rescan", "--campaign", CAMPAIGN, "--model", "sibling", "--yes")
    assert told(fleet, words, **{PLACES: place}) == -signal.SIGKILL
    assert told(fleet, words) == 0
    name = f"{CAMPAIGN}-sibling"
    fleet.until_ended(name)
    begun = [
        one.new for row in fleet.ledger.results(name) for one in fleet.ledger.history(row.item)
    ]
    assert Stage.EXTRACTING not in begun, "an original was fetched again"
    assert fleet.ledger.status(name).stages == {Stage.DONE: ITEMS}
    oracle.check(fleet, accepted=ITEMS)
    oracle.check(fleet, accepted=ITEMS, name=name, began=Stage.EXTRACTED)


def with_a_sibling(folder: Path) -> Path:
    """A shelf with `lite`, and a bundle of another name that cuts alike."""
    shelf = folder / "models"
    for name in ("lite", "sibling"):
        shutil.copytree(ROOT / "models" / "lite", shelf / name)
    page = shelf / "sibling" / "model.json"
    page.write_text(json.dumps(json.loads(page.read_text()) | {"name": "sibling"}))
    return shelf


def told(fleet: Fleet, words: tuple[str, ...], **extra: str) -> int:
    """The exit status of a producer that was told this."""
    command = [sys.executable, "-m", "tests.chaos.run", "producer", *words]
    environment = fleet.environment(extra)
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
