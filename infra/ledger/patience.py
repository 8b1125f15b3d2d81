"""A server that takes what it is sent and never answers must not hold a worker for ever.

The kernel notices a peer that is gone; behind a proxy or a load balancer that hangs, everything
seems well while nothing comes back.
"""

import time
from collections.abc import Generator
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen, PQGenConn
from sqlalchemy import Connection, Engine, event, text

#: No statement of the ledger takes nearly as long.
ANSWER_WITHIN_S = 60.0
#: Nor does a transaction. The server ends it then, for the sake of those who wait for its rows: a
#: client that vanished between the statements of one batch does not count as idle.
TRANSACTION_S = 120
#: The first PostgreSQL that can bound a transaction.
BOUNDS_TRANSACTIONS = 17


class PatientConnection(psycopg.Connection[Any]):
    """Gives up, and closes itself, where the server is silent for too long."""

    def wait(self, gen: PQGen[RV] | PQGenConn[RV], *given: Any, **named: Any) -> RV:
        try:
            return super().wait(_bounded(gen), *given, **named)
        except _Silent as error:
            self.close()
            raise psycopg.OperationalError(str(error)) from None


class _Silent(Exception):
    """The server has not answered within its time."""


def _bounded(gen: Generator[Any, Any, RV]) -> Generator[Any, Any, RV]:
    """psycopg wakes its generators several times a second, with nothing while nothing came."""
    asked_at = time.monotonic()
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if ready:
                asked_at = time.monotonic()
            elif time.monotonic() > asked_at + ANSWER_WITHIN_S:
                raise _Silent(f"the server has not answered for {ANSWER_WITHIN_S:.0f} s")
            wanted = gen.send(ready)
    except StopIteration as end:
        answer: RV = end.value
        return answer


def prepare(engine: Engine) -> None:
    event.listen(engine, "do_connect", _connect)


def _connect(_dialect: Any, _record: Any, given: Any, named: Any) -> PatientConnection:
    connection = PatientConnection.connect(*given, **named)
    if connection.info.server_version // 10_000 >= BOUNDS_TRANSACTIONS:
        connection.execute(f"SET transaction_timeout = '{TRANSACTION_S}s'")
        connection.commit()
    return connection


def is_bounded(db: Connection) -> bool:
    return int((db.dialect.server_version_info or (0,))[0]) >= BOUNDS_TRANSACTIONS


def take_any_time(db: Connection) -> None:
    """For the one transaction that may last: a migration."""
    if is_bounded(db):
        db.execute(text("SET LOCAL transaction_timeout = 0"))
