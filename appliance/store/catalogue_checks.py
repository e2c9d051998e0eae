"""What the catalogue takes: texts, pictures and features, each held against its bounds. No database here."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import urlsplit

import numpy as np

from appliance.errors import FormError
from appliance.store.search_records import (
    ITEM_ID_CHARS,
    ITEM_LINK_CHARS,
    ITEM_NOTES_CHARS,
    ITEM_PRICE_CHARS,
    ITEM_TITLE_CHARS,
    MOST_JPEG_BYTES,
    MOST_NUMBERS,
    ItemEntry,
    NewPicture,
)
from appliance.values import UNIT_WITHIN, FloatArray
from appliance.writing import writable

HALF: Final = np.dtype("<f2")
"""How features rest. A unit vector's numbers are at most 1, and rounding each to 11 bits moves a cosine of
1,280 of them by some hundred-thousandths: less than two pictures of one thing differ."""

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_FEATURIZER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,63}")
_JPEG: Final = b"\xff\xd8\xff"
_MOST_PX: Final = 4096


def checked_entry(entry: ItemEntry) -> ItemEntry:
    """An entry as it is kept: composed (NFC), without space around it.

    Raises:
        FormError: Something in it cannot be; every field that cannot is named.
    """
    texts = {name: tidy(getattr(entry, name)) for name in ("id", "title", "link", "price", "notes")}
    wrong: dict[str, str] = {}
    for name, least, most, fits in _TEXTS:
        if not least <= len(texts[name]) <= most or not fits(texts[name]):
            wrong[name] = f"{least} to {most:,} visible characters"
    if texts["id"] in {".", ".."}:
        wrong["id"] = "another one than . and .., to which no address can lead"
    if "link" not in wrong and texts["link"] and not _is_link(texts["link"]):
        wrong["link"] = "an address that begins with http:// or https://"
    if wrong:
        raise FormError(f"an item cannot have this {', '.join(wrong)}", fields=wrong)
    return ItemEntry(**texts)


def check_new(item: str, there: object) -> None:
    """Refuse an item that is to be new and is there.

    Args:
        item: Its id.
        there: What there is of that id; None: nothing.

    Raises:
        FormError: There is one.
    """
    if there is not None:
        words = f"there is an item {item!r} already"
        raise FormError(words, fields={"item": words}, hint="give it another id, or change that one")


def tidy(text: str) -> str:
    """A text as it is kept: composed (NFC), with line feeds alone, without space around it."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()


def folded(*texts: str) -> str:
    """Texts as they are looked for: without capitals and in one form of writing, a line each."""
    return "\n".join(unicodedata.normalize("NFKC", each).casefold() for each in texts)


def checked_pictures(pictures: Iterable[NewPicture]) -> dict[str, NewPicture]:
    """Pictures by their sha256, the first of those that are the same.

    Raises:
        FormError: One cannot be kept.
    """
    found: dict[str, NewPicture] = {}
    for each in pictures:
        if not _SHA256.fullmatch(each.sha256):
            raise FormError("a picture needs the hash of its bytes", fields={"sha256": "64 hex digits"})
        if not each.jpeg.startswith(_JPEG) or len(each.jpeg) > MOST_JPEG_BYTES:
            raise FormError("a picture cannot be kept", fields={"jpeg": "a JPEG of at most 1 MiB"})
        if not all(0 < side <= _MOST_PX for side in (each.width_px, each.height_px)):
            raise FormError("a picture cannot be kept", fields={"jpeg": f"1 to {_MOST_PX} pixels wide, high"})
        found.setdefault(each.sha256, each)
    return found


def checked_featurizer(name: str) -> str:
    """The name itself.

    Raises:
        FormError: It is none.
    """
    if not _FEATURIZER.fullmatch(name):
        raise FormError("this is no name of a featurizer", fields={"featurizer": "model:hash, 64 at most"})
    return name


def checked_threshold(threshold: float) -> float:
    """The cosine itself.

    Raises:
        FormError: It is none.
    """
    if not -1 <= threshold <= 1:
        raise FormError("a threshold is a cosine", fields={"threshold": "-1 to 1"})
    return float(threshold)


def packed(features: FloatArray) -> bytes:
    """Features as they rest.

    Args:
        features: (n,) float32, n up to 8,192, of length 1.

    Raises:
        FormError: Another shape or length, or no numbers.
    """
    vector = np.asarray(features, np.float32)
    if vector.ndim != 1 or not 1 <= vector.size <= MOST_NUMBERS:
        raise FormError(
            f"features of shape {vector.shape} cannot be kept",
            fields={"features": f"1 to {MOST_NUMBERS:,} numbers"},
        )
    with np.errstate(over="ignore"):
        half = vector.astype(HALF)
    # As they will be read again: what is kept is also searched.
    length = float(np.linalg.norm(half.astype(np.float64)))
    if not abs(length - 1) <= UNIT_WITHIN:  # nor of numbers that are none
        raise FormError("features have to be of length 1", fields={"features": f"of length {length:.3g}"})
    return half.tobytes()


def _written_in_lines(text: str) -> bool:
    return all(writable(line) for line in text.replace("\t", " ").split("\n"))


def _is_link(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(host) and not any(each.isspace() for each in text)


_TEXTS: Final[tuple[tuple[str, int, int, Callable[[str], bool]], ...]] = (
    ("id", 1, ITEM_ID_CHARS, writable),
    ("title", 1, ITEM_TITLE_CHARS, writable),
    ("link", 0, ITEM_LINK_CHARS, writable),
    ("price", 0, ITEM_PRICE_CHARS, writable),
    ("notes", 0, ITEM_NOTES_CHARS, _written_in_lines),
)
