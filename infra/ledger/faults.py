"""Which database errors pass by themselves: those become `TryAgain`."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from unmask.errors import TryAgain, Unusable

#: Connection lost, out of resources, shut down by an operator, deadlock, lock not had, too long
#: in a transaction.
PASSING_SQLSTATES = ("08", "53", "57", "40", "55P03", "25P03")
PASSING_SQLITE = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN")


@contextmanager
def told_apart() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise TryAgain(f"the database has no free connection: {error}") from error
    except DBAPIError as error:
        if passes(error):
            raise TryAgain(f"the database is away: {one_line(error)}") from error
        if "no such table" in str(error.orig) or _state(error) == "42P01":
            raise Unusable("the database holds no ledger of this version: migrate it") from error
        if "SQLITE_NOTADB" in _sqlite_name(error):
            raise Unusable(f"not a database: {one_line(error)}") from error
        raise


def passes(error: DBAPIError) -> bool:
    """Whether the same statement may work a little later."""
    name = _sqlite_name(error)
    state = _state(error)
    lost = not (state or name) and isinstance(error, (OperationalError, InterfaceError))
    return (
        lost
        or error.connection_invalidated
        or name.startswith(PASSING_SQLITE)
        or state.startswith(PASSING_SQLSTATES)
    )


def one_line(error: DBAPIError) -> str:
    return " ".join(str(error.orig).split())


def _state(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or "")


def _sqlite_name(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlite_errorname", ""))
