"""The rendered scene: the same every time, true to its truth, and good enough to recognise people in."""

import hashlib
from itertools import pairwise

import cv2
import numpy as np
import pytest
from camera_sources import settings_for

from appliance.camera import Scene, SceneSource, Script, Swing, Walk, open_source, recorded_frames, visits
from appliance.camera.scene import DEFAULT_SCRIPT
from appliance.camera.scene_people import PORTRAIT_FOLDER
from appliance.camera.scene_script import OPEN_ANGLE, OPENING, PORTRAITS
from appliance.camera.scene_set import DOOR_COLOURS
from appliance.clock import SystemClock
from appliance.values import CameraId, ImageArray, Region

SMALL = {"width": 320, "height": 180}
ABOVE_HEADS = (OPENING[0], OPENING[1], OPENING[2], 216)


def door_top(picture: ImageArray) -> ImageArray:
    """The upper part of the doorway."""
    scale = picture.shape[1] / 1280
    left, top, right, bottom = (round(v * scale) for v in ABOVE_HEADS)
    return picture[top:bottom, left:right]


def test_the_same_frame_is_the_same_every_time() -> None:
    """Two scenes of one seed agree to the last bit, in whatever order frames are asked for."""
    one, two = Scene(**SMALL), Scene(**SMALL)
    later = two.render(60)

    np.testing.assert_array_equal(one.render(20), two.render(20))
    np.testing.assert_array_equal(one.render(60), later)


def test_another_seed_is_another_noise() -> None:
    """The seed changes the noise, not the story."""
    one, two = Scene(**SMALL, seed=1), Scene(**SMALL, seed=2)

    assert one.truth(5.0) == two.truth(5.0)
    assert (one.render(50) != two.render(50)).any()


def test_the_default_scene_is_a_door_three_people_and_half_a_minute() -> None:
    """Shut, then three visits in turn, each beginning with an open door and ending with a shut one."""
    scene = Scene()
    times = np.arange(0, DEFAULT_SCRIPT.duration_s, 0.1)
    truths = [scene.truth(float(t)) for t in times]
    openings = sum(b.door_open and not a.door_open for a, b in pairwise(truths))
    people = list(dict.fromkeys(p.person for truth in truths for p in truth.people))

    assert 30 <= DEFAULT_SCRIPT.duration_s <= 35
    assert 3 == openings
    assert ["obama", "astronaut", "biden"] == people
    assert not truths[0].door_open
    assert not truths[-1].door_open


@pytest.mark.parametrize("person", PORTRAITS)
def test_everybody_comes_near_enough_to_be_recognised(person: str) -> None:
    """At 720p and ten frames a second, a face of 100 pixels and more is shown in at least 15 frames."""
    scene = Scene(visits(person))
    near = [
        face.face
        for index in range(scene.frame_count)
        for face in scene.truth(index / scene.fps).people
        if face.face.width >= 100
    ]
    inside = [f for f in near if f.x >= 0 and f.x + f.width <= 1280 and f.y + f.height <= 630]

    assert len(inside) >= 15


def test_nobodys_head_covers_the_upper_part_of_the_door() -> None:
    """What the flood fill watches shows the door and nothing but the door."""
    scene = Scene()
    faces = [p.face for i in range(scene.frame_count) for p in scene.truth(i / scene.fps).people]

    assert min(face.y for face in faces) > ABOVE_HEADS[3]


@pytest.mark.parametrize("colour", DOOR_COLOURS)
def test_a_shut_door_is_one_even_surface_and_an_open_one_is_not(colour: str) -> None:
    """In every colour: the upper part is even within a few gray levels when shut, and varied when open."""
    scene = Scene(visits("biden"), width=640, height=360, door_colour=colour, light_drift=0)
    shut = cv2.cvtColor(door_top(scene.render(0)), cv2.COLOR_BGR2GRAY)
    opened = cv2.cvtColor(door_top(scene.render(30)), cv2.COLOR_BGR2GRAY)

    assert scene.truth(3.0).door_open
    assert float(np.percentile(shut, 98) - np.percentile(shut, 2)) < 24
    assert float(np.percentile(opened, 98) - np.percentile(opened, 2)) > 40


def test_the_picture_agrees_with_the_truth_about_the_door() -> None:
    """Where the truth says that the door is open, its upper part changed; elsewhere it did not."""
    scene = Scene(visits("obama"), **SMALL, light_drift=0, noise=0)
    shut = door_top(scene.render(0)).astype(int)
    change = {i: np.abs(door_top(scene.render(i)).astype(int) - shut).mean() for i in (10, 19, 24, 30, 70)}

    assert {i: scene.truth(i / 10).door_open for i in change} == {i: c > 3 for i, c in change.items()}


