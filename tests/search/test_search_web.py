"""The pages of visual search without a browser: who may what, streams, forms, pictures, imports, export."""

import csv
import gzip
import io
import json
import re
import zipfile
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from search_items import picture
from searching_at_hand import Searching, searching_at_hand
from shop_things import jpeg, kept
from stores import sql
from web_site import Site, open_site

from appliance.app.featurizing import FeatureHandlers
from appliance.models.folder import ModelFolder
from appliance.permissions import Role
from appliance.services import Layout
from appliance.settings import Settings
from appliance.store import ItemEntry, sqlite_url
from appliance.wire import Server
from appliance.wire.messages import CalibrateSearch, MatchTold, RefeaturizeSearch
from web.search.words import card

_CAMERAS = """
cameras = [
  {id = "door", source = "scene:door"},
  {id = "side", source = "scene:things", when = "always"},
  {id = "table", source = "scene:things", when = "always"},
]
doors = [{id = "office", camera = "door", region = [0.33, 0.05, 0.67, 0.3], seed = [0.45, 0.15]}]
"""
JSON = {"Accept": "application/json"}


def events(site: Site, *, after: str = "", until: int = 1) -> list[tuple[str, Any, str]]:
    """Messages of the stream: name, what is told, the number behind it; so many `found`, then no more."""
    headers = {"Last-Event-ID": after} if after else {}
    response = site.client(Role.VIEWER).get("/search/newest", headers=headers, buffered=False)
    told, count = [], 0
    try:
        for chunk in response.response:
            number = chunk.decode().rpartition("id: ")[2].partition("\n")[0] if b"id: " in chunk else ""
            for block in chunk.decode().split("\n\n"):
                lines = dict(line.partition(": ")[::2] for line in block.splitlines())
                if lines.get("data"):
                    told.append((lines["event"], json.loads(lines["data"]), number))
                    count += 1
            if count >= until:
                return told
    finally:
        response.close()
    return told


def test_switched_off_it_says_how_to_switch_it_on(site: Site) -> None:
    """To an admin with the way there, to a viewer in words; no page of it fails."""
    admin, viewer = (site.client(role).get("/search").text for role in (Role.ADMIN, Role.VIEWER))
    how = site.client(Role.ADMIN).get("/search/catalogue/how").text

    assert "Visual search is switched off" in admin
    assert 'href="/settings/search"' in admin
    assert 'href="/settings/search"' not in viewer
    assert "An admin switches it on" in viewer
    assert "switched off" in how


def test_an_empty_catalogue_asks_for_its_first_item(site: Site, searching: Searching) -> None:
    """Whoever may add one is led there."""
    admin, viewer = (site.client(role).get("/search").text for role in (Role.ADMIN, Role.VIEWER))

    assert searching.asked == []
    assert 'href="/search/items/new"' in admin
    assert "An admin has to add the things" in viewer
    assert "/search/items/new" not in viewer


@pytest.mark.usefixtures("searching", "things")
def test_the_pages_are_small(site: Site) -> None:
    """With a catalogue, and all that a page asks for before pictures, 150 kB at most on the wire."""
    packed, admin = {"Accept-Encoding": "gzip"}, site.client(Role.ADMIN)
    items = ("/search/items/new", "/search/item?item=coffee", "/search/item/edit?item=coffee")
    weights = {}
    for path in ("/search", "/search/catalogue", "/search/catalogue/how", "/search/import", *items):
        page = admin.get(path, headers=packed)
        needed = set(re.findall(r"/static/[^\"#]+", gzip.decompress(page.data).decode()))
        weights[path] = len(page.data) + sum(len(admin.get(each, headers=packed).data) for each in needed)

    assert min(weights.values()) > 10_000
    assert max(weights.values()) < 150_000, weights


