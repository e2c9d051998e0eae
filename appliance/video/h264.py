"""H.264 as bytes: units, access units, and what the decoder has to know before the first picture.

Cameras send units behind start codes (Annex B of ITU-T H.264) or behind their lengths (AVCC, ISO/IEC
14496-15); a clip holds them behind 4-byte lengths, with SPS and PPS in one record (avcC) beside them. Nothing
is decoded here, and nothing is changed but what stands before a unit. `h264_parameters` reads an SPS.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from appliance.errors import UnusableVideoError
from appliance.video.fragment import Track
from appliance.video.h264_parameters import HIGH_PROFILES, SequenceParameters, read_sps

LENGTH_BYTES = 4
"""Bytes of the length before each unit in what we keep."""

_START = re.compile(rb"\x00\x00\x01")
_AVCC_HEAD_BYTES = 6
_SPS_COUNT_MASK = 0b11111
_TYPE_MASK = 0b11111
_MIN_SPS_BYTES = 4
_MAX_UNIT_BYTES = (1 << 16) - 1
_MAX_PPS = 255


class UnitType(IntEnum):
    """Types of units that matter here (table 7-1 of ITU-T H.264)."""

    SLICE = 1
    IDR = 5
    SEI = 6
    SPS = 7
    PPS = 8
    DELIMITER = 9
    END_OF_SEQUENCE = 10
    END_OF_STREAM = 11
    FILLER = 12
    SPS_EXTENSION = 13


_NOT_KEPT = frozenset(
    {
        UnitType.SPS,
        UnitType.PPS,
        UnitType.DELIMITER,
        UnitType.END_OF_SEQUENCE,
        UnitType.END_OF_STREAM,
        UnitType.FILLER,
        UnitType.SPS_EXTENSION,
    }
)
_PICTURES = frozenset(range(UnitType.SLICE, UnitType.IDR + 1))


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """What a decoder has to know before the first picture.

    Attributes:
        sps: Sequence parameter sets, whole units without start code or length.
        pps: Picture parameter sets, likewise.
    """

    sps: tuple[bytes, ...] = ()
    pps: tuple[bytes, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether there is at least one of each."""
        return bool(self.sps and self.pps)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a source's packets hold their units.

    Attributes:
        length_bytes: Bytes of the length before each unit: 1, 2 or 4; 0 for start codes (Annex B).
        parameters: SPS and PPS that the source gave outside of its packets; may be empty.
    """

    length_bytes: int
    parameters: ParameterSets


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One picture as it is kept, and what came with it.

    Attributes:
        data: Its units behind 4-byte lengths, without parameter sets, delimiters and filler; empty if the
            packet held no picture.
        idr: Decoding can begin here. A packet that its source calls a keyframe need not be one: recovery
            points of an open GOP lean on pictures before them.
        parameters: SPS and PPS that travelled in the packet.
    """

    data: bytes
    idr: bool
    parameters: ParameterSets


def unit_type(unit: bytes) -> int:
    """The type of a unit, 0..31; 0 (unspecified) if it is empty."""
    return unit[0] & _TYPE_MASK if unit else 0


def split_annex_b(data: bytes) -> list[bytes]:
    """The units behind start codes of 3 or 4 bytes; what stands before the first start code is dropped."""
    starts = [match.end() for match in _START.finditer(data)]
    ends = [*(start - 3 for start in starts[1:]), len(data)][: len(starts)]
    # Zeros at the end of a unit belong to the next start code or are padding: a unit ends with a stop bit.
    units = (data[start:end].rstrip(b"\x00") for start, end in zip(starts, ends, strict=True))
    return [unit for unit in units if unit]


def split_lengths(data: bytes, length_bytes: int = LENGTH_BYTES) -> list[bytes]:
    """The units behind lengths.

    Raises:
        UnusableVideoError: A length reaches beyond the end (`damaged`).
    """
    units = []
    at, end = 0, len(data)
    while at < end:
        begin = at + length_bytes
        at = begin + int.from_bytes(data[at:begin], "big")
        if begin > end or at > end:
            raise UnusableVideoError(
                "a picture of the camera is cut short: a unit is longer than its packet", fault="damaged"
            )
        if at > begin:
            units.append(data[begin:at])
    return units


def join_lengths(units: Iterable[bytes]) -> bytes:
    """Units behind 4-byte lengths."""
    return b"".join(part for unit in units for part in (len(unit).to_bytes(LENGTH_BYTES, "big"), unit))


def join_annex_b(units: Iterable[bytes]) -> bytes:
    """Units behind 4-byte start codes."""
    return b"".join(part for unit in units for part in (b"\x00\x00\x00\x01", unit))


def layout_of(extradata: bytes) -> Layout:
    """How a source's packets hold their units, from what it said of itself.

    Args:
        extradata: An avcC record, units behind start codes, or empty when SPS and PPS travel in the packets.

    Raises:
        UnusableVideoError: It is none of these (`damaged`).
    """
    if not extradata:
        return Layout(0, ParameterSets())
    if extradata[0] == 1:
        return read_avcc(extradata)
    if extradata.startswith((b"\x00\x00\x01", b"\x00\x00\x00\x01")):
        return Layout(0, parameters_in(split_annex_b(extradata)))
    raise UnusableVideoError("what the camera says of its video cannot be read", fault="damaged")


