"""The strict checker: each rule of the service broken once and refused with its id, and what is taken."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matroska_writing import (
    END,
    IDR,
    OTHER,
    SEGMENT,
    SOUND,
    Track,
    block,
    blocks,
    cluster,
    ebml_header,
    header,
    info,
    timestamp,
    tracks,
)
from video_pieces import BEGIN_MS, muxed

from appliance.video import ebml
from appliance.video import matroska_elements as mkv
from appliance.video.matroska import tags
from appliance.video.matroska_events import (
    SERVICE,
    BlockRead,
    ErrorId,
    Event,
    Fault,
    FragmentBegun,
    FragmentEnded,
    HeaderRead,
    Remark,
    Rules,
    TagsRead,
)
from appliance.video.strict_matroska import StrictChecker

NEXT_MS = BEGIN_MS + 1000
HEAD = header()
EVENT_TAGS = tuple((f"name {index}", "x") for index in range(9))


def told(*pieces: bytes, rules: Rules = SERVICE) -> list[Event]:
    """Everything the checker tells of a body that ends in good order."""
    checker = StrictChecker(rules)
    return [event for piece in pieces for event in checker.feed(piece)] + list(checker.close())


def fault_of(events: Iterable[Event]) -> Fault:
    """The one fault, which is the last thing told."""
    found = list(events)
    faults = [event for event in found if isinstance(event, Fault)]
    assert [found[-1]] == faults
    return faults[0]


def names(events: Iterable[Event]) -> list[str]:
    """What kinds of things are told."""
    return [type(event).__name__ for event in events]


def remarks(events: Iterable[Event]) -> list[str]:
    """What is remarked on."""
    return [event.kind for event in events if isinstance(event, Remark)]


def head_with(
    *, document: bytes = ebml_header(), about: bytes = info(), entries: bytes = tracks(), more: bytes = b""
) -> bytes:
    """A body whose header has that one thing changed."""
    return document + SEGMENT + about + entries + more + cluster()


SECOND = cluster(NEXT_MS)
CLOSED = HEAD + cluster() + tags(END)
LONG_SCALE = ebml.master(mkv.INFO, ebml.element(mkv.TIMESTAMP_SCALE, bytes(9)))
NOT_VALID = {
    "no EBML at all": b"GET / HTTP/1.1\r\n\r\n",
    "a segment without a header": HEAD[len(ebml_header()) :] + cluster(),
    "another document type": head_with(document=ebml_header("webm")),
    "a document for newer readers": head_with(document=ebml_header(read_version=5)),
    "EBML for newer readers": head_with(document=ebml_header(ebml_version=2)),
    "a second document": HEAD + cluster() + HEAD + SECOND,
    "a second segment": HEAD + cluster() + SEGMENT + SECOND,
    "no Info": head_with(about=b""),
    "a second Info": head_with(about=info() + info()),
    "no Tracks": head_with(entries=b""),
    "Tracks without a track": head_with(entries=ebml.master(mkv.TRACKS)),
    "a second Tracks": head_with(entries=tracks() + tracks()),
    "Tracks behind a cluster": HEAD + cluster() + tracks() + SECOND,
    "Info behind a cluster": HEAD + cluster() + info() + SECOND,
    "a time scale below 100 ns": head_with(about=info(scale_ns=99)),
    "a time scale above 1 s": head_with(about=info(scale_ns=1_000_000_001)),
    "an identifier of 15 bytes": head_with(about=info(uid=bytes(15))),
    "a codec that is not taken": head_with(entries=tracks(Track(codec="V_VP8"))),
    "video without a size": head_with(entries=tracks(Track(size=None))),
    "video without a width": head_with(entries=tracks(Track(size=(None, 64)))),
    "two tracks of one number": head_with(entries=tracks(Track(), Track())),
    "a track without a number": head_with(entries=tracks(Track(), Track(0, mkv.AUDIO_TRACK, "A_AAC", b""))),
    "laced frames": HEAD + cluster(BEGIN_MS, block(flags=0x86)),
    "a BlockGroup": HEAD + cluster(BEGIN_MS, ebml.element(mkv.BLOCK_GROUP, b"\xa1\x85\x81\x00\x00\x00x")),
    "a frame before its cluster's time": HEAD + ebml.master(mkv.CLUSTER, block(), timestamp(BEGIN_MS)),
    "two times in a cluster": HEAD + cluster(BEGIN_MS, timestamp(BEGIN_MS), blocks()),
    "a block cut short": HEAD + cluster(BEGIN_MS, ebml.element(mkv.SIMPLE_BLOCK, b"\x81\x00\x00")),
    "a block without a track": HEAD + cluster(BEGIN_MS, ebml.element(mkv.SIMPLE_BLOCK, b"\x01\x00\x00\x80x")),
    "a first frame that is no key frame": HEAD + cluster(BEGIN_MS, block(flags=0)),
    "a first frame that is no IDR": HEAD + cluster(BEGIN_MS, block(0, OTHER)),
    "a tag behind the end tag": CLOSED + tags((("late", ""),)) + SECOND,
    "a frame behind the end tag": CLOSED + block(5) + SECOND,
    "anything behind the end tag": CLOSED + ebml.element(mkv.VOID, b"") + SECOND,
    "a frame between clusters": HEAD + cluster() + tags((("label", "dog"),)) + block(5),
    "an element larger than its cluster": HEAD + cluster()[:-1] + SECOND,
    "a tag that is no UTF-8": HEAD + cluster() + tags((("xx", "y"),)).replace(b"xx", b"\xff\xff"),
    "a number of nine bytes": head_with(
        about=ebml.master(mkv.INFO, ebml.element(mkv.TIMESTAMP_SCALE, bytes(9)))
    ),
    "an end within an element": HEAD + cluster()[:-3],
    "three bytes": b"\x1a\x45\xdf",
}


@pytest.mark.parametrize("body", NOT_VALID.values(), ids=NOT_VALID)
def test_4006_data_that_is_not_as_it_has_to_be(body: bytes) -> None:
    """Whatever has no error of its own is invalid data."""
    assert ErrorId.INVALID_MKV_DATA == fault_of(told(body)).error_id


def test_4001_a_fragment_of_more_than_fifty_megabytes() -> None:
    """Refused when its size is said, before a byte of it comes."""
    for size in (50_000_001, 1 << 40):
        large = ebml.encode_id(mkv.CLUSTER) + ebml.encode_size(size)
        checker = StrictChecker()
        events = [*checker.feed(HEAD + large)]

        assert ErrorId.MAX_FRAGMENT_SIZE_REACHED == fault_of(events).error_id


def test_4001_a_frame_or_a_fragment_without_an_end() -> None:
    """A frame is refused at its head, and a cluster or its tags once they are too large."""
    rules = Rules(max_fragment_bytes=3000)
    huge = ebml.encode_id(mkv.SIMPLE_BLOCK) + ebml.encode_size(3001)
    growing = cluster(BEGIN_MS, known=False) + block(1, bytes(1000), flags=0) * 3
    tagged = cluster(BEGIN_MS, known=False) + tags((("label", "x" * 250),) * 10) + tags(EVENT_TAGS[:1]) * 40
    for body in (cluster(BEGIN_MS, known=False) + huge, growing, cluster(BEGIN_MS, block(0, IDR * 600))):
        assert ErrorId.MAX_FRAGMENT_SIZE_REACHED == fault_of(told(HEAD + body, rules=rules)).error_id

    many = Rules(max_fragment_bytes=3000, max_tags=99)
    assert ErrorId.MAX_FRAGMENT_SIZE_REACHED == fault_of(told(HEAD + tagged, rules=many)).error_id


def test_4002_a_fragment_of_more_than_twenty_seconds() -> None:
    """From its first frame to its last; twenty are taken."""
    assert "Fault" not in names(told(HEAD + cluster(BEGIN_MS, blocks((0, 20_000)))))
    fault = fault_of(told(HEAD + cluster(BEGIN_MS, blocks((0, 20_001)))))

    assert (ErrorId.MAX_FRAGMENT_DURATION_REACHED, BEGIN_MS) == (fault.error_id, fault.timecode_ms)


@pytest.mark.parametrize("begin_ms", [BEGIN_MS - 1, BEGIN_MS, BEGIN_MS + 500, BEGIN_MS + 999])
def test_4004_a_fragment_that_is_not_later_than_the_one_before(begin_ms: int) -> None:
    """Back in time, at the same time, or within it, up to its last frame's time."""
    fault = fault_of(told(HEAD + cluster() + tags(END) + cluster(begin_ms)))

    assert (ErrorId.FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS, begin_ms) == (fault.error_id, fault.timecode_ms)


