"""What the database's server can do for the ledger, for `doctor`."""

from infra.ledger import patience
from infra.ledger.engine import make_engine, parse
from infra.ledger.faults import told_apart


def ends_stranded_transactions(address: str) -> bool:
    """Those of clients that vanished in the middle; on SQLite they go with their process."""
    url = parse(address)
    if url.get_backend_name() == "sqlite":
        return True
    engine = make_engine(url)
    try:
        with told_apart(), engine.connect() as db:
            return patience.is_bounded(db)
    finally:
        engine.dispose()