@pytest.mark.usefixtures("searching")
def test_viewers_look_and_admins_change(site: Site, things: dict[str, MatchTold]) -> None:
    """The same pages, without what changes anything; its address is refused, too."""
    picture = things["coffee"].picture
    viewer, admin = site.client(Role.VIEWER), site.client(Role.ADMIN)
    pages = ("/search", "/search/catalogue", "/search/item?item=coffee", "/search/catalogue/how")
    seen = [viewer.get(path).text for path in pages]
    refused = [
        viewer.get("/search/items/new").status_code,
        viewer.get("/search/catalogue/export.zip").status_code,
        viewer.post("/search/item/remove", {"item": "coffee"}).status_code,
        viewer.post("/search/item/pictures/remove", {"item": "coffee", "picture": picture}).status_code,
        viewer.post("/search/catalogue/calibrate").status_code,
        viewer.post("/search/import/begin").status_code,
    ]

    assert not [path for path, text in zip(pages, seen, strict=True) if "/remove" in text or "new" in path]
    assert "Coffee cup" in seen[1]
    assert [403] * 6 == refused
    assert "/search/item/remove" in admin.get("/search/item?item=coffee").text


def test_a_picture_is_never_kept(site: Site, things: dict[str, MatchTold]) -> None:
    """Neither by the browser nor by whoever stands between; one that is gone is not there."""
    picture = things["coffee"].picture
    client = site.client(Role.VIEWER)
    found = client.get(f"/search/pictures/{picture}")
    site.services.store.remove_item("coffee")
    gone = client.get(f"/search/pictures/{picture}")

    assert ("image/jpeg", "no-store") == (found.mimetype, found.headers["Cache-Control"])
    assert found.data.startswith(b"\xff\xd8\xff")
    assert 404 == gone.status_code
    assert "/sign-in" in site.client().get(f"/search/pictures/{picture}").headers["Location"]


def test_each_find_is_told_once(site: Site, searching: Searching, things: dict[str, MatchTold]) -> None:
    """The newest there are, then what comes; a line that broke goes on behind what it told."""
    searching.found(things["chelsea"])
    searching.found(things["coffee"], things["coins"])
    begun = events(site, until=2)
    searching.found()
    searching.found(things["rocket"])
    later = events(site, after=begun[-1][2])

    assert ["Chelsea, the office cat", "Coffee cup"] == [each[1]["matches"][0]["title"] for each in begun]
    assert ["Coffee cup", "Box of old coins"] == [each["title"] for each in begun[1][1]["matches"]]
    assert {True} == {each[1]["known"] for each in later}
    assert "Model rocket" == later[0][1]["matches"][0]["title"]
    assert "As good as the same" == later[0][1]["matches"][0]["likeness"]
    assert later[0][1]["matches"][0]["picture"].startswith("/search/pictures/")


def test_nothing_like_it_is_told_too(site: Site, searching: Searching, things: dict[str, MatchTold]) -> None:
    """As an answer, with what is nearest; never with what was found before."""
    searching.found(things["coffee"])
    begun = events(site)
    searching.near = things["coins"]
    searching.found()
    told = events(site, after=begun[-1][2])

    assert [(False, [], things["coins"].title)] == [
        (each[1]["known"], each[1]["matches"], each[1]["near"]["title"]) for each in told
    ]


def test_who_began_anew_is_heard_from_the_beginning(
    site: Site, searching: Searching, things: dict[str, MatchTold]
) -> None:
    """The process was restarted and counts from one again: what it finds is told all the same."""
    searching.found(things["coffee"])

    assert ["Coffee cup"] == [each[1]["matches"][0]["title"] for each in events(site, after="900")]


def test_the_stream_says_that_nobody_searches(site: Site) -> None:
    """So that the page says it, and comes back by itself."""
    assert ["away"] == [each[0] for each in events(site)]


def test_asking_by_a_picture(site: Site, searching: Searching, things: dict[str, MatchTold]) -> None:
    """What was sent is what is asked with; nothing sent is said at the field."""
    searching.answer = (things["coffee"],)
    client = site.client(Role.VIEWER)
    found = client.post("/search/picture", {"file": (io.BytesIO(b"picture"), "a.jpg")}, headers=JSON)
    nothing = client.post("/search/picture", {}, headers=JSON)

    assert "Coffee cup" == found.json["matches"][0]["title"]
    assert [b"picture"] == searching.asked
    assert (422, ["file"]) == (nothing.status_code, list(nothing.json["error"]["fields"]))


