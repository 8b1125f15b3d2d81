import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from infra.ledger import Ledger, migrate, open_ledger, sqlite
from tests.services.items import options, submitted
from unmask.errors import TryAgain, Unusable


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "state" / "unmask.db"
    migrate(f"sqlite:///{made}")
    return made


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_a_network_file_system_is_refused(path: Path, kind: str, tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/sda1 / ext4 rw 0 0\n"
        f"server:/share {path.parent} {kind} rw 0 0\n"
        f"/dev/sdb1 {path.parent}/deeper ext4 rw 0 0\n"
    )
    with pytest.raises(Unusable, match=rf"network file system \({kind}\)"):
        sqlite.refuse_network(path, mounts)
    sqlite.refuse_network(path.parent / "deeper" / "unmask.db", mounts)
    sqlite.refuse_network(tmp_path / "unmask.db", mounts)


def test_a_mount_with_a_blank_in_its_name_is_found(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/x {tmp_path}/my\\040share nfs rw 0 0\n")
    assert sqlite.file_system(tmp_path / "my share" / "unmask.db", mounts) == "nfs"


def test_a_machine_that_does_not_tell_its_mounts_is_believed(tmp_path: Path) -> None:
    sqlite.refuse_network(tmp_path / "unmask.db", tmp_path / "no such file")


def test_nobody_migrates_under_a_worker(path: Path) -> None:
    with closing(open_ledger(f"sqlite:///{path}")):
        with pytest.raises(Unusable, match="in use by another process"):
            migrate(f"sqlite:///{path}", "base")
        migrate(f"sqlite:///{path}")
    migrate(f"sqlite:///{path}", "base")


def test_nobody_opens_during_a_migration(path: Path) -> None:
    with sqlite.alone(path), pytest.raises(Unusable, match="being migrated"):
        open_ledger(f"sqlite:///{path}")


def test_many_work_with_one_file(path: Path) -> None:
    with (
        closing(open_ledger(f"sqlite:///{path}")) as one,
        closing(open_ledger(f"sqlite:///{path}")) as two,
    ):
        submitted(one, 3)
        assert [row.item for row in two.results("one")] == [1, 2, 3]


def test_readers_do_not_wait_for_a_writer(path: Path) -> None:
    with closing(open_ledger(f"sqlite:///{path}")) as ledger:
        submitted(ledger, 3)
        with ledger.engine.begin():
            assert len(list(ledger.results("one"))) == 3
            assert sum(ledger.status("one").stages.values()) == 3


def test_a_lock_that_stays_is_a_reason_to_try_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 50)
    with (
        closing(open_ledger(f"sqlite:///{path}")) as ledger,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TryAgain, match="database is locked"):
            ledger.open_campaign(options())
        other.execute("ROLLBACK")
        ledger.open_campaign(options())


def test_what_was_committed_survives_the_process(path: Path) -> None:
    ledger: Ledger = open_ledger(f"sqlite:///{path}")
    items = submitted(ledger, 3)
    ledger.close()
    with closing(open_ledger(f"sqlite:///{path}")) as again:
        assert [row.item for row in again.results("one")] == items


def test_ids_are_never_used_again(path: Path) -> None:
    with closing(open_ledger(f"sqlite:///{path}")) as ledger:
        submitted(ledger, 3)
        with ledger.engine.begin() as db:
            db.exec_driver_sql("DELETE FROM item WHERE id = 3")
        assert submitted(ledger, 4)[-1] > 3
