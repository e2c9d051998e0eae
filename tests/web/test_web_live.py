"""The live view: pictures made once for all, what is seen told beside them, nothing when nobody looks."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import stores
from live_cinema import PATIENCE_S, Cinema, nobody, until
from shared_frames import NOTE
from web_site import Browser, Site, open_site

from appliance.errors import PeerGoneError
from appliance.permissions import Role
from appliance.services import Layout
from web.application import create_app
from web.static_files import FOLDER
from web.views import View, Views

GONE = (FOLDER / "pictures" / "no-picture.jpg").read_bytes()


@pytest.fixture
def lit(layout: Layout) -> Iterator[Site]:
    """The site of that box, whose streams end with the test."""
    with open_site(layout) as site:
        stopping = threading.Event()
        site.app = create_app(site.desk, run=layout.state / "run", stopping=stopping)
        yield site
        stopping.set()


def parts(browser: Browser, path: str) -> Iterator[bytes]:
    """The chunks of a stream, as they come."""
    with browser.get(path, buffered=False) as response:
        assert 200 == response.status_code
        yield from response.iter_encoded()


def jpegs(browser: Browser, count: int, kind: str = "device") -> list[bytes]:
    """So many pictures of a stream."""
    found = []
    for part in parts(browser, f"/live/entrance/{kind}.mjpeg"):
        if b"Content-Type: image/jpeg" in part:
            found.append(part.partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0])
        if len(found) == count:
            break
    return found


def told(browser: Browser, kind: str = "project") -> dict[str, Any]:
    """The first thing that is told beside the pictures."""
    for part in parts(browser, f"/live/entrance/{kind}/seen"):
        if part.startswith(b"data: "):
            found: dict[str, Any] = json.loads(part.removeprefix(b"data: "))
            return found
    raise AssertionError("the stream ended")


# ------------------------------------------------------------ what is shown


def test_pictures_come_one_after_the_other(cinema: Cinema, lit: Site) -> None:
    """As parts that an <img> shows, each a JPEG of a newer frame."""
    first, second, third = jpegs(lit.client(Role.VIEWER), 3)

    assert first.startswith(b"\xff\xd8\xff")
    assert len({first, second, third}) == 3
    assert "device" == cinema.asked[0].kind


def test_what_parts_pictures_is_another_in_each_answer(cinema: Cinema, lit: Site) -> None:
    """So nobody who makes a camera's pictures can write a part of another kind into one."""
    viewer = lit.client(Role.VIEWER)
    boundaries = set()
    for _ in range(2):
        with viewer.get("/live/entrance/device.mjpeg", buffered=False) as response:
            boundaries.add(response.mimetype_params["boundary"])

    assert 2 == len(boundaries)


def test_one_picture_can_be_had_alone(cinema: Cinema, lit: Site) -> None:
    """The newest, as a file of its own; also while others watch."""
    browser = lit.client(Role.VIEWER)
    with browser.get("/live/entrance/device.jpg") as response:
        content, kind = response.data, response.mimetype
    del cinema

    assert "image/jpeg" == kind
    assert content.startswith(b"\xff\xd8\xff")


def test_what_is_seen_is_told_without_anybodys_id(cinema: Cinema, lit: Site) -> None:
    """Doors, faces with what was decided and why in words; where, in fractions of the frame."""
    del cinema
    seen = told(lit.client(Role.VIEWER))
    known, stranger, unknown = seen["faces"]

    assert {"front": {"state": "open", "fraction": 0.25}} == seen["doors"]
    assert [0.125, 0.167, 0.281, 0.5] == known["box"]
    assert (True, True, False) == (known["known"], stranger["stranger"], unknown["known"])
    assert "the score reached the threshold" in known["why"]
    assert '"s1"' not in json.dumps(seen)


