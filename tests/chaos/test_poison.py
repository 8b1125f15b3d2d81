"""Fault 12: items that crash their process, eat its memory or never return."""

import statistics
import time
from collections.abc import Sequence

import pytest

from tests.chaos import oracle
from tests.chaos.deeds import HOSTS, Deed, uri
from tests.chaos.fleet import CAMPAIGN, Fleet

NEIGHBOURS = 60
#: So long may an item take here, in the order that the settings ask for.
BRIEF = {
    "UNMASK_DOWNLOAD_DEADLINE_S": "1",
    "UNMASK_DECODE_DEADLINE_S": "1",
    "UNMASK_EXTRACT_SOFT_LIMIT_S": "3",
    "UNMASK_EXTRACT_HARD_LIMIT_S": "4",
}
#: A model that has not come back for half a minute more is given up.
SOON_STUCK = {"UNMASK_CLASSIFY_DEADLINE_S": "3"}
#: Neighbours of poison keep at least this share of their pace.
PACE = 0.8


@pytest.mark.parametrize(
    "deed",
    [
        Deed.SEGFAULT,
        Deed.HOARD,
        Deed.ENDLESS,
        Deed.GPU_SEGFAULT,
        Deed.GPU_BUG,
        Deed.GPU_ENDLESS,
    ],
)
def test_poison_is_buried_and_charges_nobody_else(fleet: Fleet, deed: Deed) -> None:
    poison = uri(NEIGHBOURS // 2, deed)
    uris = [uri(number) if number != NEIGHBOURS // 2 else poison for number in range(NEIGHBOURS)]
    accepted = fleet.submit(uris)
    fleet.extra |= SOON_STUCK if deed is Deed.GPU_ENDLESS else {}
    fleet.mortal.add("gpu")
    fleet.start("sweep", "cpu", "gpu")
    fleet.until_ended()
    oracle.check(fleet, accepted=accepted)
    rows = {row.uri: row for row in fleet.ledger.results(CAMPAIGN)}
    dead = rows.pop(next(address for address in rows if "deed" in address))
    assert (dead.stage, dead.outcome) == ("dead", "dead")
    assert dead.attempts <= 3
    assert {row.stage for row in rows.values()} == {"done"}
    charged = [row.item for row in rows.values() if row.attempts != 1]
    assert not charged, f"neighbours of the poison were charged: {charged}"
    if deed is Deed.SEGFAULT:
        told = [line for line in fleet.log("cpu").splitlines() if "a process died" in line]
        assert any(f"held item {dead.item}: " in line and "SIGSEGV" in line for line in told), told


@pytest.mark.parametrize(
    ("database", "deed", "neighbours"),
    [
        ("sqlite", Deed.SEGFAULT, 60),
        ("sqlite", Deed.HOARD, 200),
        ("sqlite", Deed.ENDLESS, 500),
        ("postgresql", Deed.SEGFAULT, 60),
        ("postgresql", Deed.ENDLESS, 500),
    ],
    indirect=["database"],
)
def test_poison_slows_nobody_down(fleet: Fleet, deed: Deed, neighbours: int) -> None:
    """The same neighbours with poison among them and without, in turns on one fleet.

    What never returns holds a process until its limit, three times over: that is little beside the
    neighbours, as it is in an archive.
    """
    fleet.extra |= BRIEF
    fleet.start("sweep", "cpu", "gpu", CHAOS_SLOW_S="0.1")
    run(fleet, "warm", NEIGHBOURS)
    clean, poisoned = [], []
    for turn in range(3):
        clean.append(run(fleet, f"clean-{turn}", neighbours))
        poison = [uri(10_000 + turn, deed)]
        poisoned.append(run(fleet, f"poisoned-{turn}", neighbours, poison))
    pace = statistics.median(clean) / statistics.median(poisoned)
    print(f"neighbours keep {pace:.2f} of their pace")
    assert pace >= PACE


def run(
    fleet: Fleet,
    name: str,
    count: int,
    poison: Sequence[str] = (),
    *,
    after: int = 10,
    like: Deed | None = None,
) -> float:
    """Seconds until all the neighbours have ended."""
    end = f"?deed={like}" if like else ""
    neighbours = [
        f"https://{number % HOSTS}.made.up/{name}/{number}{end}" for number in range(count)
    ]
    fleet.submit([*neighbours[:after], *poison, *neighbours[after:]], name)
    begun = time.monotonic()
    fleet.until(lambda: fleet.left(name) <= len(poison), 240, lambda: fleet.report(name))
    took = time.monotonic() - begun
    fleet.until_ended(name)
    return took
