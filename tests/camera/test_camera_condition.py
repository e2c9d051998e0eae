"""Dark, covered, frozen, moved: said when it is so, once, and of nothing else that happens in an office."""

from collections.abc import Iterable

import numpy as np
import pytest
from camera_views import Fault, Freezer, Turned, covered, dark, defocused, frames, office
from door_scenes_clip import Move, ramps, steady
from factories import stamp

from appliance.camera import ConditionWatch, Scene
from appliance.camera.pictures import MadePicture
from appliance.camera.source import CapturedFrame
from appliance.settings import CameraSettings
from appliance.values import Disturbance, Frame

Told = list[tuple[str, float]]


def watch(after_s: float = 5.0) -> ConditionWatch:
    """A watch that waits that long."""
    return ConditionWatch(CameraSettings(id="entrance", source="scene:door", disturbed_after_s=after_s))  # type: ignore[arg-type]


def told(shown: Iterable[Frame], by: ConditionWatch | None = None) -> Told:
    """What was said: disturbances with the time, `clear` with how long it had lasted."""
    by = by or watch()
    found: Told = []
    for frame in shown:
        reading = by.observe(frame)
        if reading.begun is not None:
            found.append((reading.begun.value, frame.stamp.monotonic_s))
        if reading.lasted_s is not None:
            found.append(("clear", reading.lasted_s))
    return found


@pytest.mark.parametrize(("jpeg", "seed"), [(0, 0), (0, 1), (50, 2)])
@pytest.mark.parametrize(
    ("name", "fault"), [("covered", covered), ("covered", defocused), ("dark", dark), ("frozen", None)]
)
def test_a_fault_is_said_once_and_its_end_too(name: str, fault: Fault | None, jpeg: int, seed: int) -> None:
    """Half a minute of it from 90 s on: said five seconds later, cleared with its length; nothing else."""
    found = told(frames(office(seed), fault or Freezer(), jpeg=jpeg))

    assert [name, "clear"] == [kind for kind, _ in found]
    assert 94 <= found[0][1] <= 98
    assert 28 <= found[1][1] <= 32


@pytest.mark.parametrize("seed", range(3))
def test_a_camera_that_was_moved_is_said_once(seed: int) -> None:
    """Pushed a few hundredths of the picture aside: said within 25 s, and that is the view from now on."""
    aside = (20.0, 14.0) if seed % 2 else (-18.0, 12.0)
    found = told(frames(office(seed, nudges=((90.0, *aside),))))

    assert ["moved"] == [kind for kind, _ in found]
    assert 100 <= found[0][1] <= 115


@pytest.mark.parametrize("seed", range(3))
def test_a_camera_that_looks_elsewhere_and_back_is_said_twice(seed: int) -> None:
    """Another view, and after half a minute the old one: each is a move."""
    found = told(frames(office(seed), Turned(seed), between=(70.0, 110.0)))

    assert ["moved", "moved"] == [kind for kind, _ in found]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="people and doors"),
        pytest.param({"lamp": ramps((90.0, 0.05), (90.3, 0.6)), "day": steady(0.3)}, id="lamp on"),
        pytest.param({"lamp": ramps((90.0, 0.6), (90.3, 0.05)), "day": steady(0.3)}, id="lamp off"),
        pytest.param({"day": ramps((10.0, 1.0), (130.0, 0.25)), "lamp": steady(0.0)}, id="dusk"),
        pytest.param({"auto": (0.9, 0.5), "behind": steady(1.3)}, id="bright corridor"),
        pytest.param({"noise": 0.0}, id="without noise"),
        pytest.param({"noise": 10.0}, id="noisy"),
        pytest.param({"moves": [[Move(30.0, 1.0, 90.0)]]}, id="propped door"),
    ],
)
def test_an_ordinary_day_disturbs_nothing(changes: dict[str, object], seed: int) -> None:
    """People before half the picture, doors that open, lamps, dusk, noise or none: not a word."""
    assert [] == told(frames(office(seed, **changes)))


def test_jpeg_disturbs_nothing() -> None:
    """Blocks are not structure that comes and goes."""
    assert [] == told(frames(office(5), jpeg=20))


def test_a_night_with_a_lit_doorway_is_not_dark_while_it_is_lit() -> None:
    """The room goes dark; the door opens on a lit corridor: there is something to see, at once."""
    night = office(1, day=ramps((30.0, 0.6), (30.5, 0.01)), lamp=steady(0.0), moves=[[Move(80.0, 1.0, 90.0)]])
    by = watch()
    found, blind = [], []
    for frame in frames(night):
        reading = by.observe(frame)
        blind.append(reading.blind)
        if reading.begun is not None or reading.lasted_s is not None:
            found.append((reading.begun, frame.stamp.monotonic_s))

    assert [Disturbance.DARK, None] == [begun for begun, _ in found]
    assert 80 < found[1][1] < 86
    assert [True, False] == [blind[int(at * 2)] for at in (79.0, 82.5)]


def test_a_source_that_repeats_itself_by_nature_is_not_frozen() -> None:
    """A still picture, shown again and again."""
    picture = Scene().render(0)
    still = MadePicture(picture.shape[1], picture.shape[0], lambda: picture)

    assert [] == told(CapturedFrame(stamp(i, float(i)), still) for i in range(120))


def test_a_recording_without_noise_that_comes_to_rest_is_not_frozen() -> None:
    """A light that fades for a minute, all over the picture, and then stays: drawn, not frozen."""
    fading = office(2, noise=0.0, people=[], moves=[[]], day=ramps((0.0, 0.9), (60.0, 0.4)))

    assert [] == told(frames(fading))


def test_a_picture_repeated_now_and_then_is_compression() -> None:
    """Every other picture for three seconds the same, as quiet H.264 does between key frames: ordinary."""
    clip = office(3, people=[], moves=[[]])
    held = [clip.picture(index - index % 6) for index in range(len(clip))]
    shown = [
        CapturedFrame(stamp(i, i / 2), MadePicture(320, 180, lambda kept=picture: kept))  # type: ignore[misc]
        for i, picture in enumerate(held)
    ]

    assert [] == told(shown)


def test_zero_switches_the_watching_off() -> None:
    """Nothing is said, and no picture is looked at."""

    def untouchable() -> np.ndarray:
        raise AssertionError("looked at")

    never = MadePicture(320, 180, untouchable)

    assert [] == told((CapturedFrame(stamp(i), never) for i in range(50)), watch(0.0))


def test_pictures_are_looked_at_once_a_second() -> None:
    """Ten frames a second cost one look."""
    picture = office(0).picture(0)
    looked: list[int] = []

    def looking(number: int) -> np.ndarray:
        looked.append(number)
        return picture

    told(
        CapturedFrame(stamp(i), MadePicture(320, 180, lambda number=i: looking(number)))  # type: ignore[misc]
        for i in range(50)
    )

    assert [0, 10, 20, 30, 40] == looked


def test_the_same_pictures_say_the_same() -> None:
    """Times and order depend on the frames alone."""
    assert told(frames(office(4), covered)) == told(frames(office(4), covered))
