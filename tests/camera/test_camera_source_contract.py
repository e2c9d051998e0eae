"""What every source promises, run against every kind that can run here."""

import numpy as np
import pytest
from camera_clips import HEIGHT, MIDDLE, WIDTH, number_of

from appliance.camera import Shot, Source
from appliance.errors import CameraLostError
from appliance.values import WHOLE_FRAME, Region


def shots(source: Source, count: int) -> list[Shot]:
    """The first `count` pictures."""
    source.open()
    try:
        found = [source.read() for _ in range(count)]
    finally:
        source.close()
    return [shot for shot in found if shot is not None]


def test_pictures_come_in_order(any_source: Source) -> None:
    """One after the other, none twice and none left out."""
    numbers = [number_of(shot.picture.gray(MIDDLE)) for shot in shots(any_source, 6)]

    assert [numbers[0] + i for i in range(6)] == numbers


def test_the_full_picture_has_the_size_that_was_said(any_source: Source) -> None:
    """`bgr` is uint8 (height, width, 3), and upright: the bright square is at the upper left."""
    picture = shots(any_source, 1)[0].picture
    full = picture.bgr()

    assert (WIDTH, HEIGHT) == (picture.width, picture.height)
    assert (HEIGHT, WIDTH, 3) == full.shape
    assert np.uint8 == full.dtype
    assert full[: HEIGHT // 5, : WIDTH // 5].min() > 200
    assert full[HEIGHT // 2 :, WIDTH // 2 :].max() < 200


def test_gray_is_the_asked_region(any_source: Source) -> None:
    """A region's luma is two-dimensional, has about the region's shape, and shows its content."""
    picture = shots(any_source, 1)[0].picture
    corner = picture.gray(Region(0, 0, 0.2, 0.2))
    whole = picture.gray(WHOLE_FRAME)

    assert 2 == corner.ndim
    assert np.uint8 == corner.dtype
    assert corner.min() > 200
    assert whole.shape[1] / whole.shape[0] == pytest.approx(WIDTH / HEIGHT, rel=0.02)


def test_pictures_cannot_be_written_to(any_kind: Source) -> None:
    """What is handed out is read-only, for another room may look at the same pixels."""
    picture = shots(any_kind, 1)[0].picture

    assert not picture.bgr().flags.writeable
    assert not picture.gray(MIDDLE).flags.writeable


def test_asking_twice_gives_the_same(any_kind: Source) -> None:
    """The full picture is decoded once and kept; gray is equal every time, before and after."""
    picture = shots(any_kind, 1)[0].picture
    before = picture.gray(MIDDLE).copy()
    full = picture.bgr()

    assert picture.bgr() is full
    np.testing.assert_array_equal(before, picture.gray(MIDDLE))


def test_pictures_outlive_their_source(any_source: Source) -> None:
    """A picture is still whole when its source has gone on and was closed."""
    kept = shots(any_source, 4)
    first = number_of(kept[0].picture.gray(MIDDLE))

    assert [first + i for i in range(4)] == [number_of(shot.picture.gray(MIDDLE)) for shot in kept]


def test_a_closed_source_can_be_opened_again(any_kind: Source) -> None:
    """Opening again starts again."""
    shots(any_kind, 2)

    assert 3 == len(shots(any_kind, 3))


def test_closing_twice_and_before_opening_is_harmless(any_kind: Source) -> None:
    """Clean-up need not know how far things came."""
    any_kind.close()
    any_kind.open()
    any_kind.close()
    any_kind.close()


def test_reading_what_is_not_open_is_an_error(any_kind: Source) -> None:
    """Reading a source that was never opened is one of our errors, not a crash."""
    with pytest.raises(CameraLostError):
        any_kind.read()


def test_media_time_never_falls(any_kind: Source) -> None:
    """Recordings say where they are, beginning at 0; MJPEG over HTTP has no such time."""
    times = [shot.media_s for shot in shots(any_kind, 6)]

    assert [None] * 6 == times if any_kind.live else times == sorted(t for t in times if t is not None)
    assert any_kind.live or 0.0 == times[0]


def test_a_recording_ends_and_stays_ended(recording: Source) -> None:
    """After the last picture comes None, again and again, and nothing was damaged."""
    recording.open()
    count = sum(1 for _ in iter(recording.read, None))
    again = recording.read()
    damaged = recording.damaged
    recording.close()

    assert (12, None, 0) == (count, again, damaged)
