"""The catalogue as values: items, pictures, what is searched in, how far whoever follows is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from appliance.values import FloatArray

MOST_ITEMS: Final = 250_000
MOST_PICTURES: Final = 500_000
MOST_PICTURES_OF_ITEM: Final = 64
MOST_JPEG_BYTES: Final = 1 << 20
MOST_NUMBERS: Final = 8192
"""That one picture's features may have."""
ITEM_ID_CHARS: Final = 64
ITEM_TITLE_CHARS: Final = 200
ITEM_LINK_CHARS: Final = 2000
ITEM_PRICE_CHARS: Final = 64
ITEM_NOTES_CHARS: Final = 2000

PutOutcome = Literal["added", "changed", "same"]


@dataclass(frozen=True, slots=True)
class ItemEntry:
    """What an item says of itself; not personal.

    Attributes:
        id: 1 to 64 visible characters, not `.` or `..` alone; whoever imports chooses it.
        title: 1 to 200 visible characters.
        link: An address with http or https, up to 2,000 characters; empty: none.
        price: As it is to be shown, up to 64 characters; empty: none.
        notes: Up to 2,000 characters, lines apart by line feeds; empty: none.
    """

    id: str
    title: str
    link: str = ""
    price: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True)
class NewPicture:
    """A picture to keep.

    Attributes:
        sha256: Of the bytes as they came, 64 hexadecimal digits: the same picture is kept once for an item.
        jpeg: As it is kept and shown: small, made anew by who decoded it; 1 MiB at most.
        width_px: Of `jpeg`.
        height_px: Of `jpeg`.
        features: Featurizer → its features, (n,) float32 of length 1; may be empty, see `pictures_without`.
    """

    sha256: str
    jpeg: bytes = field(repr=False)
    width_px: int
    height_px: int
    features: Mapping[str, FloatArray] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class ItemPicture:
    """A picture of the catalogue, without its bytes.

    Attributes:
        id: Opaque; never given again.
        item: Whose.
        sha256: Of the bytes as they came.
        width_px: Of what is kept.
        height_px: Of what is kept.
    """

    id: str
    item: str
    sha256: str
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class CatalogueItem:
    """An item of the catalogue.

    Attributes:
        entry: What it says.
        pictures: In the order in which they came.
        added_at: Aware UTC.
        changed_at: Aware UTC.
        number: Orders items as they were added; stays.
        version: Of the catalogue, at its newest change.
    """

    entry: ItemEntry
    pictures: tuple[ItemPicture, ...]
    added_at: datetime
    changed_at: datetime
    number: int
    version: int


@dataclass(frozen=True, slots=True, eq=False)
class FeaturePage:
    """What changed since a version, for one featurizer; see `CatalogueFeatures.features_after`.

    Attributes:
        version: What to ask with next.
        anew: Forget all that was read before, then take this: it is the beginning.
        pictures: Ids of those that have features, new or changed; no id twice.
        items: Whose each is.
        features: (pictures, numbers) float32, of length 1 within half precision; (0, 0) if there are none.
        removed: Ids of pictures that are gone; one that was never read may be among them.
        more: Whether there is more to read now.
    """

    version: int
    anew: bool
    pictures: tuple[str, ...]
    items: tuple[str, ...]
    features: FloatArray = field(repr=False)
    removed: tuple[str, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class KeptFeaturizer:
    """A featurizer that the catalogue knows.

    Attributes:
        name: Model and the beginning of a hash of its file, and of what the settings say of it.
        numbers: That its features have; None: there were none yet.
        pictures: How many have features of it.
        threshold: Cosine below which a match is none; None: never calibrated.
        calibrated_at: When, aware UTC.
        calibrated_version: Of the catalogue, when it was calibrated.
    """

    name: str
    numbers: int | None
    pictures: int
    threshold: float | None
    calibrated_at: datetime | None
    calibrated_version: int | None


@dataclass(frozen=True, slots=True)
class SearchState:
    """What is searched in.

    Attributes:
        version: Counts changes of anything here.
        items: How many there are.
        pictures: How many there are.
        featurizer: Whose features are searched; None: nobody said.
        next_featurizer: Whose are being made, to be searched once every picture has them; None: nobody's.
        threshold: Of `featurizer`: cosine below which a match is none; None: never calibrated.
        calibrated_at: When, aware UTC.
        calibrated_version: Of the catalogue, when it was calibrated.
    """

    version: int
    items: int
    pictures: int
    featurizer: str | None
    next_featurizer: str | None
    threshold: float | None
    calibrated_at: datetime | None
    calibrated_version: int | None
