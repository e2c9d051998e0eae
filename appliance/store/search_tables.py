"""The tables of the catalogue: items, their pictures, what featurizers made of those, who follows how.

One catalogue for all devices of a database. Nothing of it is in the log. Items are plain text, for they are
things and no people. Pictures may be a camera's, so each is sealed under a key of its own, with its bytes in
a table apart: wrapping the keys anew writes none of them, and what lists pictures passes over none of them.
Featurizers stand as small numbers, for there is a row for each picture of each. A change here needs a
revision in `migrations/versions`; a test compares the two.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from appliance.store.tables import HASH_CHARS, ID_CHARS, NAME_CHARS, Time, metadata

search_items = Table(
    "search_items",
    metadata,
    Column("id", String(NAME_CHARS), primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),  # the version it was added with
    Column("version", BigInteger, nullable=False),  # of its newest change
    Column("title", Text, nullable=False),
    Column("link", Text, nullable=False),  # http, https, or empty
    Column("price", Text, nullable=False),
    Column("notes", Text, nullable=False),
    Column("words", Text, nullable=False),  # what it is looked for by, without capitals
    Column("added_at", Time, nullable=False),
    Column("changed_at", Time, nullable=False),
)

search_pictures = Table(
    "search_pictures",
    metadata,
    Column("id", String(ID_CHARS), primary_key=True),
    Column("item", ForeignKey("search_items.id"), nullable=False),
    Column("number", BigInteger, nullable=False),  # orders those of an item
    Column("sha256", String(HASH_CHARS), nullable=False),  # of the bytes as they came
    Column("width_px", Integer, nullable=False),
    Column("height_px", Integer, nullable=False),
    Column("size_bytes", Integer, nullable=False),  # sealed
    Column("wrapped_key", LargeBinary, nullable=False),
    UniqueConstraint("item", "sha256"),
)

search_images = Table(
    "search_images",
    metadata,
    Column("picture", ForeignKey("search_pictures.id", ondelete="CASCADE"), primary_key=True),
    Column("sealed_jpeg", LargeBinary, nullable=False),
)

search_featurizers = Table(
    "search_featurizers",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String(NAME_CHARS), nullable=False, unique=True),
    Column("numbers", Integer),  # that its features have; null: there were none yet
    Column("floor", BigInteger, nullable=False),  # who follows from before this begins anew
    Column("threshold", Float),  # cosine; null: never calibrated
    Column("calibrated_at", Time),
    Column("calibrated_version", BigInteger),  # of the catalogue that it was calibrated on
)

search_features = Table(
    "search_features",
    metadata,
    Column("featurizer", ForeignKey("search_featurizers.id"), primary_key=True),
    Column("picture", ForeignKey("search_pictures.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("version", BigInteger, nullable=False),  # each row has its own
    Column("vector", LargeBinary, nullable=False),  # little-endian IEEE 754 binary16, of length 1
    Index(None, "featurizer", "version"),
)
"""Half precision: of a unit vector's cosines it changes the fifth decimal, and takes half the room."""

search_removed = Table(
    "search_removed",
    metadata,
    Column("featurizer", ForeignKey("search_featurizers.id"), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("picture", String(ID_CHARS), nullable=False),
)
"""Pictures that had features and are gone, for whoever follows; those of long ago go as well, see `floor`."""

search_state = Table(
    "search_state",
    metadata,
    Column("only", Boolean, primary_key=True),  # one row, true
    Column("version", BigInteger, nullable=False),  # counts changes of anything here
    Column("item_count", BigInteger, nullable=False),
    Column("picture_count", BigInteger, nullable=False),
    Column("featurizer", ForeignKey("search_featurizers.id")),  # whose features are searched
    Column("next_featurizer", ForeignKey("search_featurizers.id")),  # whose are being made
)
"""Its row is the lock of whoever changes the catalogue, so that versions become visible in their order."""
