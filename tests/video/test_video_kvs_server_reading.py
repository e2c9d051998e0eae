"""What readers are given, asked by boto3 as it is; pictures are decoded to see which they are."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin
from urllib.request import urlopen

import av
import pytest
from botocore.exceptions import ClientError
from kvs_footage import BEGIN_MS, FPS, footage, where
from kvs_local import LocalKvs, local_kvs
from kvs_producer import send_all

from appliance.clock import ManualClock
from appliance.video.kvs_server.reading import Shelf
from appliance.video.matroska_reader import read_fragments

BEGIN = datetime.fromtimestamp(BEGIN_MS / 1000, UTC)
COUNT = 5


@dataclass
class Filmed:
    """A server with a stream of five fragments, of two seconds each.

    Attributes:
        numbers: Of the fragments, in their order.
    """

    kvs: LocalKvs
    numbers: list[str]

    def ask(self, api: str) -> Any:
        """A client for one of the reading operations."""
        return self.kvs.media_client("office", api)


@pytest.fixture(scope="module")
def filmed() -> Iterator[Filmed]:
    """One for all of them."""
    with local_kvs() as kvs:
        kvs.stream("office")
        send_all(kvs.port, "office", footage(COUNT))
        listed = kvs.media_client("office", "LIST_FRAGMENTS").list_fragments(StreamName="office")
        yield Filmed(kvs, [each["FragmentNumber"] for each in listed["Fragments"]])


def span(kind: str, begin_s: float, end_s: float) -> dict[str, Any]:
    """A selector from the footage's begin on."""
    return {
        "FragmentSelectorType": kind,
        "TimestampRange": {
            "StartTimestamp": BEGIN + timedelta(seconds=begin_s),
            "EndTimestamp": BEGIN + timedelta(seconds=end_s),
        },
    }


def pictures(data: bytes) -> list[int]:
    """The numbers of the frames in a file."""
    with av.open(io.BytesIO(data)) as found:
        return [where(each.to_ndarray(format="gray")) for each in found.decode(video=0)]


def frames(first: int, count: int) -> list[int]:
    """The numbers of the frames in fragments."""
    return list(range(first * 2 * FPS, (first + count) * 2 * FPS))


def code_of(call: Any, **given: Any) -> str:
    """The type of error that a call is refused with."""
    with pytest.raises(ClientError) as caught:
        call(**given)
    return str(caught.value.response["Error"]["Code"])


def test_fragments_are_listed_with_both_times_lengths_and_sizes(filmed: Filmed) -> None:
    """Numbers grow with the order in which they came; producer's time is the producer's."""
    told = filmed.ask("LIST_FRAGMENTS").list_fragments(StreamName="office")["Fragments"]

    assert [BEGIN + timedelta(seconds=2 * index) for index in range(COUNT)] == [
        each["ProducerTimestamp"] for each in told
    ]
    assert [2000] * COUNT == [each["FragmentLengthInMilliseconds"] for each in told]
    assert sorted(filmed.numbers, key=int) == filmed.numbers
    assert {47} == {len(each) for each in filmed.numbers}
    assert all(abs(datetime.now(UTC) - each["ServerTimestamp"]) < timedelta(minutes=5) for each in told)
    assert all(each["FragmentSizeInBytes"] > 100 for each in told)


def test_a_list_holds_what_begins_in_a_span_page_by_page(filmed: Filmed) -> None:
    """Both ends count; by the server's clock the same span holds nothing."""
    client = filmed.ask("LIST_FRAGMENTS")
    pages = client.get_paginator("list_fragments").paginate(
        StreamName="office",
        FragmentSelector=span("PRODUCER_TIMESTAMP", 1.5, 8),
        PaginationConfig={"PageSize": 3},
    )
    by_server = client.list_fragments(StreamName="office", FragmentSelector=span("SERVER_TIMESTAMP", -9, 9))

    assert [filmed.numbers[1:4], filmed.numbers[4:]] == [
        [each["FragmentNumber"] for each in page["Fragments"]] for page in pages
    ]
    assert [] == by_server["Fragments"]


def test_fragments_are_given_as_documents_with_their_number_and_times(filmed: Filmed) -> None:
    """What the producer sent, and tags that say what it is."""
    wanted = [filmed.numbers[3], filmed.numbers[1]]
    data = (
        filmed.ask("GET_MEDIA_FOR_FRAGMENT_LIST")
        .get_media_for_fragment_list(StreamName="office", Fragments=wanted)["Payload"]
        .read()
    )
    read = read_fragments(data)

    assert [BEGIN_MS + 2000, BEGIN_MS + 6000] == [each.timecode_ms for each in read]
    assert [("label", "dog")] * 2 == [each.tags[0] for each in read]
    told = [dict(each.header.tags) for each in read]
    assert [filmed.numbers[1], filmed.numbers[3]] == [
        each["AWS_KINESISVIDEO_FRAGMENT_NUMBER"] for each in told
    ]
    assert [f"{(BEGIN_MS + at) / 1000:.3f}" for at in (2000, 6000)] == [
        each["AWS_KINESISVIDEO_PRODUCER_TIMESTAMP"] for each in told
    ]
    assert "ResourceNotFoundException" == code_of(
        filmed.ask("GET_MEDIA_FOR_FRAGMENT_LIST").get_media_for_fragment_list,
        StreamName="office",
        Fragments=["12"],
    )


