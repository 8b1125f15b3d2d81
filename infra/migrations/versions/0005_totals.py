"""Totals that never fall: what ever ended, and the footage it answered."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NAMES = ("ended", "answered_ms")


def upgrade() -> None:
    for name in NAMES:
        column = sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
        op.add_column("tally", column)
    # What was recalled before is not known any more; totals begin at what there is now.
    op.execute(
        "UPDATE tally SET ended = items, answered_ms = CAST(round(footage_s * 1000) AS BIGINT) "
        "WHERE outcome <> ''"
    )


def downgrade() -> None:
    for name in NAMES:
        op.drop_column("tally", name)
