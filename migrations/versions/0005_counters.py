"""Counters: how often something happened to whoever agreed to be counted."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "counters",
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(36), nullable=False),
        sa.Column("counter", sa.String(64), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name="fk_counters_device"),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name="fk_counters_subject"),
        sa.PrimaryKeyConstraint("device", "subject", "counter", "day", name="pk_counters"),
    )
    op.create_index("ix_counters_subject", "counters", ["subject"])


def downgrade() -> None:
    op.drop_index("ix_counters_subject", "counters")
    op.drop_table("counters")
