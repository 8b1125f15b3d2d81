"""Fault 13 once more: kill -9 where several items move in one transaction."""

import pytest

from tests.chaos import oracle
from tests.chaos.company import claims
from tests.chaos.fleet import CAMPAIGN, Fleet
from tests.chaos.points import MEMORY, PLACES, TOGETHER
from tests.chaos.test_poison_in_handfuls import QUICK, is_spared, poisoned, shared_messages
from tests.chaos.test_transitions import WHEN

#: Transitions that the items of one message, or of one batch, make together, and in whose process.
MOVES = {
    "waiting>extracting": "cpu",
    "extracting>rejected": "cpu",
    "extracted>classifying": "gpu",
    "classifying>done": "gpu",
}


@pytest.mark.parametrize(
    ("database", "place"),
    [
        (database, f"{move}:{when}:{TOGETHER}")
        for move in MOVES
        for database, when in zip(("sqlite", "postgresql"), WHEN, strict=True)
    ],
    indirect=["database"],
)
def test_death_with_a_handful_in_hand(fleet: Fleet, place: str) -> None:
    """Nobody knows whose fault it was: all of them come again, and none is charged."""
    kind = MOVES[place.partition(":")[0]]
    accepted = fleet.submit(poisoned([]))
    fleet.mortal.add(kind)
    for one in ("sweep", "cpu", "gpu"):
        fleet.start(one, **QUICK, **({PLACES: place} if one == kind else {}))
    fleet.until_ended()
    assert (fleet.memory / place).exists(), f"{MEMORY} knows of no death at {place}"
    oracle.check(fleet, accepted=accepted)
    shared_messages(claims(fleet.ledger))
    for row in fleet.ledger.results(CAMPAIGN):
        is_spared(row)
