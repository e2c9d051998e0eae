"""A threshold of one's own: by how much rarer a stranger may be taken for this person."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With a default kept in the database, so that everybody enrolled before has the ordinary threshold.
    op.add_column(
        "subjects", sa.Column("strictness", sa.Float(), server_default=sa.text("1"), nullable=False)
    )


def downgrade() -> None:
    # In place: SQLite can since 3.35, and a copied table would lose the names of its constraints.
    op.drop_column("subjects", "strictness")
