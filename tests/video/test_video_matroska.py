"""Matroska as it is written: golden bytes, and everything is read back the same, by us and by others."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matroska_writing import SOUND, Track, block, blocks, cluster, header
from video_pieces import BEGIN_MS, FPS, UID, any_fragments, coded, cut, fragments, plain_fragment, stream

from appliance.errors import UnusableVideoError
from appliance.video import fragment as values
from appliance.video import matroska
from appliance.video.fragment import Fragment, Frame
from appliance.video.h264 import ParameterSets, track_of
from appliance.video.matroska_events import Event, FragmentEnded, HeaderRead
from appliance.video.matroska_reader import read_document, read_fragments, to_fragment
from appliance.video.strict_matroska import StrictChecker

SPS = bytes.fromhex("6742c00ada0c1a6f80b501a1084280")
PPS = bytes.fromhex("68ce3c80")
AVCC = "0142c00affe1000f6742c00ada0c1a6f80b501a108428001000468ce3c80"
TINY = Fragment(
    1_772_000_000_000,
    (
        Frame(1_772_000_000_000, 40, key=True, data=bytes.fromhex("000000026588")),
        Frame(1_772_000_000_040, 40, key=False, data=bytes.fromhex("00000002419a")),
    ),
    track_of(ParameterSets((SPS,), (PPS,))),
    (("label", "dog"),),
)
APP = b"Office door appliance".hex()
HEAD = "1a45dfa3a3 42868101 42f78101 42f28104 42f38108 4282886d6174726f736b61 42878102 42858102"
TRACKS = (
    "1654ae6bca aec8 d78101 73c58101 838101 9c8100 868f565f4d504547342f49534f2f415643"
    f"63a29e{AVCC} e087 b081bc ba8201a0"
)
CLUSTER = (
    # Cluster, its size; Timestamp in 8 bytes; two SimpleBlocks: track 1, offset, flags, frame.
    "1f43b675a2 e7880000019c936e3800 a38a 81 0000 80 000000026588 a38a 81 0028 00 00000002419a"
)
LABEL = "1254c36797 737394 63c080 67c88e 45a3856c6162656c 448783646f67"
END = f"1254c367af 7373ac 63c080 67c8a6 45a3a0{b'AWS_KINESISVIDEO_END_OF_FRAGMENT'.hex()} 448780"


def events(body: bytes, piece: int = 0) -> list[Event]:
    """Everything the strict checker tells of a body, fed in pieces of that size."""
    checker = StrictChecker()
    told: list[Event] = []
    for at in range(0, len(body), piece or len(body)):
        told += checker.feed(body[at : at + (piece or len(body))])
    return told + list(checker.close())


def test_the_header_of_a_stream() -> None:
    """Golden bytes: version 2, a Segment without a size, milliseconds, one H.264 track with its avcC."""
    info = f"1549a966ca 73a490{UID.hex()} 2ad7b1830f4240 4d8095{APP} 574195{APP}"

    expected = bytes.fromhex(f"{HEAD} 18538067ff {info} {TRACKS}")
    assert expected == matroska.stream_header(TINY.track, segment_uid=UID)


def test_a_fragment_of_a_stream() -> None:
    """Golden bytes: absolute time, SimpleBlocks, a Tags element for each tag, the one that ends it last."""
    assert bytes.fromhex(CLUSTER + LABEL + END) == matroska.stream_fragment(TINY)
    assert bytes.fromhex(CLUSTER + LABEL) == matroska.stream_fragment(TINY, close=False)


def test_a_document_of_one_fragment() -> None:
    """Golden bytes: like a stream, with sizes and how long it lasts, without the tag for the service."""
    info = f"1549a966d5 73a490{UID.hex()} 2ad7b1830f4240 4489884054000000000000 4d8095{APP} 574195{APP}"

    expected = bytes.fromhex(f"{HEAD} 185380674 0ec {info} {TRACKS} {CLUSTER} {LABEL}".replace(" ", ""))
    assert expected == matroska.document(TINY, segment_uid=UID)


def test_the_identifier_of_a_segment_has_sixteen_bytes() -> None:
    """The service takes no other."""
    for write in (matroska.stream_header, matroska.document):
        with pytest.raises(ValueError, match="16 bytes"):
            write(TINY.track if write is matroska.stream_header else TINY, segment_uid=b"short")  # type: ignore[operator]


@settings(max_examples=60)
@given(any_fragments(most=1))
def test_a_document_is_read_as_it_was_written(made: list[Fragment]) -> None:
    """Times, frames, tags and track of any fragment; only that it is the last stands elsewhere."""
    written = matroska.document(made[0], segment_uid=UID)

    assert made[0] == read_document(written)
    assert replace(made[0], last=True) == read_document(written, last=True)


@settings(max_examples=60)
@given(any_fragments(), st.integers(1, 300))
def test_a_stream_is_told_as_it_was_written(made: list[Fragment], piece: int) -> None:
    """However it is cut on its way, each fragment is told once, whole, with its tags; nothing is wrong."""
    told = events(stream(made), piece)

    ended = [each for each in told if isinstance(each, FragmentEnded)]
    read = [to_fragment(each, end_ms=piece.end_ms) for each, piece in zip(ended, made, strict=True)]
    assert made == read
    assert [True] * len(made) == [each.closed for each in ended]
    assert "Fault" not in {type(each).__name__ for each in told}


def test_our_writer_leaves_nothing_to_remark_on() -> None:
    """Not only is nothing refused: nothing is unusual, or would be stumbled over by whoever plays it."""
    kinds = {type(each).__name__ for each in events(stream(fragments()), 1000)}

    assert {"HeaderRead", "FragmentBegun", "BlockRead", "TagsRead", "FragmentEnded"} == kinds


def test_documents_one_behind_the_other_are_read() -> None:
    """As the service gives fragments back, and as a clip lies on the disk."""
    made = fragments(seconds=3)
    read = read_fragments(b"".join(matroska.document(each, segment_uid=UID) for each in made))

    assert made == [to_fragment(each, last=index == 2) for index, each in enumerate(read)]


def test_what_was_sent_is_handed_out_as_it_was_sent() -> None:
    """Header, cluster and tags put together are the stream again, but for sizes that were left open."""
    made = fragments(seconds=3)
    sent = [each.sent for each in read_fragments(stream(made), keep_bytes=True) if each.sent is not None]

    again = sent[0].header + b"".join(each.cluster + each.tags for each in sent)
    assert stream(made) == again


def test_a_cluster_without_a_size_is_handed_out_with_one() -> None:
    """So that whoever stores it can stand something behind it."""
    body = header() + cluster(BEGIN_MS, known=False) + cluster(BEGIN_MS + 1000, known=False)
    clusters = [each.sent.cluster for each in read_fragments(body, keep_bytes=True) if each.sent is not None]

    assert [cluster(BEGIN_MS), cluster(BEGIN_MS + 1000)] == clusters


def test_a_damaged_document_is_refused_wherever_it_is_cut() -> None:
    """Power loss in the middle of a write never yields a shorter fragment that looks whole."""
    written = matroska.document(plain_fragment(frames=3), segment_uid=UID)
    for length in range(len(written)):
        with pytest.raises(UnusableVideoError) as raised:
            read_document(written[:length])

        assert "damaged" == raised.value.fault


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        pytest.param(header(SOUND) + cluster(0, block(track=2)), "no_parameters", id="sound only"),
        pytest.param(
            header(Track(codec_private=b"\0\0\0\1\x67")) + cluster(), "no_parameters", id="Annex B parameters"
        ),
        pytest.param(
            header() + cluster(5000, block(0), block(-1, flags=0)), "damaged", id="before its begin"
        ),
    ],
)
def test_a_fragment_that_cannot_be_played_is_not_made(body: bytes, fault: str) -> None:
    """What the service stores need not be playable; here it is said, and why."""
    with pytest.raises(UnusableVideoError) as raised:
        to_fragment(read_fragments(body)[0])

    assert fault == raised.value.fault


def test_relative_times_count_from_where_they_begin() -> None:
    """A producer that counts from its session's begin is read with that begin."""
    read = read_fragments(header() + cluster(2_000, blocks((0, 400, 600))))[0]
    made = to_fragment(read, begin_ms=BEGIN_MS)

    assert [(BEGIN_MS + 2000, 400), (BEGIN_MS + 2400, 200), (BEGIN_MS + 2600, 200)] == [
        (frame.timecode_ms, frame.duration_ms) for frame in made.frames
    ]


