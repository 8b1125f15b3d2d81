"""Hosts are treated politely, faults are counted for the brake, items know their company."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.engine import Connection

from infra.hosts import host_number

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ZERO = sa.text("0")
EMPTY = sa.text("''")
IS_FRESH = sa.text("stage = 'waiting' AND not_before = 0")
IN_TROUBLE = sa.text("trouble > 0")

#: Items whose host is filled in at once.
BATCH = 10_000

ITEM: dict[str, sa.types.TypeEngine[Any]] = {
    "host": sa.BigInteger(),
    "claimed_at": sa.Double(),
    "visiting": sa.SmallInteger(),
    "company": sa.SmallInteger(),
    "suspected": sa.SmallInteger(),
}


def upgrade() -> None:
    op.add_column(
        "campaign", sa.Column("host_cursor", sa.BigInteger(), server_default=ZERO, nullable=False)
    )
    for name, kind in ITEM.items():
        op.add_column("item", sa.Column(name, kind, server_default=ZERO, nullable=False))
    _name_hosts(op.get_bind())
    op.create_index(
        "item_fresh_idx",
        "item",
        ["campaign_id", "host", "id"],
        postgresql_where=IS_FRESH,
        sqlite_where=IS_FRESH,
    )
    _occurrence()
    _place()


def downgrade() -> None:
    op.drop_table("place")
    op.drop_table("occurrence")
    op.drop_index("item_fresh_idx", table_name="item")
    for name in ITEM:
        op.drop_column("item", name)
    op.drop_column("campaign", "host_cursor")


def _name_hosts(db: Connection) -> None:
    """Of what is still to be fetched."""
    after = 0
    read = sa.text(
        "SELECT id, uri FROM item WHERE id > :after AND stage IN ('waiting', 'extracting') "
        "ORDER BY id LIMIT :batch"
    )
    write = sa.text("UPDATE item SET host = :host WHERE id = :id")
    while found := db.execute(read, {"after": after, "batch": BATCH}).all():
        db.execute(write, [{"id": row.id, "host": host_number(row.uri)} for row in found])
        after = found[-1].id


def _occurrence() -> None:
    op.create_table(
        "occurrence",
        sa.Column("campaign_id", ID, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name="occurrence_campaign_id_fk"),
        sa.PrimaryKeyConstraint("campaign_id", "what", "slot", name="occurrence_pk"),
    )


def _place() -> None:
    op.create_table(
        "place",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("trouble", sa.Integer(), server_default=ZERO, nullable=False),
        sa.Column("down_since", sa.Double(), server_default=ZERO, nullable=False),
        sa.Column("reason", sa.Text(), server_default=EMPTY, nullable=False),
        sa.Column("rest_until", sa.Double(), server_default=ZERO, nullable=False),
        sa.Column("next_at", sa.Double(), server_default=ZERO, nullable=False),
        sa.PrimaryKeyConstraint("number", name="place_pk"),
    )
    op.create_index(
        "place_trouble_idx",
        "place",
        ["down_since"],
        postgresql_where=IN_TROUBLE,
        sqlite_where=IN_TROUBLE,
    )
