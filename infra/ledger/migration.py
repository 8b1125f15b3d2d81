"""Bring a database to the shape this code knows; Alembic, run from code.

Alembic is imported by who moves a database. Every process compares, and would pay for it.
"""

from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

import infra.migrations
from infra.closed import FILE_MODE, make_closed
from infra.ledger import sqlite
from infra.ledger.engine import make_engine, parse, path_of
from infra.ledger.faults import told_apart
from infra.ledger.server import connected
from unmask.errors import Unusable

if TYPE_CHECKING:
    from alembic.config import Config

#: Where Alembic finds the versions.
SCRIPTS = Path(infra.migrations.__file__).parent
#: From the first to the newest, as the files are called.
REVISIONS = sorted(path.name[:4] for path in SCRIPTS.glob("versions/[0-9]*.py"))


class Schema(StrEnum):
    """How a database compares with this code."""

    #: No ledger in it yet.
    MISSING = "missing"
    #: `migrate` brings it up to date.
    OLDER = "older"
    CURRENT = "current"
    #: Written by a later version of this program, which must be used instead.
    NEWER = "newer"


def config(db: Connection | None = None) -> "Config":
    from alembic.config import Config

    made = Config(attributes={"connection": db})
    made.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return made


def check(address: str) -> Schema:
    path = path_of(parse(address))
    if path and not path.exists():
        return Schema.MISSING
    with connected(address) as db:
        return compare(db)


def compare(db: Connection) -> Schema:
    found = current(db)
    if found is None:
        return Schema.MISSING
    if found == REVISIONS[-1]:
        return Schema.CURRENT
    return Schema.OLDER if found in REVISIONS else Schema.NEWER


def migrate(address: str, revision: str = "head") -> None:
    """Bring a database to a version of this code; a newer one is refused and left as it is."""
    url = parse(address)
    path = path_of(url)
    if path:
        sqlite.refuse_network(path)
        make_closed(path.parent)
    schema = check(address)
    if schema is Schema.NEWER:
        raise Unusable("the database was written by a newer version of this program: update it")
    if schema is not Schema.CURRENT or revision != "head":
        with sqlite.alone(path) if path else nullcontext():
            if path and not path.exists():
                path.touch(FILE_MODE)  # SQLite gives its log the mode of the file
            _move(address, revision)


def _move(address: str, revision: str) -> None:
    from alembic import command

    engine = make_engine(parse(address))
    try:
        with told_apart(), engine.begin() as db:
            step = command.downgrade if _is_behind(db, revision) else command.upgrade
            step(config(db), revision)
    finally:
        engine.dispose()


def _is_behind(db: Connection, revision: str) -> bool:
    """Whether the database has been past that version already."""
    found = current(db)
    if found is None or revision == "head":
        return False
    return revision == "base" or revision in REVISIONS[: REVISIONS.index(found)]


def current(db: Connection) -> str | None:
    """None before the first version, and after the last was taken back."""
    if not inspect(db).has_table("alembic_version"):
        return None
    found: str | None = db.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found