def test_names_are_shown_to_who_may_see_people_only(cinema: Cinema, lit: Site) -> None:
    """In the picture and beside it; a token for looking alone gets neither, from another rendering.

    Nor does a viewer, of whoever has not agreed to be told of.
    """
    ann = str(lit.services.store.add_subject("Ann", consent=stores.AGREED).id)
    cinema.note = {"faces": [{**NOTE["faces"][0], "subject": ann}], "doors": {}}
    made = lit.ask("tokens.create", label="wall", scopes=["live"])
    wall = lit.client()
    header = {"Authorization": f"Bearer {made['secret']}"}
    for _ in parts(lit.client(Role.ADMIN), "/live/entrance/project/seen"):
        if any(asked.labels == {ann: "Ann"} for asked in cinema.asked):
            break
    before = len(cinema.asked)
    with wall.get("/live/entrance/project/seen", buffered=False, headers=header) as response:
        events = (part for part in response.iter_encoded() if part.startswith(b"data: "))
        nameless = json.loads(next(events).removeprefix(b"data: "))

    assert "Ann" == told(lit.client(Role.ADMIN))["faces"][0]["name"]
    assert "" == told(lit.client(Role.VIEWER))["faces"][0]["name"]
    assert ("", True) == (nameless["faces"][0]["name"], nameless["faces"][0]["known"])
    assert any(asked.labels == {} for asked in cinema.asked[before:])


@pytest.mark.parametrize(
    "path", ["yard/project.mjpeg", "entrance/other.mjpeg", "Entrance/device.jpg", "x%00/device/seen"]
)
def test_what_there_is_not_is_not_there(cinema: Cinema, lit: Site, path: str) -> None:
    """A camera that is not in the settings, a kind there is not, what cannot be a camera's name."""
    with lit.client(Role.ADMIN).get(f"/live/{path}") as response:
        assert 404 == response.status_code
    assert [] == cinema.asked


# ------------------------------------------------------------ when something is away