@pytest.mark.parametrize(
    ("selector", "first"),
    [
        ({"StartSelectorType": "EARLIEST"}, 0),
        ({"StartSelectorType": "PRODUCER_TIMESTAMP", "StartTimestamp": BEGIN + timedelta(seconds=5)}, 2),
        ({"StartSelectorType": "FRAGMENT_NUMBER", "AfterFragmentNumber": 2}, 3),
        ({"StartSelectorType": "CONTINUATION_TOKEN", "ContinuationToken": 3}, 4),
        ({"StartSelectorType": "NOW"}, COUNT),
    ],
)
def test_a_stream_is_read_from_where_one_says(filmed: Filmed, selector: dict[str, Any], first: int) -> None:
    """From a time, a number, a token, the begin, or from now on; each fragment says how far behind it is."""
    numbered = {
        name: filmed.numbers[value] if isinstance(value, int) else value for name, value in selector.items()
    }
    got = filmed.ask("GET_MEDIA").get_media(StreamName="office", StartSelector=numbered)
    read = read_fragments(got["Payload"].read())

    assert [BEGIN_MS + 2000 * index for index in range(first, COUNT)] == [each.timecode_ms for each in read]
    assert filmed.numbers[first:] == [
        dict(each.tags)["AWS_KINESISVIDEO_CONTINUATION_TOKEN"] for each in read if each.tags
    ]


def test_a_clip_is_one_file_of_the_fragments_that_begin_in_the_span(filmed: Filmed) -> None:
    """A player gets exactly their pictures, in order."""
    clip = filmed.ask("GET_CLIP").get_clip(
        StreamName="office", ClipFragmentSelector=span("PRODUCER_TIMESTAMP", 2, 7)
    )

    assert "video/mp4" == clip["ContentType"]
    assert frames(1, 3) == pictures(clip["Payload"].read())


def test_a_clip_by_the_servers_clock_holds_what_came_in_the_span(filmed: Filmed) -> None:
    """Five fragments came within a moment; they are played one after the other."""
    now = datetime.now(UTC)
    clip = filmed.ask("GET_CLIP").get_clip(
        StreamName="office",
        ClipFragmentSelector={
            "FragmentSelectorType": "SERVER_TIMESTAMP",
            "TimestampRange": {"StartTimestamp": now - timedelta(minutes=5), "EndTimestamp": now},
        },
    )

    assert frames(0, COUNT) == pictures(clip["Payload"].read())


@pytest.mark.parametrize(
    ("begin_s", "end_s", "code"),
    [
        (100, 200, "ResourceNotFoundException"),
        (4, 4, "InvalidArgumentException"),
        (4, 2, "InvalidArgumentException"),
        (0, 86_401, "InvalidArgumentException"),
    ],
)
def test_a_clip_of_nothing_or_of_too_long_a_span_is_refused(
    filmed: Filmed, begin_s: float, end_s: float, code: str
) -> None:
    """The service's words for each."""
    selector = span("PRODUCER_TIMESTAMP", begin_s, end_s)

    assert code == code_of(
        filmed.ask("GET_CLIP").get_clip, StreamName="office", ClipFragmentSelector=selector
    )


def fetched(address: str) -> bytes:
    """A file of a session, without any signature."""
    with urlopen(address, timeout=10) as answer:  # noqa: S310 - the server's own
        content: bytes = answer.read()
    return content


def session(filmed: Filmed, **given: Any) -> tuple[str, list[str]]:
    """The address of a media playlist of a session, and its lines."""
    master = filmed.ask("GET_HLS_STREAMING_SESSION_URL").get_hls_streaming_session_url(
        StreamName="office", **given
    )["HLSStreamingSessionURL"]
    address = urljoin(master, fetched(master).decode().splitlines()[-1])
    return address, fetched(address).decode().splitlines()


def test_a_session_plays_the_span_with_nothing_but_its_address(filmed: Filmed) -> None:
    """Master playlist, media playlist, init segment and media segments lead to the right pictures."""
    address, lines = session(
        filmed, PlaybackMode="ON_DEMAND", HLSFragmentSelector=span("PRODUCER_TIMESTAMP", 2, 4)
    )
    [init] = [line.split('"')[1] for line in lines if line.startswith("#EXT-X-MAP")]
    pieces = [line for line in lines if line and not line.startswith("#")]
    data = b"".join(fetched(urljoin(address, each)) for each in (init, *pieces))

    assert frames(1, 2) == pictures(data)
    assert ("#EXT-X-ENDLIST", "#EXT-X-PLAYLIST-TYPE:VOD") == (lines[-1], lines[2])
    assert ["#EXTINF:2.000,"] * 2 == [line for line in lines if line.startswith("#EXTINF")]
    assert "#EXT-X-DISCONTINUITY" not in lines


