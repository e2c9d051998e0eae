"""A form of a page as a browser would send it, nothing changed: what its controls hold."""

from html.parser import HTMLParser

from werkzeug.datastructures import MultiDict


class _Reader(HTMLParser):
    def __init__(self, form: str) -> None:
        super().__init__()
        self.sent = MultiDict[str, str]()
        self.buttons: list[str] = []
        self.found = False
        self._form = form
        self._inside = False
        self._select = ""
        self._first: str | None = None
        self._chosen: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "form":
            self._inside = told.get("id") == self._form
            self.found |= self._inside
        name, value = told.get("name") or "", told.get("value") or ""
        if not self._inside:
            return
        if tag == "select":
            self._select, self._first, self._chosen = name, None, None
        elif tag == "option":
            self._first = value if self._first is None else self._first
            self._chosen = value if "selected" in told else self._chosen
        elif tag == "button":
            self.buttons.append(value)
        elif tag == "input" and name and (told.get("type") not in {"checkbox", "radio"} or "checked" in told):
            self.sent.add(name, value)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select" and self._inside and self._select:
            value = self._first if self._chosen is None else self._chosen
            if value is not None:
                self.sent.add(self._select, value)
            self._select = ""


def sent(html: str, form: str) -> MultiDict[str, str]:
    """What a form with this id sends as it stands, without a button.

    Raises:
        LookupError: The page has none.
    """
    return _read(html, form).sent


def buttons(html: str, form: str) -> list[str]:
    """The values of its buttons.

    Raises:
        LookupError: The page has none.
    """
    return _read(html, form).buttons


def _read(html: str, form: str) -> _Reader:
    reader = _Reader(form)
    reader.feed(html)
    if not reader.found:
        raise LookupError(form)
    return reader
