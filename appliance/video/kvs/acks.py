"""What the service says of the fragments it is sent: flat JSON objects, one after the other, in any pieces.

The fields on the wire are EventType, FragmentTimecode, FragmentNumber, ErrorId and ErrorCode, at top level
(the documentation's `Acknowledgement` around them and its `AckEventType` are not on the wire; they are taken,
too). Fields that are not known are passed over, and any of those known may be missing, on ERROR and IDLE
even the timecode. What is to be done about an error is `error_ids`' business.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

MAX_ACK_BYTES: Final = 16_384
"""Longer than any answer there is (some 200 bytes) by far: what grows beyond it is no answer."""


@dataclass(frozen=True, slots=True)
class Ack:
    """One answer.

    Attributes:
        event: BUFFERING, RECEIVED, PERSISTED, IDLE or ERROR; others may come.
        timecode_ms: The fragment's time as it was sent; None: it is not said.
        number: The service's own number of the fragment; None: it is not said.
        error_id: For errors: which; None: it is not said.
        error_code: For errors: its name; empty: it is not said.
    """

    event: str
    timecode_ms: int | None = None
    number: str | None = None
    error_id: int | None = None
    error_code: str = ""


class AckParser:
    """Answers out of bytes as they come.

    Attributes:
        garbage: How often something came that is no answer; it was passed over.
    """

    def __init__(self) -> None:
        self._text = ""
        self.garbage = 0

    def feed(self, data: bytes) -> list[Ack]:
        """Every answer that is whole now, in the order in which they came."""
        self._text += data.decode("latin-1")  # a character a byte; what is used of an answer is ASCII
        found = []
        while (raw := self._object()) is not None:
            if (ack := _ack(raw)) is not None:
                found.append(ack)
            else:
                self.garbage += 1
        if len(self._text) > MAX_ACK_BYTES:
            self._text = ""
            self.garbage += 1
        return found

    def _object(self) -> Any:
        """The first object, taken out; None: there is no whole one yet."""
        while True:
            begin = self._text.find("{")
            if begin < 0:
                self.garbage += bool(self._text.strip())
                self._text = ""
                return None
            self.garbage += bool(self._text[:begin].strip())
            self._text = self._text[begin:]
            try:
                raw, end = _JSON.raw_decode(self._text)
            except (ValueError, RecursionError):
                # Either more of it is to come, or it was cut off and the next stands on a line of its own.
                cut = self._text.find("\n{")
                if cut < 0:
                    return None
                self.garbage += 1
                self._text = self._text[cut:]
            else:
                self._text = self._text[end:]
                return raw


_JSON: Final = json.JSONDecoder()


def _ack(raw: Any) -> Ack | None:
    if isinstance(raw, dict) and isinstance(raw.get("Acknowledgement"), dict):
        raw = raw["Acknowledgement"]
    if not isinstance(raw, dict):
        return None
    event = raw.get("EventType", raw.get("AckEventType"))
    if not isinstance(event, str) or not event:
        return None
    number = raw.get("FragmentNumber")
    code = raw.get("ErrorCode")
    return Ack(
        event.upper(),
        _whole_number(raw.get("FragmentTimecode")),
        number if isinstance(number, str) and number else None,
        _whole_number(raw.get("ErrorId")),
        code if isinstance(code, str) and code.isascii() and code.isprintable() else "",
    )


def _whole_number(raw: Any) -> int | None:
    """A number, also one in quotes; None for anything else."""
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int):
        return raw
    if isinstance(raw, float):
        return int(raw) if raw.is_integer() else None
    return (
        int(raw) if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < _DIGITS else None
    )


_DIGITS: Final = 20
"""Digits of 64 bits: longer ones are no time."""