def test_a_live_session_shows_the_newest_fragments_and_goes_on(filmed: Filmed) -> None:
    """As many as are asked for, by the server's clock, each behind a discontinuity, with no end."""
    _, lines = session(
        filmed, PlaybackMode="LIVE", MaxMediaPlaylistFragmentResults=2, DisplayFragmentTimestamp="ALWAYS"
    )

    assert 2 == sum(line.startswith("#EXTINF") for line in lines)
    assert 1 == lines.count("#EXT-X-DISCONTINUITY")
    assert 2 == sum(line.startswith("#EXT-X-PROGRAM-DATE-TIME:") for line in lines)
    assert "#EXT-X-ENDLIST" not in lines


def test_a_replay_begins_with_a_few_and_grows_as_time_passes() -> None:
    """Two fragments ahead as asked for; a fragment more every two seconds."""
    clock = ManualClock(datetime.now(UTC))
    with local_kvs(clock=clock) as kvs:
        kvs.stream("office")
        send_all(kvs.port, "office", footage(COUNT))
        address, lines = session(
            Filmed(kvs, []),
            PlaybackMode="LIVE_REPLAY",
            MaxMediaPlaylistFragmentResults=2,
            HLSFragmentSelector=span("PRODUCER_TIMESTAMP", 0, 60),
        )
        clock.advance(6.5)
        later = fetched(address).decode().splitlines()

    assert [2, 4] == [sum(line.startswith("#EXTINF") for line in each) for each in (lines, later)]
    assert lines == later[: len(lines)]


def test_a_session_ends_and_its_address_is_all_that_it_takes() -> None:
    """After five minutes, or with another token, nothing more is given."""
    clock = ManualClock(datetime.now(UTC))
    with local_kvs(clock=clock) as kvs:
        kvs.stream("office")
        send_all(kvs.port, "office", footage(1))
        address, _ = session(Filmed(kvs, []))
        forged = f"{address[: address.index('SessionToken=')]}SessionToken=guessed&TrackNumber=1"
        with pytest.raises(OSError, match="403"):
            fetched(forged)
        clock.advance(301)
        with pytest.raises(OSError, match="403"):
            fetched(address)


def test_a_stream_that_keeps_nothing_has_no_clip_and_no_session_and_is_read_live() -> None:
    """Retention 0: never PERSISTED, nothing listed, and GetMedia has what has just come."""
    with local_kvs() as kvs:
        kvs.stream("bare", hours=0)
        acks = send_all(kvs.port, "bare", footage(2))
        listed = kvs.media_client("bare", "LIST_FRAGMENTS").list_fragments(StreamName="bare")
        clip = kvs.media_client("bare", "GET_CLIP")
        live = kvs.media_client("bare", "GET_MEDIA").get_media(
            StreamName="bare", StartSelector={"StartSelectorType": "EARLIEST"}
        )

        assert ["BUFFERING", "RECEIVED"] * 2 == [each[0] for each in acks]
        assert [] == listed["Fragments"]
        assert "NoDataRetentionException" == code_of(
            clip.get_clip, StreamName="bare", ClipFragmentSelector=span("PRODUCER_TIMESTAMP", 0, 9)
        )
        assert "NoDataRetentionException" == code_of(
            clip.get_hls_streaming_session_url, StreamName="bare", PlaybackMode="LIVE"
        )
        assert 2 == len(read_fragments(live["Payload"].read()))


def test_what_is_older_than_its_retention_is_gone() -> None:
    """By the server's clock, whatever the producer said of its time."""
    clock = ManualClock(datetime.now(UTC))
    with local_kvs(clock=clock) as kvs:
        kvs.stream("office", hours=1)
        send_all(kvs.port, "office", footage(2))
        [stream] = kvs.server.streams.sorted()
        shelf = Shelf(kvs.archive, clock)
        before = len(shelf.rows(stream))
        clock.advance(3601)
        after = len(shelf.rows(stream))

    assert (2, 0) == (before, after)


def test_a_span_that_was_sent_twice_is_played_once() -> None:
    """After a broken connection a producer sends fragments again; the first to come is played."""
    with local_kvs() as kvs:
        kvs.stream("office")
        send_all(kvs.port, "office", footage(2))
        send_all(kvs.port, "office", footage(COUNT)[1:])
        clip = kvs.media_client("office", "GET_CLIP").get_clip(
            StreamName="office", ClipFragmentSelector=span("PRODUCER_TIMESTAMP", 0, 60)
        )
        shown = pictures(clip["Payload"].read())

    assert frames(0, COUNT) == shown
