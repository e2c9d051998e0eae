"""Recordings: the list, one, what a player is handed, the file, deleting; who may, and what is wrong."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import av
import numpy as np
import pytest
from recorded import AtHand, Recorded, a_recording, now, put, recording_at_hand
from web_site import Browser, Site, open_site

from appliance.events import ClipExported
from appliance.permissions import Role
from appliance.services import Layout
from appliance.wire.messages import StreamTold

CLIPS = 3


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, AtHand]]:
    """A site whose recordings are answered for, for all tests that leave what they find."""
    layout = Layout(Path(tmp_path_factory.mktemp("clips")) / "state")
    with open_site(layout) as site, recording_at_hand(site.services) as at_hand:
        yield site, at_hand


@pytest.fixture(scope="module")
def recorded(kept: tuple[Site, AtHand]) -> Recorded:
    """A dog, half an hour ago; and two recordings of the days before, one of another camera."""
    site, at_hand = kept
    for days, camera in ((1, "kitchen"), (2, "hall")):
        a_recording(
            site.services,
            now() - timedelta(days=days),
            clips=at_hand.clips,
            seconds=2,
            seen_s=1,
            camera=camera,
        )
    return a_recording(site.services, now() - timedelta(minutes=30), clips=at_hand.clips)


@pytest.fixture
def admin(kept: tuple[Site, AtHand], recorded: Recorded) -> Browser:
    """Who may see them."""
    assert recorded.clip
    return kept[0].client(Role.ADMIN)


def lit(picture: np.ndarray) -> int:
    """How many columns of a test picture are dark: ten a second."""
    return int((picture[:, :, 0].mean(axis=0) < 55).sum())


def test_the_list_says_what_was_recorded_and_why(admin: Browser, recorded: Recorded) -> None:
    """The newest first, by day, each with what set it off, its camera and its length."""
    text = admin.get("/clips").text

    assert CLIPS == text.count('class="card clip"')
    assert f"/clips/{recorded.clip}" in text
    assert text.index(recorded.clip) < text.index("hall ·")
    assert "dog" in text
    assert "12 s" in text


def test_the_list_is_filtered_by_what_its_address_says(admin: Browser) -> None:
    """By camera, by what was seen, by day; what cannot be taken is said and left out."""
    counts = [
        admin.get(f"/clips?{query}").text.count('class="card clip"')
        for query in ("camera=hall", "camera=nowhere", "label=DOG", "label=cat", "until=2020-01-01")
    ]
    wrong = admin.get("/clips?since=yesterday")

    assert [1, 0, 3, 0, 0] == counts
    assert 422 == wrong.status_code
    assert "A day, as 2026-05-04." in wrong.text
    assert CLIPS == wrong.text.count('class="card clip"')


def test_a_page_of_the_list_goes_on_where_the_one_before_ended(
    kept: tuple[Site, AtHand], admin: Browser
) -> None:
    """Page by page all are told, each once."""
    assert admin.get("/clips").status_code == 200
    told, before = [], None
    for _ in range(CLIPS + 1):
        page = kept[0].ask("clips.list", limit=1, before=before)
        told += [each["clip"] for each in page["clips"]]
        before = page["next"]
        if before is None:
            break

    assert CLIPS == len(told) == len(set(told))


def test_what_a_player_is_handed_plays(admin: Browser, recorded: Recorded) -> None:
    """The playlist names a piece a second; begin and pieces together decode to each second's picture."""
    playlist = admin.get(f"/clips/{recorded.clip}/index.m3u8")
    names = [line for line in playlist.text.splitlines() if line and not line.startswith("#")]
    parts = [admin.get(f"/clips/{recorded.clip}/{name}").data for name in ("init.mp4", *names)]
    with av.open(io.BytesIO(b"".join(parts)), "r") as video:
        shown = [(frame.time, lit(frame.to_ndarray(format="rgb24"))) for frame in video.decode(video=0)]

    assert "application/vnd.apple.mpegurl" == playlist.headers["Content-Type"]
    assert "#EXT-X-ENDLIST" in playlist.text
    assert [f"{number}.m4s" for number in range(12)] == names
    assert 120 == len(shown)
    assert [] == [(at, dark) for at, dark in shown if abs(dark - at * 10) > 3]
    assert "no-store" == playlist.headers["Cache-Control"]


def test_a_recording_that_grows_has_a_playlist_that_grows(kept: tuple[Site, AtHand], admin: Browser) -> None:
    """Until it is over the playlist is open at its end, and what has come meanwhile is in it."""
    site, at_hand = kept
    growing = a_recording(
        site.services, now() - timedelta(seconds=4), clips=at_hand.clips, seconds=4, there=2
    )
    before = admin.get(f"/clips/{growing.clip}/index.m3u8").text
    put(at_hand.clips, growing.clip, growing.later[0])
    after = admin.get(f"/clips/{growing.clip}/index.m3u8").text
    page = admin.get(f"/clips/{growing.clip}").text
    at_hand.clips.end(growing.clip, "complete")
    over = admin.get(f"/clips/{growing.clip}/index.m3u8").text
    at_hand.clips.delete(growing.clip, "asked")

    assert [2, 3, 3] == [each.count("#EXTINF") for each in (before, after, over)]
    assert [False, False, True] == ["#EXT-X-ENDLIST" in each for each in (before, after, over)]
    assert "Still recording" in page


