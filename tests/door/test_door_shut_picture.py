"""The picture of the shut door that somebody vouched for: as a file, and as what a watch begins with."""

import base64
import contextlib
import json
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from door_pictures import DOOR, door, opening, picture, said, seconds
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from appliance.door import DoorWatch, ShutPicture, Snapshot, shut_picture
from appliance.door.shut_picture import decode, encode
from appliance.errors import InputError
from appliance.values import WHOLE_FRAME, DoorState

SHUT, OPEN = DoorState.SHUT, DoorState.OPEN
LIKE_THE_DOOR = DOOR + 40
"""An even room of another gray: the bare fill covers as much of it as of the leaf."""


def kept(**look: object) -> ShutPicture:
    """What is kept of the door, shut, as it is set in `door_pictures`."""
    shown = [Snapshot(each.stamp.monotonic_s, each.gray(WHOLE_FRAME)) for each in seconds(0, 1, **look)]
    return shut_picture(shown, door().region)


def body(**changes: Any) -> bytes:
    """A file with other things in it; None leaves one out."""
    given = json.loads(encode(kept())) | changes
    return json.dumps({name: value for name, value in given.items() if value is not None}).encode()


def png(width: int, height: int) -> str:
    """A PNG that claims a size and holds no pixel of it, in base64."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + chunk).decode()


# ------------------------------------------------------------ as a file

sides = st.integers(1, 192)
fractions = st.floats(0, 1)


@given(
    arrays.arrays(np.uint8, st.tuples(sides, sides), elements=st.integers(0, 255), fill=st.just(7)),
    st.tuples(fractions, fractions, fractions, fractions),
)
def test_what_is_read_is_what_was_written(gray: np.ndarray, region: Any) -> None:
    """To the last bit, whatever it shows."""
    again = decode(encode(ShutPicture(region, gray)))

    assert region == again.region
    assert np.array_equal(gray, again.gray)


@given(st.data())
def test_a_damaged_file_is_refused_or_still_a_picture(data: st.DataObject) -> None:
    """Whatever byte is another and wherever it ends: one typed error, and never anything else."""
    sound = bytearray(encode(kept()))
    for _ in range(data.draw(st.integers(0, 3))):
        sound[data.draw(st.integers(0, len(sound) - 1))] = data.draw(st.integers(0, 255))
    content = bytes(sound[: data.draw(st.integers(0, len(sound)))])
    with contextlib.suppress(InputError):
        found = decode(content)
        assert np.uint8 == found.gray.dtype
        assert found.gray.shape[1] <= 192


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"[" * 200_000,
        b" " * (2 << 20),
        body(format=2),
        body(format=None),
        body(region=None),
        body(region=[0.1, 0.2, 0.3]),
        body(region=["a", "b", "c", "d"]),
        body(region=[10**400, 0, 1, 1]),
        body(png=None),
        body(png=5),
        body(png="not base64!"),
        body(png=""),
        body(png=base64.b64encode(b"GIF89a" + bytes(40)).decode()),
        body(png=png(96, 48)),
        body(png=png(193, 48)),
        body(png=png(1, 1 << 30)),
        body(png=png(0, 0)),
    ],
)
def test_what_is_no_such_picture_is_refused(content: bytes) -> None:
    """No JSON, of another format, without its parts, no PNG, of a size nobody writes, too large."""
    with pytest.raises(InputError, match="no picture of the shut door") as refused:
        decode(content)
    assert "appliance door calibrate --keep" in refused.value.advice


def test_a_picture_is_small_gray_and_of_the_region_alone() -> None:
    """The wall outside the region and the noise of one frame are not in it."""
    wide = [Snapshot(i / 10, np.full((900, 1600), 60 + i, np.uint8)) for i in range(3)]
    for each in wide:
        each.gray[:, :400] = 255
    found = shut_picture(wide, (0.25, 0.0, 1.0, 0.5))

    assert (72, 192) == found.gray.shape
    assert {61} == set(np.unique(found.gray))


def test_a_picture_is_of_the_region_it_was_made_of() -> None:
    """As the settings write it, rounded; not of one drawn anew."""
    one = kept()

    assert one.is_of(door(region=(0.30004, 0.0, 0.69996, 0.4)))
    assert not one.is_of(door(region=(0.31, 0.0, 0.7, 0.4)))


# ------------------------------------------------------------ to begin with


def first(watch: DoorWatch, **look: object) -> list[DoorState]:
    """What is said in the first seconds of a door that looks like this."""
    return said(watch, seconds(0, 3, **look))


def test_a_door_that_stands_open_at_the_start_is_called_open() -> None:
    """And shut when it is shut."""
    watch = DoorWatch(door(), kept())

    assert [OPEN] == first(watch, opened=1.0)
    assert SHUT == said(watch, opening(3, shut_again=True) + seconds(3.5, 6))[-1]


def test_a_room_that_fills_like_the_door_is_no_shut_door() -> None:
    """What the picture is kept for: without it, such a room is taken for the shut door."""
    look = {"opened": 1.0, "room": LIKE_THE_DOOR}
    knows = DoorWatch(door(), kept())

    assert [SHUT] == first(DoorWatch(door()), **look)
    assert [OPEN] == first(knows, **look)
    assert [SHUT] == said(knows, seconds(3, 6))[-1:]


@pytest.mark.parametrize("factor", [0.5, 0.7, 1.2])
def test_a_shut_door_is_known_in_another_light(factor: float) -> None:
    """The picture was made by day, and the watch starts at dusk: it is shut, and opens from there."""
    light = {"change": lambda pixels: pixels * factor}
    watch = DoorWatch(door(), kept())

    assert [SHUT] == first(watch, **light)
    assert [OPEN] == said(watch, opening(3, **light) + seconds(3.5, 5, opened=1.0, **light))[-1:]


def test_a_picture_of_another_region_is_not_begun_with() -> None:
    """The region was drawn anew since: the watch guesses, as without any."""
    narrower = door(region=(0.32, 0.0, 0.68, 0.4), shut_fraction=0.83)
    look = {"opened": 1.0, "room": LIKE_THE_DOOR}

    assert first(DoorWatch(narrower), **look) == first(DoorWatch(narrower, kept()), **look)


def test_the_plain_rule_needs_none() -> None:
    """It compares with nothing."""
    plain = door(rule="plain")

    assert first(DoorWatch(plain), opened=1.0) == first(DoorWatch(plain, kept()), opened=1.0)


def test_a_door_that_was_painted_since_is_known_after_a_minute() -> None:
    """What fits the settings and stands still for that long is believed, and not what was vouched for."""
    watch = DoorWatch(door(shut_fraction=0.71), kept(leaf=200, wall=120))
    readings = [watch.observe(each) for each in seconds(0, 65)]
    shut_at = next(i / 10 for i, each in enumerate(readings) if each.state is SHUT)

    assert 55 < shut_at < 64
    assert [SHUT, OPEN, SHUT] == said(
        watch,
        [
            *(opening(65) + seconds(65.5, 67, opened=1.0)),
            *(opening(67, shut_again=True) + seconds(67.5, 70)),
        ],
    )


def test_a_picture_the_door_has_looked_like_is_not_given_up() -> None:
    """Once it was seen shut as vouched for, a room that fills like it stays open for longer than a minute."""
    watch = DoorWatch(door(), kept())
    look = {"opened": 1.0, "room": LIKE_THE_DOOR}
    seen = said(watch, seconds(0, 2) + opening(2, room=LIKE_THE_DOOR))
    later = [picture(3 + i / 4, **look) for i in range(300)]  # type: ignore[arg-type]

    assert [SHUT, OPEN] == seen
    assert [OPEN] == said(watch, later)
