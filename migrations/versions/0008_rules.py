"""Rules with their groups and firings, what their actions ask for, songs, PINs and keypads, coffees."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("rule", sa.String(36)))
    op.add_column("outbox", sa.Column("parameters", sa.Text()))
    op.add_column("screens", sa.Column("lock", sa.String(64)))
    op.add_column("one_time_codes", sa.Column("lock", sa.String(64)))
    op.create_table(
        "rules",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("changed_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rules"),
    )
    op.create_table(
        "rule_firings",
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("rule", sa.String(36), nullable=False),
        sa.Column("about", sa.String(64), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("device", "rule", "about", name="pk_rule_firings"),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name="fk_rule_firings_device"),
        sa.ForeignKeyConstraint(["rule"], ["rules.id"], name="fk_rule_firings_rule", ondelete="CASCADE"),
    )
    op.create_table(
        "groups",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("label", sa.String(64), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_groups"),
    )
    op.create_table(
        "group_members",
        sa.Column("group", sa.String(36), nullable=False),
        sa.Column("subject", sa.String(36), nullable=False),
        sa.PrimaryKeyConstraint("group", "subject", name="pk_group_members"),
        sa.ForeignKeyConstraint(["group"], ["groups.id"], name="fk_group_members_group", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name="fk_group_members_subject"),
    )
    op.create_index("ix_group_members_subject", "group_members", ["subject"])
    op.create_table(
        "songs",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("title", sa.String(64), nullable=False),
        sa.Column("licence", sa.String(64), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("media_type", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("audio", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_songs"),
    )
    op.create_table(
        "subject_songs",
        sa.Column("subject", sa.String(36), nullable=False),
        sa.Column("song", sa.String(36), nullable=False),
        sa.Column("given_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("subject", name="pk_subject_songs"),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name="fk_subject_songs_subject"),
        sa.ForeignKeyConstraint(["song"], ["songs.id"], name="fk_subject_songs_song"),
    )
    op.create_index("ix_subject_songs_song", "subject_songs", ["song"])
    op.create_table(
        "pins",
        sa.Column("subject", sa.String(36), nullable=False),
        sa.Column("sealed_hash", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", sa.String(27), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("paused_until", sa.String(27)),
        sa.PrimaryKeyConstraint("subject", name="pk_pins"),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name="fk_pins_subject"),
    )
    op.create_table(
        "coffees",
        sa.Column("event", sa.String(36), nullable=False),
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("said", sa.String(36)),
        sa.Column("subject", sa.String(36)),
        sa.Column("visitor", sa.Integer()),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("event", name="pk_coffees"),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name="fk_coffees_device"),
        sa.ForeignKeyConstraint(["said"], ["subjects.id"], name="fk_coffees_said"),
        sa.ForeignKeyConstraint(["subject"], ["subjects.id"], name="fk_coffees_subject"),
    )
    op.create_index("ix_coffees_said", "coffees", ["said"])
    op.create_index("ix_coffees_subject", "coffees", ["subject"])
    op.create_index("ix_coffees_at", "coffees", ["at"])
    op.create_index("ix_coffees_subject_at", "coffees", ["subject", "at"])


def downgrade() -> None:
    for table in (
        "coffees",
        "pins",
        "subject_songs",
        "songs",
        "group_members",
        "groups",
        "rule_firings",
        "rules",
    ):
        op.drop_table(table)
    # What rules asked for and is not done would otherwise be taken for actions of the settings.
    op.execute("UPDATE outbox SET state = 'dead' WHERE rule IS NOT NULL AND state IN ('pending', 'running')")
    op.execute("DELETE FROM screens WHERE lock IS NOT NULL")
    op.execute("DELETE FROM one_time_codes WHERE lock IS NOT NULL")
    op.drop_column("one_time_codes", "lock")
    op.drop_column("screens", "lock")
    op.drop_column("outbox", "parameters")
    op.drop_column("outbox", "rule")
