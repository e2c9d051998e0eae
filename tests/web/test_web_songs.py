"""The page of songs: adding one, hearing it, giving it to somebody, the volume, and silence."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from song_sounds import as_wav, music, song_processes
from web_site import Site, open_site

from appliance.permissions import Role
from appliance.services import Layout
from appliance.settings import AudioSettings, Settings
from appliance.store import Consent

SETTINGS = Settings(audio=AudioSettings(output="file:played.wav"))
AGREED = Consent(purposes=("identify", "song"), text_version="1", given_by="paper")
JSON = {"Accept": "application/json"}
SIX = as_wav(music(6, rate=16_000), rate=16_000)
"""Six seconds; small enough for the test client to keep in memory."""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Site]:
    """A site on which what reads files and what plays songs runs."""
    layout = Layout(tmp_path / "state")
    layout.state.mkdir()
    layout.settings_file.write_text('[audio]\noutput = "file:played.wav"\n', encoding="utf-8")
    with open_site(layout, settings=SETTINGS) as site, song_processes(SETTINGS, site.services):
        yield site


def form(content: bytes, **fields: str) -> dict[str, object]:
    """A filled-in form with a file."""
    return {"title": "Fanfare", "file": (io.BytesIO(content), "fanfare.wav"), **fields}


def test_a_file_becomes_a_song_that_can_be_heard(office: Site) -> None:
    """Uploaded, trimmed, listed with its length and licence, and served as MP3."""
    admin = office.client("admin")
    sent = admin.post("/songs/new", form(SIX, start_s="1", seconds="2.5", licence="CC0"))
    song = office.ask("songs.list")["songs"][0]
    page = admin.get("/songs").get_data(as_text=True)
    heard = admin.get(f"/songs/{song['id']}.mp3")

    assert 303 == sent.status_code
    assert ("Fanfare", "CC0", 2.5) == (song["title"], song["licence"], song["seconds"])
    assert "Fanfare" in page
    assert "audio/mpeg" == heard.headers["Content-Type"]
    assert len(heard.data) > 10_000


@pytest.mark.parametrize(
    ("content", "fields", "words"),
    [
        (b"PK\x03\x04 an archive", {}, "ZIP archive"),
        (b"", {}, "choose a file"),
        (as_wav(music(2)), {"start_s": "100"}, "ends after 2.0 seconds"),
        (as_wav(music(2)), {"seconds": "many"}, "number of seconds"),
        (as_wav(music(2)), {"seconds": "600"}, "seconds"),
        (as_wav(music(2) * 0), {}, "nothing is to be heard"),
        (as_wav(music(2)), {"title": ""}, "has a title"),
    ],
)
def test_what_is_no_song_is_refused_with_what_to_do(
    office: Site, content: bytes, fields: dict[str, str], words: str
) -> None:
    """The form comes back with words, what was typed still in it, and nothing is kept."""
    answer = office.client("admin").post("/songs/new", form(content, **fields))
    page = answer.get_data(as_text=True).lower()

    assert 422 == answer.status_code
    assert words.lower() in page
    assert [] == office.ask("songs.list")["songs"]


def test_a_sound_that_ships_is_taken_once(office: Site) -> None:
    """Choosing it twice leaves one, marked as there; its licence stays with it."""
    admin = office.client("admin")
    for _ in range(2):
        admin.post("/songs/choose/three-bells", {})
    listed = office.ask("songs.list")["songs"]

    assert [("Three bells", "CC0-1.0")] == [(each["title"], each["licence"]) for each in listed]
    assert "In the library" in admin.get("/songs").get_data(as_text=True)
    assert admin.get("/songs/sounds/three-bells.mp3").data == admin.get(f"/songs/{listed[0]['id']}.mp3").data


def test_a_song_is_given_to_somebody_and_taken_back(office: Site) -> None:
    """Their name stands with it, with a word if they did not agree; removing the song takes it from them."""
    admin = office.client("admin")
    song = office.ask("songs.choose", sound="strings")["id"]
    ann = office.services.store.add_subject("Ann Archer", consent=AGREED)
    ben = office.services.store.add_subject(
        "Ben Bauer", consent=Consent(purposes=("identify",), text_version="1", given_by="paper")
    )
    for person in (ann, ben):
        admin.post("/songs/give", {"person": person.id, "song": song})
    given = {each["name"]: each["song"] for each in office.ask("songs.list")["people"]}
    page = admin.get("/songs").get_data(as_text=True)
    admin.post("/songs/give", {"person": ben.id})
    after = {each["name"]: each["song"] for each in office.ask("songs.list")["people"]}
    admin.post(f"/songs/{song}/remove", {})

    assert {"Ann Archer": song, "Ben Bauer": song} == given
    assert "did not agree to have it played" in page
    assert {"Ann Archer": song, "Ben Bauer": None} == after
    assert office.services.store.theme_song(ann.id) is None


def test_the_volume_is_set_and_everybody_may_have_silence(office: Site) -> None:
    """An admin sets it; a viewer sees it, may listen and stop the music, and may change nothing."""
    admin, viewer = office.client("admin"), office.client("viewer")
    song = office.ask("songs.choose", sound="ding-dong")["id"]
    admin.post("/songs/volume", {"volume": "35"})
    admin.post(f"/songs/{song}/play", {})
    playing = viewer.get("/songs/now").get_json()
    viewer.post("/songs/stop", {})
    refused = [
        viewer.post(path, {}).status_code
        for path in ("/songs/volume", "/songs/give", f"/songs/{song}/remove", f"/songs/{song}/play")
    ]
    events = [each.type for each in office.services.store.events(types=["song_started", "song_stopped"])]

    assert 35 == office.ask("songs.list")["volume"]
    assert song == playing["song"]
    assert [403] * 4 == refused
    assert ["song_started", "song_stopped"] == events
    assert (office.services.layout.state / "audio" / "played.wav").stat().st_size > 1000


def test_a_box_without_what_plays_says_so(site: Site) -> None:
    """Nothing that plays runs: the page says it, playing says it, and stopping is no fault."""
    admin = site.client("admin")
    song = site.ask("songs.choose", sound="ding-dong")["id"]
    admin.post(f"/songs/{song}/play", {})
    played = admin.get("/songs").get_data(as_text=True)
    stopped = admin.post("/songs/stop", {})

    assert "Nothing that plays songs runs just now." in played
    assert "notice warn" in played
    assert 303 == stopped.status_code


def test_a_screen_hears_a_song_once_and_may_stop_it(office: Site) -> None:
    """It is told a key that says nothing, fetches the audio by it, and nothing else; stopped, it is gone."""
    song = office.ask("songs.choose", sound="level-up")["id"]
    other = office.ask("songs.choose", sound="strings")["id"]
    screen = office.client(Role.SCREEN)
    before = screen.get("/screen/state").get_json()["state"]["song"]
    office.client("admin").post(f"/songs/{song}/play", {"output": "screen"})
    told = screen.get("/screen/state").get_json()["state"]["song"]
    heard = screen.get(f"/screen/songs/{told['key']}")
    strange = [screen.get(f"/screen/songs/{each}").status_code for each in (song, other, "0" * 12)]
    screen.get("/screen")
    stopped = screen.post("/screen/songs/stop", {}, headers=JSON).get_json()
    after = screen.get("/screen/state").get_json()["state"]["song"]

    assert before is None
    assert song not in str(told)
    assert office.services.store.song_audio(song) == heard.data
    assert set(strange) <= {404, 422}
    assert 1 == stopped["songs"]
    assert after is None
