"""A server that takes what it is sent and never answers must not hold a worker for ever.

The kernel notices a peer that is gone; behind a proxy or a load balancer that hangs, everything
seems well while nothing comes back.
"""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, event, text

if TYPE_CHECKING:
    from infra.ledger.patient_connection import PatientConnection

#: No transaction of the ledger takes nearly as long. The server ends it then, for the sake of those
#: who wait for its rows: a client that vanished between the statements of one batch does not count
#: as idle.
TRANSACTION_S = 120
#: The first PostgreSQL that can bound a transaction.
BOUNDS_TRANSACTIONS = 17


def prepare(engine: Engine) -> None:
    event.listen(engine, "do_connect", _connect)


def _connect(_dialect: Any, _record: Any, given: Any, named: Any) -> "PatientConnection":
    from infra.ledger.patient_connection import PatientConnection

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
