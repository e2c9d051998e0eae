"""Who may sign in, by what they are known afterwards, and the codes that let them in first."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "operators",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary()),
        sa.Column("sealed_login", sa.LargeBinary()),
        sa.Column("password_hash", sa.Text()),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("changed_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_operators"),
    )
    op.create_table(
        "operator_sessions",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("operator", sa.String(36), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("used_at", sa.String(27), nullable=False),
        sa.Column("expires_at", sa.String(27), nullable=False),
        sa.ForeignKeyConstraint(["operator"], ["operators.id"], name="fk_operator_sessions_operator"),
        sa.PrimaryKeyConstraint("id", name="pk_operator_sessions"),
        sa.UniqueConstraint("secret_sha256", name="uq_operator_sessions_secret_sha256"),
    )
    op.create_index("ix_operator_sessions_operator", "operator_sessions", ["operator"])
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("operator", sa.String(36), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("sealed_label", sa.LargeBinary()),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("used_at", sa.String(27)),
        sa.Column("expires_at", sa.String(27)),
        sa.Column("revoked_at", sa.String(27)),
        sa.ForeignKeyConstraint(["operator"], ["operators.id"], name="fk_api_tokens_operator"),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
        sa.UniqueConstraint("secret_sha256", name="uq_api_tokens_secret_sha256"),
    )
    op.create_index("ix_api_tokens_operator", "api_tokens", ["operator"])
    op.create_table(
        "screens",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("label", sa.String(64), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("used_at", sa.String(27)),
        sa.Column("revoked_at", sa.String(27)),
        sa.PrimaryKeyConstraint("id", name="pk_screens"),
        sa.UniqueConstraint("secret_sha256", name="uq_screens_secret_sha256"),
    )
    op.create_table(
        "one_time_codes",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("code_sha256", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("operator", sa.String(36)),
        sa.Column("label", sa.String(64), nullable=False),
        sa.Column("made_by", sa.String(36)),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("expires_at", sa.String(27), nullable=False),
        sa.ForeignKeyConstraint(["operator"], ["operators.id"], name="fk_one_time_codes_operator"),
        sa.PrimaryKeyConstraint("id", name="pk_one_time_codes"),
        sa.UniqueConstraint("code_sha256", name="uq_one_time_codes_code_sha256"),
    )
    op.create_index("ix_one_time_codes_operator", "one_time_codes", ["operator"])


def downgrade() -> None:
    for table in ("one_time_codes", "screens", "api_tokens", "operator_sessions", "operators"):
        op.drop_table(table)
