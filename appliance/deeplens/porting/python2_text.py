"""Modules that took and gave text in Python 2 where Python 3's take and give bytes.

What they give here is text that knows `decode`, so that code which was already made for both is content too.
Only ported files see these; the libraries a function uses see the real modules.
"""

import base64
import csv
import hashlib
import hmac
import io
import pickle
import socket
import subprocess
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from appliance.deeplens.porting import python2_json
from appliance.deeplens.porting.python2_files import AS_LATIN


class OldText(str):
    """Text as Python 2 had it: it can be decoded, which gives the text itself."""

    __slots__ = ()

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The text itself; what it was encoded with no longer matters."""
        del encoding, errors
        return str(self)


def as_bytes(value: Any) -> Any:
    """Text as bytes: one byte a character if that can be, as raw bytes were written in texts, else UTF-8.

    What was decoded here is encoded again as it was.
    """
    if not isinstance(value, str):
        return value
    if isinstance(value, OldText):
        return value.encode()
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode()


def _encoder(function: Callable[..., bytes]) -> Callable[..., OldText]:
    def encode(value: Any, *more: Any, **named: Any) -> OldText:
        return OldText(function(as_bytes(value), *(as_bytes(each) for each in more), **named).decode("ascii"))

    return encode


def _decoder(function: Callable[..., bytes]) -> Callable[..., bytes]:
    def decode(value: Any, *more: Any, **named: Any) -> bytes:
        return function(as_bytes(value), *(as_bytes(each) for each in more), **named)

    return decode


class _Hash:
    """A hash that may be fed with text."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def update(self, value: Any) -> None:
        """Go on with more."""
        self._inner.update(as_bytes(value))

    def copy(self) -> "_Hash":
        """The same, to be gone on with separately."""
        return _Hash(self._inner.copy())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _hash(name: str) -> Callable[..., _Hash]:
    def new(value: Any = b"", **named: Any) -> _Hash:
        return _Hash(hashlib.new(name, as_bytes(value), **named))

    return new


def _new(name: str, value: Any = b"", **named: Any) -> _Hash:
    return _Hash(hashlib.new(name, as_bytes(value), **named))


def _hmac(key: Any, message: Any = b"", digestmod: Any = "md5") -> _Hash:
    """`hmac.new`."""
    return _Hash(hmac.new(as_bytes(key), as_bytes(message), digestmod))


def _check_output(*positional: Any, **named: Any) -> Any:
    """`subprocess.check_output`: text."""
    output = subprocess.check_output(*positional, **named)
    return OldText(output.decode("utf-8", "replace")) if isinstance(output, bytes) else output


class _Popen(subprocess.Popen):  # type: ignore[type-arg]
    """`subprocess.Popen` whose `communicate` takes and gives text."""

    def communicate(self, input: Any = None, timeout: float | None = None) -> Any:  # noqa: A002 - its own name
        """Text of both outputs, None for what is not piped."""
        given = input if self.universal_newlines else as_bytes(input)
        return tuple(
            OldText(each.decode("utf-8", "replace")) if isinstance(each, bytes) else each
            for each in super().communicate(given, timeout)
        )


class _Socket(socket.socket):
    """A socket that may be given text to send. What it receives is bytes, for it may be a picture."""

    def send(self, data: Any, *more: Any) -> int:
        """Send text or bytes."""
        return super().send(as_bytes(data), *more)

    def sendall(self, data: Any, *more: Any) -> None:
        """Send all of it."""
        super().sendall(as_bytes(data), *more)

    def sendto(self, data: Any, *more: Any) -> int:
        """Send it to an address."""
        return super().sendto(as_bytes(data), *more)


def _field(value: Any) -> Any:
    """Bytes as the text they are: UTF-8, or else Latin-1."""
    return value.decode("utf-8", AS_LATIN) if isinstance(value, bytes) else value


def _reader(rows: Iterable[Any], *positional: Any, **named: Any) -> Any:
    """`csv.reader`, also of a file that was opened as bytes, as tables were."""
    return csv.reader(map(_field, rows), *positional, **named)


class _DictReader(csv.DictReader):  # type: ignore[type-arg]
    """`csv.DictReader`, likewise."""

    def __init__(self, f: Iterable[Any], *positional: Any, **named: Any) -> None:
        super().__init__(map(_field, f), *positional, **named)


