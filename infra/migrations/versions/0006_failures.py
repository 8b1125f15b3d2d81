"""What failed is found without a look at what went well.

The index holds failed items only: it is built in one pass over the items, without a large sort. On
PostgreSQL those who write to them wait meanwhile.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NAME = "item_failed_idx"
IS_FAILED = sa.text("stage IN ('dead', 'rejected')")


def upgrade() -> None:
    op.create_index(
        NAME,
        "item",
        ["campaign_id", "stage", "finished_at", "id"],
        postgresql_where=IS_FAILED,
        sqlite_where=IS_FAILED,
    )


def downgrade() -> None:
    op.drop_index(NAME, table_name="item")
