"""When a place last failed: only from its first failure to there is it known to be down."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column: sa.Column[float] = sa.Column(
        "failed_at", sa.Double(), server_default=sa.text("0"), nullable=False
    )
    op.add_column("place", column)


def downgrade() -> None:
    op.drop_column("place", "failed_at")