class _Rows:
    """What `csv.writer` gives: it takes fields of bytes."""

    def __init__(self, *positional: Any, **named: Any) -> None:
        self._inner = csv.writer(*positional, **named)

    def writerow(self, row: Iterable[Any]) -> Any:
        """Write a row."""
        return self._inner.writerow(list(map(_field, row)))

    def writerows(self, rows: Iterable[Iterable[Any]]) -> None:
        """Write several."""
        for each in rows:
            self.writerow(each)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _DictWriter(csv.DictWriter):  # type: ignore[type-arg]
    """`csv.DictWriter`, likewise."""

    def writerow(self, rowdict: Any) -> Any:
        """Write a row."""
        return super().writerow({name: _field(value) for name, value in rowdict.items()})

    def writerows(self, rowdicts: Iterable[Any]) -> None:
        """Write several."""
        for each in rowdicts:
            self.writerow(each)


def _unpickled(file: Any) -> Any:
    """`pickle.load`, also of a file that was opened as text; texts of Python 2 are read as Latin-1."""
    return pickle.load(getattr(file, "buffer", file), encoding="latin-1")  # noqa: S301 - the function's own file


def _unpickled_text(data: Any) -> Any:
    """`pickle.loads`, likewise."""
    given = data.encode("latin-1") if isinstance(data, str) else data
    return pickle.loads(given, encoding="latin-1")  # noqa: S301 - the function's own


REPLACED: dict[str, dict[str, Any]] = {
    "base64": {
        **{
            name: _encoder(getattr(base64, name))
            for name in ("b16encode", "b32encode", "b64encode", "standard_b64encode", "urlsafe_b64encode")
        },
        "encodestring": _encoder(base64.encodebytes),
        **{
            name: _decoder(getattr(base64, name))
            for name in ("b16decode", "b32decode", "b64decode", "standard_b64decode", "urlsafe_b64decode")
        },
        "decodestring": _decoder(base64.decodebytes),
    },
    "csv": {"reader": _reader, "DictReader": _DictReader, "writer": _Rows, "DictWriter": _DictWriter},
    "hashlib": {
        "new": _new,
        **{n: _hash(n) for n in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")},
    },
    "hmac": {"new": _hmac},
    "json": python2_json.REPLACED,
    "pickle": {"load": _unpickled, "loads": _unpickled_text},
    "socket": {"socket": _Socket},
    "subprocess": {"check_output": _check_output, "Popen": _Popen},
}


class StringIO(io.BytesIO):
    """A file in memory that takes text and bytes, and gives what it was given last."""

    def __init__(self, initial: Any = b"") -> None:
        super().__init__(as_bytes(initial) if isinstance(initial, str) else initial)
        self._text = isinstance(initial, str)
        self._encoding = "latin-1" if not isinstance(initial, str) or _is_latin(initial) else "utf-8"

    def write(self, value: Any) -> int:
        """Append text or bytes."""
        self._text = isinstance(value, str)
        if self._text and not _is_latin(value):
            self._widen()
        return super().write(value.encode(self._encoding) if self._text else value)

    def getvalue(self) -> Any:
        """Everything."""
        return self._shown(super().getvalue())

    def read(self, size: int | None = -1, /) -> Any:
        """As much as asked for."""
        return self._shown(super().read(size))

    def readline(self, size: int | None = -1, /) -> Any:
        """One line."""
        return self._shown(super().readline(size))

    def readlines(self, hint: int | None = None, /) -> Any:
        """All lines."""
        return [self._shown(line) for line in super().readlines(hint)]

    def __next__(self) -> Any:
        """The next line."""
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def writelines(self, lines: Any, /) -> None:
        """Append each."""
        for line in lines:
            self.write(line)

    def _shown(self, data: bytes) -> Any:
        return data.decode(self._encoding) if self._text else data

    def _widen(self) -> None:
        """From one byte a character to UTF-8, once a character needs it."""
        if self._encoding == "latin-1":
            self._encoding = "utf-8"
            wide = super().getvalue().decode("latin-1").encode()
            self.seek(0)
            self.truncate()
            super().write(wide)


def _is_latin(text: str) -> bool:
    return not text or max(text) <= "\xff"


def string_io(name: str) -> ModuleType:
    """The modules `StringIO` and `cStringIO`."""
    module = ModuleType(name, "A file in memory, for text and bytes")
    module.StringIO = StringIO  # type: ignore[attr-defined]
    return module


# The modules `md5`, `sha` and `sets` had these.
md5 = _hash("md5")
new = _hash("md5")
sha = _hash("sha1")
Set = set
ImmutableSet = frozenset
