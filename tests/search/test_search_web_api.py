"""The API of visual search, and the paths of the DeepLens sample's web application."""

import io
import json
from typing import Any

import pytest
from searching_at_hand import MODEL, Searching
from web_site import SITE, Site

from appliance.permissions import Role
from appliance.store import ItemEntry
from appliance.wire.messages import MatchTold
from web import guesses
from web.api.table import PREFIX

POLL = {"ApiCallType": "check-search-results"}


class Program:
    """Something that calls with a token."""

    def __init__(self, site: Site, *scopes: str) -> None:
        self.token = str(site.ask("tokens.create", label="t", scopes=scopes)["secret"]) if scopes else ""
        self._client = site.app.test_client()

    def send(self, method: str, path: str, **more: Any) -> Any:
        """Call."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return self._client.open(PREFIX + path, method=method, base_url=SITE, headers=headers, **more)

    def post(self, path: str, **more: Any) -> Any:
        """Do."""
        return self.send("POST", path, **more)


@pytest.fixture
def program(site: Site) -> Program:
    """One that may search."""
    return Program(site, "search")


def read_as_the_sample(answer: Any) -> Any:
    """What the sample's application makes of an answer: it takes single quotes for double ones."""
    return json.loads(answer.json["body"].replace("'", '"'))


def test_a_picture_is_asked_with(
    program: Program, searching: Searching, things: dict[str, MatchTold]
) -> None:
    """As the body, as `curl --data-binary` sends it; as many matches as are wanted."""
    searching.answer = (things["coffee"], things["coins"], things["rocket"])
    found = program.post("/search?matches=2", data=b"picture", content_type="image/jpeg")
    form = program.post("/search", data={"file": (io.BytesIO(b"other"), "a.jpg")})

    assert ["coffee", "coins"] == [each["item"] for each in found.json["matches"]]
    assert 3 == len(form.json["matches"])
    assert [b"picture", b"other"] == searching.asked


def test_features_are_asked_with(
    site: Site, program: Program, searching: Searching, things: dict[str, MatchTold]
) -> None:
    """As an array, and as a function's message is published; whose they have to be is in the answer."""
    searching.answer = (things["coffee"], things["coins"])
    numbers = [0.5] * 1280
    listed = program.post("/search/features", json={"features": numbers, "matches": 1})
    text = program.post("/search/features", json={"features": ",".join(map(str, numbers))})
    refused = Program(site, "catalogue").post("/search/features", json={"features": numbers})

    assert ["coffee"] == [each["item"] for each in listed.json["matches"]]
    assert ("features", MODEL) == (listed.json["source"], listed.json["featurizer"])
    assert 2 == len(text.json["matches"])
    assert 403 == refused.status_code


@pytest.mark.parametrize(
    ("features", "words"),
    [
        ("[0.5, 0.5]", "2 numbers, and 1280"),
        ("[]", "0 numbers"),
        ('""', "0 numbers"),
        (f"[{'0,' * 1279}0]", "zero"),
        (f"[{'1,' * 1279}NaN]", "not finite"),
        (f"[{'1,' * 1279}1e999]", "not finite"),
        (f"[{'1,' * 1279}true]", "numbers"),
        (f"[{'1,' * 1279}[1]]", "numbers"),
        (f'"{"1," * 1279}x"', "numbers"),
        (f'"{"0.1234567890123456789," * 6000}1"', "bytes"),
    ],
)
@pytest.mark.usefixtures("searching")
def test_features_that_are_none_are_a_problem(program: Program, features: str, words: str) -> None:
    """Of their own code, and it is said what is wrong with them."""
    body = f'{{"features": {features}}}'
    found = program.post("/search/features", data=body, content_type="application/json")

    assert (422, "features") == (found.status_code, found.json["code"]), found.text
    assert words in found.json["detail"]
    assert "as many numbers" in found.json["hint"]


@pytest.mark.parametrize("body", [{}, {"features": None}, {"features": 7}, {"features": {"a": 1}}])
@pytest.mark.usefixtures("searching")
def test_a_body_without_features_names_them(program: Program, body: dict[str, Any]) -> None:
    """As with every argument."""
    found = program.post("/search/features", json=body)

    assert (422, "form") == (found.status_code, found.json["code"])
    assert "features" in str(found.json["fields"])


def test_the_catalogue_is_for_its_scope(site: Site, program: Program, things: dict[str, MatchTold]) -> None:
    """A token that may search reads it; another scope changes it."""
    changing = Program(site, "catalogue")
    picture = things["coffee"].picture
    read = program.send("GET", "/catalogue/items?text=coffee")
    jpeg = program.send("GET", f"/catalogue/pictures/{picture}")
    refused = program.post("/catalogue/items/coffee", json={"title": "Mug"})
    changed = changing.post("/catalogue/items/coffee", json={"title": "Mug"})
    removed = changing.post("/catalogue/items/coffee/remove")

    assert ["coffee"] == [each["item"] for each in read.json["items"]]
    assert ("image/jpeg", b"\xff\xd8\xff") == (jpeg.mimetype, jpeg.data[:3])
    assert (403, 200, 204) == (refused.status_code, changed.status_code, removed.status_code)


def test_nothing_found_yet_is_an_empty_list(program: Program, searching: Searching) -> None:
    """Where the sample failed; also after something that there is nothing like, and while nobody searches."""
    searching.found()
    found = program.post("/search/matches", json=POLL)

    assert 200 == found.status_code
    assert {"matches": []} == read_as_the_sample(found)
    assert [] == found.json["matches"]