def test_a_recording_is_downloaded_as_one_file(
    kept: tuple[Site, AtHand], admin: Browser, recorded: Recorded
) -> None:
    """An mp4 with its index in front, named by time and camera, with every frame at its time; in the log."""
    before = kept[0].services.store.events(types=("clip_exported",))
    response = admin.post(f"/clips/{recorded.clip}/download")
    with av.open(io.BytesIO(response.data), "r") as video:
        frames = sum(1 for _ in video.decode(video=0))
        lasts = video.duration

    (told,) = kept[0].services.store.events(types=("clip_exported",))[len(before) :]
    assert isinstance(told.event, ClipExported)
    assert (recorded.clip, "kitchen") == (told.event.clip, told.event.camera)
    assert told.event.by is not None
    assert "attachment" in response.headers["Content-Disposition"]
    assert "_kitchen.mp4" in response.headers["Content-Disposition"]
    assert b"moov" in response.data[:4096]
    assert 120 == frames
    assert 12_000_000 == lasts


def test_a_moment_leads_to_its_recording(admin: Browser, recorded: Recorded) -> None:
    """By camera and time; where nothing was recorded then, that is said."""
    found = admin.get(f"/clips/at?camera=kitchen&at={recorded.seen_ms}").headers["Location"]
    none = admin.get("/clips/at?camera=kitchen&at=1000", follow_redirects=True).text

    assert f"/clips/{recorded.clip}?at={recorded.seen_ms}" == found
    assert "Nothing was recorded by that camera then" in none


def test_a_page_of_a_recording_tells_what_is_in_it(admin: Browser, recorded: Recorded) -> None:
    """Looks that follow each other are one line, which leads to the second at which they begin."""
    text = admin.get(f"/clips/{recorded.clip}?at={recorded.seen_ms}").text

    assert f'data-at="{recorded.seen_ms}"' in text
    assert 1 == text.count("data-seek=")
    assert f'data-seek="{recorded.seen_ms}"' in text
    assert "dog 95 %" in text
    assert "Recorded because of dog" in text


def test_deleting_is_for_people_and_leaves_what_the_log_says(
    kept: tuple[Site, AtHand], admin: Browser
) -> None:
    """A token is refused; afterwards the page says that somebody deleted it, and nothing is played."""
    site, at_hand = kept
    gone = a_recording(
        site.services, now() - timedelta(hours=3), clips=at_hand.clips, seconds=2, seen_s=1
    ).clip
    token = site.ask("tokens.create", label="player", scopes=["clips"])["secret"]
    program = site.client()
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    seen = program.get(f"/clips/{gone}/index.m3u8", headers=headers).status_code
    refused = program.send("POST", f"/clips/{gone}/delete", headers=headers).status_code
    deleted = admin.post(f"/clips/{gone}/delete")
    page = admin.get(f"/clips/{gone}")

    assert (200, 403) == (seen, refused)
    assert "/clips" == deleted.headers["Location"]
    assert "Somebody deleted it." in page.text
    assert "data-source" not in page.text
    assert 404 == admin.get(f"/clips/{gone}/index.m3u8").status_code


@pytest.mark.parametrize(
    "path", ["/clips/x1", "/clips/x1/index.m3u8", "/clips/x1/0.m4s", "/clips/x1/init.mp4"]
)
def test_what_was_never_recorded_is_not_there(admin: Browser, path: str) -> None:
    """An id of nothing is no page, and no file."""
    assert 404 == admin.get(path).status_code


@pytest.mark.parametrize("name", ["..", "clip.json", "0.m4s.sealed", "00000000.m4s", "-1.m4s", "999.m4s"])
def test_a_piece_is_called_as_the_playlist_calls_it(admin: Browser, recorded: Recorded, name: str) -> None:
    """No other name reaches a file."""
    assert admin.get(f"/clips/{recorded.clip}/{name}").status_code in {404, 422}


def test_a_viewer_sees_no_recording(kept: tuple[Site, AtHand], recorded: Recorded) -> None:
    """Who was where and when is not for whoever may look through a camera now."""
    viewer = kept[0].client(Role.VIEWER)
    paths = ("/clips", "/clips/state", f"/clips/{recorded.clip}", f"/clips/{recorded.clip}/index.m3u8")

    assert {403} == {viewer.get(path).status_code for path in paths}
    assert "/clips" not in viewer.get("/moments").text


def test_how_sending_goes_is_said_in_words(kept: tuple[Site, AtHand], admin: Browser) -> None:
    """What is stored, what waits, what is wrong and what to do about it."""
    at_hand = kept[1]
    at_hand.outside.streams = (
        StreamTold(
            stream="office-kitchen",
            camera="kitchen",
            state="stopped",
            waiting=4,
            waiting_bytes=5_200_000,
            persisted=17,
            lost=2,
            oldest_end_ms=round((now() - timedelta(minutes=10)).timestamp() * 1000),
            acks={"RECEIVED": 18, "ERROR": 3},
            trouble="the service takes none of the credentials",
            hint="renew them",
        ),
    )
    text = admin.get("/clips/state").text
    at_hand.outside.streams = ()

    for words in (
        "office-kitchen",
        "Needs you",
        "5.2 MB",
        "17",
        "Renew them.",
        "lags 10 min behind",
        "3 ERROR, 18 RECEIVED",
    ):
        assert words in text, words
    assert "The service takes none of the credentials." in text


def test_a_recorder_that_is_away_is_said(site: Site) -> None:
    """The list is a page all the same; one recording is not there just now."""
    admin = site.client(Role.ADMIN)

    assert "does not run just now" in admin.get("/clips").text
    assert 503 == admin.get("/clips/x1").status_code
