"""Faults 11 and 15: a visibility timeout below the task's length; a rolling upgrade."""

from schemas.stages import Stage
from tests.chaos import oracle
from tests.chaos.deeds import uri
from tests.chaos.fleet import CAMPAIGN, Fleet
from tests.chaos.surroundings import CLOCK, NEXT_VERSION

ITEMS = 200
TEN_MINUTES_S = 600


def test_a_visibility_timeout_below_the_length_of_a_task(fleet: Fleet) -> None:
    fleet.extra |= {
        "UNMASK_VISIBILITY_TIMEOUT_S": "2",
        "UNMASK_ALLOW_CONTRADICTING_TIMEOUTS": "true",
    }
    accepted = fleet.submit(map(uri, range(6)))
    fleet.start("sweep", "cpu", "gpu", CHAOS_SLOW_S="6")
    fleet.until_ended()
    oracle.check(fleet, accepted=accepted)
    assert "nothing to do" in fleet.log("cpu"), "no message came twice"
    for row in fleet.ledger.results(CAMPAIGN):
        begun = [move for move in fleet.ledger.history(row.item) if move.new is Stage.EXTRACTING]
        assert (row.stage, len(begun)) == (Stage.DONE, 1)


def test_a_rolling_upgrade_with_clocks_far_apart(fleet: Fleet) -> None:
    """Each worker is replaced in turn by one of the next version, whose clock is behind by 20 min.

    Between them lie messages of both versions. Nobody is charged for any of it. SQLite has no clock
    of its own: there all clocks are right.
    """
    wrong_s = 0 if fleet.database_url.startswith("sqlite") else TEN_MINUTES_S
    accepted = fleet.submit(map(uri, range(ITEMS)))
    ahead = {CLOCK: str(wrong_s), "CHAOS_SLOW_S": "0.1"}
    behind = {CLOCK: str(-wrong_s), "CHAOS_SLOW_S": "0.1", NEXT_VERSION: "yes"}
    fleet.start("sweep", "cpu", "gpu", **ahead)
    for number, kind in enumerate(("cpu", "gpu", "sweep"), 1):
        fleet.until_some_ended(ITEMS * number // 5)
        fleet.start(f"{kind}-next", **behind)
        fleet.wait(2)
        fleet.stop(kind)
    fleet.until_ended()
    oracle.check(fleet, accepted=accepted)
    rows = list(fleet.ledger.results(CAMPAIGN))
    assert {row.stage for row in rows} == {Stage.DONE}
    assert {row.attempts for row in rows} == {1}