def test_nobody_searches_is_an_empty_list(program: Program) -> None:
    """One failed call stops the sample's polling for good; this is none."""
    assert [] == program.post("/search/matches", json=POLL).json["matches"]


def test_the_sample_reads_what_was_found(
    site: Site, program: Program, searching: Searching, things: dict[str, MatchTold]
) -> None:
    """Titles with quotes of any kind, four matches, pictures that it can show without a token."""
    odd = """Ann's "best" cup"""
    site.services.store.put_item(ItemEntry("coffee", odd))
    searching.found(things["rocket"])
    searching.found(
        things["coffee"].model_copy(update={"title": odd}),
        *(things[name] for name in ("coins", "chelsea", "rocket")),
    )
    read = read_as_the_sample(program.post("/search/matches", json=POLL))
    again = program.post("/search/matches", json=POLL).json["matches"]

    assert [odd, "Box of old coins", "Chelsea, the office cat", "Model rocket"] == [
        each["title"] for each in read["matches"]
    ]
    assert all(each["url"].startswith("data:image/jpeg;base64,") for each in read["matches"])
    assert {"id", "title", "url"} <= set(read["matches"][0])
    assert 4 == len(again)


def test_as_many_as_are_asked_for(
    program: Program, searching: Searching, things: dict[str, MatchTold]
) -> None:
    """From older look-ups too; to a reader each once; addresses lead to pictures for the same token."""
    for name in ("chelsea", "coins", "coffee"):
        searching.found(things[name])
    one, all_, wrong = (program.post("/search/matches", json={"limit": each}) for each in (1, 9, 0))
    first, second, third = (
        program.post("/search/matches", json={"reader": "wall", "limit": 2}).json["matches"] for _ in range(3)
    )
    picture = program.send("GET", one.json["matches"][0]["url"].partition(PREFIX)[2])

    assert ["coffee"] == [each["id"] for each in one.json["matches"]]
    assert ["coffee", "coins", "chelsea"] == [each["id"] for each in all_.json["matches"]]
    assert 422 == wrong.status_code
    assert (["coffee", "coins"], ["chelsea"], []) == tuple(
        [each["id"] for each in some] for some in (first, second, third)
    )
    assert 200 == picture.status_code


def test_what_was_removed_since_is_told_no_more(
    site: Site, program: Program, searching: Searching, things: dict[str, MatchTold]
) -> None:
    """Neither the sample's polling nor anybody else's breaks of it: older look-ups take its place."""
    store = site.services.store
    for name in ("chelsea", "coins"):
        searching.found(things[name], camera="side")
    searching.found(things["coffee"], things["rocket"])
    for camera in ("entrance", "door"):
        searching.found(things["coffee"], camera=camera)
    store.remove_item("coffee")
    (cup_like,) = store.item("coins").pictures
    store.remove_picture(cup_like.id)
    polled = program.post("/search/matches", json={**POLL, "limit": 4})
    readers = [program.post("/search/matches", json={"reader": "wall"}).json["matches"] for _ in range(3)]
    newest = program.send("GET", "/search/newest?limit=1").json

    assert (200, ["rocket", "chelsea"]) == (
        polled.status_code,
        [each["id"] for each in read_as_the_sample(polled)["matches"]],
    )
    assert [["rocket"], ["chelsea"], []] == [[each["id"] for each in some] for some in readers]
    assert ["rocket"] == [match["item"] for each in newest["found"] for match in each["matches"]]
    assert {} == newest["last"]


def test_the_directory_lists_the_items(program: Program, things: dict[str, MatchTold]) -> None:
    """In the sample's words, page by page."""
    first = program.post("/search/directory", json={"limit": 10}).json
    rest = program.post("/search/directory", json={"after": first["next"]}).json

    assert set(things) == {each["id"] for each in [*first["items"], *rest["items"]]}
    assert {"id", "title", "url"} <= set(first["items"][0])
    assert rest["next"] is None


@pytest.mark.parametrize("path", ["/search/matches", "/search/directory"])
def test_the_sample_s_paths_are_for_tokens(site: Site, path: str) -> None:
    """Which may search; a cookie, another scope and nobody are refused, as everywhere at the API."""
    admin = site.client(Role.ADMIN).post(PREFIX + path)

    assert 401 == Program(site).post(path, json={}).status_code
    assert 403 == Program(site, "people").post(path, json={}).status_code
    assert (401, "application/problem+json") == (admin.status_code, admin.mimetype)


def test_signing_in_there_takes_a_token_for_a_password(site: Site, program: Program) -> None:
    """And no password of a person; trying is slowed down as it is with tokens."""
    anybody = Program(site)

    def auth(password: object) -> Any:
        return anybody.post(
            "/search/user/auth", json={"userName": "Ada", "password": password, "authToken": ""}
        )

    good = auth(program.token)
    other = auth(Program(site, "people").token)
    odd = [auth(each).status_code for each in ("", None, 7, "x" * 500)]
    told = [auth(f"oat_{number:043d}").status_code for number in range(guesses.MOST)]

    assert (200, program.token) == (good.status_code, good.json.get("token")), good.text
    assert 401 == other.status_code
    assert [422] * 4 == odd
    assert [401] * (guesses.MOST - 1) == told[: guesses.MOST - 1]
    assert 429 == told[-1]
    assert 200 == auth(program.token).status_code


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'"x"'])
def test_a_body_that_is_none_is_a_problem(program: Program, body: bytes) -> None:
    """Told as every other."""
    found = program.post("/search/matches", data=body)

    assert (400, "application/problem+json") == (found.status_code, found.mimetype)
