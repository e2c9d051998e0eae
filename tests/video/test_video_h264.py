"""H.264 as bytes: units however they are marked, avcC, what an SPS says, and what is kept of a packet."""

from contextlib import suppress
from fractions import Fraction

import av
import pytest
from h264_writing import BASELINE, HIGH, MAIN, Sps
from hypothesis import given
from hypothesis import strategies as st
from video_pieces import HEIGHT, WIDTH, coded

from appliance.errors import UnusableVideoError
from appliance.video import h264
from appliance.video.h264 import Layout, ParameterSets
from appliance.video.h264_parameters import read_sps

PPS = bytes.fromhex("68ee3cb0")
SETS = ParameterSets((Sps().unit(),), (PPS,))
units = st.lists(
    # A unit holds no start code within itself, and does not end with a zero.
    st.binary(min_size=1, max_size=30).map(lambda body: body.replace(b"\x00", b"\x01")),
    min_size=1,
    max_size=6,
)


def fault(raised: pytest.ExceptionInfo[UnusableVideoError]) -> str:
    """Which one it is."""
    return raised.value.fault


@given(units)
def test_units_are_the_same_however_they_are_marked(made: list[bytes]) -> None:
    """Start codes and lengths say the same; nothing of a unit is lost on the way."""
    assert made == h264.split_annex_b(h264.join_annex_b(made))
    assert made == h264.split_lengths(h264.join_lengths(made))


def test_start_codes_of_three_and_four_bytes_and_padding() -> None:
    """Zeros before a start code belong to no unit; what stands before the first one is dropped."""
    data = b"junk\x00\x00\x01\x65\xaa\x00\x00\x00\x01\x41\xbb\x00\x00\x01\x41\xcc\x00\x00\x00"

    assert [b"\x65\xaa", b"\x41\xbb", b"\x41\xcc"] == h264.split_annex_b(data)
    assert [] == h264.split_annex_b(b"nothing of the kind") == h264.split_annex_b(b"")


def test_units_of_no_length_are_passed_over() -> None:
    """Some cameras pad with them."""
    padded = b"\x00\x00\x00\x00\x00\x00\x00\x01\x41\x00\x00\x00\x00"

    assert [b"\x41"] == h264.split_lengths(padded)
    assert [1] == h264.unit_types(padded)


@pytest.mark.parametrize("data", [b"\x00\x00\x00", b"\x00\x00\x00\x05abc", b"\x00\x00\x00\x01e\x00\x00"])
def test_a_unit_longer_than_its_packet_is_refused(data: bytes) -> None:
    """A packet that was cut short is not taken for a shorter picture."""
    with pytest.raises(UnusableVideoError) as raised:
        h264.split_lengths(data)

    assert "damaged" == fault(raised)
    assert h264.unit_types(data) is None


@given(
    st.builds(
        Sps,
        width=st.integers(1, 2000).map(lambda half: 2 * half),
        height=st.integers(1, 1000).map(lambda half: 4 * half),
        profile=st.sampled_from((BASELINE, MAIN, HIGH)),
        interlaced=st.booleans(),
        order_type=st.integers(0, 2),
        reorder=st.none() | st.integers(0, 16),
        rate=st.none() | st.tuples(st.integers(1, 1 << 31), st.integers(1, 1 << 31)),
        scaling=st.booleans(),
        described=st.booleans(),
    )
)
def test_what_an_sps_says_is_read_as_it_was_written(sps: Sps) -> None:
    """Size after cropping, profile, fixed rate and how far pictures are out of order, of any legal SPS."""
    read = read_sps(sps.unit())

    in_order = sps.profile == BASELINE or sps.order_type == 2
    assert (sps.width, sps.height, sps.profile) == (read.width, read.height, read.profile)
    assert (0 if in_order else sps.reorder) == read.max_reorder
    assert (None if sps.rate is None else Fraction(sps.rate[1], 2 * sps.rate[0])) == read.frame_rate


