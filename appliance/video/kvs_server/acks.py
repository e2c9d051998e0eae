"""What the server says while it is sent media: one flat JSON object a line.

The form is the one on the wire, as producers logged it; the documented wrapper `Acknowledgement` and the name
`AckEventType` are not sent.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

MAX_LINE: Final = 1024
"""Bytes that the official C client takes in one piece (MAX_ACK_FRAGMENT_LEN)."""

Saying = Literal["BUFFERING", "RECEIVED", "PERSISTED", "IDLE", "ERROR"]

ERROR_CODES: Final[Mapping[int, str]] = {
    4000: "STREAM_READ_ERROR",
    4001: "MAX_FRAGMENT_SIZE_REACHED",
    4002: "MAX_FRAGMENT_DURATION_REACHED",
    4003: "MAX_CONNECTION_DURATION_REACHED",
    4004: "FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS",
    4005: "MORE_THAN_ALLOWED_TRACKS_FOUND",
    4006: "INVALID_MKV_DATA",
    4007: "INVALID_PRODUCER_TIMESTAMP",
    4008: "STREAM_NOT_ACTIVE",
    4009: "FRAGMENT_METADATA_LIMIT_REACHED",
    4010: "TRACK_NUMBER_MISMATCH",
    4011: "FRAMES_MISSING_FOR_TRACK",
    4012: "MORE_THAN_ALLOWED_TRACKS_FOUND",
    4500: "KMS_KEY_ACCESS_DENIED",
    4501: "KMS_KEY_DISABLED",
    4502: "KMS_KEY_VALIDATION_ERROR",
    4503: "KMS_KEY_UNAVAILABLE",
    4504: "KMS_KEY_INVALID_USAGE",
    4505: "KMS_KEY_INVALID_STATE",
    4506: "KMS_KEY_NOT_FOUND",
    4507: "STREAM_DELETED",
    5000: "INTERNAL_ERROR",
    5001: "ARCHIVAL_ERROR",
}
"""Known error ids. The names of 4005 and 4012 differ by client; the id is what counts."""


@dataclass(frozen=True, slots=True)
class Ack:
    """One of them.

    Attributes:
        saying: What became of the fragment, or that nothing came.
        timecode_ms: The fragment's, as the producer sent it; None is not written.
        number: The fragment's; None is not written.
        error_id: Of an ERROR.
        error_code: The name of an ERROR that has no number.
    """

    saying: Saying
    timecode_ms: int | None = None
    number: str | None = None
    error_id: int | None = None
    error_code: str = ""

    def line(self) -> bytes:
        """As sent, with its end of line; at most 1024 bytes."""
        told: dict[str, Any] = {"EventType": self.saying}
        if self.timecode_ms is not None:
            told["FragmentTimecode"] = self.timecode_ms
        if self.number is not None:
            told["FragmentNumber"] = self.number
        if self.error_id is not None:
            told["ErrorCode"] = ERROR_CODES.get(self.error_id, "UNKNOWN_ERROR")
            told["ErrorId"] = self.error_id
        elif self.error_code:
            told["ErrorCode"] = self.error_code
        return json.dumps(told, separators=(",", ":")).encode() + b"\n"
