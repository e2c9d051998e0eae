"""Playing kept media: what changes on the way, what cannot be played and why, and pages of lists."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kvs_footage import BEGIN_MS, footage

from appliance.clock import ManualClock
from appliance.video import matroska_elements as mkv
from appliance.video.ebml import element, encode_id, master, text, unsigned
from appliance.video.fragment import Fragment
from appliance.video.kvs_server.archive import FragmentMedia, FragmentRow, MemoryArchive
from appliance.video.kvs_server.fields import Fields
from appliance.video.kvs_server.playable import playable
from appliance.video.kvs_server.playing import Playing
from appliance.video.kvs_server.reading import Shelf
from appliance.video.kvs_server.requests import RefusedError, Request
from appliance.video.kvs_server.selecting import Selection, page
from appliance.video.kvs_server.streams import StreamBook, StreamRow
from appliance.video.matroska import stream_fragment, stream_header

NOW = datetime(2026, 3, 1, 9, 5, tzinfo=UTC)
UID = bytes(range(16))


def media_of(piece: Fragment) -> FragmentMedia:
    """What an archive has of a fragment."""
    cluster = stream_fragment(replace(piece, tags=()), close=False)
    return FragmentMedia(stream_header(piece.track, segment_uid=UID), cluster, b"")


class Shown:
    """A stream whose fragments lie in an archive, and its player."""

    def __init__(self, *pieces: Fragment) -> None:
        self.archive = MemoryArchive()
        self.clock = ManualClock(NOW)
        self.streams = StreamBook(self.archive, region="us-west-2")
        self.stream: StreamRow = self.streams.create("office", NOW, retention_hours=1)
        self.playing = Playing(Shelf(self.archive, self.clock), self.streams, clock=self.clock)
        for number, piece in enumerate(pieces):
            media = media_of(piece)
            tracks = f"{piece.track.width}"
            row = FragmentRow(
                str(number), piece.timecode_ms, self.now_ms, piece.duration_ms, media.size_bytes, tracks
            )
            self.archive.add("office", row, media)

    @property
    def now_ms(self) -> int:
        """The server's time."""
        return int(self.clock.wall().timestamp() * 1000)

    def playlist(self, **given: Any) -> list[str]:
        """The lines of a session's playlist of everything there is, by the producer's clock."""
        begin = BEGIN_MS / 1000
        selector = {
            "FragmentSelectorType": "PRODUCER_TIMESTAMP",
            "TimestampRange": {"StartTimestamp": begin, "EndTimestamp": begin + 3600},
        }
        asked = Fields({"PlaybackMode": "ON_DEMAND", "HLSFragmentSelector": selector, **given})
        opened = self.playing.open_hls(asked, self.stream, endpoint="http://server")
        address = opened["HLSStreamingSessionURL"].removeprefix("http://server")
        media = address.replace("getHLSMasterPlaylist", "getHLSMediaPlaylist")
        _, content = self.playing.file(Request("GET", media, ()))
        return content.decode().splitlines()


SMALL = footage(3)
LARGE = footage(2, begin_ms=BEGIN_MS + 6000, size=2)


def test_another_size_is_another_init_segment_behind_a_discontinuity() -> None:
    """Even where no discontinuities are asked for: another decoder must be told of."""
    lines = Shown(*SMALL, *LARGE).playlist(DiscontinuityMode="NEVER")

    assert 2 == sum(line.startswith("#EXT-X-MAP") for line in lines)
    assert 1 == lines.count("#EXT-X-DISCONTINUITY")
    assert 5 == sum(line.startswith("#EXTINF") for line in lines)


@pytest.mark.parametrize(("mode", "count"), [("ALWAYS", 2), ("NEVER", 0), ("ON_DISCONTINUITY", 1)])
def test_discontinuities_are_marked_as_asked(mode: str, count: int) -> None:
    """Between all, never, or where a fragment is missing."""
    pieces = footage(4)
    lines = Shown(pieces[0], pieces[1], pieces[3]).playlist(DiscontinuityMode=mode)

    assert count == lines.count("#EXT-X-DISCONTINUITY")


@pytest.mark.parametrize(
    "given",
    [
        {"PlaybackMode": "ON_DEMAND"},
        {"PlaybackMode": "LIVE_REPLAY"},
        {"PlaybackMode": "ON_DEMAND", "HLSFragmentSelector": {"TimestampRange": {"StartTimestamp": 1}}},
        {"PlaybackMode": "LIVE_REPLAY", "HLSFragmentSelector": {"FragmentSelectorType": "SERVER_TIMESTAMP"}},
        {"ContainerFormat": "MPEG_TS"},
        {"Expires": 299},
    ],
)
def test_a_session_without_what_its_mode_needs_is_refused(given: dict[str, Any]) -> None:
    """A span, or where to begin; five minutes at least; MP4 alone."""
    shown = Shown(*SMALL)
    with pytest.raises(RefusedError) as caught:
        shown.playing.open_hls(Fields(given), shown.stream, endpoint="")

    assert "InvalidArgumentException" == caught.value.code


async def clip(shown: Shown) -> bytes:
    """Everything there is, as one file."""
    begin = BEGIN_MS / 1000
    selector = {
        "FragmentSelectorType": "PRODUCER_TIMESTAMP",
        "TimestampRange": {"StartTimestamp": begin, "EndTimestamp": begin + 3600},
    }
    return await shown.playing.clip(Fields({"ClipFragmentSelector": selector}), shown.stream)


