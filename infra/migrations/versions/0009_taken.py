"""Who deletes an object says so first: when it was taken up last, and how often.

Those that are still there have an index of their own; few objects are at a time.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

NAME = "doomed_waiting_idx"
IS_THERE = sa.text("deleted_at = 0")
ZERO = sa.text("0")


def upgrade() -> None:
    op.add_column("doomed", sa.Column("takes", sa.Integer(), server_default=ZERO, nullable=False))
    op.add_column("doomed", sa.Column("taken_at", sa.Double(), server_default=ZERO, nullable=False))
    op.create_index(
        NAME,
        "doomed",
        ["takes", "doomed_at"],
        postgresql_where=IS_THERE,
        sqlite_where=IS_THERE,
    )


def downgrade() -> None:
    op.drop_index(NAME, table_name="doomed")
    op.drop_column("doomed", "taken_at")
    op.drop_column("doomed", "takes")
