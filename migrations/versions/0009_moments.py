"""Moments: what was seen, as documents to search; their counts, the clips that show them, cursors."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "moment_places",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("camera", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_moment_places"),
        sa.UniqueConstraint("device", "camera", name="uq_moment_places_device"),
    )
    op.create_table(
        "moment_labels",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("label", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_moment_labels"),
        sa.UniqueConstraint("label", name="uq_moment_labels_label"),
    )
    op.create_table(
        "moments",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("source", sa.String(64)),
        sa.Column("door", sa.String(64)),
        sa.Column("verdict", sa.String(16)),
        sa.Column("subject", sa.String(36)),
        sa.Column("about", sa.String(64)),
        sa.Column("event", sa.String(36)),
        sa.Column("corrected", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_moments"),
        sqlite_autoincrement=True,
    )
    for name, columns, where in (
        ("ix_moments_kind", ["kind", "at", "place", "door", "verdict"], "kind <> 'seen'"),
        ("ix_moments_subject", ["subject", "at"], "subject IS NOT NULL"),
        ("ix_moments_about", ["about"], "about IS NOT NULL"),
    ):
        op.create_index(
            name, "moments", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
        )
    op.create_table(
        "moment_marks",
        sa.Column("label", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("moment", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("label", "place", "at", "moment", name="pk_moment_marks"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "moment_counts",
        sa.Column("span", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("label", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("percent", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("many", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("span", "label", "start", "place", "percent", name="pk_moment_counts"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "moment_clips",
        sa.Column("clip", sa.String(36), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("begin_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger()),
        sa.PrimaryKeyConstraint("clip", name="pk_moment_clips"),
    )
    op.create_index("ix_moment_clips_place_begin_ms", "moment_clips", ["place", "begin_ms"])
    op.create_table(
        "moment_cursors",
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("many", sa.BigInteger(), nullable=False),
        sa.Column("trouble", sa.Text()),
        sa.Column("changed_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("device", "name", name="pk_moment_cursors"),
    )


def downgrade() -> None:
    for table in (
        "moment_cursors",
        "moment_clips",
        "moment_counts",
        "moment_marks",
        "moments",
        "moment_labels",
        "moment_places",
    ):
        op.drop_table(table)
