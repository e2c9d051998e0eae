"""What a sequence parameter set (SPS) says: profile, size, whether pictures are shown in another order.

Reads clauses 7.3.2.1.1 and E.1.1 of ITU-T H.264 (08/2021) as far as `SequenceParameters` needs. Parameter
sets for scalable and multi-view coding are not read.
"""

from dataclasses import dataclass
from fractions import Fraction

from appliance.errors import UnusableVideoError
from appliance.video.fragment import MAX_SIDE_PX

HIGH_PROFILES = frozenset({100, 110, 122, 144, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
"""Profiles whose SPS carries the chroma format and bit depths."""

_BASELINE = 66
_INTRA_CAPABLE = frozenset({44, 86, 100, 110, 122, 244})
_CONSTRAINT_3 = 0b00010000
_SPS_TYPE = 7
_PLANES = 3
_MAX_POC_CYCLE = 255
_MAX_GOLOMB_ZEROS = 31
_MAX_SAMPLE_BITS = 14
_EXTENDED_SAR = 255
_ASPECTS = (
    (1, 1), (12, 11), (10, 11), (16, 11), (40, 33), (24, 11), (20, 11), (32, 11),
    (80, 33), (18, 11), (15, 11), (64, 33), (160, 99), (4, 3), (3, 2), (2, 1),
)  # fmt: skip
"""Table E-1: sample aspect ratios, aspect_ratio_idc 1 to 16."""
_FLAT_SCALE = 8
_MAX_BUFFERS = 32
_MAX_BYTES = 4_096
_FOLLOWS_DECODING = 2
_SCALING_SMALL = 6


@dataclass(frozen=True, slots=True)
class SequenceParameters:
    """What an SPS says.

    Attributes:
        profile: profile_idc, e.g. 66 baseline, 77 main, 100 high.
        level: level_idc, ten times the level.
        chroma_format: chroma_format_idc, 0..3; 1 is 4:2:0.
        luma_bits: Bits of a luma sample, 8..14.
        chroma_bits: Bits of a chroma sample, 8..14.
        width: Pixels shown, after cropping.
        height: Pixels shown, after cropping.
        max_reorder: How many frames may be decoded before one that is shown earlier; 0 means that pictures
            are shown in the order in which they come; None that the stream does not say.
        frame_rate: Frames a second of a fixed rate; None if the stream does not say.
        pixel_aspect: A pixel's width by its height; 1 if the stream does not say.
    """

    profile: int
    level: int
    chroma_format: int
    luma_bits: int
    chroma_bits: int
    width: int
    height: int
    max_reorder: int | None
    frame_rate: Fraction | None
    pixel_aspect: Fraction = Fraction(1)


def read_sps(unit: bytes) -> SequenceParameters:
    """Read an SPS.

    Args:
        unit: The whole unit, its header byte first, without start code or length.

    Raises:
        UnusableVideoError: It is no SPS, is cut short, or says what cannot be (`damaged`).
    """
    try:
        return _read(_Bits(_without_emulation(unit[:_MAX_BYTES])))
    except (_EndOfBitsError, ValueError) as error:
        raise UnusableVideoError("the video's SPS cannot be read", fault="damaged") from error


def _without_emulation(unit: bytes) -> bytes:
    """Without the bytes that keep a unit from containing a start code (7.4.1)."""
    return unit.replace(b"\x00\x00\x03", b"\x00\x00")


class _EndOfBitsError(Exception):
    """There are no more bits."""


class _Bits:
    """Bits of a byte string, from the left, with Exp-Golomb codes (9.1)."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def take(self, count: int) -> int:
        if count > self._left:
            raise _EndOfBitsError
        self._left -= count
        return (self._value >> self._left) & ((1 << count) - 1)

    def flag(self) -> bool:
        return bool(self.take(1))

    def unsigned(self) -> int:
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > _MAX_GOLOMB_ZEROS:
                raise ValueError("a code is too long")
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        code = self.unsigned()
        return (code + 1) // 2 if code % 2 else -(code // 2)


def _read(bits: _Bits) -> SequenceParameters:
    if bits.take(8) & 0b11111 != _SPS_TYPE:
        raise ValueError("not an SPS")
    profile, constraints, level = bits.take(8), bits.take(8), bits.take(8)
    bits.unsigned()  # seq_parameter_set_id
    chroma_format, luma_bits, chroma_bits, separate = _samples(bits, profile)
    bits.unsigned()  # log2_max_frame_num_minus4
    order_type = _picture_order(bits)
    bits.unsigned()  # max_num_ref_frames
    bits.flag()  # gaps_in_frame_num_value_allowed_flag
    width, height = _size(bits, 0 if separate else chroma_format)
    reorder: int | None = None
    rate: Fraction | None = None
    aspect = Fraction(1)
    if bits.flag():
        aspect = _pixel_aspect(bits)
        reorder, rate = _usability(bits)
    only_intra = profile in _INTRA_CAPABLE and constraints & _CONSTRAINT_3
    if profile == _BASELINE or order_type == _FOLLOWS_DECODING or only_intra:
        reorder = 0
    return SequenceParameters(
        profile, level, chroma_format, luma_bits, chroma_bits, width, height, reorder, rate, aspect
    )


def _samples(bits: _Bits, profile: int) -> tuple[int, int, int, bool]:
    """chroma_format_idc, bits of luma, of chroma, whether planes are coded apart."""
    if profile not in HIGH_PROFILES:
        return 1, 8, 8, False
    chroma_format = bits.unsigned()
    separate = chroma_format == _PLANES and bits.flag()
    luma_bits, chroma_bits = bits.unsigned() + 8, bits.unsigned() + 8
    if chroma_format > _PLANES or max(luma_bits, chroma_bits) > _MAX_SAMPLE_BITS:
        raise ValueError("no such samples")
    bits.flag()  # qpprime_y_zero_transform_bypass_flag
    if bits.flag():
        for index in range(8 if chroma_format != _PLANES else 12):
            if bits.flag():
                _skip_scaling_list(bits, 16 if index < _SCALING_SMALL else 64)
    return chroma_format, luma_bits, chroma_bits, separate


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last, following = _FLAT_SCALE, _FLAT_SCALE
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _picture_order(bits: _Bits) -> int:
    """pic_order_cnt_type, with what follows it passed over."""
    kind = bits.unsigned()
    if kind == 0:
        bits.unsigned()
    elif kind == 1:
        bits.flag()
        bits.signed()
        bits.signed()
        count = bits.unsigned()
        if count > _MAX_POC_CYCLE:
            raise ValueError("too many reference frames in a cycle")
        for _ in range(count):
            bits.signed()
    return kind


def _size(bits: _Bits, chroma_array: int) -> tuple[int, int]:
    """Width and height after cropping (7.4.2.1.1: CropUnitX, CropUnitY)."""
    columns, rows = bits.unsigned() + 1, bits.unsigned() + 1
    frames_only = bits.flag()
    if not frames_only:
        bits.flag()  # mb_adaptive_frame_field_flag
    bits.flag()  # direct_8x8_inference_flag
    fields = 1 if frames_only else 2
    width, height = columns * 16, rows * 16 * fields
    if bits.flag():
        across = 2 if chroma_array in {1, 2} else 1
        down = (2 if chroma_array == 1 else 1) * fields
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
        width -= (left + right) * across
        height -= (top + bottom) * down
    if not (0 < width <= MAX_SIDE_PX and 0 < height <= MAX_SIDE_PX):
        raise ValueError("no such size")
    return width, height


def _usability(bits: _Bits) -> tuple[int | None, Fraction | None]:
    """max_num_reorder_frames and a fixed frame rate, of the VUI (E.1.1) behind the aspect ratio."""
    _skip_picture_description(bits)
    rate = _fixed_rate(bits)
    described = [_skip_buffering(bits) for _ in ("nal", "vcl")]
    if any(described):
        bits.flag()  # low_delay_hrd_flag
    bits.flag()  # pic_struct_present_flag
    if not bits.flag():
        return None, rate
    bits.flag()  # motion_vectors_over_pic_boundaries_flag
    for _ in range(4):
        bits.unsigned()
    return bits.unsigned(), rate


def _pixel_aspect(bits: _Bits) -> Fraction:
    """What the VUI says of a pixel's shape; what is reserved or unspecified is a square."""
    if not bits.flag():
        return Fraction(1)
    kind = bits.take(8)
    width, height = 1, 1
    if kind == _EXTENDED_SAR:
        width, height = bits.take(16), bits.take(16)
    elif 1 <= kind <= len(_ASPECTS):
        width, height = _ASPECTS[kind - 1]
    return Fraction(width, height) if width and height else Fraction(1)


def _skip_picture_description(bits: _Bits) -> None:
    """What the VUI says of overscan, colours and where chroma is sampled."""
    if bits.flag():
        bits.flag()  # overscan_appropriate_flag
    if bits.flag():
        bits.take(4)  # video_format, video_full_range_flag
        if bits.flag():
            bits.take(24)
    if bits.flag():
        bits.unsigned()
        bits.unsigned()


def _fixed_rate(bits: _Bits) -> Fraction | None:
    """Frames a second, if the VUI fixes them: time_scale counts fields."""
    if not bits.flag():
        return None
    tick, scale = bits.take(32), bits.take(32)
    return Fraction(scale, 2 * tick) if bits.flag() and tick and scale else None


def _skip_buffering(bits: _Bits) -> bool:
    """hrd_parameters (E.1.2), if they are there; whether they are."""
    if not bits.flag():
        return False
    count = bits.unsigned() + 1
    if count > _MAX_BUFFERS:
        raise ValueError("too many buffers described")
    bits.take(8)
    for _ in range(count):
        bits.unsigned()
        bits.unsigned()
        bits.flag()
    bits.take(20)
    return True