def numbered(view: View, met: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first thing shown that is as wanted."""
    number, deadline = 0, time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        shown = view.wait(number, 1.0)
        if shown is not None:
            number = shown.number
            if met(dict(shown.told)):
                return {**shown.told, "jpeg": shown.jpeg}
    raise AssertionError("it was never shown")


def test_a_loop_that_restarts_is_told_and_found_again(layout: Layout, views: Views) -> None:
    """Its new memory begins with small numbers, which are newer all the same."""
    cinema, view = Cinema(layout), views.view("entrance", "device", named=False)
    with ExitStack() as stack:
        stack.enter_context(cinema.models())
        stack.enter_context(view.watching(nobody))
        with cinema.loop():
            numbered(view, lambda told: told["state"] == "ok")
            until(lambda: len(cinema.asked) > 5)
        lost = numbered(view, lambda told: told["state"] == "lost")
        with cinema.loop():
            back = numbered(view, lambda told: told["state"] == "ok")

    assert b"" == lost["jpeg"]
    assert {} == lost["doors"]
    assert back["jpeg"].startswith(b"\xff\xd8\xff")


def test_a_models_process_that_is_away_is_told(layout: Layout, views: Views) -> None:
    """In words for people, not the name of a socket."""
    cinema, view = Cinema(layout), views.view("entrance", "device", named=False)
    with cinema.loop(), view.watching(nobody):
        lost = numbered(view, lambda told: told["state"] == "lost")
        with cinema.models():
            back = numbered(view, lambda told: told["state"] == "ok")

    assert "One moment" in lost["message"]
    assert "sock" not in lost["message"]
    assert back["jpeg"]


def test_a_lost_camera_is_a_plate_that_says_so(cinema: Cinema, lit: Site) -> None:
    """A still picture instead of the last one, and the reason beside it."""
    cinema.box.cameras = {}
    browser = lit.client(Role.VIEWER)
    (plate,) = jpegs(browser, 1)
    seen = told(browser, "device")
    with browser.get("/live/entrance/device.jpg") as response:
        alone = response.status_code

    assert GONE == plate
    assert ("lost", "There is no camera 'entrance'.") == (seen["state"], seen["message"])
    assert alone >= 500


def test_without_any_processes_it_is_said(site: Site) -> None:
    """A site that runs alone shows its page of faults."""
    with pytest.raises(PeerGoneError):
        Views(None, threading.Event()).view("entrance", "device", named=False)
    with site.client(Role.VIEWER).get("/live") as response:
        assert "No camera yet" in response.get_data(as_text=True)


# ------------------------------------------------------------ the pages


def test_the_page_offers_each_camera_and_its_doors(lit: Site) -> None:
    """The admin is led on to setting up a door; a viewer is not."""
    admin = lit.client(Role.ADMIN).get("/live").get_data(as_text=True)
    viewer = lit.client(Role.VIEWER).get("/live?camera=nowhere").get_data(as_text=True)

    assert 'data-camera="entrance"' in admin
    assert "Set up a door" in admin
    assert "Set up a door" not in viewer
    assert 'data-camera="entrance"' in viewer


def test_a_camera_is_added_by_a_form_without_a_script(lit: Site) -> None:
    """Its password is sent once and in no page afterwards; what is wrong stands by its field."""
    admin = lit.client(Role.ADMIN)
    wrong = admin.post("/cameras/new", {"camera": "yard", "source": "nonexistent.mp4"})
    shadow = admin.post("/cameras/new", {"camera": "new", "source": "scene:door"})
    given = {"camera": " Yard ", "source": "rtsp://10.0.0.9/a", "user": "root", "password": "swordfish"}
    saved = admin.post("/cameras/new", given)
    page = admin.get("/cameras/yard").get_data(as_text=True)
    listed = admin.get("/cameras").get_data(as_text=True)

    assert (422, 422) == (wrong.status_code, shadow.status_code)
    assert "no file or folder" in wrong.get_data(as_text=True)
    assert (303, "/cameras/yard") == (saved.status_code, saved.location)
    assert "rtsp://10.0.0.9" in page
    assert "swordfish" not in page + listed
    assert 404 == admin.get("/cameras/nowhere").status_code


def test_a_camera_is_taken_away_by_a_form(lit: Site) -> None:
    """And is no longer among the cameras of any page."""
    admin = lit.client(Role.ADMIN)
    gone = admin.post("/cameras/entrance/remove")

    assert 303 == gone.status_code
    assert "No camera yet" in admin.get("/cameras").get_data(as_text=True)
    assert "A camera first" in admin.get("/doors").get_data(as_text=True)
    assert "No camera yet" in admin.get("/live").get_data(as_text=True)


def test_a_door_is_saved_and_led_to(lit: Site) -> None:
    """By the page's script, in JSON; a name that is a page's own is refused by its field."""
    admin = lit.client(Role.ADMIN)
    door = {
        "door": "front",
        "fresh": True,
        "camera": "entrance",
        "region": [0.3, 0.0, 0.7, 0.4],
        "seed": [0.5, 0.2],
        "tolerance": 12,
        "shut_fraction": 0.7,
        "open_below": 0.5,
        "shut_above": 0.8,
    }
    json_only = {"Accept": "application/json"}
    saved = admin.send("POST", "/doors/save", json={**door, "next": "//evil.example"}, headers=json_only)
    taken = admin.send("POST", "/doors/save", json={**door, "door": "new"}, headers=json_only)
    odd = admin.send("POST", "/doors/save", json=[1], headers=json_only)
    page = admin.get("/doors/front").get_data(as_text=True)

    assert (200, "/doors/front") == (saved.status_code, saved.json["there"])
    assert "door" in taken.json["error"]["fields"]
    assert 400 == odd.status_code
    assert "Try it" in page
    assert 303 == admin.post("/doors/front/remove").status_code
    assert 404 == admin.get("/doors/front").status_code


def test_no_picture_to_paint_on_is_said_without_a_fault(lit: Site) -> None:
    """The page asks again and again while the loop restarts; that fills no console with errors."""
    asked = {"camera": "entrance", "region": [0.3, 0, 0.7, 0.4], "seed": [0.5, 0.2], "tolerance": 12}
    answer = lit.client(Role.ADMIN).send("POST", "/doors/paint", json=asked)

    assert 200 == answer.status_code
    assert "does not run" in answer.json["message"]
