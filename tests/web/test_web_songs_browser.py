"""The pages of songs in Chromium: a part of a file seen, heard and added; a screen that plays one once."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from browser import axe, open_page, overflow, shots
from playwright.sync_api import Browser, Page, expect
from running_web import Running, run_web
from song_sounds import as_wav, music

from appliance.app.shipped_sounds import choose_sound
from appliance.app.song_making import SongFileHandlers
from appliance.services import Services
from appliance.store import Consent
from appliance.wire import Server

pytestmark = [pytest.mark.debian(reason="chromium"), pytest.mark.slow]

SETTINGS = """
[web]
port = 0

[audio]
output = "file:played.wav"

[[audio.quiet]]
start = "20:00"
end = "07:00"
"""
AGREED = Consent(purposes=("identify", "song"), text_version="1", given_by="paper")
KNOWN = Consent(purposes=("identify",), text_version="1", given_by="paper")
SOUNDS = ("ding-dong", "strings", "coffee-time")


@dataclass
class Office:
    """A running box with three songs, and a page of its admin."""

    running: Running
    page: Page


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Pages, what plays, and what reads files; Ann and Ben have a theme song."""

    def prepare(services: Services) -> None:
        store = services.store
        kept = [choose_sound(store, sound) for sound in SOUNDS]
        for name, song in zip(("Ann Archer", "Ben Bauer"), kept, strict=False):
            store.give_song(store.add_subject(name, consent=AGREED).id, song.id)
        store.add_subject("Cem Demir", consent=KNOWN)

    state = Path(tmp_path_factory.mktemp("songs")) / "state"
    with (
        run_web(state, settings=SETTINGS, processes=("dispatch", "desk", "web"), prepare=prepare) as running,
        Server(running.context.layout.socket("models"), SongFileHandlers().handlers()),
    ):
        yield running


@pytest.fixture
def office(browser: Browser, running: Running) -> Iterator[Office]:
    """A page of the admin whose console stays silent."""
    with open_page(browser, running.url, secret=running.secret()) as (page, _):
        yield Office(running, page)


def test_the_library_is_read_heard_and_stopped(office: Office) -> None:
    """Titles with whose they are; one plays on the box and the page says so by itself; it is stopped."""
    page = office.page
    page.goto("/songs")
    faults = [*axe(page), str(overflow(page))]
    shots(page, "songs", widths=("phone", "desktop"))
    song = page.locator(".song", has_text="Three strings")
    song.get_by_label("More about").click()
    wide = overflow(page)
    shots(page, "songs-more", widths=("phone", "desktop"))
    song.get_by_role("button", name="Play on the box").click()
    expect(page.get_by_text("It plays on the box now.")).to_be_visible()
    expect(page.locator("[data-now-words]")).to_have_text("Nothing is playing.", timeout=20_000)
    page.get_by_role("slider", name="Volume").fill("25")
    page.get_by_role("slider", name="Volume").dispatch_event("change")
    listed = office.running.desk.ask("songs.list", {}, credential=office.running.secret())

    assert ["0"] == faults
    assert wide <= 0
    assert page.get_by_text("Ann Archer").count() >= 1
    assert "20:00 to 07:00, every day" in page.content()
    assert 25 == listed.result["volume"]


def test_a_part_of_a_file_is_chosen_by_eye_and_added(office: Office, tmp_path: Path) -> None:
    """The sound is drawn, the part moves with the slider, and the song is as long as said."""
    page, file = office.page, tmp_path / "Fanfare of ours.wav"
    file.write_bytes(as_wav(music(30, rate=16_000), rate=16_000))
    page.goto("/songs/new")
    page.get_by_label("Sound file").set_input_files(file)
    expect(page.locator("[data-part]")).to_be_visible()
    page.get_by_label("Lasts").fill("3")
    page.get_by_label("Where the song begins").fill("12")
    expect(page.locator("[data-span]")).to_have_text("0:12 to 0:15 of 0:30")
    faults = [*axe(page), str(overflow(page))]
    shots(page, "songs-new", widths=("phone", "desktop"))
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("is in the library, 3 seconds long")).to_be_visible(timeout=30_000)

    assert ["0"] == faults
    assert page.locator(".song", has_text="Fanfare of ours").count() == 1


def test_what_cannot_be_read_is_said_beside_the_form(
    browser: Browser, running: Running, tmp_path: Path
) -> None:
    """What was typed stays, and the words say what to do."""
    file = tmp_path / "songs.mp3"
    file.write_bytes(b"PK\x03\x04" + b"archive" * 100)
    with open_page(browser, running.url, secret=running.secret()) as (page, console):
        console.expect("status of 422")
        page.goto("/songs/new")
        page.get_by_label("Sound file").set_input_files(file)
        expect(page.get_by_text("This browser cannot show this file")).to_be_visible()
        page.get_by_label("Licence or source").fill("mine")
        page.get_by_role("button", name="Add it").click()
        expect(page.get_by_role("alert")).to_contain_text("ZIP archive")
        left = page.get_by_label("Licence or source").input_value()

    assert "mine" == left


def test_a_screen_plays_a_song_once_after_it_was_touched(browser: Browser, running: Running) -> None:
    """It asks for sound calmly when there is some; touched once, it plays one, once, and stops it."""
    credential = running.secret()
    code = running.desk.ask("screens.begin_pairing", {"label": "Hall"}, credential=credential).result["code"]
    songs = running.desk.ask("songs.list", {}, credential=credential).result["songs"]
    song = next(each for each in songs if each["title"] == "Coffee time")["id"]
    fetched: list[str] = []
    with open_page(browser, running.url, width="tv") as (page, _):
        page.on(
            "request",
            lambda request: fetched.append(request.url) if "/screen/songs/" in request.url else None,
        )
        page.goto(f"/screen/pair#{code}")
        page.wait_for_url("**/screen")
        turn_on = page.get_by_role("button", name="Turn the sound on")
        expect(page.locator("[data-clock]")).not_to_have_text("\u00a0")
        asked_before = turn_on.is_visible()
        running.desk.ask("songs.play", {"song": song, "output": "screen"}, credential=credential)
        turn_on.wait_for()
        shots(page, "screen-sound", widths=("tv", "phone"))
        page.set_viewport_size({"width": 1920, "height": 1080})
        turn_on.click()
        expect(turn_on).to_be_hidden()
        running.desk.ask("songs.stop", {}, credential=credential)
        running.desk.ask("songs.play", {"song": song, "output": "screen"}, credential=credential)
        stop = page.get_by_role("button", name="Stop the song")
        stop.wait_for()
        shots(page, "screen-sounds", widths=("tv",))
        faults = axe(page)
        stop.click()
        expect(stop).to_be_hidden()
        page.wait_for_timeout(500)
    heard = [url for url, _ in itertools.groupby(url for url in fetched if not url.endswith("/stop"))]

    assert not asked_before
    assert [] == faults
    assert 1 == len(heard)
    assert not running.desk.ask("songs.now", {}, credential=credential).result["waiting"]
