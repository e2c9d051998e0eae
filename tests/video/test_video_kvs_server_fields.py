"""Whatever a body holds, an operation answers or refuses: nothing of it leads to another exception."""

import asyncio
import inspect
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kvs_footage import BEGIN_MS, footage

from appliance.clock import ManualClock
from appliance.video.kvs_server.archive import FragmentMedia, FragmentRow, MemoryArchive
from appliance.video.kvs_server.control import ControlPlane
from appliance.video.kvs_server.fields import Fields
from appliance.video.kvs_server.images import Images
from appliance.video.kvs_server.live import Live
from appliance.video.kvs_server.playing import Playing
from appliance.video.kvs_server.reading import Readers, Shelf
from appliance.video.kvs_server.requests import RefusedError
from appliance.video.kvs_server.signatures import Credential
from appliance.video.kvs_server.streams import StreamBook
from appliance.video.matroska import stream_fragment, stream_header

NOW = datetime.fromtimestamp(BEGIN_MS / 1000, UTC)
SOMEBODY = Credential("AKID", "secret")
WORDS = (
    *(
        "StreamName",
        "StreamARN",
        "ResourceARN",
        "DataRetentionInHours",
        "MediaType",
        "DeviceName",
        "KmsKeyId",
    ),
    *("Tags", "TagKeyList", "CurrentVersion", "Operation", "DataRetentionChangeInHours", "APIName"),
    *("MaxResults", "NextToken", "StreamNameCondition", "ComparisonOperator", "ComparisonValue"),
    *("FragmentSelector", "FragmentSelectorType", "TimestampRange", "StartTimestamp", "EndTimestamp"),
    *("Fragments", "StartSelector", "StartSelectorType", "AfterFragmentNumber", "ContinuationToken"),
    *("ClipFragmentSelector", "PlaybackMode", "HLSFragmentSelector", "ContainerFormat", "DiscontinuityMode"),
    *("DisplayFragmentTimestamp", "Expires", "MaxMediaPlaylistFragmentResults", "ImageSelectorType"),
    *("SamplingInterval", "Format", "FormatConfig", "JPEGQuality", "WidthPixels", "HeightPixels"),
)
SEEN = (
    *("office", "PRODUCER_TIMESTAMP", "SERVER_TIMESTAMP", "LIVE", "LIVE_REPLAY", "ON_DEMAND", "JPEG", "PNG"),
    *(
        "EARLIEST",
        "NOW",
        "FRAGMENT_NUMBER",
        "INCREASE_DATA_RETENTION",
        "PUT_MEDIA",
        "BEGINS_WITH",
        "MTI=",
        "7",
    ),
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(SEEN)
    | st.sampled_from([BEGIN_MS / 1000, BEGIN_MS / 1000 + 5, 300, 1000])
)
BODIES = st.dictionaries(
    st.sampled_from(WORDS),
    st.recursive(
        LEAVES,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)
        ),
        max_leaves=8,
    ),
    max_size=8,
)


class Operations:
    """Every operation on one stream of two fragments, without sockets and signatures."""

    def __init__(self) -> None:
        archive = MemoryArchive()
        clock = ManualClock(NOW)
        book = StreamBook(archive, region="us-west-2")
        self.stream = book.create("office", NOW, retention_hours=1)
        for number, piece in enumerate(footage(2)):
            media = FragmentMedia(
                stream_header(piece.track, segment_uid=bytes(range(16))), stream_fragment(piece), b""
            )
            row = FragmentRow(str(number), piece.timecode_ms, BEGIN_MS, 2000, media.size_bytes, "t")
            archive.add("office", row, media)
        shelf = Shelf(archive, clock)
        self.readers = Readers(shelf, clock=clock, quiet_s=0.0)
        self.playing = Playing(shelf, book, clock=clock)
        self.images = Images(shelf)
        self.control = ControlPlane(
            book, clock=clock, region="us-west-2", endpoint=lambda: "http://here", deleted=lambda _: None
        )

    async def reading(self, given: Fields) -> Any:
        """GetMedia, to its end."""
        return [each async for each in self.readers.media_from(given, self.stream, Live())]