def test_pictures_out_of_order_keep_their_times() -> None:
    """B-frames stand where they are decoded and are shown when they were."""
    made = fragments(seconds=2, b_frames=2)
    read = [
        to_fragment(each, end_ms=piece.end_ms, last=piece.last)
        for each, piece in zip(read_fragments(stream(made)), made, strict=True)
    ]

    assert made == read
    assert made[0].frames != tuple(sorted(made[0].frames, key=lambda frame: frame.timecode_ms))


def test_libav_reads_every_frame_at_its_time(tmp_path: Path) -> None:
    """An independent reader: pictures, absolute times and size, of a stream and of a document."""
    made = fragments()
    whole, one = tmp_path / "stream.mkv", tmp_path / "document.mkv"
    whole.write_bytes(stream(made))
    one.write_bytes(matroska.document(made[1], segment_uid=UID))
    for path, expected in ((whole, made), (one, made[1:2])):
        with av.open(path) as opened:
            times = [round(picture.pts * picture.time_base * 1000) for picture in opened.decode(video=0)]

        assert [frame.timecode_ms for each in expected for frame in each.frames] == times


@pytest.mark.debian(reason="ffmpeg")
def test_ffprobe_reads_times_and_length(tmp_path: Path) -> None:
    """The program, of another build: a document begins and lasts as its fragment does, and has its frames."""
    made = fragments()[1]
    path = tmp_path / "document.mkv"
    path.write_bytes(matroska.document(made, segment_uid=UID))
    asked = ["ffprobe", "-v", "error", "-count_frames", "-of", "json", "-show_format", "-show_streams", path]
    said = subprocess.run(asked, capture_output=True, check=True)
    told = json.loads(said.stdout)

    assert b"" == said.stderr
    assert str(FPS) == told["streams"][0]["nb_read_frames"]
    assert made.timecode_ms == round(float(told["format"]["start_time"]) * 1000)
    assert 1.0 == float(told["format"]["duration"])