@pytest.mark.parametrize(
    ("chroma_format", "size"), [(0, (101, 35)), (1, (102, 36)), (2, (102, 35)), (3, (101, 35))]
)
def test_cropping_counts_in_units_of_the_chroma_format(chroma_format: int, size: tuple[int, int]) -> None:
    """Sizes that only some formats can have (table 6-1)."""
    read = read_sps(Sps(*size, chroma_format=chroma_format).unit())

    assert (*size, chroma_format) == (read.width, read.height, read.chroma_format)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (1, Fraction(1)),
        (4, Fraction(16, 11)),
        (16, Fraction(2)),
        ((40, 33), Fraction(40, 33)),
        # Unspecified, reserved, and what is no shape at all.
        (0, Fraction(1)),
        (17, Fraction(1)),
        ((0, 5), Fraction(1)),
        ((5, 0), Fraction(1)),
    ],
)
def test_the_shape_of_a_pixel(said: tuple[int, int] | int, meant: Fraction) -> None:
    """Table E-1: cameras of old formats have pixels that are no squares."""
    assert meant == read_sps(Sps(aspect=said).unit()).pixel_aspect


def test_profiles_of_intra_pictures_only_reorder_nothing() -> None:
    """E.2.1: with constraint_set3_flag set in a high profile, nothing is out of order."""
    assert 0 == read_sps(Sps(constraints=0x10).unit()).max_reorder
    assert read_sps(Sps().unit()).max_reorder is None


@pytest.mark.parametrize(
    "unit",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(PPS, id="a PPS"),
        pytest.param(Sps().unit()[:5], id="cut short"),
        pytest.param(b"\x67\x42\x00\x1f" + bytes(40), id="zeros"),
        pytest.param(Sps(width=32_000).unit(), id="too wide"),
    ],
)
def test_what_is_no_sps_is_refused(unit: bytes) -> None:
    """Nothing is guessed of a damaged one."""
    with pytest.raises(UnusableVideoError) as raised:
        read_sps(unit)

    assert "damaged" == fault(raised)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader_of_an_sps(data: bytes) -> None:
    """A camera can send anything: it is read, or refused in words."""
    with suppress(UnusableVideoError):
        read = read_sps(b"\x67" + data)

        assert 0 < read.width <= 16_384
        assert 0 < read.height <= 16_384


@pytest.mark.parametrize(
    ("profile", "b_frames", "size"),
    [("baseline", 0, (64, 48)), ("main", 2, (322, 182)), ("high", 2, (100, 62)), ("high444", 0, (66, 50))],
)
def test_an_sps_of_x264_says_what_libav_reads(profile: str, b_frames: int, size: tuple[int, int]) -> None:
    """Beside an independent reader: size, profile, order of pictures, and the record of all that."""
    coder = av.CodecContext.create("libx264", "w")
    coder.width, coder.height = size
    coder.pix_fmt = "yuv444p" if profile == "high444" else "yuv420p"
    coder.time_base = Fraction(1, 25)
    coder.framerate = Fraction(25)
    coder.options = {"profile": profile, "bf": str(b_frames), "x264-params": "force-cfr=1"}
    coder.flags |= 1 << 22  # parameters outside of the packets
    picture = av.VideoFrame(*size, coder.pix_fmt)
    packets = [*coder.encode(picture), *coder.encode(None)]
    layout = h264.layout_of(bytes(coder.extradata or b""))
    track = h264.track_of(layout.parameters)
    read = h264.sequence_of(track)
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = track.codec_private
    unit = h264.access_unit(bytes(packets[0]), layout)
    shown = [*decoder.decode(av.Packet(unit.data)), *decoder.decode(None)][0]

    assert size == (track.width, track.height) == (shown.width, shown.height)
    assert min(b_frames, 1) <= (read.max_reorder or 0) <= b_frames
    assert Fraction(25) == read.frame_rate
    assert layout.parameters == h264.read_avcc(track.codec_private).parameters
    assert f"avc1.{read.profile:02x}" == h264.codec_string(track)[:7]


@given(
    st.lists(st.builds(Sps, width=st.just(640)).map(Sps.unit), min_size=1, max_size=3, unique=True),
    st.lists(st.binary(max_size=20).map(lambda body: b"\x68" + body), min_size=1, max_size=5, unique=True),
)
def test_an_avcc_gives_back_what_went_in(sps: list[bytes], pps: list[bytes]) -> None:
    """All parameter sets, in their order, with units behind 4-byte lengths."""
    sets = ParameterSets(tuple(sps), tuple(pps))

    assert Layout(4, sets) == h264.read_avcc(h264.make_avcc(sets))