def refusal(call: Any, *given: Any) -> RefusedError | None:
    """With what it refuses, if it does."""
    try:
        found = call(*given)
        if inspect.iscoroutine(found):
            asyncio.run(found)
    except RefusedError as error:
        return error
    return None


def in_order(found: RefusedError | None) -> bool:
    """Whether it was answered, or refused as something that the caller did wrong."""
    return found is None or (400 <= found.status < 500 and bool(json.dumps(found.body)))


SPAN = {"StartTimestamp": BEGIN_MS / 1000, "EndTimestamp": BEGIN_MS / 1000 + 5}
SELECTOR = {"FragmentSelectorType": "PRODUCER_TIMESTAMP", "TimestampRange": SPAN}
READING: dict[str, dict[str, Any]] = {
    "list": {"FragmentSelector": SELECTOR, "MaxResults": 1, "NextToken": "MA=="},
    "media": {"Fragments": ["0", "1"]},
    "follow": {"StartSelector": {"StartSelectorType": "PRODUCER_TIMESTAMP", "StartTimestamp": 1}},
    "clip": {"ClipFragmentSelector": SELECTOR},
    "hls": {"PlaybackMode": "ON_DEMAND", "HLSFragmentSelector": SELECTOR, "Expires": 300},
    "images": {
        **SPAN,
        "ImageSelectorType": "PRODUCER_TIMESTAMP",
        "Format": "JPEG",
        "FormatConfig": {"JPEGQuality": "50"},
        "SamplingInterval": 1000,
        "HeightPixels": 20,
    },
}


def paths(body: dict[str, Any]) -> list[tuple[str, ...]]:
    """What leads to each member, nested ones too."""
    found: list[tuple[str, ...]] = []
    for name, value in body.items():
        found.append((name,))
        if isinstance(value, dict):
            found += [(name, *rest) for rest in paths(value)]
    return found


def changed(body: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The same with another value at one place."""
    name, *rest = path
    return {**body, name: changed(body[name], tuple(rest), value) if rest else value}


@settings(max_examples=60, deadline=None)
@given(BODIES)
def test_no_body_breaks_the_control_plane(body: dict[str, Any]) -> None:
    """Members of any type, out of all bounds, missing or too many."""
    here = Operations()

    assert all(
        in_order(refusal(operation, Fields(body), SOMEBODY))
        for _, operation in here.control.operations.values()
    )


def read(here: Operations, operation: str, body: dict[str, Any]) -> RefusedError | None:
    """With what a reading operation refuses, if it does."""
    given = Fields(body)
    calls: dict[str, Any] = {
        "list": lambda: here.readers.list_fragments(given, here.stream),
        "media": lambda: here.readers.media_of_list(given, here.stream),
        "follow": lambda: here.reading(given),
        "clip": lambda: here.playing.clip(given, here.stream),
        "hls": lambda: here.playing.open_hls(given, here.stream, endpoint=""),
        "images": lambda: here.images.images(given, here.stream),
    }
    return refusal(calls[operation])


@pytest.mark.parametrize("operation", READING)
def test_what_is_right_is_answered(operation: str) -> None:
    """The bodies that the next test changes are good ones."""
    assert read(Operations(), operation, READING[operation]) is None


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(sorted(READING)), LEAVES | st.lists(LEAVES, max_size=3))
def test_no_member_breaks_a_reader(data: st.DataObject, operation: str, value: Any) -> None:
    """Any member, nested ones too, with any value in its place."""
    path = data.draw(st.sampled_from(paths(READING[operation])))

    assert in_order(read(Operations(), operation, changed(READING[operation], path, value)))


@given(st.binary(max_size=40) | st.recursive(LEAVES, st.lists, max_leaves=5))
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    """No JSON, or another value."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    found = refusal(Fields.of, data)

    assert found is None or "InvalidArgumentException" == found.code
    assert found is not None or data[:1] in {b"", b"{", b" ", b"\t", b"\r", b"\n", b"\xef"}


def test_nesting_without_end_is_refused() -> None:
    """It does not exhaust the stack."""
    with pytest.raises(RefusedError):
        Fields.of(b"[" * 100_000)
