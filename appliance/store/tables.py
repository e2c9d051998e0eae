"""The tables, the same on SQLite and on PostgreSQL.

Times are text of fixed width (`2026-01-31T12:00:00.000000Z`), so that both databases keep the
microseconds, sort them alike and hash them alike. JSON is canonical text for the same reason.
Columns named `sealed_*` hold sealed values (`appliance/vault/FORMAT.md`). A change here needs a
revision in `migrations/versions`; a test compares the two.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)

TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
TIME_CHARS = 27
DAY_CHARS = 10
ID_CHARS = 36
HASH_CHARS = 64
NAME_CHARS = 64
STATE_CHARS = 16


def time_text(at: datetime) -> str:
    """An aware time as it is kept and hashed: UTC, six decimals, 27 characters.

    Raises:
        ValueError: The time is naive, and nobody can know what it means.
    """
    if at.tzinfo is None:
        raise ValueError(f"a time without a zone: {at}")
    utc = at.astimezone(UTC)
    # strftime does not pad the year on every platform; isoformat does.
    return utc.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_time(text: str) -> datetime:
    """The aware UTC time that `time_text` wrote."""
    return datetime.strptime(text, TIME_FORMAT).replace(tzinfo=UTC)


class Time(TypeDecorator[datetime]):
    """An aware UTC time, kept as text of fixed width."""

    impl = String(TIME_CHARS)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """To the database."""
        del dialect
        return None if value is None else time_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """From the database."""
        del dialect
        return None if value is None else parse_time(value)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

devices = Table(
    "devices",
    metadata,
    Column("id", String(NAME_CHARS), primary_key=True),
    Column("position", BigInteger, nullable=False),  # of the newest event; 0: none yet
    Column("hash", String(HASH_CHARS), nullable=False),
    Column("checkpointed", BigInteger, nullable=False),  # position of the newest checkpoint
    Column("created_at", Time, nullable=False),
)
"""The head of each device's chain; its row is the lock that makes appending one after another."""

