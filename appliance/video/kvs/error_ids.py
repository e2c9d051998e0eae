"""What is done about an error that the service answers a fragment with.

The classes are those of the official producer: *resend* what is not stored, *skip* the fragment, which the
service will never take, or *alarm*: nothing helps until somebody did something. Two differences, so that
neither a fragment is given up lightly nor all others wait for it for ever: a refusal that names no fragment
on its way is held against one only when it comes twice, and an error that nobody knows, and that comes again
and again at the same fragment, costs that in the end (the official producer resends without end). Faults that
the service calls its own cost no fragment, however often they come.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from appliance.errors import StreamReason


class Reaction(Enum):
    """What is done about it."""

    RESEND = "resend"
    """Connect anew, and send again from the first fragment that is not stored."""
    SKIP = "skip"
    """Give this fragment up, and go on with the next on a new connection."""
    ALARM = "alarm"
    """Tell somebody; try again slowly, with everything kept."""


@dataclass(frozen=True, slots=True)
class ErrorMeaning:
    """An error and what it means.

    Attributes:
        reaction: What is done about it.
        reason: Stable code.
        words: What is wrong.
        hint: What to do about it; empty: nothing, it is tried again.
        anew: Whether stream and endpoint are asked for again before the next try.
        failure: Whether it counts as one, so that pauses grow.
    """

    reaction: Reaction
    reason: StreamReason
    words: str
    hint: str = ""
    anew: bool = False
    failure: bool = True


_CAMERA: Final = "set the camera's I-frame interval to 2 s, and switch off H.264+ or 'smart codec'"
_KMS: Final = "look at the key in AWS KMS, and at whom its own policy allows"


def _skip(words: str, hint: str = "") -> ErrorMeaning:
    return ErrorMeaning(Reaction.SKIP, "fragment", words, hint)


def _kms(words: str) -> ErrorMeaning:
    return ErrorMeaning(Reaction.ALARM, "key", words, _KMS, anew=True)


MEANINGS: Final[Mapping[int, ErrorMeaning]] = {
    4000: ErrorMeaning(Reaction.RESEND, "cut", "the service could not read on"),
    4001: _skip("a fragment is larger than the 50 MB that the service takes", "lower the camera's bit rate"),
    4002: _skip("a fragment lasts longer than the service takes", _CAMERA),
    4003: ErrorMeaning(
        Reaction.RESEND, "cut", "the connection was as old as the service lets one be", failure=False
    ),
    4004: _skip(
        "a fragment begins before the one before it ends",
        "look at the camera's clock, and switch off B-frames in the camera",
    ),
    4005: _skip("the service takes fewer tracks than a fragment has"),
    4006: _skip("the service cannot read a fragment"),
    4007: _skip(
        "the service does not believe a fragment's time", "look at this machine's clock; let NTP set it"
    ),
    4008: ErrorMeaning(
        Reaction.ALARM,
        "not_active",
        "the stream was deleted, or is being deleted",
        "make it anew, or name another one in the settings",
        anew=True,
    ),
    4009: _skip("a fragment has more tags than the service takes"),
    4010: _skip("a fragment has a track that was not announced"),
    4011: _skip("a fragment has no picture of a track that was announced"),
    4012: _skip("the service takes fewer tracks than a fragment has"),
    4500: _kms("the service may not use the stream's KMS key"),
    4501: _kms("the stream's KMS key is disabled"),
    4502: _kms("the stream's KMS key is not fit for it"),
    4503: _kms("KMS cannot be asked for the stream's key"),
    4504: _kms("the stream's KMS key is not for encrypting"),
    4505: _kms("the stream's KMS key is in no state to be used"),
    4506: _kms("the stream's KMS key is not there"),
    4507: ErrorMeaning(
        Reaction.ALARM,
        "not_active",
        "the stream was deleted",
        "make it anew, or name another one in the settings",
        anew=True,
    ),
    5000: ErrorMeaning(Reaction.RESEND, "server", "the service has a fault of its own", anew=True),
    5001: ErrorMeaning(Reaction.RESEND, "server", "the service could not store a fragment"),
}
"""By id."""

_UNKNOWN: Final = ErrorMeaning(
    Reaction.RESEND,
    "failed",
    "the service ended the connection with an error that is not known here",
    anew=True,
)


def meaning_of(error_id: int | None, error_code: str = "") -> ErrorMeaning:
    """What an error means.

    Args:
        error_id: Its number; None: it was not said.
        error_code: Its name, by which it is found where the number was not said, or is not known.
    """
    if error_id is not None and error_id in MEANINGS:
        return MEANINGS[error_id]
    return _NUMBERLESS.get(error_code) or MEANINGS.get(_NAMES.get(error_code, 0), _UNKNOWN)


def is_known(error_id: int | None, error_code: str = "") -> bool:
    """Whether an error is one of those that are known."""
    return meaning_of(error_id, error_code) is not _UNKNOWN


_NUMBERLESS: Final[Mapping[str, ErrorMeaning]] = {
    "MIN_FRAGMENT_DURATION_REACHED": _skip("a fragment is shorter than the service takes"),
}
"""Those of which AWS documents the name, and no number."""
_NAMES: Final[Mapping[str, int]] = {
    "STREAM_READ_ERROR": 4000,
    "MAX_FRAGMENT_SIZE_REACHED": 4001,
    "MAX_FRAGMENT_DURATION_REACHED": 4002,
    "MAX_CONNECTION_DURATION_REACHED": 4003,
    "FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS": 4004,
    "MORE_THAN_ALLOWED_TRACKS_FOUND": 4005,
    "INVALID_MKV_DATA": 4006,
    "INVALID_PRODUCER_TIMESTAMP": 4007,
    "STREAM_NOT_ACTIVE": 4008,
    "FRAGMENT_METADATA_LIMIT_REACHED": 4009,
    "TRACK_NUMBER_MISMATCH": 4010,
    "FRAMES_MISSING_FOR_TRACK": 4011,
    "KMS_KEY_ACCESS_DENIED": 4500,
    "KMS_KEY_DISABLED": 4501,
    "KMS_KEY_VALIDATION_ERROR": 4502,
    "KMS_KEY_UNAVAILABLE": 4503,
    "KMS_KEY_INVALID_USAGE": 4504,
    "KMS_KEY_INVALID_STATE": 4505,
    "KMS_KEY_NOT_FOUND": 4506,
    "STREAM_DELETED": 4507,
    "INTERNAL_ERROR": 5000,
    "ARCHIVAL_ERROR": 5001,
}
