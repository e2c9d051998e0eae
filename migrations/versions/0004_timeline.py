"""Events looked up by encounter, visit and door, so that the log is read page by page."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_COLUMNS = ("encounter", "visit", "door")
_INDEXES = {
    "ix_events_timeline": ["device", "position", "type", "at", "door", "encounter", "subject"],
    "ix_events_encounter": ["device", "encounter", "position", "type"],
    "ix_events_visit": ["device", "visit", "position", "type"],
}
_BATCH = 500


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("events", sa.Column(name, sa.String(64)))
    if not op.get_context().as_sql:
        _fill(op.get_bind())
    for name, columns in _INDEXES.items():
        op.create_index(name, "events", columns)


def downgrade() -> None:
    for name in _INDEXES:
        op.drop_index(name, "events")
    for name in reversed(_COLUMNS):
        op.drop_column("events", name)


def _fill(connection: sa.Connection) -> None:
    """From the bodies, in the program: a database stops at the first one that is no JSON."""
    events = sa.table(
        "events",
        *map(sa.column, ("device", "position", "body", *_COLUMNS)),
    )
    place = sa.tuple_(events.c.device, events.c.position)
    last = ("", 0)
    while rows := connection.execute(
        sa.select(events.c.device, events.c.position, events.c.body)
        .where(place > sa.tuple_(sa.literal(last[0]), sa.literal(last[1])))
        .order_by(events.c.device, events.c.position)
        .limit(_BATCH)
    ).all():
        last = (rows[-1].device, rows[-1].position)
        said = [(row.device, row.position, _said(row.body)) for row in rows]
        values = [
            {"at_device": device, "at_position": position, **found}
            for device, position, found in said
            if any(found.values())
        ]
        if values:
            connection.execute(
                sa.update(events)
                .where(
                    events.c.device == sa.bindparam("at_device"),
                    events.c.position == sa.bindparam("at_position"),
                )
                .values({name: sa.bindparam(name) for name in _COLUMNS}),
                values,
            )


def _said(body: str | None) -> dict[str, str | None]:
    """What a body says of these columns; nothing if somebody damaged it, which verifying finds."""
    try:
        said = json.loads(body or "{}")
    except ValueError:
        said = {}
    known = said if isinstance(said, dict) else {}
    return {name: found if isinstance(found := known.get(name), str) else None for name in _COLUMNS}
