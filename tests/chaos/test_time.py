"""Faults 11 and 15: a visibility timeout below the task's length; a rolling upgrade."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from sqlalchemy import text

from schemas.stages import Stage
from tests.chaos import oracle
from tests.chaos.deeds import uri
from tests.chaos.fleet import CAMPAIGN, Fleet
from tests.chaos.surroundings import CLOCK, LEFT_UNREAD, MOMENT_S, NEXT_VERSION, VERSION_BEFORE

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


@dataclass(frozen=True, kw_only=True)
class Upgrade:
    """Who is replaced by whom, and in which order."""

    old: Mapping[str, str] = field(default_factory=dict)
    new: Mapping[str, str] = field(default_factory=dict)
    order: Sequence[str]
    items: int = ITEMS
    #: A sweep that has sent all it has before it is replaced shows nothing.
    window: str = "100"
    #: What the first of the new ones has to live to see beside the old ones.
    seen: str = ""
    #: Whether the tables are of the newer version before any process is.
    tables_first: bool = False


#: The sweep writes most messages. Where it comes first the old workers meet handfuls, which they
#: don't know: the harder order.
UPGRADES = {
    "to-this": Upgrade(
        old={VERSION_BEFORE: "yes"},
        new={MOMENT_S: "5"},
        order=("sweep", "cpu", "gpu"),
        items=2 * ITEMS,
        window="36",
        seen=LEFT_UNREAD,
    ),
    "to-next": Upgrade(new={NEXT_VERSION: "yes"}, order=("cpu", "gpu", "sweep"), tables_first=True),
}


@pytest.mark.parametrize("upgrade", UPGRADES)
def test_a_rolling_upgrade_with_clocks_far_apart(fleet: Fleet, upgrade: str) -> None:
    """Each process is replaced in turn by one of a later version, whose clock is behind by 20 min.

    Between them lie messages of both versions. Nobody is charged for any of it. SQLite has no clock
    of its own: there all clocks are right. Nor are its tables changed while somebody works on them.
    """
    one, sqlite = UPGRADES[upgrade], fleet.database_url.startswith("sqlite")
    wrong_s = 0 if sqlite else TEN_MINUTES_S
    fleet.extra["UNMASK_WINDOW_ITEMS"] = one.window
    accepted = fleet.submit(map(uri, range(one.items)))
    ahead = {CLOCK: str(wrong_s), "CHAOS_SLOW_S": "0.1", **one.old}
    behind = {CLOCK: str(-wrong_s), "CHAOS_SLOW_S": "0.1", **one.new}
    fleet.start("sweep", "cpu", "gpu", **ahead)
    for number, kind in enumerate(one.order, 1):
        fleet.until_some_ended(one.items * number // 5)
        if one.tables_first and not sqlite and number == 1:
            add_to_tables(fleet)
        fleet.start(f"{kind}-next", **behind)
        fleet.wait(2)
        fleet.stop(kind)
        if one.seen:
            fleet.until((fleet.memory / one.seen).exists, 60, fleet.report)
    fleet.until_ended()
    oracle.check(fleet, accepted=accepted)
    rows = list(fleet.ledger.results(CAMPAIGN))
    assert {row.stage for row in rows} == {Stage.DONE}
    assert {row.attempts for row in rows} == {1}


def add_to_tables(fleet: Fleet) -> None:
    """As a migration of the next version does it, under those who work on them."""
    with fleet.ledger.engine.begin() as db:
        db.execute(text("ALTER TABLE item ADD COLUMN later INTEGER NOT NULL DEFAULT 0"))
        db.execute(text("UPDATE alembic_version SET version_num = 'later'"))