def test_4004_a_frame_that_is_shown_before_the_fragment_before_has_ended() -> None:
    """An open group of pictures: the cluster is later, and one of its frames is not."""
    leaning = cluster(NEXT_MS, block(), block(-1, OTHER, flags=0), block(500, OTHER, flags=0))

    assert (
        ErrorId.FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS == fault_of(told(HEAD + cluster() + leaning)).error_id
    )


@pytest.mark.parametrize(
    "bad", [cluster((1 << 63) // 1_000_000 + 1), cluster(0, block(), block(-1, OTHER, flags=0))]
)
def test_4007_a_time_that_cannot_be(bad: bytes) -> None:
    """After the year 2262, which no signed count of nanoseconds holds, or before the epoch."""
    assert ErrorId.INVALID_PRODUCER_TIMESTAMP == fault_of(told(HEAD + bad)).error_id


@pytest.mark.parametrize(
    "pairs",
    [
        pytest.param((*EVENT_TAGS, ("one", "more"), *END), id="eleven with the end tag"),
        pytest.param((("é" * 64 + "x", ""),), id="a name of 129 bytes"),
        pytest.param((("label", "é" * 128 + "x"),), id="a value of 257 bytes"),
        pytest.param((("AWS_LABEL", ""),), id="a reserved name"),
        pytest.param((("", "dog"),), id="no name"),
    ],
)
def test_4009_tags_beyond_their_limits(pairs: tuple[tuple[str, str], ...]) -> None:
    """Their number counts the tag that ends the fragment; lengths are of bytes."""
    fault = fault_of(told(HEAD + cluster() + tags(pairs)))

    assert (ErrorId.FRAGMENT_METADATA_LIMIT_REACHED, BEGIN_MS) == (fault.error_id, fault.timecode_ms)


def test_tags_up_to_their_limits_are_taken() -> None:
    """Nine and the end tag, of the longest names and values, and those that a producer may write."""
    longest = (("n" * 128, "v" * 256), ("AWS_KINESISVIDEO_IMAGE_GENERATION", ""), *EVENT_TAGS[:7], *END)
    events = told(HEAD + cluster() + tags(longest))

    ended = next(event for event in events if isinstance(event, FragmentEnded))
    assert longest[:-1] == ended.tags
    assert ended.closed


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(HEAD + cluster(BEGIN_MS, blocks(), block(10, track=2)), id="a frame of no track"),
        pytest.param(head_with(entries=tracks(Track(number=2))), id="video that is not number 1"),
    ],
)
def test_4010_track_numbers_that_do_not_fit(body: bytes) -> None:
    """Frames belong to tracks of the header, and video is the first."""
    assert ErrorId.TRACK_NUMBER_MISMATCH == fault_of(told(body)).error_id