def test_people_are_seen_where_the_truth_says() -> None:
    """Against the empty scene, the picture changed within the face and not beside it."""
    with_person = Scene(Script(8, (), (Walk(0.5, "astronaut"),)), light_drift=0, noise=0, **SMALL)
    empty = Scene(Script(8), light_drift=0, noise=0, **SMALL)
    face = with_person.truth(4.5).people[0].face
    difference = np.abs(with_person.render(45).astype(int) - empty.render(45).astype(int)).sum(axis=2)
    x, y = (round(v) for v in face.centre)

    assert np.median(difference[y - 8 : y + 8, x - 6 : x + 6]) > 20
    assert 0 == difference[:60].max()


def test_light_drifts_slowly_and_noise_is_what_was_asked_for() -> None:
    """The wall brightens and darkens by the drift; from frame to frame there is noise only."""
    scene = Scene(Script(30), **SMALL, light_drift=0.2, noise=3.0)
    wall = [scene.render(i)[20:40, 20:60].astype(float) for i in range(0, 300, 10)]
    means = [w.mean() for w in wall]
    still = Scene(Script(30), **SMALL, light_drift=0, noise=3.0)
    noise = (still.render(0)[60:90, 250:310].astype(float) - still.render(1)[60:90, 250:310]).std()

    assert 0.2 < (max(means) - min(means)) / np.mean(means) < 0.45
    assert max(abs(a - b) / a for a, b in pairwise(means)) < 0.1
    assert noise == pytest.approx(3.0 * 2**0.5, rel=0.15)


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (640, 480), (320, 180), (321, 243), (180, 320)])
def test_any_size_can_be_rendered(width: int, height: int) -> None:
    """Another shape shows the middle of the picture."""
    assert (height, width, 3) == Scene(width=width, height=height).render(40).shape


@pytest.mark.parametrize(
    "wrong",
    [{"door_colour": "plaid"}, {"fps": 0}, {"width": 4}, {"light_drift": 1.5}, {"noise": -1}],
)
def test_what_cannot_be_rendered_is_refused(wrong: dict[str, object]) -> None:
    """When made, not when the first frame is due."""
    with pytest.raises(ValueError, match=r"scene|colour"):
        Scene(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("swings", "walks"),
    [
        ((Swing(1, to_open=False),), ()),
        ((Swing(1, to_open=True), Swing(1, to_open=False)), ()),
        ((Swing(1, to_open=True), Swing(2, to_open=True)), ()),
        ((), (Walk(2, "obama"), Walk(1, "biden"))),
        ((), (Walk(2, "nobody"),)),
    ],
)
def test_a_script_that_cannot_be_played_is_refused(
    swings: tuple[Swing, ...], walks: tuple[Walk, ...]
) -> None:
    """Swings in turn and in time, walks in time, by people there is a portrait of."""
    with pytest.raises(ValueError, match=r"swings|walks|portrait"):
        Script(10, swings, walks)


def test_the_door_swings_smoothly_and_stays() -> None:
    """From shut to wide open within a second, no jumps, and open until it is told to shut."""
    scene = Scene(Script(10, (Swing(1, to_open=True), Swing(6, to_open=False))))
    angles = [scene.truth(t / 20).angle for t in range(200)]

    assert 0 == angles[19]
    assert OPEN_ANGLE == angles[40] == angles[119]
    assert 0 == angles[-1]
    assert max(abs(a - b) for a, b in pairwise(angles)) < 15


def test_the_scene_is_a_source_of_the_settings() -> None:
    """`scene:door` at the size of the settings gives frames at ten a second, drawn when looked at."""
    source = open_source(settings_for("scene:door-green", width_px=320, height_px=180), SystemClock())
    start = SystemClock().wall()
    frames = recorded_frames(source, camera=CameraId("entrance"), fps=10, start_wall=start)
    first, second = next(frames), next(frames)

    assert (320, 180, 0.1) == (first.width, second.height, second.stamp.media_s)
    assert (90, 160) == first.gray(Region(0, 0, 0.5, 0.5)).shape
    assert isinstance(source, SceneSource)


def test_the_portraits_are_the_ones_that_were_described() -> None:
    """Each file has the checksum that stands beside its source and licence, and every file is described."""
    folder = PORTRAIT_FOLDER.parent
    text = (folder / "README.md").read_text(encoding="utf-8")
    listed = dict(reversed(line.split("  ")) for line in text.split("```")[1].strip().splitlines())
    files = {str(p.relative_to(folder)): p for p in folder.glob("*/*")}

    assert listed == {name: hashlib.sha256(p.read_bytes()).hexdigest() for name, p in files.items()}
    assert sum(p.stat().st_size for p in files.values()) < 1_500_000