def parameters_in(units: Iterable[bytes]) -> ParameterSets:
    """The SPS and PPS among units, each once, in their order."""
    sps: dict[bytes, None] = {}
    pps: dict[bytes, None] = {}
    for unit in units:
        kind = unit_type(unit)
        if kind == UnitType.SPS:
            sps[unit] = None
        elif kind == UnitType.PPS:
            pps[unit] = None
    return ParameterSets(tuple(sps), tuple(pps))


def access_unit(packet: bytes, layout: Layout) -> AccessUnit:
    """One packet as it is kept.

    Raises:
        UnusableVideoError: Its units are cut short (`damaged`).
    """
    units = split_lengths(packet, layout.length_bytes) if layout.length_bytes else split_annex_b(packet)
    kinds = [unit_type(unit) for unit in units]
    kept = [unit for unit, kind in zip(units, kinds, strict=True) if kind not in _NOT_KEPT]
    return AccessUnit(
        data=join_lengths(kept) if has_picture(kinds) else b"",
        idr=UnitType.IDR in kinds,
        parameters=parameters_in(units),
    )


def unit_types(data: bytes, length_bytes: int = LENGTH_BYTES) -> list[int] | None:
    """The types of the units behind lengths, read in place; None if a length reaches beyond the end."""
    kinds = []
    at, end = 0, len(data)
    while at < end:
        begin = at + length_bytes
        at = begin + int.from_bytes(data[at:begin], "big")
        if begin > end or at > end:
            return None
        if at > begin:
            kinds.append(data[begin] & _TYPE_MASK)
    return kinds


def has_picture(kinds: Iterable[int]) -> bool:
    """Whether units of these types hold a picture or a part of one."""
    return not _PICTURES.isdisjoint(kinds)


def has_idr(data: bytes) -> bool:
    """Whether a kept picture (4-byte lengths) is an IDR; False if it cannot be read."""
    return UnitType.IDR in (unit_types(data) or ())


def read_avcc(record: bytes) -> Layout:
    """Read an avcC (AVCDecoderConfigurationRecord, ISO/IEC 14496-15, 5.3.3.1).

    Raises:
        UnusableVideoError: It is cut short or of another version (`damaged`).
    """
    damaged = UnusableVideoError("the camera's record of its H.264 (avcC) is damaged", fault="damaged")
    if len(record) < _AVCC_HEAD_BYTES or record[0] != 1:
        raise damaged
    length_bytes = (record[4] & 0b11) + 1
    at = 5
    found: list[tuple[bytes, ...]] = []
    for mask in (_SPS_COUNT_MASK, 0xFF):
        if at >= len(record):
            raise damaged
        count = record[at] & mask
        at += 1
        units = []
        for _ in range(count):
            end = at + 2 + int.from_bytes(record[at : at + 2], "big")
            if end > len(record) or end == at + 2:
                raise damaged
            units.append(record[at + 2 : end])
            at = end
        found.append(tuple(units))
    return Layout(length_bytes, ParameterSets(*found))


def make_avcc(parameters: ParameterSets) -> bytes:
    """The avcC of SPS and PPS, saying that units have 4-byte lengths.

    Raises:
        UnusableVideoError: One of the two is missing (`no_parameters`), or cannot be read (`damaged`).
    """
    sps, pps = parameters.sps, parameters.pps
    if not parameters.complete:
        raise UnusableVideoError("the video has no SPS or no PPS", fault="no_parameters", hint=_NO_PARAMETERS)
    if (
        len(sps) > _SPS_COUNT_MASK
        or len(pps) > _MAX_PPS
        or any(len(unit) > _MAX_UNIT_BYTES for unit in sps + pps)
        or len(sps[0]) < _MIN_SPS_BYTES
    ):
        raise UnusableVideoError("the video's SPS and PPS are out of bounds", fault="damaged")
    read = read_sps(sps[0])
    record = bytearray((1, *sps[0][1:4], 0b11111100 | (LENGTH_BYTES - 1)))
    record.append(0b11100000 | len(sps))
    _append_units(record, sps)
    record.append(len(pps))
    _append_units(record, pps)
    if read.profile in HIGH_PROFILES:
        record += bytes(
            (
                0b11111100 | read.chroma_format,
                0b11111000 | (read.luma_bits - 8),
                0b11111000 | (read.chroma_bits - 8),
                0,
            )
        )
    return bytes(record)


def _append_units(record: bytearray, units: Sequence[bytes]) -> None:
    for unit in units:
        record += len(unit).to_bytes(2, "big") + unit


_NO_PARAMETERS = (
    "the camera sends H.264 without saying how to decode it; in its settings, switch on sending SPS and PPS "
    "with every I-frame, or choose another profile (Main or High)"
)


def track_of(parameters: ParameterSets) -> Track:
    """The track that SPS and PPS describe.

    Raises:
        UnusableVideoError: One of the two is missing (`no_parameters`), or cannot be read (`damaged`).
    """
    record = make_avcc(parameters)
    size = read_sps(parameters.sps[0])
    return Track("h264", size.width, size.height, record)


def sequence_of(track: Track) -> SequenceParameters:
    """What the SPS of a track says.

    Raises:
        UnusableVideoError: Its record cannot be read (`damaged`), or holds no SPS (`no_parameters`).
    """
    layout = read_avcc(track.codec_private)
    if not layout.parameters.sps:
        raise UnusableVideoError("the video has no SPS", fault="no_parameters")
    return read_sps(layout.parameters.sps[0])


def codec_string(track: Track) -> str:
    """How playlists and browsers name the codec (RFC 6381), e.g. `avc1.64001f`."""
    return f"avc1.{track.codec_private[1:4].hex()}"