@pytest.mark.parametrize("follow", [tags(END), SECOND, b""], ids=["end tag", "next cluster", "end of stream"])
def test_4011_a_fragment_without_a_frame_of_every_track(follow: bytes) -> None:
    """Found when the fragment ends, however it ends, and said of that fragment."""
    sound = header(Track(), SOUND)
    for body in (sound + cluster(BEGIN_MS, blocks()), HEAD + ebml.master(mkv.CLUSTER, timestamp(BEGIN_MS))):
        fault = fault_of(told(body + follow))

        assert (ErrorId.FRAMES_MISSING_FOR_TRACK, BEGIN_MS) == (fault.error_id, fault.timecode_ms)


def test_4012_more_than_three_tracks() -> None:
    """Three are taken, with frames of each in every fragment."""
    more = [Track(number, mkv.AUDIO_TRACK, "A_AAC", b"", None) for number in (2, 3, 4)]
    body = header(Track(), *more[:2]) + cluster(BEGIN_MS, blocks(), block(track=2), block(track=3))

    assert "Fault" not in names(told(body))
    fault = fault_of(told(header(Track(), *more) + cluster()))
    assert ErrorId.MORE_THAN_ALLOWED_TRACKS_FOUND == fault.error_id


def test_nothing_is_read_behind_a_fault() -> None:
    """The service closes the connection; what is still on its way means nothing."""
    checker = StrictChecker()
    list(checker.feed(HEAD + cluster(BEGIN_MS, block(flags=0))))

    assert checker.over
    assert [] == [*checker.feed(HEAD + cluster()), *checker.close()]


