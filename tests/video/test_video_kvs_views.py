"""Views of what the service stored: its address stays here, and its playlists lead nowhere else."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.clock import ManualClock
from appliance.errors import StreamError, UnknownClipError
from appliance.video.kvs.views import GOOD_FOR_S, MOST_VIEWS, PLAYLIST, VIDEO, Fetched, HlsViews

TOKEN = "CiAz-the-secret"  # noqa: S105 - of a service that there is not
FOLDER = "https://b-1.kinesisvideo.example/hls/v1"
MASTER = "getHLSMasterPlaylist.m3u8"
MEDIA = "getHLSMediaPlaylist.m3u8"


class Service:
    """What answers, and what it was asked.

    Attributes:
        answers: By name of the file; anything else is not there.
        asked: Addresses.
        address: Of the first playlist.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Fetched] = {}
        self.asked: list[str] = []
        self.address = f"{FOLDER}/{MASTER}?SessionToken={TOKEN}"

    def hls_address(self, stream: str, begin_ms: int, end_ms: int | None) -> str:
        """See `views.Addresses`."""
        del stream, begin_ms, end_ms
        return self.address

    def __call__(self, address: str) -> Fetched:
        """See `views.Fetch`."""
        self.asked.append(address)
        return self.answers.get(urlsplit(address).path.rpartition("/")[2], Fetched(404, b""))

    def playlist(self, *lines: str, name: str = MEDIA) -> None:
        """Have it answer with a playlist."""
        self.answers[name] = Fetched(200, "\n".join(("#EXTM3U", *lines)).encode())


@pytest.fixture
def service() -> Service:
    """One with a playlist of two pieces."""
    made = Service()
    query = f"SessionToken={TOKEN}&TrackNumber=1"
    made.playlist(
        f'#EXT-X-MAP:URI="getMP4InitFragment.mp4?{query}"',
        "#EXTINF:2.000,",
        f"getMP4MediaFragment.mp4?FragmentNumber=91&{query}",
        "#EXT-X-ENDLIST",
    )
    made.answers["getMP4MediaFragment.mp4"] = Fetched(200, b"moof")
    return made


@pytest.fixture
def clock() -> ManualClock:
    """To be moved."""
    return ManualClock(datetime(2026, 3, 1, 9, tzinfo=UTC))


def test_a_playlist_leads_to_names_beside_it(service: Service, clock: ManualClock) -> None:
    """Without the secret, which is put back when one of them is asked for."""
    views = HlsViews(service, service, clock)
    opened = views.open("office", 0, 1)
    kind, told = views.read(opened.view, MEDIA, "TrackNumber=1")
    piece = views.read(opened.view, "getMP4MediaFragment.mp4", "FragmentNumber=91&SessionToken=other")
    asked = urlsplit(service.asked[-1])

    assert (MASTER, PLAYLIST) == (opened.name, kind)
    assert (VIDEO, b"moof") == piece
    assert TOKEN.encode() not in told
    assert b'URI="getMP4InitFragment.mp4?TrackNumber=1"' in told
    assert b"\ngetMP4MediaFragment.mp4?FragmentNumber=91&TrackNumber=1\n" in told
    assert {"FragmentNumber": ["91"], "SessionToken": [TOKEN]} == parse_qs(asked.query)
    assert f"{FOLDER}/getMP4MediaFragment.mp4" == f"{asked.scheme}://{asked.netloc}{asked.path}"


@pytest.mark.parametrize(
    "line",
    [
        "https://elsewhere.example/hls/v1/a.mp4",
        "//elsewhere.example/hls/v1/a.mp4",
        "/other/a.mp4",
        "../a.mp4",
        "http://b-1.kinesisvideo.example/hls/v1/a.mp4",
        "a.html",
        '#EXT-X-MAP:URI="https://elsewhere.example/a.mp4"',
    ],
)
def test_a_playlist_that_leads_elsewhere_is_refused(service: Service, clock: ManualClock, line: str) -> None:
    """Nobody is made to ask another host, or for another kind of file."""
    service.playlist("#EXTINF:2.000,", line)
    views = HlsViews(service, service, clock)

    with pytest.raises(StreamError, match="leads elsewhere"):
        views.read(views.open("office", 0, 1).view, MEDIA, "")


@given(st.text(max_size=40))
def test_no_other_name_is_asked_for(name: str) -> None:
    """Whatever stands in an address of ours, the service is asked for files of its own kind alone."""
    service = Service()
    views = HlsViews(service, service, ManualClock(datetime(2026, 3, 1, 9, tzinfo=UTC)))
    opened = views.open("office", 0, 1)

    with pytest.raises(UnknownClipError):
        views.read(opened.view, name, "")
    assert all(urlsplit(each).path.startswith("/hls/v1/") for each in service.asked)


def test_a_view_is_over_after_a_while(service: Service, clock: ManualClock) -> None:
    """Before the service's own hour is; and the oldest goes where too many look."""
    views = HlsViews(service, service, clock)
    old = views.open("office", 0, 1).view
    clock.advance(GOOD_FOR_S)
    others = [views.open("office", 0, 1).view for _ in range(MOST_VIEWS + 1)]

    for gone in (old, others[0], "nobody"):
        with pytest.raises(UnknownClipError):
            views.read(gone, MEDIA, "")
    assert PLAYLIST == views.read(others[1], MEDIA, "")[0]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Fetched(403, b"expired"), UnknownClipError),
        (Fetched(404, b""), UnknownClipError),
        (Fetched(302, b""), StreamError),
        (Fetched(500, b""), StreamError),
        (Fetched(200, b"<html>"), StreamError),
        (Fetched(200, b"\xff\xfe"), StreamError),
    ],
)
def test_what_is_no_playlist_is_said(
    service: Service, clock: ManualClock, answer: Fetched, error: type[Exception]
) -> None:
    """Without the address: that opens the video to whoever reads it."""
    service.answers[MEDIA] = answer
    views = HlsViews(service, service, clock)
    opened = views.open("office", 0, 1)

    with pytest.raises(error) as caught:
        views.read(opened.view, MEDIA, "")
    assert TOKEN not in f"{caught.value!r} {caught.value.__cause__!r}"


@pytest.mark.parametrize(
    "address", ["ftp://host/hls/v1/a.m3u8?SessionToken=x", f"{FOLDER}/{MASTER}", f"{FOLDER}/?SessionToken=x"]
)
def test_an_address_that_no_player_opens_is_refused(
    service: Service, clock: ManualClock, address: str
) -> None:
    """Another scheme, no secret, no file."""
    service.address = address

    with pytest.raises(StreamError):
        HlsViews(service, service, clock).open("office", 0, 1)
