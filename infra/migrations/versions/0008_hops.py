"""Who is led over several hosts keeps its place at the last; its waits have their own count."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ITEM: dict[str, sa.types.TypeEngine[Any]] = {"hop": sa.BigInteger(), "waits": sa.SmallInteger()}


def upgrade() -> None:
    for name, kind in ITEM.items():
        column = sa.Column(name, kind, server_default=sa.text("0"), nullable=False)
        op.add_column("item", column)


def downgrade() -> None:
    for name in ITEM:
        op.drop_column("item", name)
