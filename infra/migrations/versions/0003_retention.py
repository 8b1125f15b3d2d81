"""Terms for clips and evidence, objects that are to be deleted, scores of whole clips."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)
ZERO = sa.text("0")
FOREVER = sa.text("253402300799.0")

KEPT = ("keep_clips_s", "keep_evidence_s")
REMOVED = ("clips_removed_at", "evidence_removed_at", "erased_at")
TERMS = {"reference_until_idx": "until", "reference_evidence_until_idx": "evidence_until"}


def upgrade() -> None:
    for name in KEPT:
        op.add_column("campaign", sa.Column(name, sa.Double(), nullable=True))
    for name in REMOVED:
        op.add_column("result", sa.Column(name, MOMENT, nullable=True))
    op.add_column(
        "reference",
        sa.Column("evidence_until", sa.Double(), server_default=FOREVER, nullable=False),
    )
    for name, column in TERMS.items():
        ends = sa.text(f"{column} > 0 AND {column} < {FOREVER.text}")
        op.create_index(name, "reference", [column], postgresql_where=ends, sqlite_where=ends)
    _doomed()
    op.drop_table("score")
    _score(
        sa.Column("windows", DOCUMENT, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("score")
    _score(
        sa.Column("raw", sa.Double(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=True),
        sa.Column("frame_scores", DOCUMENT, nullable=False),
    )
    op.drop_table("doomed")
    for name in TERMS:
        op.drop_index(name, table_name="reference")
    op.drop_column("reference", "evidence_until")
    for name in REMOVED:
        op.drop_column("result", name)
    for name in KEPT:
        op.drop_column("campaign", name)


def _doomed() -> None:
    op.create_table(
        "doomed",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("extraction_id", ID, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("doomed_at", sa.Double(), nullable=False),
        sa.Column("deleted_at", sa.Double(), server_default=ZERO, nullable=False),
        sa.PrimaryKeyConstraint("key", name="doomed_pk"),
    )
    op.create_index("doomed_deleted_idx", "doomed", ["deleted_at"])


def _score(*columns: sa.Column[object]) -> None:
    """It was never written to before, so nothing is lost either way."""
    op.create_table(
        "score",
        sa.Column("clip_sha256", sa.Text(), nullable=False),
        sa.Column("model_digest", sa.Text(), nullable=False),
        *columns,
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("clip_sha256", "model_digest", name="score_pk"),
    )