def test_asking_while_nobody_searches(site: Site) -> None:
    """It is said, and when to come again."""
    client = site.client(Role.VIEWER)
    found = client.post("/search/picture", {"file": (io.BytesIO(b"picture"), "a.jpg")}, headers=JSON)

    assert (503, "3") == (found.status_code, found.headers["Retry-After"])


@pytest.mark.usefixtures("searching")
def test_a_link_leads_out_with_nothing_of_us(site: Site, things: dict[str, MatchTold]) -> None:
    """Said as text; one that is none of http stands as text alone, wherever it came from."""
    one = site.client(Role.VIEWER).get("/search/item?item=coffee").text
    odd = things["coffee"].model_copy(update={"link": "javascript:alert(1)"})
    with site.app.test_request_context():
        found = card(
            {
                "at": "2026-05-04T08:30:00+00:00",
                "source": "camera",
                "name": "x",
                "number": 1,
                "known": True,
                "threshold": 0.5,
                "searched": 1,
                "near": None,
                "matches": [odd.model_dump()],
            }
        )

    assert 'href="https://shop.example/cups/coffee" rel="noopener noreferrer"' in one
    assert ">https://shop.example/cups/coffee<" in one
    assert ("", "") == (found["matches"][0]["link"], found["matches"][0]["host"])


