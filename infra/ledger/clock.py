"""Database time: every process compares its leases by one clock.

PostgreSQL answers with the start of the statement. SQLite has no clock of its own and takes the
process's; `julianday` serves all its versions (`unixepoch('subsec')` is NULL before 3.42).
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Double
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

POSTGRESQL_NOW = "CAST(extract(epoch FROM statement_timestamp()) AS double precision)"
#: 2440587.5 is the Julian day of 1970-01-01 00:00.
SQLITE_NOW = "((julianday('now') - 2440587.5) * 86400.0)"


class Now(FunctionElement[float]):
    """Seconds since 1970."""

    type = Double()
    inherit_cache = True


@compiles(Now, "postgresql")
def _postgresql(_element: Now, _compiler: SQLCompiler, **_options: Any) -> str:
    return POSTGRESQL_NOW


@compiles(Now, "sqlite")
def _sqlite(_element: Now, _compiler: SQLCompiler, **_options: Any) -> str:
    return SQLITE_NOW


def now() -> Now:
    return Now()


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def moment_or_none(seconds: float) -> datetime | None:
    """None for the sentinel that stands for `never`."""
    return moment(seconds) if seconds > 0 else None
