"""Items of which only the beginning was fetched say which part."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = ("item", "result")
NAME = "fetched_part"


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column(NAME, sa.JSON(), nullable=True))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, NAME)
