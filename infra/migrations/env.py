"""Alembic's entry: it runs on the connection that `migrate` hands over."""

from alembic import context
from sqlalchemy import text

from infra.ledger import patience
from schemas.tables import Table

db = context.config.attributes["connection"]
if db is None:
    raise RuntimeError("migrations run from code: infra.ledger.migrate(address)")

if db.dialect.name == "postgresql":
    patience.take_any_time(db)
    # Two migrations at once take turns.
    db.execute(text("SELECT pg_advisory_xact_lock(hashtext('unmask.migrate'))"))

context.configure(
    connection=db,
    target_metadata=Table.metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
