"""The first tables: chain, events, outbox, people, gallery."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "devices",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("checkpointed", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_devices"),
    )
    op.create_table(
        "events",
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("boot", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(36)),
        sa.Column("body", sa.Text()),
        sa.Column("body_sha256", sa.String(64), nullable=False),
        sa.Column("dropped_at", sa.String(27)),
        sa.Column("sealed_for", sa.String(36)),
        sa.Column("sealed_personal", sa.LargeBinary()),
        sa.Column("sealed_sha256", sa.String(64)),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name="fk_events_device"),
        sa.PrimaryKeyConstraint("device", "position", name="pk_events"),
        sa.UniqueConstraint("id", name="uq_events_id"),
    )
    op.create_index("ix_events_device_type_position", "events", ["device", "type", "position"])
    op.create_index("ix_events_device_subject_position", "events", ["device", "subject", "position"])
    op.create_table(
        "checkpoints",
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("public_key", sa.String(64), nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name="fk_checkpoints_device"),
        sa.PrimaryKeyConstraint("device", "position", name="pk_checkpoints"),
    )
    op.create_table(
        "outbox",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("event", sa.String(36), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("delivery", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.String(27), nullable=False),
        sa.Column("deadline", sa.String(27), nullable=False),
        sa.Column("window_s", sa.Float(), nullable=False),
        sa.Column("started_at", sa.String(27)),
        sa.Column("finished_at", sa.String(27)),
        sa.Column("last_error", sa.Text()),
        sa.Column("idempotency_key", sa.String(101), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name="fk_outbox_device"),
        sa.ForeignKeyConstraint(["event"], ["events.id"], name="fk_outbox_event"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("idempotency_key", name="uq_outbox_idempotency_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_device_state_not_before", "outbox", ["device", "state", "not_before"])
    op.create_table(
        "subjects",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary()),
        sa.Column("sealed_profile", sa.LargeBinary()),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("changed_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subjects"),
    )
    op.create_table(
        "consents",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("subject", sa.String(36), nullable=False),
        sa.Column("purposes", sa.Text(), nullable=False),
        sa.Column("text_version", sa.String(64), nullable=False),
        sa.Column("sealed_given_by", sa.LargeBinary()),
        sa.Column("given_at", sa.String(27), nullable=False),
        sa.Column("withdrawn_at", sa.String(27)),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name="fk_consents_subject"),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
    )
    op.create_index("ix_consents_subject", "consents", ["subject"])
    op.create_table(
        "face_references",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("subject", sa.String(36), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("quality", sa.Float(), nullable=False),
        sa.Column("sealed_details", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name="fk_face_references_subject"),
        sa.PrimaryKeyConstraint("id", name="pk_face_references"),
    )
    op.create_index("ix_face_references_subject", "face_references", ["subject"])
    op.create_table(
        "templates",
        sa.Column("reference", sa.String(36), nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("sealed_embedding", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["reference"], ["face_references.id"], name="fk_templates_reference", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("reference", "model", name="pk_templates"),
    )
    gallery = op.create_table(
        "gallery",
        sa.Column("only", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("only", name="pk_gallery"),
    )
    op.bulk_insert(gallery, [{"only": True, "version": 0}])


def downgrade() -> None:
    for table in (
        "gallery",
        "templates",
        "face_references",
        "consents",
        "subjects",
        "outbox",
        "checkpoints",
        "events",
        "devices",
    ):
        op.drop_table(table)
