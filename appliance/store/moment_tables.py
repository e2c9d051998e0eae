"""The tables of moments: what was seen, as documents that are searched by time, label, score and camera.

Not of the log: nothing here is hashed, and what comes of the log can be made of it again. There may be
millions of rows, so times are whole milliseconds since the epoch (bars are counted by dividing them), and
devices, cameras and labels stand as small numbers. Scores are whole ten-thousandths, so that both databases
compare them alike. A change here needs a revision in `migrations/versions`; a test compares the two.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from appliance.store.tables import ID_CHARS, NAME_CHARS, STATE_CHARS, Time, metadata

_KEY = BigInteger().with_variant(Integer, "sqlite")

SEEN = "seen"
"""Kind of a moment that tells what one frame showed; every other one comes of the log."""
_OF_THE_LOG = text("kind <> 'seen'")
_OF_SOMEBODY = text("subject IS NOT NULL")
_ABOUT_SOMETHING = text("about IS NOT NULL")

moment_places = Table(
    "moment_places",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("device", String(NAME_CHARS), nullable=False),
    Column("camera", String(NAME_CHARS), nullable=False),  # empty: none
    UniqueConstraint("device", "camera"),
)

moment_labels = Table(
    "moment_labels",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("label", String(NAME_CHARS), nullable=False, unique=True),  # empty: the moment as a whole
)

moments = Table(
    "moments",
    metadata,
    Column("id", _KEY, primary_key=True, autoincrement=True),
    Column("place", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),  # ms
    Column("kind", String(NAME_CHARS), nullable=False),  # `seen`, `encounter`, or an event's type
    Column("body", Text, nullable=False),  # canonical JSON: label → score, 0 to 1
    Column("source", String(NAME_CHARS)),  # name of the hosted function that saw it; null: the box
    Column("door", String(NAME_CHARS)),
    Column("verdict", String(STATE_CHARS)),
    Column("subject", String(ID_CHARS)),
    Column("about", String(NAME_CHARS)),  # an encounter, or an event's id; null: not of the log
    Column("event", String(ID_CHARS)),  # the newest of the log that it is made of
    Column("corrected", Boolean, nullable=False),  # somebody who knows had the last word
    # Holds all that bars look at.
    Index(
        "ix_moments_kind",
        *("kind", "at", "place", "door", "verdict"),
        sqlite_where=_OF_THE_LOG,
        postgresql_where=_OF_THE_LOG,
    ),
    Index("ix_moments_subject", "subject", "at", sqlite_where=_OF_SOMEBODY, postgresql_where=_OF_SOMEBODY),
    Index("ix_moments_about", "about", sqlite_where=_ABOUT_SOMETHING, postgresql_where=_ABOUT_SOMETHING),
    sqlite_autoincrement=True,  # whoever follows by number must never meet one again
)
"""A document each."""

moment_marks = Table(
    "moment_marks",
    metadata,
    Column("label", Integer, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("moment", BigInteger, primary_key=True, autoincrement=False),
    Column("score", Integer, nullable=False),  # ten-thousandths
    sqlite_with_rowid=False,
)
"""A row for each label of a document, and one for the document itself (the empty label, with the best score):
a page is read off the end of it."""

moment_counts = Table(
    "moment_counts",
    metadata,
    Column(
        "span", Integer, primary_key=True, autoincrement=False
    ),  # seconds: 900 or 3600; less than 0: below
    Column("label", Integer, primary_key=True, autoincrement=False),
    Column("start", BigInteger, primary_key=True, autoincrement=False),  # seconds since the epoch
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("percent", Integer, primary_key=True, autoincrement=False),  # whole hundredths of the score
    Column("many", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""How many marks there are per quarter of an hour and per hour, by label, camera and hundredth of the score:
bars are summed of these, exactly, without reading the marks. With a span below 0 (-900, -3600) the same of
every score, percent 0: where none is asked for, there is a hundredth to be read."""

moment_clips = Table(
    "moment_clips",
    metadata,
    Column("clip", String(ID_CHARS), primary_key=True),
    Column("place", Integer, nullable=False),
    Column("begin_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger),  # null: it is being recorded
    Index(None, "place", "begin_ms"),
)
"""Which clip shows which camera when."""

moment_cursors = Table(
    "moment_cursors",
    metadata,
    Column("device", String(NAME_CHARS), primary_key=True),
    Column("name", String(NAME_CHARS), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("many", BigInteger, nullable=False),
    Column("trouble", Text),
    Column("changed_at", Time, nullable=False),
)
"""How far the log was followed and sinks were fed, and from when on moments are kept; each moves in the
transaction that does it."""