def test_a_fragment_is_told_as_it_comes() -> None:
    """Begun with its time, frame by frame, its tags, and ended by the next cluster or its end tag."""
    body = HEAD + cluster() + tags((("label", "dog"),)) + SECOND + tags(END)
    told_of = ["FragmentBegun", "BlockRead", "BlockRead", "BlockRead", "TagsRead", "FragmentEnded"]
    events = told(body)

    assert ["HeaderRead", *told_of, *told_of] == names(events)
    assert [BEGIN_MS, NEXT_MS] == [each.timecode_ms for each in events if isinstance(each, FragmentBegun)]
    first, second = (each for each in events if isinstance(each, FragmentEnded))
    assert (False, True) == (first.closed, second.closed)
    assert ((("label", "dog"),), ()) == (first.tags, second.tags)
    assert len(cluster() + tags((("label", "dog"),))) == first.size_bytes
    assert BlockRead(1, BEGIN_MS, key=True, data=IDR) == first.blocks[0]
    assert [TagsRead(END)] == [each for each in events if isinstance(each, TagsRead)][1:]


def test_an_end_tag_ends_the_fragment_without_waiting() -> None:
    """That is what it is for: nothing of the next cluster has come yet."""
    checker = StrictChecker()

    assert "FragmentEnded" not in names(checker.feed(HEAD + cluster() + tags(END)[:-1]))
    assert ["TagsRead", "FragmentEnded"] == names(checker.feed(tags(END)[-1:]))


@given(st.lists(st.integers(1, 60), max_size=30))
def test_pieces_make_no_difference(sizes: list[int]) -> None:
    """A network cuts where it likes."""
    body = HEAD + cluster(BEGIN_MS, known=False) + tags((("label", "dog"),)) + SECOND + tags(END)
    pieces, at = [], 0
    for size in sizes:
        pieces.append(body[at : at + size])
        at += size

    assert told(body) == told(*pieces, body[at:])


@given(st.binary(max_size=300), st.integers(0, 400))
def test_no_bytes_break_the_checker(noise: bytes, at: int) -> None:
    """Whatever comes, also in the middle of a good stream, is read or refused with one fault."""
    body = HEAD + cluster() + tags(END)
    events = told(body[:at] + noise + body[at:])

    assert "Fault" not in names(events)[:-1]