def test_the_avcc_of_a_high_profile_has_its_extension() -> None:
    """Golden bytes of ISO/IEC 14496-15, 5.3.3.1: chroma format and depths follow, for high profiles only."""
    high, main = Sps().unit(), Sps(profile=MAIN).unit()
    begin = bytes((1, *high[1:4], 0xFF, 0xE1, 0, len(high))) + high + bytes((1, 0, len(PPS))) + PPS

    assert begin + b"\xfd\xf8\xf8\x00" == h264.make_avcc(ParameterSets((high,), (PPS,)))
    assert h264.make_avcc(ParameterSets((main,), (PPS,))).endswith(PPS)


def test_a_damaged_avcc_is_refused_wherever_it_is_cut() -> None:
    """No cut leaves something that would be believed, but for the extension, which many leave out."""
    record = h264.make_avcc(SETS)[:-4]
    for length in range(1, len(record)):
        with pytest.raises(UnusableVideoError):
            h264.read_avcc(record[:length])

    assert SETS == h264.read_avcc(record).parameters


@pytest.mark.parametrize("sets", [ParameterSets(), ParameterSets(SETS.sps), ParameterSets((), SETS.pps)])
def test_video_without_sps_or_pps_says_what_to_set_in_the_camera(sets: ParameterSets) -> None:
    """A camera that never says how to decode its video is not recorded, and its owner hears what to do."""
    with pytest.raises(UnusableVideoError) as raised:
        h264.track_of(sets)

    assert "no_parameters" == fault(raised)
    assert "SPS and PPS" in raised.value.hint


def test_a_source_says_how_its_packets_are_made_in_three_ways() -> None:
    """As avcC (mp4), behind start codes (RTSP), or only in its packets."""
    assert Layout(4, SETS) == h264.layout_of(h264.make_avcc(SETS))
    assert Layout(0, SETS) == h264.layout_of(h264.join_annex_b((*SETS.sps, *SETS.pps)))
    assert Layout(0, ParameterSets()) == h264.layout_of(b"")
    with pytest.raises(UnusableVideoError):
        h264.layout_of(b"something else")


def test_a_picture_is_kept_without_what_only_a_stream_needs() -> None:
    """Delimiters, filler and parameter sets stay behind; those are handed out; all slices stay."""
    slices = [b"\x65\x88\x01", b"\x65\x44\x02"]
    packet = h264.join_annex_b([b"\x09\xf0", *SETS.sps, *SETS.pps, b"\x06\x05\x80", *slices, b"\x0c\xff\x80"])
    unit = h264.access_unit(packet, Layout(0, ParameterSets()))

    assert h264.join_lengths([b"\x06\x05\x80", *slices]) == unit.data
    assert unit.idr
    assert SETS == unit.parameters


def test_short_lengths_become_long_ones() -> None:
    """A source may mark its units with 2 bytes; what is kept has 4."""
    unit = h264.access_unit(b"\x00\x02\x41\xaa\x00\x02\x41\xbb", Layout(2, ParameterSets()))

    assert b"\x00\x00\x00\x02\x41\xaa\x00\x00\x00\x02\x41\xbb" == unit.data
    assert not unit.idr


def test_a_recovery_point_is_no_idr() -> None:
    """What a source calls a keyframe may lean on pictures before it: only an IDR begins a fragment."""
    recovery = h264.join_annex_b([b"\x06\x06\x01\xc4\x80", b"\x41\x9a\x00\x10"])
    unit = h264.access_unit(recovery, Layout(0, ParameterSets()))

    assert not unit.idr
    assert unit.data
    assert not h264.has_idr(unit.data)


def test_a_packet_without_a_picture_is_nothing_to_keep() -> None:
    """Parameter sets that come alone are heard, and no empty frame is made of them."""
    unit = h264.access_unit(h264.join_annex_b((*SETS.sps, *SETS.pps)), Layout(0, ParameterSets()))

    assert (b"", False, SETS) == (unit.data, unit.idr, unit.parameters)


def test_pictures_of_x264_are_kept_so_that_libav_decodes_them() -> None:
    """All of a coded clip, at its size, from avcC and 4-byte lengths alone."""
    track, frames = coded()
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = track.codec_private
    pictures = [picture for frame in frames for picture in decoder.decode(av.Packet(frame.data))]
    pictures += decoder.decode(None)

    assert len(frames) == len(pictures)
    assert {(WIDTH, HEIGHT)} == {(picture.width, picture.height) for picture in pictures}
    assert [index % 10 == 0 for index in range(len(frames))] == [frame.key for frame in frames]
    assert all(h264.has_idr(frame.data) == frame.key for frame in frames)
