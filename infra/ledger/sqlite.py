"""SQLite as a ledger for one machine: its pragmas, its transactions and where it refuses to lie."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import Connection, Engine, FromClause, event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler

from unmask.errors import Unusable

BUSY_TIMEOUT_MS = 30_000
#: Negative: in KiB. Holds the upper levels of the indexes of some ten million items; each
#: connection fills its own, so more would look like a leak for days.
CACHE_KIB = -16_384
#: Pages (of 4 KiB) in the log before they are carried over into the file. A submit touches the same
#: pages of the digests' index over and over: carried over rarely, each is written once for many.
CHECKPOINT_PAGES = 4_000
#: The execution option of a transaction that will not write.
READING = "ledger_reading"

#: File systems whose locks or shared memory SQLite's WAL can't rely on.
NETWORK_FILE_SYSTEMS = (
    "afs beegfs ceph cifs fuse.ceph fuse.glusterfs fuse.rclone fuse.s3fs fuse.sshfs gfs2 "
    "glusterfs lustre ncpfs nfs nfs4 ocfs2 smb3 smbfs"
)
MOUNTS = Path("/proc/self/mounts")


class Hinted(SQLiteCompiler):
    """Writes `INDEXED BY …` behind its table; SQLAlchemy's own compiler leaves hints out."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        return text


def prepare(engine: Engine) -> None:
    """Every write takes the write lock at once: a read that turns into a write would fail late."""
    engine.dialect.statement_compiler = Hinted
    event.listen(engine, "connect", _connect)
    event.listen(engine, "begin", _begin)


def _connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"cache_size={CACHE_KIB}",
        "temp_store=MEMORY",
        f"wal_autocheckpoint={CHECKPOINT_PAGES}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get(READING, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def refuse_network(path: Path, mounts: Path = MOUNTS) -> None:
    """A ledger on a network share would be damaged sooner or later."""
    kind = file_system(path, mounts)
    if kind in NETWORK_FILE_SYSTEMS.split():
        raise Unusable(
            f"{path} lies on a network file system ({kind}), where SQLite can lose data: "
            "choose a folder on a local disk, or use PostgreSQL"
        )


def file_system(path: Path, mounts: Path = MOUNTS) -> str:
    """The kind of file system a path lies on; empty where the machine doesn't tell."""
    if not mounts.exists():
        return ""
    parents = {str(place) for place in (path.resolve(), *path.resolve().parents)}
    fields = [line.split() for line in mounts.read_text(errors="replace").splitlines()]
    found = [(one[1].replace("\\040", " "), one[2]) for one in fields if len(one) > 2]
    holding = [(len(place), kind) for place, kind in found if place in parents]
    return max(holding, key=lambda one: one[0], default=(0, ""))[1]


def lock_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def share(path: Path) -> TextIO:
    """Held by everybody who works with the ledger, for as long as the returned file is open."""
    file = lock_file(path).open("a", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise Unusable(f"{path} is being migrated by another process: try again shortly") from None
    return file


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Nobody else works with the ledger meanwhile."""
    with lock_file(path).open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unusable(
                f"{path} is in use by another process: stop its workers, then migrate"
            ) from None
        yield
