"""EBML: sizes and values as the standard writes them, and a reader that is fed in any pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.video import ebml
from appliance.video.ebml import Closed, EbmlError, EbmlReader, Element, Leaf, Opened, Part

TOP, INNER, NUMBER, TEXT, OTHER, PASSED = 0x1A45DFA3, 0x4286, 0xD7, 0x536E, 0xAE, 0xEC
SCHEMA = {
    TOP: Element("Top", "master"),
    INNER: Element("Inner", "master", TOP),
    OTHER: Element("Other", "master", TOP),
    NUMBER: Element("Number", "unsigned", INNER),
    TEXT: Element("Text", "text", INNER),
    PASSED: Element("Passed", "skipped", anywhere=True),
}


WITHOUT_SIZE = ebml.encode_id(TOP) + b"\xff" + ebml.encode_id(INNER) + b"\xff"


def parts_of(*pieces: bytes, max_value_bytes: int = 1000) -> list[Part]:
    """Everything a reader tells of the pieces, to the end."""
    reader = EbmlReader(SCHEMA, max_value_bytes=max_value_bytes)
    return [part for piece in pieces for part in reader.feed(piece)] + list(reader.finish())


@pytest.mark.parametrize(
    ("size", "coded"),
    [
        (0, "80"),
        (1, "81"),
        (126, "fe"),
        # 127 in one byte would mean that the size is unknown.
        (127, "407f"),
        (16_382, "7ffe"),
        (16_383, "203fff"),
        (500, "41f4"),
        ((1 << 56) - 2, "01fffffffffffffe"),
    ],
)
def test_a_size_takes_as_few_bytes_as_it_can(size: int, coded: str) -> None:
    """Golden bytes of RFC 8794, 4.3 and 4.4."""
    assert coded == ebml.encode_size(size).hex()


def test_a_size_can_be_written_longer() -> None:
    """Room can be kept for a size that is not known yet."""
    assert "0100000000000005" == ebml.encode_size(5, 8).hex()


@pytest.mark.parametrize(("size", "length"), [(-1, 0), (127, 1), ((1 << 56) - 1, 0), (1, 9)])
def test_a_size_that_does_not_fit_is_refused(size: int, length: int) -> None:
    """Nothing is cut off to make it fit."""
    with pytest.raises(ValueError, match="does not fit"):
        ebml.encode_size(size, length)


@given(st.integers(0, (1 << 56) - 2), st.integers(0, 8))
def test_every_size_is_read_as_it_was_written(size: int, length: int) -> None:
    """A master of that size is told with it, however many bytes were taken for the size."""
    try:
        coded = ebml.encode_size(size, length)
    except ValueError:
        return
    reader = EbmlReader(SCHEMA, max_value_bytes=1)

    assert [Opened(TOP, size, 0)] == list(reader.feed(ebml.encode_id(TOP) + coded))[:1]


def test_elements_in_elements() -> None:
    """What opens, what has a value, what closes, and where."""
    inner = ebml.master(INNER, ebml.unsigned(NUMBER, 300), ebml.text(TEXT, "Tür"))
    data = ebml.master(TOP, inner, ebml.element(PASSED, b"any"))

    expected = [
        Opened(TOP, len(data) - 5, 0),
        Opened(INNER, len(inner) - 3, 5),
        Leaf(NUMBER, b"\x01\x2c", 8, 2),
        Leaf(TEXT, "Tür".encode(), 12, 4),
        Closed(INNER, 19),
        Leaf(PASSED, b"", 19, 3),
        Closed(TOP, 24),
    ]
    assert expected == parts_of(data)


@given(st.lists(st.integers(1, 9), max_size=40))
def test_pieces_make_no_difference(sizes: list[int]) -> None:
    """However the bytes are cut, the same is told."""
    inner = ebml.master(INNER, ebml.unsigned(NUMBER, 1 << 40), ebml.text(TEXT, "x" * 200))
    data = ebml.master(TOP, inner, ebml.element(PASSED, b"y" * 50), inner)
    pieces, at = [], 0
    for size in sizes:
        pieces.append(data[at : at + size])
        at += size

    assert parts_of(data) == parts_of(*pieces, data[at:])


def test_a_master_without_a_size_ends_where_something_begins_that_cannot_stand_in_it() -> None:
    """A stream is written without knowing how long anything will be."""
    open_master = ebml.encode_id(TOP) + b"\xff" + ebml.encode_id(INNER) + b"\x01" + b"\xff" * 7
    data = open_master + ebml.unsigned(NUMBER, 1) + ebml.master(OTHER)

    kinds = [(type(part), part.id) for part in parts_of(data)]
    expected = [
        (Opened, TOP),
        (Opened, INNER),
        (Leaf, NUMBER),
        (Closed, INNER),
        (Opened, OTHER),
        (Closed, OTHER),
        (Closed, TOP),
    ]
    assert expected == kinds


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"\x00\x01", "no identifier", id="identifier of 9 bytes"),
        pytest.param(ebml.encode_id(TOP) + b"\x00", "no size", id="size of 9 bytes"),
        pytest.param(ebml.unsigned(NUMBER, 1), "cannot stand here", id="child at the top"),
        pytest.param(ebml.master(TOP, ebml.unsigned(NUMBER, 1)), "cannot stand here", id="child of another"),
        pytest.param(
            ebml.master(TOP, ebml.encode_id(INNER) + b"\x85"), "larger than the one", id="larger than parent"
        ),
        pytest.param(WITHOUT_SIZE + ebml.encode_id(NUMBER) + b"\xff", "has no size", id="value without size"),
        pytest.param(
            ebml.master(TOP, ebml.encode_id(INNER) + b"\xff"), "without a size stands", id="unknown in known"
        ),
        pytest.param(ebml.master(TOP)[:3], "in the middle", id="cut in the identifier"),
        pytest.param(ebml.master(TOP, ebml.master(INNER))[:-1], "in the middle", id="cut before the end"),
        pytest.param(ebml.element(PASSED, b"123")[:-1], "in the middle", id="cut in what is passed over"),
    ],
)
def test_what_is_no_ebml_is_refused(data: bytes, message: str) -> None:
    """Each fault is found where it stands, and none is guessed around."""
    with pytest.raises(EbmlError, match=message):
        parts_of(data)


def test_a_value_that_is_too_large_is_refused_before_it_comes() -> None:
    """Memory is bounded by what a reader takes, not by what a sender says."""
    reader = EbmlReader(SCHEMA, max_value_bytes=10)

    with pytest.raises(EbmlError) as refused:
        list(reader.feed(WITHOUT_SIZE + ebml.encode_id(TEXT) + ebml.encode_size(1 << 40)))

    assert refused.value.too_large


def test_what_is_passed_over_is_not_kept() -> None:
    """A sender who says a million bytes come that nobody reads fills no memory."""
    reader = EbmlReader(SCHEMA, max_value_bytes=10)
    list(reader.feed(ebml.encode_id(PASSED) + ebml.encode_size(1_000_000)))
    for _ in range(10):
        list(reader.feed(bytes(100_000)))

    assert reader.between_elements
    assert 1_000_004 == reader.position


@pytest.mark.parametrize(("coded", "value"), [("", 0.0), ("40490fdb", 3.1415927), ("4010000000000000", 4.0)])
def test_floating_point_numbers(coded: str, value: float) -> None:
    """Of 0, 4 and 8 bytes."""
    assert value == pytest.approx(ebml.decode_float(bytes.fromhex(coded)))


def test_values_that_cannot_be_are_refused() -> None:
    """A number of 9 bytes, a floating-point number of 3, text that is no UTF-8."""
    for decode, value in (
        (ebml.decode_unsigned, bytes(9)),
        (ebml.decode_float, bytes(3)),
        (ebml.decode_text, b"\xff"),
    ):
        with pytest.raises(ValueError, match=r".+"):
            decode(value)


def test_a_zero_byte_ends_a_text() -> None:
    """RFC 8794, 7.4 and 7.5: what stands behind it is padding."""
    assert "dog" == ebml.decode_text(b"dog\x00\x00")
