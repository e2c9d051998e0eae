"""How the fields of a message are written in JSON and read back, each within its bounds.

Knows no message. `text`, `choice`, `whole`, `number` and `payload` declare a field of a dataclass.
"""

import base64
import binascii
import math
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

MAX_PAYLOAD_BYTES: Final = 128 * 1024
"""Of a message published or delivered: the limit of AWS IoT."""
_MAX_COUNT: Final = 2**63 - 1


class Form(Protocol):
    """How a field is written in JSON."""

    def write(self, value: Any) -> Any:
        """Check a value and write it; ValueError if it does not fit."""

    def read(self, written: Any) -> Any:
        """Check what was written and give the value; ValueError if it does not fit."""


@dataclass(frozen=True)
class _Text:
    most: int

    def write(self, value: Any) -> Any:
        return self.read(value)

    def read(self, written: Any) -> Any:
        wrong = f"not a text of up to {self.most} bytes"
        try:
            sound = isinstance(written, str) and len(written.encode()) <= self.most
        except UnicodeEncodeError as error:  # half a pair of surrogates
            raise ValueError(wrong) from error
        if not sound:
            raise ValueError(wrong)
        return written


@dataclass(frozen=True)
class _Choice:
    among: tuple[str, ...]

    def write(self, value: Any) -> Any:
        return self.read(value)

    def read(self, written: Any) -> Any:
        if not isinstance(written, str) or written not in self.among:
            raise ValueError("not one of " + ", ".join(self.among))
        return written


@dataclass(frozen=True)
class _Whole:
    least: int = 0
    most: int = _MAX_COUNT

    def write(self, value: Any) -> Any:
        return self.read(value)

    def read(self, written: Any) -> Any:
        if type(written) is not int or not self.least <= written <= self.most:
            raise ValueError(f"not a whole number from {self.least} to {self.most}")
        return written


@dataclass(frozen=True)
class _Number:
    most: float

    def write(self, value: Any) -> Any:
        return self.read(value)

    def read(self, written: Any) -> Any:
        if type(written) not in (int, float) or not (math.isfinite(written) and 0 <= written <= self.most):
            raise ValueError(f"not a number from 0 to {self.most}")
        return float(written)


@dataclass(frozen=True)
class _Payload:
    most: int

    def write(self, value: Any) -> Any:
        if not isinstance(value, bytes) or len(value) > self.most:
            raise ValueError(f"not up to {self.most} bytes")
        return base64.b64encode(value).decode()

    def read(self, written: Any) -> Any:
        if not isinstance(written, str):
            raise ValueError("not base64")  # noqa: TRY004 - one kind of error for whatever is wrong
        try:
            value = base64.b64decode(written, validate=True)
        except binascii.Error as error:
            raise ValueError("not base64") from error
        if len(value) > self.most:
            raise ValueError(f"over {self.most} bytes")
        return value


def text(most: int) -> Any:
    """A text of at most so many bytes of UTF-8."""
    return field(metadata={"form": _Text(most)})


def choice(*among: str) -> Any:
    """One of a few words."""
    return field(metadata={"form": _Choice(among)})


def whole(least: int = 0, most: int = _MAX_COUNT) -> Any:
    """A whole number."""
    return field(metadata={"form": _Whole(least, most)})


def number(most: float) -> Any:
    """A number from 0."""
    return field(metadata={"form": _Number(most)})


def payload(most: int = MAX_PAYLOAD_BYTES) -> Any:
    """Bytes, in base64."""
    return field(metadata={"form": _Payload(most)})


def shortened(text: str, most: int) -> str:
    """A text of at most so many bytes, keeping its end: the end of a traceback says what went wrong."""
    return text.encode(errors="replace")[-most:].decode(errors="ignore")
