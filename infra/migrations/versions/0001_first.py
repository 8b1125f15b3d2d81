"""The first shape: campaigns, items and their history, counts, extractions, objects, results."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WORD = sa.String(16)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)
ZERO = sa.text("0")
EMPTY = sa.text("''")

IS_OPEN = sa.text("stage IN ('extracted', 'waiting')")
IS_HELD = sa.text("stage IN ('classifying', 'extracting')")
IS_OFFERED = sa.text("offered_until > 0")

#: Those that refer to others come first.
TABLES = (
    "result",
    "reference",
    "tally",
    "object",
    "item",
    "score",
    "move",
    "leader",
    "extraction",
    "campaign",
)


def upgrade() -> None:
    _campaign()
    _extraction()
    _leader()
    _move()
    _score()
    _item()
    _object()
    _tally()
    _reference()
    _result()


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)


def _campaign() -> None:
    op.create_table(
        "campaign",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("model_digest", sa.Text(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("spec_digest", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("extract_only", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        sa.Column("reason", sa.Text(), server_default=EMPTY, nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("first_started_at", sa.Double(), server_default=ZERO, nullable=False),
        sa.Column("served_at", sa.Double(), server_default=ZERO, nullable=False),
        sa.PrimaryKeyConstraint("id", name="campaign_pk"),
        sa.UniqueConstraint("name", name="campaign_name_key"),
    )


def _extraction() -> None:
    op.create_table(
        "extraction",
        sa.Column("id", ID, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("spec_digest", sa.Text(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("stands", sa.Boolean(), nullable=False),
        sa.Column("facts", DOCUMENT, nullable=False),
        sa.Column("outcome", WORD, nullable=True),
        sa.Column("reason", sa.Text(), server_default=EMPTY, nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="extraction_pk"),
        sa.UniqueConstraint("sha256", "spec_digest", name="extraction_sha256_spec_digest_key"),
        sqlite_autoincrement=True,
    )


def _leader() -> None:
    op.create_table(
        "leader",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="leader_pk"),
    )


def _move() -> None:
    op.create_table(
        "move",
        sa.Column("id", ID, nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("old", WORD, nullable=True),
        sa.Column("new", WORD, nullable=False),
        sa.Column("fence", sa.Integer(), server_default=ZERO, nullable=False),
        sa.Column("owner", sa.Text(), server_default=EMPTY, nullable=False),
        sa.Column("note", sa.Text(), server_default=EMPTY, nullable=False),
        sa.PrimaryKeyConstraint("id", name="move_pk"),
    )
    op.create_index("move_item_idx", "move", ["item_id", "id"])


def _score() -> None:
    op.create_table(
        "score",
        sa.Column("clip_sha256", sa.Text(), nullable=False),
        sa.Column("model_digest", sa.Text(), nullable=False),
        sa.Column("raw", sa.Double(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=True),
        sa.Column("frame_scores", DOCUMENT, nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("clip_sha256", "model_digest", name="score_pk"),
    )


def _item() -> None:
    op.create_table(
        "item",
        sa.Column("id", ID, nullable=False),
        sa.Column("campaign_id", ID, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("trust", WORD, nullable=False),
        sa.Column("stamp", sa.Text(), server_default=EMPTY, nullable=False),
        sa.Column("source", sa.Text(), server_default=EMPTY, nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.Column("stage", WORD, server_default="waiting", nullable=False),
        sa.Column("fence", sa.Integer(), server_default=ZERO, nullable=False),
        sa.Column("owner", sa.Text(), server_default=EMPTY, nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default=ZERO, nullable=False),
        sa.Column("charged", sa.SmallInteger(), server_default=ZERO, nullable=False),
        sa.Column("fetch_tries", sa.SmallInteger(), server_default=ZERO, nullable=False),
        sa.Column("offers", sa.Integer(), server_default=ZERO, nullable=False),
        sa.Column("not_before", sa.Double(), server_default=ZERO, nullable=False),
        sa.Column("offered_until", sa.Double(), server_default=ZERO, nullable=False),
        sa.Column("lease_until", sa.Double(), server_default=ZERO, nullable=False),
        sa.Column("deadline_at", sa.Double(), server_default=ZERO, nullable=False),
        sa.Column("last_error", sa.Text(), server_default=EMPTY, nullable=False),
        sa.Column("log", sa.Text(), server_default=EMPTY, nullable=False),
        sa.Column("final_uri", sa.Text(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("extraction_id", ID, nullable=True),
        sa.Column("inherited_from", ID, nullable=True),
        sa.Column("outcome", WORD, nullable=True),
        sa.Column("cpu_seconds", sa.Double(), server_default=ZERO, nullable=False),
        sa.Column("gpu_seconds", sa.Double(), server_default=ZERO, nullable=False),
        sa.Column("bytes_fetched", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.Column("submitted_at", sa.Double(), nullable=False),
        sa.Column("started_at", sa.Double(), server_default=ZERO, nullable=False),
        sa.Column("finished_at", sa.Double(), server_default=ZERO, nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name="item_campaign_id_fk"),
        sa.ForeignKeyConstraint(["extraction_id"], ["extraction.id"], name="item_extraction_id_fk"),
        sa.PrimaryKeyConstraint("id", name="item_pk"),
        sa.UniqueConstraint("campaign_id", "digest", name="item_campaign_id_digest_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("item_campaign_idx", "item", ["campaign_id", "id"])
    op.create_index(
        "item_held_idx", "item", ["lease_until"], postgresql_where=IS_HELD, sqlite_where=IS_HELD
    )
    op.create_index(
        "item_offered_idx",
        "item",
        ["stage", "offered_until"],
        postgresql_where=IS_OFFERED,
        sqlite_where=IS_OFFERED,
    )
    op.create_index(
        "item_open_idx",
        "item",
        ["campaign_id", "stage", "not_before", "id"],
        postgresql_where=IS_OPEN,
        sqlite_where=IS_OPEN,
    )


def _object() -> None:
    op.create_table(
        "object",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("extraction_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["extraction_id"], ["extraction.id"], name="object_extraction_id_fk"
        ),
        sa.PrimaryKeyConstraint("key", name="object_pk"),
    )
    op.create_index("object_extraction_idx", "object", ["extraction_id", "position"])


def _tally() -> None:
    op.create_table(
        "tally",
        sa.Column("campaign_id", ID, nullable=False),
        sa.Column("stage", WORD, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("footage_s", sa.Double(), nullable=False),
        sa.Column("cpu_seconds", sa.Double(), nullable=False),
        sa.Column("gpu_seconds", sa.Double(), nullable=False),
        sa.Column("bytes_fetched", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name="tally_campaign_id_fk"),
        sa.PrimaryKeyConstraint("campaign_id", "stage", "outcome", "slot", name="tally_pk"),
    )


def _reference() -> None:
    op.create_table(
        "reference",
        sa.Column("extraction_id", ID, nullable=False),
        sa.Column("item_id", ID, nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["extraction_id"], ["extraction.id"], name="reference_extraction_id_fk"
        ),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name="reference_item_id_fk"),
        sa.PrimaryKeyConstraint("extraction_id", "item_id", name="reference_pk"),
    )
    op.create_index("reference_item_idx", "reference", ["item_id"])


def _result() -> None:
    op.create_table(
        "result",
        sa.Column("item_id", ID, nullable=False),
        sa.Column("scan_spec", sa.Text(), nullable=False),
        sa.Column("model_digest", sa.Text(), nullable=False),
        sa.Column("campaign_id", ID, nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.Column("final_uri", sa.Text(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("media_kind", sa.Text(), nullable=True),
        sa.Column("duration_s", sa.Double(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("outcome", WORD, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=True),
        sa.Column("band", sa.Text(), nullable=True),
        sa.Column("threshold_real", sa.Double(), nullable=True),
        sa.Column("threshold_fake", sa.Double(), nullable=True),
        sa.Column("persons", DOCUMENT, nullable=False),
        sa.Column("faces_seen", sa.Integer(), nullable=True),
        sa.Column("frames_analysed", sa.Integer(), nullable=True),
        sa.Column("coverage", sa.Double(), nullable=True),
        sa.Column("left_out", sa.Integer(), nullable=True),
        sa.Column("partial", sa.Boolean(), nullable=True),
        sa.Column("notes", DOCUMENT, nullable=False),
        sa.Column("evidence", DOCUMENT, nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("inherited_from", ID, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("submitted_at", MOMENT, nullable=False),
        sa.Column("started_at", MOMENT, nullable=True),
        sa.Column("finished_at", MOMENT, nullable=False),
        sa.Column("cpu_seconds", sa.Double(), nullable=False),
        sa.Column("gpu_seconds", sa.Double(), nullable=False),
        sa.Column("bytes_fetched", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name="result_campaign_id_fk"),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name="result_item_id_fk"),
        sa.PrimaryKeyConstraint("item_id", "scan_spec", "model_digest", name="result_pk"),
    )
    op.create_index("result_finished_idx", "result", ["finished_at"])
    op.create_index("result_progress_idx", "result", ["campaign_id", "finished_at"])
    op.create_index("result_review_idx", "result", ["campaign_id", "outcome", "probability"])
    op.create_index("result_sha256_idx", "result", ["sha256", "scan_spec"])
    op.create_index("result_uri_idx", "result", ["uri"], postgresql_using="hash")
