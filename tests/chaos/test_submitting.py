"""Faults 8 and 16: submits that break off, and two that submit the same list at once."""

import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, func, select

from infra.ledger import submit
from infra.ledger.submit import CHUNK
from schemas.records import NewItem, Trust
from schemas.stages import Stage
from schemas.tables import ItemTable
from tests.chaos import oracle
from tests.chaos.deeds import Deed, uri
from tests.chaos.fleet import CAMPAIGN, ROOT, Fleet
from unmask.errors import TryAgain

LINES = 3 * CHUNK + 17
SMALL = 200


class BreaksOff(RuntimeError):
    """The source came to a sudden end."""


def the_list(folder: Path, lines: int = LINES) -> Path:
    path = folder / "list.txt"
    path.write_text("".join(f"{uri(number, Deed.BLOCKED)}\n" for number in range(lines)))
    return path


def producer(fleet: Fleet, media: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "producer", "submit", str(media), "--campaign", CAMPAIGN]
    return subprocess.Popen(
        command, cwd=ROOT, env=fleet.environment({}), stdout=subprocess.PIPE, text=True
    )


def counted(fleet: Fleet) -> int:
    with fleet.ledger.engine.connect() as db:
        return int(db.execute(select(func.count()).select_from(ItemTable)).scalar_one())


def test_a_submit_that_breaks_off_is_run_again(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In chunks so small that all of it can run to its end afterwards."""
    monkeypatch.setattr(submit, "CHUNK", SMALL)
    good, all_lines = 2 * SMALL + 5, 3 * SMALL + 17

    def lines(until: int) -> Iterator[NewItem]:
        for number in range(all_lines):
            if number == until:
                raise BreaksOff
            yield NewItem(uri=uri(number, Deed.BLOCKED), trust=Trust.REMOTE)

    campaign = fleet.campaign()
    with pytest.raises(BreaksOff):
        fleet.ledger.submit(campaign, lines(good))
    assert counted(fleet) == fleet.left() == good
    again = fleet.ledger.submit(campaign, lines(-1))
    assert (again.new, again.known) == (all_lines - good, good)
    assert counted(fleet) == fleet.left() == all_lines
    fleet.start("sweep", "cpu")
    fleet.until_ended()
    oracle.check(fleet, accepted=all_lines)
    assert fleet.ledger.status(CAMPAIGN).stages == {Stage.REJECTED: all_lines}


def test_a_database_that_breaks_in_the_middle_of_a_bulk_insert(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows are written and not committed: none of them is there, and all come with the next."""
    monkeypatch.setattr(submit, "CHUNK", SMALL)
    lines = [NewItem(uri=uri(n, Deed.BLOCKED), trust=Trust.REMOTE) for n in range(3 * SMALL + 17)]
    campaign, broken = fleet.campaign(), list[str]()

    def break_it(db: Connection, _cursor: object, statement: str, *_: object) -> None:
        if "INSERT INTO item" in statement:
            broken.append(statement)
            if db.dialect.name == "sqlite" and len(broken) == 2:
                _let_it_grow_no_more(db)  # the third chunk meets it
            elif db.dialect.name == "postgresql" and len(broken) == 3:
                _end_session(fleet, db)

    event.listen(fleet.ledger.engine, "after_cursor_execute", break_it)
    with pytest.raises(TryAgain):
        fleet.ledger.submit(campaign, lines)
    event.remove(fleet.ledger.engine, "after_cursor_execute", break_it)
    fleet.ledger.engine.dispose()
    kept = sum(len(chunk) for chunk in islice(submit.chunks(lines), 2))
    assert counted(fleet) == fleet.left() == kept
    again = fleet.ledger.submit(campaign, lines)
    assert (again.new, again.known) == (len(lines) - kept, kept)
    assert counted(fleet) == fleet.left() == len(lines)
    fleet.start("sweep", "cpu")
    fleet.until_ended()
    oracle.check(fleet, accepted=len(lines))


def _end_session(fleet: Fleet, db: Connection) -> None:
    (ours,) = db.exec_driver_sql("SELECT pg_backend_pid()").one()
    with fleet.ledger.engine.connect() as other:
        other.exec_driver_sql(f"SELECT pg_terminate_backend({ours})")


def _let_it_grow_no_more(db: Connection) -> None:
    (pages,) = db.exec_driver_sql("PRAGMA page_count").one()
    db.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


def test_a_killed_producer_is_run_again(fleet: Fleet) -> None:
    media = the_list(fleet.folder, 20 * CHUNK)
    first = producer(fleet, media)
    fleet.until(lambda: counted(fleet) >= CHUNK, 60)
    first.kill()
    first.communicate()
    assert 0 < counted(fleet) == fleet.left() < 20 * CHUNK
    second = producer(fleet, media)
    said, _ = second.communicate(timeout=240)
    assert second.returncode == 0, said
    assert counted(fleet) == fleet.left() == 20 * CHUNK


def test_two_producers_submit_the_same_list_at_once(fleet: Fleet) -> None:
    media = the_list(fleet.folder)
    both = [producer(fleet, media) for _ in range(2)]
    said = [one.communicate(timeout=240)[0] for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    new = [int(one.replace(",", "")) for one in re.findall(r"([\d,]+) new", "".join(said))]
    assert len(new) == 2
    assert sum(new) == counted(fleet) == fleet.left() == LINES
    fleet.start("sweep", "cpu")
    fleet.until_some_ended(SMALL)
    fleet.ledger.cancel(CAMPAIGN)  # all of them would take minutes
    fleet.until_ended()
    oracle.check(fleet, accepted=LINES)


def test_a_publish_that_breaks_off(fleet: Fleet) -> None:
    """Half of a batch got through: its items run once, the rest is offered again."""
    accepted = fleet.submit(map(uri, range(400)))
    fleet.extra["UNMASK_WINDOW_ITEMS"] = "500"
    with fleet.redis.client() as client:
        used = int(client.info("memory")["used_memory"])
        client.config_set("maxmemory", used + (300 << 10))
        fleet.start("sweep")
        fleet.until(lambda: "Redis took" in fleet.log("sweep"), 60, fleet.report)
        assert sum(oracle.messages(fleet).values()) > 0
        client.config_set("maxmemory", "256mb")
    fleet.start("cpu", "gpu")
    fleet.until_ended()
    oracle.check(fleet, accepted=accepted)
    assert fleet.ledger.status(CAMPAIGN).stages == {"done": accepted}
