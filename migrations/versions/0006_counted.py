"""What each encounter adds to the counters, so that a correction can move it, and take it back.

Encounters from before have no row here: what they counted stays counted, whatever is said of them afterwards.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "counted",
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("encounter", sa.String(64), nullable=False),
        sa.Column("counter", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(36), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("decided", sa.Integer(), nullable=False),
        sa.Column("holds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name="fk_counted_device"),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name="fk_counted_subject"),
        sa.PrimaryKeyConstraint("device", "encounter", "counter", "subject", name="pk_counted"),
    )
    op.create_index("ix_counted_subject", "counted", ["subject"])


def downgrade() -> None:
    op.drop_index("ix_counted_subject", "counted")
    op.drop_table("counted")
