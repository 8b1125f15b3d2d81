"""A look at the database without a ledger: what is in it, and what its server can do."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from infra.ledger import patience
from infra.ledger.engine import make_engine, parse
from infra.ledger.faults import told_apart


@contextmanager
def connected(address: str) -> Iterator[Connection]:
    engine = make_engine(parse(address))
    try:
        with told_apart(), engine.connect() as db:
            yield db
    finally:
        engine.dispose()


def ends_stranded_transactions(address: str) -> bool:
    """Those of clients that vanished in the middle; on SQLite they go with their process."""
    if parse(address).get_backend_name() == "sqlite":
        return True
    with connected(address) as db:
        return patience.is_bounded(db)