@pytest.mark.debian(reason="mkvtoolnix")
def test_mkvinfo_finds_nothing_wrong(tmp_path: Path) -> None:
    """Matroska's own tool reads all that was written: every fragment, frame and tag, of an endless stream."""
    made = fragments()
    path = tmp_path / "stream.mkv"
    path.write_bytes(stream(made))
    shown = subprocess.run(
        ["mkvinfo", "--ui-language", "en_US", "-v", "-v", path], capture_output=True, check=True, text=True
    ).stdout

    judged = json.loads(subprocess.run(["mkvmerge", "-J", path], capture_output=True, check=True).stdout)

    assert len(made) == shown.count("|+ Cluster at ")
    assert sum(len(each.frames) for each in made) == shown.count("| + Simple block: ")
    assert len(made) == shown.count("String: dog at ")
    assert "unknown element" not in shown.lower()
    assert ([], []) == (judged["errors"], judged["warnings"])


def test_what_cannot_be_a_fragment_is_refused() -> None:
    """Each bound of a fragment, once."""
    track, frames = coded()
    first = cut(track, frames)[0]
    late = replace(first.frames[1], timecode_ms=first.timecode_ms + values.MAX_OFFSET_MS + 1)
    wrong: list[dict[str, object]] = [
        {"frames": ()},
        {"frames": first.frames[1:]},
        {"timecode_ms": first.timecode_ms + 1},
        {"frames": (first.frames[0], late)},
        {"frames": (first.frames[0], replace(first.frames[1], timecode_ms=first.timecode_ms - 1))},
        {"tags": tuple((f"name {index}", "") for index in range(10))},
        {"tags": (("", "no name"),)},
        {"tags": (("é" * 65, "long name"),)},
        {"tags": (("long", "é" * 129),)},
        {"tags": (("AWS_KINESISVIDEO_NOTIFICATION", ""),)},
    ]
    for change in wrong:
        with pytest.raises(ValueError, match=r".+"):
            replace(first, **change)  # type: ignore[arg-type]

    assert HeaderRead in {type(each) for each in events(stream([first]))}


@pytest.mark.parametrize("change", [{"width": 0}, {"height": -1}, {"codec_private": b"\1abc"}])
def test_what_cannot_be_a_track_is_refused(change: dict[str, object]) -> None:
    """No size, or a configuration that no decoder takes."""
    with pytest.raises(ValueError, match=r".+"):
        replace(TINY.track, **change)  # type: ignore[arg-type]