def test_the_catalogue_is_searched_and_leafed_through(site: Site) -> None:
    """By words; page after page without losing one; the words go along."""
    for number in range(70):
        site.services.store.put_item(ItemEntry(f"n-{number}", f"Thing {number:02d}", notes="shelf"))
    client = site.client(Role.VIEWER)
    first = client.get("/search/catalogue?q=shelf").text
    onward = first.partition("Further")[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    second = client.get(onward).text

    assert "q=shelf" in onward
    assert 70 == sum(f"Thing {number:02d}" in first + second for number in range(70))
    assert "Thing 07" in client.get("/search/catalogue?q=07").text
    assert "this word" in client.get("/search/catalogue?q=unicorn").text


def test_an_item_is_changed_and_removed(site: Site, things: dict[str, MatchTold]) -> None:
    """What cannot be is said at its field, with what was typed; removed it is gone with its pictures."""
    assert "coffee" in things
    client = site.client(Role.ADMIN)
    wrong = client.post("/search/item/edit", {"item": "coffee", "title": "Mug", "link": "ftp://x"})
    right = client.post("/search/item/edit", {"item": "coffee", "title": "Mug", "price": "5 €"})
    said = client.get("/search/item?item=coffee").text
    removed = client.post("/search/item/remove", {"item": "coffee"})
    gone = client.get("/search/item?item=coffee")

    assert 422 == wrong.status_code
    assert "ftp://x" in wrong.text
    assert 'aria-invalid="true"' in wrong.text
    assert (303, "/search/item?item=coffee") == (right.status_code, right.headers["Location"])
    assert "Mug" in said
    assert "5 €" in said
    assert (303, 404) == (removed.status_code, gone.status_code)


@pytest.mark.parametrize(
    "item", ["../../etc/passwd", "a/b?c=d&e#f", "\u2615 17", "x" * 64, "%2e%2e", "%2F%", "a+b", "<b>\"'"]
)
def test_whatever_an_id_is_it_has_a_page(site: Site, item: str) -> None:
    """It stands in the query, so that no path is made of it; there it is changed, and removed."""
    store = site.services.store
    store.put_item(ItemEntry(item, "A thing"), [kept(picture("skimage/coffee.png"))])
    client = site.client(Role.ADMIN)
    listed = client.get("/search/catalogue").text
    address = unescape(listed.partition('<ul class="items">')[2].partition('href="')[2].partition('"')[0])
    edit = unescape(client.get(address).text.partition('href="/search/item/edit')[2].partition('"')[0])
    form = client.get(f"/search/item/edit{edit}").text
    changed = client.post("/search/item/edit", {"item": item, "title": "Another"})
    said = client.get(changed.headers["Location"]).text
    (one,) = store.item(item).pictures
    taken = client.post("/search/item/pictures/remove", {"item": item, "picture": one.id})

    assert 'value="A thing"' in form
    assert "Another" in said
    assert (303, ()) == (taken.status_code, store.item(item).pictures)
    assert 200 == client.get(taken.headers["Location"]).status_code
    assert 303 == client.post("/search/item/remove", {"item": item}).status_code
    assert 0 == store.item_count()


def test_an_item_without_a_picture_is_not_added(site: Site) -> None:
    """What was typed stays, and it is said what to do."""
    client = site.client(Role.ADMIN)
    found = client.post("/search/items/new", {"title": "Cup", "by": "files"})
    long = client.post("/search/items/new", {"title": "x" * 900, "by": "camera", "camera": "none"})

    assert 422 == found.status_code
    assert "show it to the camera" in found.text
    assert 'value="Cup"' in found.text
    assert 422 == long.status_code
    assert 0 == site.services.store.item_count()


def test_the_camera_to_begin_with_is_one_for_things(tmp_path: Path) -> None:
    """Never the door's while there is another: the watched one first; the one that was chosen stays."""
    seen = []
    layout = Layout(tmp_path / "state")
    layout.state.mkdir(mode=0o700)
    (layout.state / "appliance.toml").write_text(_CAMERAS)
    with open_site(layout) as site:
        store, client = site.services.store, site.client(Role.ADMIN)
        store.put_item(ItemEntry("cup", "Cup"))
        seen.append(offered(client.get("/search/items/new").text))  # nobody searches
        with searching_at_hand(site.services.layout, store) as searching:
            searching.cameras = ("table",)
            seen += [
                offered(client.get(each).text) for each in ("/search/items/new", "/search/item?item=cup")
            ]
            again = client.post("/search/items/new", {"title": "Pot", "by": "files", "camera": "door"})

    assert [["side", "table", "door"], ["table", "side", "door"], ["table", "side", "door"]] == seen
    assert ["door", "table", "side"] == offered(again.text)


def offered(page: str) -> list[str]:
    """Cameras in the order in which a page offers them; what is sent where nobody chooses is the first."""
    assert "<option selected" not in page
    return re.findall(r"<option>([^<]+)</option>", page)


def test_calibrating_and_describing_anew(site: Site, searching: Searching) -> None:
    """Are asked for, and how it goes is on the page; a share that is none is refused."""
    client = site.client(Role.ADMIN)
    done = [
        client.post("/search/catalogue/calibrate", {"rate": "2,5"}).status_code,
        client.post("/search/catalogue/calibrate").status_code,
        client.post("/search/catalogue/refeaturize").status_code,
        client.post("/search/catalogue/calibrate", {"rate": "many"}).status_code,
    ]
    told = searching.told

    assert [303, 303, 303, 422] == done
    assert [0.025, None] == [each.rate for each in told if isinstance(each, CalibrateSearch)]
    assert 1 == sum(isinstance(each, RefeaturizeSearch) for each in told)


def test_an_import_tells_of_its_rows(site: Site) -> None:
    """Those that cannot be taken by their numbers; one without its picture likewise; the others are there."""
    table = "id,title,link,pictures\n1,Cup,,\n2,Pot,javascript:x,\n3,Pan,,pan.jpg\n1,Cup,,\n"
    client = site.client(Role.ADMIN)
    begun = client.post(
        "/search/import/begin", {"table": (io.BytesIO(table.encode()), "t.csv")}, headers=JSON
    ).json
    rows = client.get(f"/search/import/{begun['number']}/rows").json
    address = f"/search/import/{begun['number']}/rows"
    kept = client.post(f"{address}/0", {"path": ""}, headers=JSON).json
    missing = client.post(f"{address}/2", {"path": "pan.jpg", "missing": "1"}, headers=JSON).json
    told = client.post(f"/search/import/{begun['number']}/end", headers=JSON).json

    assert [0, 2] == [each["index"] for each in rows["rows"]]
    assert (True, 1) == (kept["row_done"], kept["added"])
    assert missing["row_done"]
    assert (4, 1, 3, 0) == (told["rows"], told["added"], told["refused"], told["not_reached"])
    assert {3, 4, 5} == {each["row"] for each in told["faults"]}
    assert ["1"] == [each.entry.id for each in site.services.store.items()]
    assert "t.csv" in client.get("/search/import").text


def test_a_table_that_is_none_is_told(site: Site) -> None:
    """Before anything is begun, in words."""
    client = site.client(Role.ADMIN)
    table = (io.BytesIO(b"name,image\nCup,cup.jpg\n"), "t.csv")
    wrong = client.post("/search/import/begin", {"table": table}, headers=JSON)
    empty = client.post("/search/import/begin", {}, headers=JSON)

    assert (422, 422) == (wrong.status_code, empty.status_code)
    assert "did you mean title" in wrong.json["error"]["message"]
    assert ["table"] == list(empty.json["error"]["fields"])


def test_the_export_is_a_table_and_its_pictures(site: Site, things: dict[str, MatchTold]) -> None:
    """Every item once, each picture where the table says it is, as it is kept."""
    found = site.client(Role.ADMIN).get("/search/catalogue/export.zip")
    with zipfile.ZipFile(io.BytesIO(found.data)) as archive:
        table = list(csv.DictReader(io.StringIO(archive.read("items.csv").decode("utf-8-sig"))))
        pictures = {name: archive.read(name) for name in archive.namelist() if name != "items.csv"}

    assert "application/zip" == found.mimetype
    assert set(things) == {each["id"] for each in table}
    assert set(pictures) == {each["pictures"] for each in table}
    assert pictures[next(each["pictures"] for each in table if each["id"] == "coffee")] == (
        site.services.store.picture_jpeg(things["coffee"].picture)
    )


def test_a_picture_that_cannot_be_had_does_not_end_the_export(
    site: Site, things: dict[str, MatchTold]
) -> None:
    """One does not open, and is named; an item is removed meanwhile."""
    last = max(things, key=lambda each: site.services.store.item(each).number)
    one, other, *_ = (things[each].picture for each in things if each != last)
    database = sqlite_url(site.services.layout.database)
    sql(
        database,
        "UPDATE search_images SET sealed_jpeg = (SELECT sealed_jpeg FROM search_images WHERE picture = :of) "
        "WHERE picture = :at",
        of=other,
        at=one,
    )
    response = site.client(Role.ADMIN).get("/search/catalogue/export.zip", buffered=False)
    pieces = []
    for piece in response.response:
        if not pieces:
            site.services.store.remove_item(last)
        pieces.append(piece)
    response.close()
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        said = archive.read("left-out.txt").decode()

    assert len(things) - 2 == sum(each.startswith("pictures/") for each in names)
    assert said.startswith(next(each for each, told in things.items() if told.picture == one) + ": ")


@pytest.mark.usefixtures("session")
def test_a_second_file_that_is_no_picture_does_not_add_an_item_twice(site: Site) -> None:
    """What was added is shown, with what was wrong with which file; the others are there."""
    services = site.services
    good = [(io.BytesIO(jpeg(picture(f"skimage/{name}.png"))), f"{name}.jpg") for name in ("grass", "gravel")]
    files = [good[0], (io.BytesIO(b"no picture"), "x.jpg"), good[1]]
    handlers = FeatureHandlers(Settings().search, ModelFolder()).handlers()
    with Server(services.layout.socket("models"), handlers):
        client = site.client(Role.ADMIN)
        added = client.post("/search/items/new", {"title": "Lawn", "by": "files", "file": files})
        shown = client.get(added.headers.get("Location", "/"))
    (item,) = services.store.items()

    assert 303 == added.status_code
    assert 2 == len(item.pictures)
    assert "Picture 2 was not added" in shown.text
