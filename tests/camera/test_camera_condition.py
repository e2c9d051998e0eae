"""Dark, covered, frozen, moved: said when it is so, once, and of nothing else that happens in an office."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import numpy as np
import pytest
from camera_views import Fault, Freezer, Turned, covered, dark, defocused, frames, office
from door_scenes_clip import Clip, Move, ramps, steady
from factories import stamp

from appliance.camera import ConditionWatch, Scene
from appliance.camera.pictures import MadePicture
from appliance.camera.source import CapturedFrame
from appliance.settings import CameraSettings
from appliance.values import Disturbance, Frame

Told = list[tuple[str, float]]


def watch(after_s: float = 5.0, said: Disturbance | None = None) -> ConditionWatch:
    """A watch that waits that long, and is told what was said before."""
    settings = CameraSettings.model_validate(
        {"id": "entrance", "source": "scene:door", "disturbed_after_s": after_s}
    )
    return ConditionWatch(settings, said)


def quiet(seed: int, **changes: object) -> Clip:
    """An office in which nothing happens, 70 seconds unless told."""
    return office(seed, **({"people": [], "moves": [[]], "duration": 70.0} | changes))


def blocks(rng: np.random.Generator, level: float, contrast: float) -> np.ndarray:
    """A made-up view: a plain ground with boxes on it, lighter if it is dim, else darker."""
    view = np.full((180, 320, 3), level, np.float32)
    for _ in range(25):
        x, y = rng.integers(0, 280), rng.integers(0, 150)
        view[y : y + 20, x : x + 25] = level + contrast * (1 if level < 128 else -1)
    return view


def noisy(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As a quiet sensor gives it."""
    grain = rng.standard_normal(picture.shape[:2], np.float32)[..., None]
    return np.asarray(np.clip(picture + 0.7 * grain, 0, 255), np.uint8)


def pictures(shown: Sequence[np.ndarray]) -> Iterator[Frame]:
    """As frames, one a second."""
    for number, picture in enumerate(shown):
        height, width = picture.shape[:2]
        yield CapturedFrame(
            stamp(number, float(number)), MadePicture(width, height, partial(np.asarray, picture))
        )


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
    """Twenty seconds of it from 60 s on: said five seconds later, cleared with its length; nothing else."""
    found = told(frames(office(seed, duration=95.0), fault or Freezer(), between=(60.0, 80.0), jpeg=jpeg))

    assert [name, "clear"] == [kind for kind, _ in found]
    assert 64 <= found[0][1] <= 68
    assert 18 <= found[1][1] <= 22


@pytest.mark.parametrize("seed", range(3))
def test_a_camera_that_was_moved_is_said_once(seed: int) -> None:
    """Pushed a few hundredths of the picture aside: said within 25 s, and that is the view from now on."""
    aside = (20.0, 14.0) if seed % 2 else (-18.0, 12.0)
    found = told(frames(office(seed, nudges=((90.0, *aside),), duration=130.0)))

    assert ["moved"] == [kind for kind, _ in found]
    assert 100 <= found[0][1] <= 115


@pytest.mark.parametrize("seed", range(3))
def test_a_camera_that_looks_elsewhere_and_back_is_said_twice(seed: int) -> None:
    """Another view, and after half a minute the old one: each is a move."""
    found = told(frames(office(seed), Turned(seed), between=(70.0, 110.0)))

    assert ["moved", "moved"] == [kind for kind, _ in found]


@pytest.mark.parametrize(
    ("changes", "seed"),
    [
        pytest.param({}, 0, id="people and doors"),
        pytest.param({}, 1, id="other people and doors"),
        pytest.param({"lamp": ramps((90.0, 0.05), (90.3, 0.6)), "day": steady(0.3)}, 0, id="lamp on"),
        pytest.param({"lamp": ramps((90.0, 0.6), (90.3, 0.05)), "day": steady(0.3)}, 1, id="lamp off"),
        pytest.param({"day": ramps((10.0, 1.0), (130.0, 0.25)), "lamp": steady(0.0)}, 0, id="dusk"),
        pytest.param({"auto": (0.9, 0.5), "behind": steady(1.3)}, 1, id="bright corridor"),
        pytest.param({"noise": 0.0}, 1, id="without noise"),
        pytest.param({"noise": 10.0}, 0, id="noisy"),
        pytest.param({"moves": [[Move(30.0, 1.0, 90.0)]]}, 1, id="propped door"),
    ],
)
def test_an_ordinary_day_disturbs_nothing(changes: dict[str, object], seed: int) -> None:
    """People before half the picture, doors that open, lamps, dusk, noise or none: not a word."""
    assert [] == told(frames(office(seed, **changes)))


