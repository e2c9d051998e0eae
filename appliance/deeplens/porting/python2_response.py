"""What `urllib2.urlopen` and `urllib.urlopen` give ported code: text where it is text, bytes where it is not.

`read()` of everything is text if it is UTF-8, whatever the server calls it. What is read piece by piece is
one or the other from its first piece on: pictures, sound, film and streams of parts are bytes, all else is
text if its first piece is. Handlers, openers and `httplib` give what Python 3 gives.
"""

import codecs
import urllib.request
from collections.abc import Callable
from typing import Any, Self

from appliance.deeplens.porting.python2_files import AS_LATIN
from appliance.deeplens.porting.python2_text import OldText, as_bytes

_BYTES = ("image/", "audio/", "video/", "multipart/")


class Request(urllib.request.Request):
    """A request whose body may be text."""

    def __init__(self, url: Any, data: Any = None, *more: Any, **named: Any) -> None:
        super().__init__(url, as_bytes(data), *more, **named)


class Response:
    """An answer; what is not said here it has from the response that it is made of.

    Attributes:
        buffer: That response, for those who want bytes.
    """

    def __init__(self, response: Any) -> None:
        self.buffer = response
        self._text: bool | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")(AS_LATIN)

    def read(self, size: int | None = -1, /) -> Any:
        """As much as asked for, all by default."""
        if size is not None and size >= 0:
            return self._shown(lambda: self.buffer.read(size))
        data: bytes = self.buffer.read()
        if self._text is None:
            try:
                return OldText(data.decode("utf-8"))
            except UnicodeDecodeError:
                return data
        return OldText(self._decoder.decode(data, final=True)) if self._text else data

    def readline(self, size: int | None = -1, /) -> Any:
        """One line."""
        return self._shown(lambda: self.buffer.readline(-1 if size is None else size))

    def readlines(self, hint: int | None = None, /) -> list[Any]:
        """All lines, or enough of them for `hint` bytes."""
        lines, length = [], 0
        for line in self:
            lines.append(line)
            length += len(line)
            if hint is not None and 0 < hint <= length:
                break
        return lines

    def __iter__(self) -> Self:
        """Its lines."""
        return self

    def __next__(self) -> Any:
        """The next line."""
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    next = __next__

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_raised: object) -> None:
        """Close it."""
        self.buffer.close()

    def __getattr__(self, name: str) -> Any:
        """What the response has besides: `headers`, `code`, `geturl`, `close` and the like."""
        return getattr(self.buffer, name)

    def _shown(self, more: Callable[[], bytes]) -> Any:
        """The next piece. One of text that ends within a letter waits for the rest of it."""
        data = more()
        if self._text is None and data:
            self._text = not self._is_bytes() and _may_be_text(data)
        if not self._text:
            return data if self._text is False else OldText()
        text = self._decoder.decode(data, final=not data)
        while data and not text:
            data = more()
            text = self._decoder.decode(data, final=not data)
        return OldText(text)

    def _is_bytes(self) -> bool:
        kind = str(getattr(self.buffer, "headers", {}).get("Content-Type") or "")
        return kind.lower().startswith(_BYTES)


def _may_be_text(data: bytes) -> bool:
    """Whether a piece is UTF-8, but for a letter that its end may cut."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return False
    return True


def urlopen(url: Any, data: Any = None, *more: Any, **named: Any) -> Any:
    """`urlopen` with a body that may be text, by whatever opens addresses at that time."""
    return Response(urllib.request.urlopen(url, as_bytes(data), *more, **named))  # noqa: S310 - the function's own


REPLACED: dict[str, Any] = {"Request": Request, "urlopen": urlopen}
