"""Fault 12 once more: poison among items so quick that several of them share a message."""

import statistics
from collections.abc import Collection, Sequence

import pytest

from infra.ledger.trouble import LATE, SILENT
from schemas.records import ResultRow
from schemas.stages import Stage
from tests.chaos import oracle
from tests.chaos.company import Held, claims
from tests.chaos.deeds import Deed, deed_of, uri
from tests.chaos.fleet import CAMPAIGN, Fleet
from tests.chaos.stand_in import SLOW_MODEL_S, SLOW_S
from tests.chaos.surroundings import MOMENT_S
from tests.chaos.test_poison import BRIEF, PACE, run

#: What an item takes beside what it costs; so long a handful may take; and so long the model takes
#: for a batch, in which the next one comes together.
QUICK = {SLOW_S: "0.03", MOMENT_S: "0.4", SLOW_MODEL_S: "0.3"}
#: What quick items do, in turns, and how they end.
DEEDS = (Deed.BLOCKED, Deed.NOBODY, Deed.NOBODY, None)
ENDS = {Deed.BLOCKED: "blocked", Deed.NOBODY: "no_face", None: "unsure"}
#: After so many of them they go in handfuls: the sweep looks once a second, and doubles them.
FORMED, ITEMS = 450, 650
#: So many items lie between one dose of poison and the next.
APART = 5
ATTEMPTS = 3
#: Where pace is measured items wait more than they work, so that what else the machine does counts
#: for little; of so many neighbours one poison of each sort costs little, as in an archive.
PATIENT, MANY, EARLY = {SLOW_S: "0.1", MOMENT_S: "0.4"}, 1100, 250


@pytest.mark.parametrize(
    ("deed", "stage", "doses"),
    [
        (Deed.SEGFAULT, Stage.EXTRACTING, 3),
        (Deed.HOARD, Stage.EXTRACTING, 3),
        (Deed.ENDLESS, Stage.EXTRACTING, 3),
        (Deed.GPU_SEGFAULT, Stage.CLASSIFYING, 1),
    ],
)
def test_poison_in_handfuls_is_buried_and_charges_nobody_else(
    fleet: Fleet, deed: Deed, stage: Stage, doses: int
) -> None:
    fleet.extra |= BRIEF if deed is Deed.ENDLESS else {}
    accepted = fleet.submit(poisoned([deed] * doses))
    fleet.mortal.add("gpu")
    fleet.start("sweep", "cpu", "gpu", **QUICK)
    fleet.until_ended()
    oracle.check(fleet, accepted=accepted)
    rows = list(fleet.ledger.results(CAMPAIGN))
    poison = {row.item for row in rows if deed_of(row.uri) is deed}
    made = claims(fleet.ledger)
    shared_messages([one for one in made if one.stage is Stage.EXTRACTING])
    had_company([one for one in made if one.attempt == 1], poison, stage)
    ran_alone([one for one in made if one.attempt > 1], poison, stage)
    for row in rows:
        if row.item in poison:
            is_buried(row, stage)
        else:
            is_spared(row)


def poisoned(doses: Sequence[Deed]) -> list[str]:
    uris = [uri(number, DEEDS[number % len(DEEDS)]) for number in range(ITEMS)]
    for number, deed in enumerate(doses):
        uris.insert(FORMED + number * APART, uri(ITEMS + number, deed))
    return uris


def shared_messages(taken: Sequence[Held]) -> None:
    sizes = [1 + len(one.beside) for one in taken]
    print(f"{statistics.mean(sizes):.1f} items to a message, {max(sizes)} at most")
    assert max(sizes) > 1, "no items shared a message"


def had_company(first: Sequence[Held], poison: Collection[int], stage: Stage) -> None:
    """The first dose at least; what takes long makes the items after it go alone."""
    mine = [one for one in first if one.item in poison and one.stage is stage]
    assert any(one.beside for one in mine), "all poison came alone"


def ran_alone(again: Sequence[Held], poison: Collection[int], stage: Stage) -> None:
    """Poison, and whoever was lost with it: nobody knew by then that they are none."""
    assert [one for one in again if one.beside] == []
    print(f"{len({one.item for one in again} - {*poison})} neighbours were lost with it")
    tries = sorted((one.item, one.attempt, one.stage) for one in again if one.item in poison)
    assert tries == [(item, number, stage) for item in sorted(poison) for number in (2, ATTEMPTS)]


def is_buried(row: ResultRow, stage: Stage) -> None:
    assert (row.stage, row.outcome, row.attempts) == (Stage.DEAD, "dead", ATTEMPTS)
    assert stage in row.reason
    assert SILENT in row.reason or LATE in row.reason


def is_spared(row: ResultRow) -> None:
    wanted = (ENDS[deed_of(row.uri)], 1)
    assert (row.outcome, row.attempts) == wanted, f"a neighbour of poison: {row}"


def test_poison_slows_no_handfuls_down(fleet: Fleet) -> None:
    """Neighbours without faces, and among them poison of each sort, in turns on one fleet."""
    fleet.extra |= BRIEF
    fleet.start("sweep", "cpu", **PATIENT)
    clean, poisoned = [], []
    for turn in range(3):
        clean.append(run(fleet, f"clean-{turn}", MANY, like=Deed.NOBODY))
        poison = [uri(10 * turn, deed) for deed in (Deed.SEGFAULT, Deed.HOARD, Deed.ENDLESS)]
        name = f"poisoned-{turn}"
        poisoned.append(run(fleet, name, MANY, poison, after=EARLY, like=Deed.NOBODY))
    pace = statistics.median(clean) / statistics.median(poisoned)
    handful = statistics.mean(1 + len(one.beside) for one in claims(fleet.ledger))
    print(f"{handful:.1f} items to a message; neighbours keep {pace:.2f} of their pace")
    assert handful > 1.5
    assert pace >= PACE