def test_a_stream_like_the_official_producers() -> None:
    """Clusters without a size, Position 0, tags an element each: nothing to remark on."""
    position = ebml.unsigned(mkv.POSITION, 0)
    first = cluster(BEGIN_MS, position, blocks(), known=False) + tags(EVENT_TAGS) + tags(END)
    second = cluster(NEXT_MS, position, blocks(), known=False) + tags(END)

    assert [] == remarks(told(HEAD + first + second))


def test_what_libavformat_writes_besides_is_taken() -> None:
    """SeekHead, Void, Cues, header tags and elements that nobody knows, as in AWS's own sample files."""
    unknown = ebml.element(0x55B0, b"colour")
    seek = ebml.element(mkv.SEEK_HEAD, b"x" * 20) + ebml.element(mkv.VOID, bytes(40))
    entries = ebml.master(mkv.TRACKS, ebml.master(mkv.TRACK_ENTRY, Track().written()[2:], unknown))
    body = (
        ebml_header(read_version=4)
        + SEGMENT
        + seek
        + info()
        + entries
        + tags((("ENCODER", "Lavf"),))
        + cluster()
        + ebml.element(mkv.CUES, b"y" * 30)
    )
    events = told(body)

    assert ["HeaderRead", "FragmentBegun", *["BlockRead"] * 3, "FragmentEnded"] == names(events)
    assert (("ENCODER", "Lavf"),) == next(e for e in events if isinstance(e, HeaderRead)).tags


def test_libavformats_default_clusters_are_refused_and_those_of_dash_are_taken() -> None:
    """It begins clusters where its buffer is full, with whatever frame comes next."""
    dash = told(muxed({"live": "1", "dash": "1"}))

    assert (
        ErrorId.INVALID_MKV_DATA == fault_of(told(muxed({"live": "1", "cluster_time_limit": "900"}))).error_id
    )
    assert 3 == names(dash).count("FragmentEnded")
    assert "Fault" not in names(dash)


@pytest.mark.parametrize(
    ("body", "remark"),
    [
        pytest.param(tags(EVENT_TAGS), "stray_tags", id="tags and no header"),
        pytest.param(
            ebml_header() + ebml.master(mkv.SEGMENT, info(), tracks(), cluster()), "segment_size", id="size"
        ),
        pytest.param(head_with(about=info(uid=None)), "segment_uid", id="no identifier"),
        pytest.param(
            head_with(entries=tracks(Track(codec_private=b"\0\0\0\1\x67\x42"))),
            "codec_private",
            id="Annex B header",
        ),
        pytest.param(
            HEAD + cluster(BEGIN_MS, block(0, b"\0\0\0\1\x65\x88"), block(999, flags=0)),
            "annex_b",
            id="Annex B",
        ),
        pytest.param(
            HEAD + cluster(BEGIN_MS, block(0, b"xy"), block(999, flags=0)),
            "unreadable_picture",
            id="no picture",
        ),
        pytest.param(HEAD + cluster(BEGIN_MS, blocks((0, 40, 80))), "short", id="shorter than a second"),
    ],
)
def test_what_is_taken_and_should_not_be_sent_is_remarked_on(body: bytes, remark: str) -> None:
    """The service stores it, and trouble comes later: who tests a producer sees it at once."""
    events = told(body)

    assert [remark] == remarks(events)
    assert "Fault" not in names(events)


@pytest.mark.parametrize("body", [b"", HEAD, tags(EVENT_TAGS) * 3], ids=["nothing", "a header", "tags"])
def test_a_session_without_a_fragment_is_in_order(body: bytes) -> None:
    """The official client opens one after an error, and closes it with nothing said."""
    assert {"Remark"} >= set(names(told(body)))


def test_stray_tags_are_followed_by_nothing_else() -> None:
    """What has no header is no stream."""
    assert ErrorId.INVALID_MKV_DATA == fault_of(told(tags(EVENT_TAGS) + HEAD + cluster())).error_id
