"""Items whatever their ids are, at the API: through the server, percent-encoded as in every address."""

import json
import unicodedata
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from web_site import Site

from appliance.app.catalogue_import_table import read_table
from appliance.errors import FormError
from appliance.store import ItemEntry
from web.api.segments import apart, whole
from web.api.table import PREFIX
from web.server import Server

ODD = (
    *(
        "a/b",
        "a/b?c=d#e&f",
        "/",
        "//",
        "../../etc/passwd",
        "...",
        "shelf 7/left",
        "%2F",
        "a%2Fb",
        "a%252Fb",
        "%",
    ),
    *(
        "cup/remove",
        "cup/pictures",
        "cup/pictures/shown",
        "a;b",
        "a+b",
        "caf\u00e9 \u2615",
        "\u5341\u4e03/\u5341",
    ),
    *("a\\b", '"', "'", "<b>", "{item}", "x" * 64),
)
"""Ids as somebody's table has them."""


@pytest.fixture
def served(site: Site) -> Iterator[Callable[..., Any]]:
    """Calls of the API through the server that the box has, with a token that may do everything here."""
    token = site.ask("tokens.create", label="t", scopes=["search", "catalogue"])["secret"]
    with Server(site.app, threads=4) as server:
        line = HTTPConnection("127.0.0.1", server.port, timeout=60)

        def call(method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            line.request(method, PREFIX + path, json.dumps(body) if body is not None else None, headers)
            answer = line.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None

        yield call
        line.close()


def test_whatever_an_id_is_the_api_has_it(site: Site, served: Callable[..., Any]) -> None:
    """Percent-encoded, as in every address: put, read, changed and removed, each for itself."""
    for item in ODD:
        path = f"/catalogue/items/{quote(item, safe='')}"
        status, made = served("POST", path, {"title": "A thing"})
        assert (200, "added", item) == (status, made["outcome"], made["item"]["item"]), item
    for number, item in enumerate(ODD):
        path = f"/catalogue/items/{quote(item, safe='')}"
        assert (200, item) == ((told := served("GET", path))[0], told[1]["item"])
        changed = served("POST", path, {"title": f"Number {number}"})[1]["outcome"]
        assert ("changed", f"Number {number}") == (changed, site.services.store.item(item).entry.title)
        assert 404 == served("POST", f"{path}/pictures/none/remove")[0]
        assert 204 == served("POST", f"{path}/remove")[0], item
        assert len(ODD) - number - 1 == site.services.store.item_count()
        assert 404 == served("GET", path)[0]


@given(item=st.text(min_size=1, max_size=64).filter(lambda each: each not in {".", ".."}))
@example(item="a/%2F%")
def test_a_segment_is_what_was_encoded(item: str) -> None:
    """Whatever it is, beside another one; servers' own decoding does not count."""
    seen: list[str] = []

    def note(environ: dict[str, Any], _: Any) -> list[bytes]:
        seen.append(environ["PATH_INFO"].encode("latin-1").decode())
        return []

    path = f"{PREFIX}/catalogue/items/{quote(item, safe='')}/remove"
    apart(note)({"PATH_INFO": "/another", "REQUEST_URI": f"{path}?a=b"}, None)
    *_, segment, last = seen[0].split("/")

    assert (item, "remove") == (whole(segment), last)


def test_other_paths_are_as_the_server_has_them() -> None:
    """And without what was sent, what it has decoded is taken as it is."""
    seen: list[str] = []

    def note(environ: dict[str, Any], _: Any) -> list[bytes]:
        seen.append(environ["PATH_INFO"])
        return []

    for environ in (
        {"PATH_INFO": "/search/a%2Fb", "REQUEST_URI": "/search/a%2Fb"},
        {"PATH_INFO": f"{PREFIX}/log/a%b"},
        {"PATH_INFO": f"{PREFIX}/log/a%2Fb", "REQUEST_URI": "/%61pi/v1/log/a%2Fb"},
    ):
        apart(note)(environ, None)

    assert ["/search/a%2Fb", f"{PREFIX}/log/a%25b", f"{PREFIX}/log/a%252Fb"] == seen


@pytest.mark.parametrize("item", [" cup 7 ", "cafe\u0301"])
def test_an_id_is_as_it_is_kept_however_it_is_written(served: Callable[..., Any], item: str) -> None:
    """Without space around it, composed."""
    path = f"/catalogue/items/{quote(item, safe='')}"
    (_, made), (_, read), (_, again) = (
        served("POST", path, {"title": "A thing"}),
        served("GET", path),
        served("POST", path, {"title": "A thing"}),
    )

    kept = unicodedata.normalize("NFC", item.strip())
    assert (kept, kept) == (made["item"]["item"], read["item"])
    assert ("added", "same") == (made["outcome"], again["outcome"])
    assert 204 == served("POST", f"{path}/remove")[0]


@pytest.mark.parametrize("item", [".", ".."])
def test_no_item_is_called_by_dots_alone(site: Site, item: str) -> None:
    """Browsers and programs take them out of an address, encoded or not, so nobody could come to it."""
    with pytest.raises(FormError) as caught:
        site.services.store.put_item(ItemEntry(item, "A thing"))
    (row,) = read_table(f"id,title\n{item},A thing\n".encode())

    assert ["id"] == list(caught.value.fields)
    assert [("id", f"'{item}' cannot be one")] == [(each.column, each.what) for each in row.faults]
