"""The strict checker and the readers behind it under hostile bytes: bounded memory, one kind of refusal."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matroska_writing import END, IDR, OTHER, Track, block, blocks, cluster, ebml_header, header, info, tracks
from video_pieces import BEGIN_MS, UID, fragments, plain_fragment, plain_track, stream

from appliance.errors import UnusableVideoError
from appliance.video import ebml, mp4
from appliance.video import matroska_elements as mkv
from appliance.video.fragment import Fragment
from appliance.video.h264 import join_lengths
from appliance.video.matroska import document, tags
from appliance.video.matroska_events import BlockRead, ErrorId, Fault, FragmentEnded, Remark, Rules
from appliance.video.matroska_reader import read_document, read_fragments, to_fragment
from appliance.video.strict_matroska import StrictChecker

HUGE = ebml.encode_size(1 << 50)
DOCUMENT = document(plain_fragment(tags=(("label", "dog"),)), segment_uid=UID)


def first_fault(body: bytes, rules: Rules | None = None) -> ErrorId:
    """What the body is refused for."""
    checker = StrictChecker(rules or Rules(), keep_bytes=True)
    return next(event for event in checker.feed(body) if isinstance(event, Fault)).error_id


@pytest.mark.parametrize("identifier", [mkv.VOID, mkv.BLOCK_GROUP, 0x55B0])
def test_a_fragment_that_says_it_will_be_endless_is_refused_at_once(identifier: int) -> None:
    """Not only frames count: what is passed over, and what nobody knows, fills a fragment, too."""
    open_cluster = header() + cluster(BEGIN_MS, blocks(), known=False)
    expected = (
        ErrorId.INVALID_MKV_DATA if identifier == mkv.BLOCK_GROUP else ErrorId.MAX_FRAGMENT_SIZE_REACHED
    )

    assert expected == first_fault(open_cluster + ebml.encode_id(identifier) + HUGE)


@pytest.mark.parametrize(
    "begin",
    [
        ebml_header() + ebml.encode_id(mkv.SEGMENT) + b"\xff" + ebml.encode_id(mkv.VOID),
        ebml_header() + ebml.encode_id(mkv.VOID),
        ebml.encode_id(mkv.EBML) + HUGE + ebml.encode_id(mkv.DOC_TYPE),
    ],
    ids=["in the segment", "before it", "in the EBML header"],
)
def test_a_header_that_says_it_will_be_endless_is_refused_at_once(begin: bytes) -> None:
    """A megabyte is more than any camera needs to say of itself."""
    assert ErrorId.INVALID_MKV_DATA == first_fault(begin + HUGE)


def test_a_header_that_grows_is_refused_when_it_is_too_large() -> None:
    """Piece by piece, each of them small."""
    checker = StrictChecker(Rules(max_header_bytes=5000))
    fed = list(checker.feed(header()[: -len(tracks())]))
    for _ in range(100):
        fed += checker.feed(ebml.element(mkv.VOID, bytes(100)))

    assert [ErrorId.INVALID_MKV_DATA] == [each.error_id for each in fed if isinstance(each, Fault)]
    assert checker.over


def test_what_was_handed_out_is_not_kept() -> None:
    """A connection of hours takes no more memory than a fragment: each is dropped when the next begins."""
    checker = StrictChecker(keep_bytes=True)
    list(checker.feed(header()))
    for index in range(50):
        filled = cluster(BEGIN_MS + 1000 * index, block(0), block(999, OTHER * 1000, flags=0)) + tags(END)
        ended = [each for each in checker.feed(filled) if isinstance(each, FragmentEnded)]

        assert len(filled) == ended[0].size_bytes
    assert checker._sent is not None
    assert len(checker._sent._bytes) <= len(filled)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1.0, 1e300])
def test_a_document_that_lasts_what_nothing_can_is_refused(number: float) -> None:
    """No number of a header is believed without a look."""
    about = ebml.master(mkv.INFO, ebml.float64(mkv.DURATION, number))
    with pytest.raises(UnusableVideoError) as raised:
        read_document(header().replace(info(), about) + cluster())

    assert "damaged" == raised.value.fault


@settings(max_examples=300)
@given(st.integers(0, len(DOCUMENT) - 1), st.integers(0, 255), st.integers(0, 3))
def test_a_byte_that_changed_is_refused_or_harmless(at: int, value: int, more: int) -> None:
    """A document that lay on a bad disk is a fragment that can be made into a clip, or an error in words."""
    changed = bytearray(DOCUMENT)
    changed[at : at + 1 + more] = bytes((value,)) * (1 + more)
    with suppress(UnusableVideoError):
        read = read_document(bytes(changed))
        whole = mp4.whole_clip([read])

        assert isinstance(read, Fragment)
        assert len(whole) > read.size_bytes


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    """Whatever lies where a clip should: it is refused in words."""
    with pytest.raises(UnusableVideoError):
        read_document(data)


def test_a_track_of_a_size_that_cannot_be_is_not_played() -> None:
    """The service stores it; a player would be told a size that no file can say."""
    read = read_fragments(header(Track(size=(1 << 40, 64))) + cluster())[0]
    with pytest.raises(UnusableVideoError) as raised:
        to_fragment(read)

    assert "no_parameters" == raised.value.fault


def test_times_that_leap_are_no_clip() -> None:
    """A day between two fragments is told as damage, not written into a file that nobody can play."""
    made = [plain_fragment(BEGIN_MS), plain_fragment(BEGIN_MS + 100_000_000)]
    with pytest.raises(UnusableVideoError) as raised:
        mp4.whole_clip(made)

    assert "damaged" == raised.value.fault


def test_a_frame_without_a_picture_is_remarked_on_once() -> None:
    """A unit for each block is not an access unit for each block: players show half a picture."""
    message_only = join_lengths([b"\x06\x05\x01\x80"])
    wrong = (
        block(0),
        block(300, message_only, flags=0),
        block(600, message_only, flags=0),
        block(999, OTHER),
    )
    checker = StrictChecker()
    events = [*checker.feed(header() + cluster(BEGIN_MS, *wrong)), *checker.close()]

    assert ["no_picture"] == [each.kind for each in events if isinstance(each, Remark)]


def test_a_fragment_as_large_as_it_may_be_is_taken() -> None:
    """The bound itself is allowed, to the byte; a byte less is not enough."""
    whole = cluster() + tags(END)
    for most, expected in ((len(whole), "FragmentEnded"), (len(whole) - 1, "Fault")):
        events = [*StrictChecker(Rules(max_fragment_bytes=most)).feed(header() + whole)]

        assert expected == type(events[-1]).__name__


def test_track_numbers_of_two_bytes() -> None:
    """A number may be written longer than it has to be; the frame behind it is the same."""
    long = ebml.element(mkv.SIMPLE_BLOCK, b"\x40\x01" + (7).to_bytes(2, "big") + b"\x80" + IDR)
    body = header() + cluster(0, long, block(999, OTHER, flags=0)) + tags(END)
    ended = [each for each in StrictChecker().feed(body) if isinstance(each, FragmentEnded)]

    assert BlockRead(1, 7, key=True, data=IDR) == ended[0].blocks[0]
    assert 0 == ended[0].timecode_ms


@pytest.mark.parametrize(("last_ms", "remarks"), [(500, []), (499, ["short"])])
def test_two_frames_last_twice_as_long_as_lies_between_them(last_ms: int, remarks: list[str]) -> None:
    """How long the last frame is shown is not in a stream: as long as the others."""
    body = header() + cluster(BEGIN_MS, blocks((0, last_ms))) + tags(END)

    assert remarks == [each.kind for each in StrictChecker().feed(body) if isinstance(each, Remark)]


def test_what_a_fragment_may_hold() -> None:
    """More key frames than the first, and frames that are flagged as invisible or discardable."""
    also = (block(0), block(400), block(600, OTHER, flags=0x08), block(800, OTHER, flags=0x01), block(999))
    checker = StrictChecker()
    events = [*checker.feed(header() + cluster(BEGIN_MS, *also)), *checker.close()]

    ended = events[-1]
    assert isinstance(ended, FragmentEnded)
    assert [True, True, False, False, True] == [each.key for each in ended.blocks]


def test_lengths_of_two_bytes_are_remarked_on() -> None:
    """A configuration may say so, and the frames agree with it: players of the service expect four."""
    record = bytearray(plain_track().codec_private)
    record[4] = 0xFD
    body = header(Track(codec_private=bytes(record))) + cluster(
        BEGIN_MS, block(0, b"\0\2\x65\x88"), block(999)
    )
    events = [*StrictChecker().feed(body)]

    assert "codec_private" in [each.kind for each in events if isinstance(each, Remark)]
    assert not [each for each in events if isinstance(each, Fault)]


def test_every_frame_is_looked_at_not_only_the_first() -> None:
    """A camera that changes how it marks units in the middle of a fragment is noticed there."""
    wrong = cluster(BEGIN_MS, block(0), block(999, b"\0\0\0\1\x41\x9a", flags=0))
    checker = StrictChecker()
    events = [*checker.feed(header() + wrong), *checker.close()]

    assert [("annex_b", BEGIN_MS)] == [
        (each.kind, each.timecode_ms) for each in events if isinstance(each, Remark)
    ]


def test_two_documents_are_not_one_fragment() -> None:
    """Where one is expected, two are as wrong as none."""
    made = fragments(seconds=2)
    for data in (stream(made), stream(made[:1])[: len(header())]):
        with pytest.raises(UnusableVideoError):
            read_document(data)