def test_jpeg_disturbs_nothing() -> None:
    """Blocks are not structure that comes and goes."""
    assert [] == told(frames(office(5, duration=100.0), jpeg=20))


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
    picture = np.ascontiguousarray(Scene().render(0)[::4, ::4])
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
    first, second = (told(frames(office(4, duration=60.0), covered, between=(30.0, 45.0))) for _ in range(2))

    assert 2 == len(first)
    assert first == second


@pytest.mark.parametrize("seed", range(2))
def test_blind_is_blind_whatever_the_reason(seed: int) -> None:
    """Dark and covered by turns, a second each, as around the limit: said once, by one name, and its end."""

    def flickers(picture: np.ndarray, number: int) -> np.ndarray:
        return (dark, covered)[number // 2 % 2](picture, number)

    found = told(frames(quiet(seed), flickers, between=(30.0, 60.0)))

    assert 2 == len(found)
    assert found[0][0] in {"dark", "covered"}
    assert 34 <= found[0][1] <= 38
    assert "clear" == found[1][0]
    assert 28 <= found[1][1] <= 32


def test_another_reason_that_lasts_is_said_too() -> None:
    """Dark for a while, then covered for as long: two things to mend, one end, counted from the first."""

    def changes(picture: np.ndarray, number: int) -> np.ndarray:
        return (dark if number < 90 else covered)(picture, number)

    found = told(frames(quiet(0), changes, between=(30.0, 60.0)))

    assert ["dark", "covered", "clear"] == [kind for kind, _ in found]
    assert pytest.approx(30, abs=1.5) == found[2][1]


def test_a_moment_at_rest_does_not_make_a_restless_view_believed() -> None:
    """Two seconds of one view, one of another, all the time: said after a minute, not before."""
    rng = np.random.default_rng(5)
    home, *others = (noisy(blocks(rng, 190, 90), rng) for _ in range(3))
    after = [others[second % 3 // 2] for second in range(70)]

    assert [("moved", 90.0)] == told(pictures([*[home] * 30, *after]))


def test_a_new_view_is_judged_by_its_own_light() -> None:
    """From a dim view to a bright one; there it gets dusk at once: nothing is covered."""
    rng = np.random.default_rng(3)
    dim, bright = blocks(rng, 10, 110), blocks(rng, 220, 90)
    shown = [*[dim] * 25, *[bright] * 17, *[bright * 0.14] * 20]
    noisy = [
        np.clip(picture + rng.normal(0, 0.7, picture.shape), 0, 255).astype(np.uint8) for picture in shown
    ]

    assert [("moved", 40.0)] == told(pictures(noisy))


def test_another_format_is_another_view() -> None:
    """A camera set to another format is not moved: nothing is known of what it sees."""
    rng = np.random.default_rng(4)
    wide, high = blocks(rng, 180, 60), blocks(rng, 180, 60)[:, :240]
    shown = [(wide if number < 30 else high).astype(np.uint8) for number in range(60)]

    assert [] == told(pictures(shown))


FAULTS: dict[Disturbance, Callable[[], Fault]] = {
    Disturbance.DARK: lambda: dark,
    Disturbance.COVERED: lambda: covered,
    Disturbance.FROZEN: Freezer,
}


@pytest.mark.parametrize("said", FAULTS)
def test_what_was_said_before_a_restart_is_over_when_there_is_sight(said: Disturbance) -> None:
    """A watch that is told of it sees well from the start: clear within seconds, and nothing else."""
    found = told(frames(quiet(1)), watch(said=said))

    assert ["clear"] == [kind for kind, _ in found]
    assert found[0][1] <= 6


@pytest.mark.parametrize("said", FAULTS)
def test_what_lasts_over_a_restart_is_not_said_again(said: Disturbance) -> None:
    """Still so for half a minute after it: blind from the first frame on; clear when it is over, once."""
    by = watch(said=said)
    found: list[object] = []
    blind: list[bool] = []
    for frame in frames(quiet(1), FAULTS[said](), between=(0.0, 30.0)):
        reading = by.observe(frame)
        blind.append(reading.blind)
        found += [reading.begun] if reading.begun is not None else []
        found += [reading.lasted_s] if reading.lasted_s is not None else []

    assert [pytest.approx(30, abs=1.5)] == found
    assert {True} == set(blind[:60])
    assert {False} == set(blind[65:])