def refused(shown: Shown) -> str:
    """The type of error with which a clip is refused."""
    with pytest.raises(RefusedError) as caught:
        asyncio.run(clip(shown))
    return caught.value.code


def test_a_clip_has_one_size_and_at_most_two_hundred_fragments() -> None:
    """The service's bounds, and what no single file can hold."""
    [piece] = footage(1, each_s=1)
    many = [moved(piece, index * 1000) for index in range(201)]

    assert "InvalidCodecPrivateDataException" == refused(Shown(*SMALL, *LARGE))
    assert "InvalidArgumentException" == refused(Shown(*many))
    assert asyncio.run(clip(Shown(*many[:200])))


def moved(piece: Fragment, by_ms: int) -> Fragment:
    """The same later."""
    frames = tuple(replace(each, timecode_ms=each.timecode_ms + by_ms) for each in piece.frames)
    return replace(piece, timecode_ms=piece.timecode_ms + by_ms, frames=frames)


def header(codec: str, private: bytes) -> bytes:
    """A header of one track."""
    entry = master(
        mkv.TRACK_ENTRY,
        unsigned(mkv.TRACK_NUMBER, 1),
        unsigned(mkv.TRACK_TYPE, mkv.VIDEO_TRACK),
        text(mkv.CODEC_ID, codec),
        element(mkv.CODEC_PRIVATE, private) if private else b"",
        master(mkv.VIDEO, unsigned(mkv.PIXEL_WIDTH, 160), unsigned(mkv.PIXEL_HEIGHT, 90)),
    )
    whole = media_of(SMALL[0]).header
    info = master(mkv.INFO, element(mkv.SEGMENT_UID, UID), unsigned(mkv.TIMESTAMP_SCALE, 1_000_000))
    ebml = whole[: whole.index(encode_id(mkv.SEGMENT))]
    return ebml + encode_id(mkv.SEGMENT) + b"\xff" + info + master(mkv.TRACKS, entry)


@pytest.mark.parametrize(
    ("codec", "private", "code"),
    [
        (mkv.H265_CODEC, b"\x01" * 30, "UnsupportedStreamMediaTypeException"),
        (mkv.H264_CODEC, b"", "MissingCodecPrivateDataException"),
        (mkv.H264_CODEC, b"\x00\x00\x00\x01\x67\x42\x00\x1e", "InvalidCodecPrivateDataException"),
    ],
)
def test_what_was_taken_and_cannot_be_played_is_refused_with_the_reason(
    codec: str, private: bytes, code: str
) -> None:
    """Another codec, no configuration of a decoder, or one in Annex B."""
    kept = media_of(SMALL[0])
    with pytest.raises(RefusedError) as caught:
        playable(FragmentMedia(header(codec, private), kept.cluster, b""), begin_ms=BEGIN_MS)

    assert code == caught.value.code


def test_bytes_that_are_no_fragment_are_refused() -> None:
    """Whatever an archive gives back."""
    with pytest.raises(RefusedError) as caught:
        playable(FragmentMedia(b"", b"", b""), begin_ms=BEGIN_MS)

    assert "InvalidMediaFrameException" == caught.value.code


def rows(times: list[int]) -> list[FragmentRow]:
    """Fragments in the order in which they came, of these producer's times."""
    return [FragmentRow(str(number), ms, ms, 1000, 1, "") for number, ms in enumerate(times)]


@settings(max_examples=50)
@given(st.integers(0, 12), st.integers(1, 5))
def test_pages_hold_everything_once_in_order(count: int, most: int) -> None:
    """Following tokens to the end gives the whole list, and no page is longer than asked for."""
    found: list[FragmentRow] = []
    token: str | None = None
    whole = rows(list(range(count)))
    while True:
        piece, token = page(whole, after=token, most=most)
        found += piece

        assert len(piece) <= most
        if token is None:
            break
    assert whole == found


@settings(max_examples=50)
@given(st.lists(st.integers(0, 8), max_size=12), st.integers(0, 8), st.integers(0, 8))
def test_a_span_is_in_order_and_has_each_time_once_as_it_came_first(
    times: list[int], begin: int, end: int
) -> None:
    """What was sent again after a broken connection is played once."""
    found = Selection("PRODUCER_TIMESTAMP", begin, end).deduplicated(rows(times))

    assert sorted({each for each in times if begin <= each <= end}) == [row.producer_ms for row in found]
    assert all(times.index(row.producer_ms) == int(row.number) for row in found)


def test_sessions_that_ended_make_room() -> None:
    """A thousand may be open; the oldest goes for the next, and its address plays no more."""
    shown = Shown(*SMALL)
    selector = {"PlaybackMode": "LIVE"}
    opened = [
        shown.playing.open_hls(Fields(selector), shown.stream, endpoint="")["HLSStreamingSessionURL"]
        for _ in range(1001)
    ]

    assert shown.playing.file(Request("GET", opened[1], ()))
    with pytest.raises(RefusedError, match="expired"):
        shown.playing.file(Request("GET", opened[0], ()))
    shown.clock.advance(timedelta(minutes=6).total_seconds())
    with pytest.raises(RefusedError, match="expired"):
        shown.playing.file(Request("GET", opened[1], ()))
