"""Recordings played from Kinesis Video Streams, through the box: to the picture, and without its address."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import av
import pytest
from kvs_local import LocalKvs, local_kvs
from recorded import AtHand, Recorded, a_recording, moving, now, recording_at_hand
from stored_outside import sending_to, store
from web_site import Browser, Site, open_site

from appliance.permissions import Role
from appliance.services import Layout
from appliance.settings.source import load


@dataclass(frozen=True)
class Outside:
    """A box whose recordings are at a service too.

    Attributes:
        site: Its pages.
        at_hand: What answers for recordings.
        service: The local server.
    """

    site: Site
    at_hand: AtHand
    service: LocalKvs

    @property
    def admin(self) -> Browser:
        """Who may see recordings."""
        return self.site.client(Role.ADMIN)

    def recorded(self, *, stored: bool = True, hours: int = 1) -> Recorded:
        """A recording of some hours ago, which the service has if it is `stored`."""
        found = a_recording(
            self.site.services, now() - timedelta(hours=hours), clips=self.at_hand.clips, seconds=4, seen_s=1
        )
        for number, piece in enumerate(moving(found.begin_ms, 4) if stored else ()):
            store(self.service, hours * 100 + number, piece)
        return found


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """One for all."""
    folder = Path(tmp_path_factory.mktemp("outside"))
    layout = Layout(folder / "state")
    layout.state.mkdir(mode=0o700)
    with local_kvs() as service:
        layout.settings_file.write_text(sending_to(service, folder))
        settings = load(layout.settings_file)
        with (
            open_site(layout, settings) as site,
            recording_at_hand(site.services, settings) as at_hand,
        ):
            yield Outside(site, at_hand, service)


def played(admin: Browser, clip: str) -> list[str | bytes]:
    """All that a player is given of a recording: two playlists, then what the second names."""
    opened = admin.post(f"/clips/{clip}/outside", headers={"Accept": "application/json"})
    assert opened.status_code == 200, opened.text
    master = opened.json["playlist"]
    folder = master.rpartition("/")[0]
    given: list[str | bytes] = [opened.text, admin.get(master).text]
    second = next(line for line in str(given[1]).splitlines() if line and not line.startswith("#"))
    given.append(admin.get(f"{folder}/{second}").text)
    names = re.findall(r'URI="([^"]+)"', str(given[2]))
    names += [line for line in str(given[2]).splitlines() if line and not line.startswith("#")]
    return [*given, *(admin.get(f"{folder}/{name}").data for name in names)]


def test_what_the_service_has_is_played_through_the_box(outside: Outside) -> None:
    """It decodes to each second's picture; nowhere stands the service's address or its secret."""
    given = played(outside.admin, outside.recorded().clip)
    texts = [each for each in given if isinstance(each, str)]
    pieces = b"".join(each for each in given if isinstance(each, bytes))
    with av.open(io.BytesIO(pieces), "r") as video:
        dark = [
            int((each.to_ndarray(format="rgb24")[:, :, 0].mean(axis=0) < 55).sum())
            for each in video.decode(video=0)
        ]

    assert 3 == len(texts)
    assert not [text for text in texts if "Token" in text or "127.0.0.1" in text or "http" in text]
    assert 40 == len(dark)
    assert [] == [(index, found) for index, found in enumerate(dark) if abs(found - index) > 3]


def test_a_recording_that_is_gone_from_the_box_plays_from_there(outside: Outside) -> None:
    """Its page says so and has the same player; a moment of it still leads there."""
    gone = outside.recorded(hours=3)
    outside.at_hand.clips.delete(gone.clip, "size")
    page = outside.admin.get(f"/clips/{gone.clip}?at={gone.seen_ms}").text
    found = outside.admin.get(f"/clips/at?camera=kitchen&at={gone.seen_ms}").headers["Location"]

    assert "It is played from Kinesis Video Streams" in page
    assert f'data-source="/clips/{gone.clip}/outside"' in page
    assert f'data-source="/clips/{gone.clip}/index.m3u8"' not in page
    assert f"/clips/{gone.clip}?at={gone.seen_ms}" == found
    assert 5 <= len(played(outside.admin, gone.clip))


def test_what_the_service_does_not_have_is_said(outside: Outside) -> None:
    """In words, to the script that asked."""
    missing = outside.recorded(stored=False, hours=5).clip
    told = outside.admin.post(f"/clips/{missing}/outside", headers={"Accept": "application/json"})

    assert 422 == told.status_code
    assert told.json["error"]["message"]


@pytest.mark.parametrize(
    "rest", ["nobody/getHLSMasterPlaylist.m3u8", "nobody/x.mp4", "nobody/..", "nobody/index.html"]
)
def test_a_view_that_nobody_opened_shows_nothing(outside: Outside, rest: str) -> None:
    """Neither does a name that no playlist has."""
    clip = outside.recorded(hours=7, stored=False).clip

    assert outside.admin.get(f"/clips/{clip}/outside/{rest}").status_code in {404, 422}


def test_a_viewer_opens_none(outside: Outside) -> None:
    """Nor does a form without its token."""
    clip = outside.recorded(hours=9, stored=False).clip
    viewer = outside.site.client(Role.VIEWER).post(f"/clips/{clip}/outside")
    foreign = outside.admin.post(f"/clips/{clip}/outside", form=False)

    assert [403, 403] == [viewer.status_code, foreign.status_code]