events = Table(
    "events",
    metadata,
    Column("device", ForeignKey("devices.id"), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),  # 1, 2, 3 …
    Column("id", String(ID_CHARS), nullable=False, unique=True),
    Column("type", String(NAME_CHARS), nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", Time, nullable=False),
    Column("boot", String(NAME_CHARS), nullable=False),
    Column("subject", String(ID_CHARS)),  # the body's, for looking up
    Column("body", Text),  # canonical JSON; null: dropped by retention, and so marked
    Column("body_sha256", String(HASH_CHARS), nullable=False),
    Column("dropped_at", Time),
    Column("sealed_for", String(ID_CHARS)),  # whose key seals what is personal
    Column("sealed_personal", LargeBinary),
    Column("sealed_sha256", String(HASH_CHARS)),
    Column("previous", String(HASH_CHARS), nullable=False),
    Column("hash", String(HASH_CHARS), nullable=False),
    Column("encounter", String(NAME_CHARS)),  # the body's, as `subject` is
    Column("visit", String(NAME_CHARS)),  # the body's
    Column("door", String(NAME_CHARS)),  # the body's
    Index(None, "device", "type", "position"),
    Index(None, "device", "subject", "position"),
    # Each holds all that `timeline` looks at, so that it passes over a hundred thousand bodies unread.
    Index("ix_events_timeline", "device", "position", "type", "at", "door", "encounter", "subject"),
    Index("ix_events_encounter", "device", "encounter", "position", "type"),
    Index("ix_events_visit", "device", "visit", "position", "type"),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("device", ForeignKey("devices.id"), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", String(HASH_CHARS), nullable=False),
    Column("at", Time, nullable=False),
    Column("public_key", String(64), nullable=False),  # hex
    Column("signature", String(128), nullable=False),  # hex
)
"""Signed heads of the past, one per full segment."""

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("device", ForeignKey("devices.id"), nullable=False),
    Column("event", ForeignKey("events.id"), nullable=False),
    Column("action", String(NAME_CHARS), nullable=False),
    Column("delivery", String(STATE_CHARS), nullable=False),
    Column("state", String(STATE_CHARS), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", Time, nullable=False),
    Column("deadline", Time, nullable=False),
    Column("window_s", Float, nullable=False),  # what the deadline was made of
    Column("started_at", Time),
    Column("finished_at", Time),
    Column("last_error", Text),
    Column("idempotency_key", String(ID_CHARS + 1 + NAME_CHARS), nullable=False, unique=True),
    Column("rule", String(ID_CHARS)),  # whose action it is; null: one of the settings
    Column("parameters", Text),  # canonical JSON: the rule's action as it was then
    Index(None, "device", "state", "not_before"),
    sqlite_autoincrement=True,  # an id that an admin wrote down is never given again
)

subjects = Table(
    "subjects",
    metadata,
    Column("id", String(ID_CHARS), primary_key=True),
    Column("state", String(STATE_CHARS), nullable=False),
    Column("wrapped_key", LargeBinary),  # null: destroyed, the person was removed
    Column("sealed_profile", LargeBinary),
    Column("created_at", Time, nullable=False),
    Column("changed_at", Time, nullable=False),
    Column("strictness", Float, nullable=False, server_default=text("1")),  # divides the wanted FMR
)

consents = Table(
    "consents",
    metadata,
    Column("id", String(ID_CHARS), primary_key=True),
    Column("subject", ForeignKey("subjects.id"), nullable=False, index=True),
    Column("purposes", Text, nullable=False),  # canonical JSON, a sorted list
    Column("text_version", String(NAME_CHARS), nullable=False),
    Column("sealed_given_by", LargeBinary),
    Column("given_at", Time, nullable=False),
    Column("withdrawn_at", Time),
)

face_references = Table(
    "face_references",
    metadata,
    Column("id", String(ID_CHARS), primary_key=True),
    Column("subject", ForeignKey("subjects.id"), nullable=False, index=True),
    Column("created_at", Time, nullable=False),
    Column("quality", Float, nullable=False),
    Column("sealed_details", LargeBinary, nullable=False),
)

templates = Table(
    "templates",
    metadata,
    Column("reference", ForeignKey("face_references.id", ondelete="CASCADE"), primary_key=True),
    Column("model", String(NAME_CHARS), primary_key=True),
    Column("sealed_embedding", LargeBinary, nullable=False),
)

gallery = Table(
    "gallery",
    metadata,
    Column("only", Boolean, primary_key=True),  # one row, true
    Column("version", BigInteger, nullable=False),
)
"""Counts changes of who can be recognised; part of the transaction that makes the change."""

counters = Table(
    "counters",
    metadata,
    Column("device", ForeignKey("devices.id"), primary_key=True),
    Column("subject", ForeignKey("subjects.id"), primary_key=True, index=True),
    Column("counter", String(NAME_CHARS), primary_key=True),
    Column("day", String(DAY_CHARS), primary_key=True),  # 2026-01-31, as the device's clock has it
    Column("count", Integer, nullable=False),
)
"""How often something happened to whoever agreed to be counted, see `counters`."""

counted = Table(
    "counted",
    metadata,
    Column("device", ForeignKey("devices.id"), primary_key=True),
    Column("encounter", String(NAME_CHARS), primary_key=True),
    Column("counter", String(NAME_CHARS), primary_key=True),
    Column("subject", ForeignKey("subjects.id"), primary_key=True, index=True),
    Column("day", String(DAY_CHARS), nullable=False),
    Column("decided", Integer, nullable=False),  # how often the box's own decisions counted
    Column("holds", Integer, nullable=False),  # how much of the counter is its, by the last word
)
"""What encounters add to the counters, so that a correction moves it: once, and back."""

remote_copies = Table(
    "remote_copies",
    metadata,
    Column("device", String(NAME_CHARS), primary_key=True),
    Column("target", String(NAME_CHARS), primary_key=True),  # names endpoint, bucket and prefix
    Column("capture", String(ID_CHARS), primary_key=True),
    Column("state", String(STATE_CHARS), nullable=False),
    Column("sha256", String(HASH_CHARS), nullable=False),  # of the sealed bytes
    Column("size_bytes", BigInteger, nullable=False),
    Column("etag", Text),
    Column("version", Text),  # where the bucket keeps versions
    Column("upload", Text),  # of one in parts that is under way
    Column("reason", String(STATE_CHARS)),  # why it is refused
    Column("changed_at", Time, nullable=False),
)
"""What became of copying each capture; nothing here is needed to open one."""

operators = Table(
    "operators",
    metadata,
    Column("id", String(ID_CHARS), primary_key=True),
    Column("role", String(STATE_CHARS), nullable=False),
    Column("state", String(STATE_CHARS), nullable=False),
    Column("wrapped_key", LargeBinary),  # null: destroyed, the operator was removed
    Column("sealed_login", LargeBinary),
    Column("password_hash", Text),  # argon2id in its own notation; null: none was chosen yet
    Column("created_at", Time, nullable=False),
    Column("changed_at", Time, nullable=False),
)
"""Who may sign in. The name they sign in with is personal and rests sealed under a key of their own."""

operator_sessions = Table(
    "operator_sessions",
    metadata,
    Column("id", String(ID_CHARS), primary_key=True),
    Column("operator", ForeignKey("operators.id"), nullable=False, index=True),
    Column("secret_sha256", String(HASH_CHARS), nullable=False, unique=True),
    Column("created_at", Time, nullable=False),
    Column("used_at", Time, nullable=False),
    Column("expires_at", Time, nullable=False),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", String(ID_CHARS), primary_key=True),
    Column("operator", ForeignKey("operators.id"), nullable=False, index=True),
    Column("secret_sha256", String(HASH_CHARS), nullable=False, unique=True),
    Column("sealed_label", LargeBinary),
    Column("scopes", Text, nullable=False),  # canonical JSON, a sorted list of permissions
    Column("created_at", Time, nullable=False),
    Column("used_at", Time),
    Column("expires_at", Time),
    Column("revoked_at", Time),
)

screens = Table(
    "screens",
    metadata,
    Column("id", String(ID_CHARS), primary_key=True),
    Column("secret_sha256", String(HASH_CHARS), nullable=False, unique=True),
    Column("label", String(NAME_CHARS), nullable=False),  # of a device, not of a person
    Column("created_at", Time, nullable=False),
    Column("used_at", Time),
    Column("revoked_at", Time),
    Column("lock", String(NAME_CHARS)),  # of a keypad: whose lock it is for; null: an office screen
)

one_time_codes = Table(
    "one_time_codes",
    metadata,
    Column("id", String(ID_CHARS), primary_key=True),
    Column("code_sha256", String(HASH_CHARS), nullable=False, unique=True),
    Column("purpose", String(STATE_CHARS), nullable=False),
    Column("operator", ForeignKey("operators.id"), index=True),  # whose password it sets
    Column("label", String(NAME_CHARS), nullable=False),  # of the screen it pairs
    Column("made_by", String(ID_CHARS)),
    Column("attempts", Integer, nullable=False),  # wrong ones while it was good
    Column("created_at", Time, nullable=False),
    Column("expires_at", Time, nullable=False),
    Column("lock", String(NAME_CHARS)),  # of the keypad it pairs: for which lock
)
"""Used once and deleted with it; of no use afterwards, so that none is kept."""

rules = Table(
    "rules",
    metadata,
    Column("id", String(ID_CHARS), primary_key=True),
    Column("place", Integer, nullable=False),  # in which order they are shown
    Column("enabled", Boolean, nullable=False),
    Column("version", Integer, nullable=False),  # counts its changes
    Column("body", Text, nullable=False),  # canonical JSON: what it says
    Column("created_at", Time, nullable=False),
    Column("changed_at", Time, nullable=False),
)
"""On which events what is done; the room `rules` reads the body."""

rule_firings = Table(
    "rule_firings",
    metadata,
    Column("device", ForeignKey("devices.id"), primary_key=True),
    Column("rule", ForeignKey("rules.id", ondelete="CASCADE"), primary_key=True),
    Column("about", String(NAME_CHARS), primary_key=True),  # a subject, a label, a door; empty: nothing
    Column("at", Time, nullable=False),
)
"""When each rule last fired about whom or what: for cool-downs, and the first of a day."""

groups = Table(
    "groups",
    metadata,
    Column("id", String(ID_CHARS), primary_key=True),
    Column("label", String(NAME_CHARS), nullable=False),  # of several people, not of one
    Column("created_at", Time, nullable=False),
)

group_members = Table(
    "group_members",
    metadata,
    Column("group", ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Column("subject", ForeignKey("subjects.id"), primary_key=True, index=True),
)

songs = Table(
    "songs",
    metadata,
    Column("id", String(ID_CHARS), primary_key=True),
    Column("title", String(NAME_CHARS), nullable=False),
    Column("licence", String(NAME_CHARS), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("media_type", String(NAME_CHARS), nullable=False),
    Column("sha256", String(HASH_CHARS), nullable=False),  # of the audio
    Column("audio", LargeBinary, nullable=False),  # prepared: trimmed, of even loudness, faded
    Column("created_at", Time, nullable=False),
)
"""The library of songs, ready to be played; shared by all doors of a database."""

subject_songs = Table(
    "subject_songs",
    metadata,
    Column("subject", ForeignKey("subjects.id"), primary_key=True),
    Column("song", ForeignKey("songs.id"), nullable=False, index=True),
    Column("given_at", Time, nullable=False),
)
"""Whose theme song is which; gone with the person or the song."""

pins = Table(
    "pins",
    metadata,
    Column("subject", ForeignKey("subjects.id"), primary_key=True),
    Column("sealed_hash", LargeBinary, nullable=False),  # argon2id: of four digits a hash alone hides nothing
    Column("changed_at", Time, nullable=False),
    Column("wrong", Integer, nullable=False),  # tries in a row that were not it
    Column("paused_until", Time),  # refused until then; null: not
)
"""PINs for the keypad beside a lock."""

coffees = Table(
    "coffees",
    metadata,
    Column("event", String(ID_CHARS), primary_key=True),  # which retention may have dropped
    Column("device", ForeignKey("devices.id"), nullable=False),
    Column("at", Time, nullable=False),
    Column("day", String(DAY_CHARS), nullable=False),
    Column("said", ForeignKey("subjects.id"), index=True),  # who the box said took it; null: a visitor
    Column("subject", ForeignKey("subjects.id"), index=True),  # whose it is by the last word; null: nobody's
    Column("visitor", Integer),
    Column("holds", Boolean, nullable=False),  # whether there was a coffee at all, by the last word
    Index(None, "at"),
    Index(None, "subject", "at"),
)
"""Each coffee and whose it is by the last word, so that a correction moves the counter once, and back."""
