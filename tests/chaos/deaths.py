"""A fleet in which one process dies at a place, and whoever tends it starts it again."""

from collections.abc import Iterable

from tests.chaos.fleet import Fleet
from tests.chaos.points import MEMORY, PLACES

WHEN = ("before", "after")


def by_turns(moves: Iterable[str], end: str = "") -> list[tuple[str, str]]:
    """(database, place): before a move is committed on one database, after it on the other."""
    turns = list(zip(("sqlite", "postgresql"), WHEN, strict=True))
    return [(database, f"{move}:{when}{end}") for move in moves for database, when in turns]


def run_with_a_death(fleet: Fleet, kind: str, place: str, **surroundings: str) -> None:
    fleet.mortal.add(kind)
    for one in ("sweep", "cpu", "gpu"):
        fleet.start(one, **surroundings, **({PLACES: place} if one == kind else {}))
    fleet.until_ended()
    died_at(fleet, place)


def died_at(fleet: Fleet, place: str) -> None:
    assert (fleet.memory / place).exists(), f"{MEMORY} knows of no death at {place}"
