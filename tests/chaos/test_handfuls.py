"""Fault 13 once more: kill -9 where several items move in one transaction."""

import pytest

from tests.chaos import oracle
from tests.chaos.company import claims
from tests.chaos.deaths import by_turns, run_with_a_death
from tests.chaos.fleet import CAMPAIGN, Fleet
from tests.chaos.points import TOGETHER
from tests.chaos.test_poison_in_handfuls import QUICK, is_spared, poisoned, shared_messages

#: Transitions that the items of one message, or of one batch, make together, and in whose process.
MOVES = {
    "waiting>extracting": "cpu",
    "extracting>rejected": "cpu",
    "extracted>classifying": "gpu",
    "classifying>done": "gpu",
}


@pytest.mark.parametrize(
    ("database", "place"), by_turns(MOVES, f":{TOGETHER}"), indirect=["database"]
)
def test_death_with_a_handful_in_hand(fleet: Fleet, place: str) -> None:
    """Nobody knows whose fault it was: all of them come again, and none is charged."""
    accepted = fleet.submit(poisoned([]))
    run_with_a_death(fleet, MOVES[place.partition(":")[0]], place, **QUICK)
    oracle.check(fleet, accepted=accepted)
    shared_messages(claims(fleet.ledger))
    for row in fleet.ledger.results(CAMPAIGN):
        is_spared(row)
