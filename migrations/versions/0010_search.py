"""The catalogue of visual search: items, sealed pictures, features, and who follows how far."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "search_items",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("price", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("added_at", sa.String(27), nullable=False),
        sa.Column("changed_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_search_items"),
        sa.UniqueConstraint("number", name="uq_search_items_number"),
    )
    op.create_table(
        "search_pictures",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("item", sa.String(64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("width_px", sa.Integer(), nullable=False),
        sa.Column("height_px", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_search_pictures"),
        sa.ForeignKeyConstraint(["item"], ["search_items.id"], name="fk_search_pictures_item"),
        sa.UniqueConstraint("item", "sha256", name="uq_search_pictures_item"),
    )
    op.create_table(
        "search_images",
        sa.Column("picture", sa.String(36), nullable=False),
        sa.Column("sealed_jpeg", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("picture", name="pk_search_images"),
        sa.ForeignKeyConstraint(
            ["picture"], ["search_pictures.id"], name="fk_search_images_picture", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "search_featurizers",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("numbers", sa.Integer()),
        sa.Column("floor", sa.BigInteger(), nullable=False),
        sa.Column("threshold", sa.Float()),
        sa.Column("calibrated_at", sa.String(27)),
        sa.Column("calibrated_version", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_search_featurizers"),
        sa.UniqueConstraint("name", name="uq_search_featurizers_name"),
    )
    op.create_table(
        "search_features",
        sa.Column("featurizer", sa.Integer(), nullable=False),
        sa.Column("picture", sa.String(36), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("featurizer", "picture", name="pk_search_features"),
        sa.ForeignKeyConstraint(
            ["featurizer"], ["search_featurizers.id"], name="fk_search_features_featurizer"
        ),
        sa.ForeignKeyConstraint(
            ["picture"], ["search_pictures.id"], name="fk_search_features_picture", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_search_features_picture", "search_features", ["picture"])
    op.create_index("ix_search_features_featurizer_version", "search_features", ["featurizer", "version"])
    op.create_table(
        "search_removed",
        sa.Column("featurizer", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("picture", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("featurizer", "version", name="pk_search_removed"),
        sa.ForeignKeyConstraint(
            ["featurizer"], ["search_featurizers.id"], name="fk_search_removed_featurizer"
        ),
    )
    state = op.create_table(
        "search_state",
        sa.Column("only", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("item_count", sa.BigInteger(), nullable=False),
        sa.Column("picture_count", sa.BigInteger(), nullable=False),
        sa.Column("featurizer", sa.Integer()),
        sa.Column("next_featurizer", sa.Integer()),
        sa.PrimaryKeyConstraint("only", name="pk_search_state"),
        sa.ForeignKeyConstraint(["featurizer"], ["search_featurizers.id"], name="fk_search_state_featurizer"),
        sa.ForeignKeyConstraint(
            ["next_featurizer"], ["search_featurizers.id"], name="fk_search_state_next_featurizer"
        ),
    )
    op.bulk_insert(state, [{"only": True, "version": 0, "item_count": 0, "picture_count": 0}])


def downgrade() -> None:
    for table in (
        "search_state",
        "search_removed",
        "search_features",
        "search_featurizers",
        "search_images",
        "search_pictures",
        "search_items",
    ):
        op.drop_table(table)
