"""What became of copying each sealed capture to a bucket."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "remote_copies",
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("target", sa.String(64), nullable=False),
        sa.Column("capture", sa.String(36), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("etag", sa.Text()),
        sa.Column("version", sa.Text()),
        sa.Column("upload", sa.Text()),
        sa.Column("reason", sa.String(16)),
        sa.Column("changed_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("device", "target", "capture", name="pk_remote_copies"),
    )


def downgrade() -> None:
    op.drop_table("remote_copies")
