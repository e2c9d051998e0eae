"""Things in the loop: on record once, told to viewers, changing nothing else, the same in every replay."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from factories import PictureFrame, stamp
from fakes import MemoryLog, MemorySpool
from object_things import ToyDetector, blank, thing, watch_settings

from appliance.app.detecting import opened_detector, opened_detectors
from appliance.app.doors import clip_frames
from appliance.app.replaying import Replayed, replay
from appliance.errors import CameraLostError
from appliance.events import ObjectSeen
from appliance.models.folder import ModelFolder
from appliance.objects import NetworkDetector, ObjectWatch
from appliance.pipeline import Records
from appliance.pipeline.objects import Things
from appliance.settings import Settings
from appliance.values import DetectedObject, FrameStamp, ImageArray, ObjectsReading

TRIGGER = {"id": "dog-there", "label": "dog", "dwell_s": 1.0}
PORTRAIT = Path(__file__).parents[2] / "data" / "portraits" / "enrol" / "astronaut.jpg"


class Corner:
    """The things of a camera among toy rooms."""

    def __init__(self, script: Sequence[Sequence[DetectedObject]], **settings: object) -> None:
        self.log = MemoryLog()
        self.detector = ToyDetector(script)
        self.published: list[tuple[ObjectsReading, FrameStamp]] = []
        watch = ObjectWatch(watch_settings(**settings), self.detector)
        records = Records(self.log, MemorySpool())
        self.things = Things("entrance", watch, records, lambda *told: self.published.append(told))


def dogs(frames: int) -> list[list[DetectedObject]]:
    """A dog that stays."""
    return [[thing()] for _ in range(frames)]


def test_a_trigger_is_logged_once_with_all_that_a_rule_needs() -> None:
    """Camera, trigger, label, certainty, which thing, how long, where, by which model."""
    corner = Corner(dogs(20), triggers=[TRIGGER])
    for i in range(20):
        corner.things.observe(blank(i, i / 5), blind=False)

    expected = ObjectSeen(
        camera="entrance",
        trigger="dog-there",
        label="dog",
        score=0.9,
        track=1,
        dwell_s=1.0,
        box=(270, 130, 100, 100),
        model="voc",
    )
    assert [expected] == [kept.event for kept in corner.log.kept]
    assert [stamp(0, 1.0).wall] == [kept.at for kept in corner.log.kept]


def test_every_frame_looked_at_is_handed_on() -> None:
    """With what was seen in it, or without anything."""
    corner = Corner([*dogs(1), []])
    for i in range(4):
        corner.things.observe(blank(i), blind=False)

    assert [1, 0] == [len(told.things) for told, _ in corner.published]
    assert [0, 2] == [at.sequence for _, at in corner.published]


def test_viewers_see_the_things_of_the_frame_that_was_last_looked_at() -> None:
    """Corners, label, certainty and which thing it is; nothing once the camera is blind."""
    corner = Corner(dogs(3))
    corner.things.observe(blank(0), blind=False)
    corner.things.observe(blank(1), blind=False)
    shown = corner.things.overlay()
    corner.things.observe(blank(2), blind=True)

    assert [{"box": [270, 130, 370, 230], "label": "dog", "score": 0.9, "track": 1}] == shown
    assert [] == corner.things.overlay()


def test_a_blind_camera_is_not_looked_at() -> None:
    """In a frozen picture a dog would stay for ever and set off its trigger."""
    corner = Corner(dogs(50), triggers=[TRIGGER])
    for i in range(50):
        corner.things.observe(blank(i, i / 5), blind=True)

    assert 0 == corner.detector.looked
    assert [] == corner.log.kept


def test_nobody_looks_where_nothing_is_asked_for() -> None:
    """A camera without [[objects]] costs nothing and shows nothing."""
    things = Things("entrance", None, Records(MemoryLog(), MemorySpool()), None)

    assert things.observe(blank(), blind=False) is None
    assert [] == things.overlay()


def test_only_the_networks_in_use_are_opened_and_each_once(model_folder: ModelFolder) -> None:
    """Two cameras that look for the same share one network, which tells of what either wants to know."""
    watches = [watch_settings(threshold=0.6), watch_settings(camera="kitchen", thresholds={"dog": 0.3})]

    assert {} == opened_detectors(model_folder, [])
    assert ["voc"] == list(opened_detectors(model_folder, watches))


def test_a_detector_finds_the_same_as_the_network_it_shares(
    model_folder: ModelFolder, detectors: dict[str, NetworkDetector], pictures: dict[str, ImageArray]
) -> None:
    """What one camera's low threshold lets through changes nothing for another's."""
    low = opened_detector(model_folder, "voc", 0.05).detect(pictures["person"])
    usual = detectors["voc"].detect(pictures["person"])

    assert usual == [each for each in low if each.score >= 0.25]


# ---------------------------------------------------------------- the whole loop


def film(folder: Path, pictures: Sequence[ImageArray]) -> str:
    """A recording: pictures as the frames of a folder."""
    folder.mkdir()
    for number, picture in enumerate(pictures):
        cv2.imwrite(str(folder / f"{number:03}.png"), picture)
    return str(folder)


def person_walking_up() -> list[ImageArray]:
    """A portrait that comes nearer for a second."""
    portrait = cv2.imread(str(PORTRAIT))
    shown = []
    for i in range(12):
        side = 400 + 5 * i
        frame = np.full((480, 640, 3), 120, np.uint8)
        frame[480 - side :, 60 : 60 + side] = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)
        shown.append(frame)
    return shown


@pytest.fixture(scope="module")
def replays(tmp_path_factory: pytest.TempPathFactory, model_folder: ModelFolder) -> dict[str, Replayed]:
    """The same recording without objects, with them but no trigger, and twice with one."""
    folder = tmp_path_factory.mktemp("replays")
    source = film(folder / "film", person_walking_up())
    watch = {"id": "people", "camera": "camera", "model": "voc", "fps": 10}
    trigger = {"id": "somebody", "label": "person", "dwell_s": 0.5}
    objects: dict[str, list[dict[str, Any]]] = {
        "without": [],
        "quiet": [watch],
        "first": [{**watch, "triggers": [trigger]}],
        "second": [{**watch, "triggers": [trigger]}],
    }
    done = {}
    for name, each in objects.items():
        settings = Settings.model_validate(
            {"cameras": [{"id": "camera", "source": source, "when": "always"}], "objects": each}
        )
        done[name] = replay(settings, None, folder / name)
    return done


def test_a_replay_with_things_is_the_same_every_time(replays: dict[str, Replayed]) -> None:
    """To the last bit, the chain of hashes with it."""
    first, second = replays["first"], replays["second"]

    assert 1 == sum(isinstance(stored.event, ObjectSeen) for stored in first.events)
    assert [(each.hash, each.event) for each in first.events] == [
        (each.hash, each.event) for each in second.events
    ]


def test_looking_for_things_changes_nothing_that_is_decided(replays: dict[str, Replayed]) -> None:
    """Without a trigger the log is the same to the last bit; with one, but for its event and the ids."""
    without, quiet, triggered = (replays[name].events for name in ("without", "quiet", "first"))

    assert without
    assert [each.hash for each in without] == [each.hash for each in quiet]
    assert [decided(each) for each in without] == [
        decided(each) for each in triggered if not isinstance(each.event, ObjectSeen)
    ]


def decided(stored: Any) -> tuple[Any, dict[str, Any]]:
    """When something was decided, and what, without ids, which are drawn in the order of events."""
    return stored.at, {key: value for key, value in stored.event.model_dump().items() if key != "encounter"}


def test_a_frame_that_cannot_be_decoded_is_the_loops_affair() -> None:
    """The error goes on to whoever counts damaged frames; the next frame is looked at."""

    class Damaged(PictureFrame):
        """Its data turn out to be bad when somebody wants to see it."""

        def bgr(self) -> ImageArray:
            """Nothing to be had.

            Raises:
                CameraLostError: Always.
            """
            raise CameraLostError("the frame is damaged")

    corner = Corner(dogs(1))
    with pytest.raises(CameraLostError):
        corner.things.observe(Damaged(np.zeros((10, 10, 3), np.uint8), stamp(0)), blind=False)

    assert corner.things.observe(blank(5), blind=False) is not None


# ---------------------------------------------------------------- clips


@pytest.mark.material
def test_one_dog_is_one_dog(material: Path, model_folder: ModelFolder) -> None:
    """A puppy in a room for eleven seconds: one event, one track, though half its frames are a cat, too."""
    labels = ("dog", "cat", "sofa")
    triggers = [{"id": label, "label": label, "dwell_s": 0, "cool_down_s": 0} for label in labels]
    settings = watch_settings(thresholds={"sofa": 0.6}, triggers=triggers)
    watch = ObjectWatch(settings, opened_detector(model_folder, "voc", 0.25))
    clip = clip_frames(str(material / "testdata" / "videos" / "dog.mp4"), 5)
    found = [reading for frame in clip if (reading := watch.observe(frame)) is not None]

    assert 50 <= len(found)
    assert [("dog", 1)] == [
        (alarm.trigger, alarm.tracked.track) for reading in found for alarm in reading.alarms
    ]


def test_one_cat_is_one_cat(model_folder: ModelFolder, pictures: dict[str, ImageArray]) -> None:
    """A cat's picture that is pushed about under a lamp for five seconds: one event, one track."""
    triggers = [{"id": "cat", "label": "cat", "dwell_s": 0, "cool_down_s": 0}]
    settings = watch_settings(triggers=triggers)
    watch = ObjectWatch(settings, opened_detector(model_folder, "voc", 0.5))
    cat = pictures["cat"]
    readings = []
    for i in range(25):
        move = np.float32([[1, 0, 90 + 80 * np.sin(i / 4)], [0, 1, 50 + 5 * (i % 3)]])
        lit = cv2.convertScaleAbs(cat, alpha=0.8 + 0.2 * (i % 2))
        shown = cv2.warpAffine(lit, move, (720, 405), borderValue=(90, 100, 110))
        readings.append(watch.observe(PictureFrame(shown.astype(np.uint8), stamp(i, i / 5))))
    found = [reading for reading in readings if reading is not None]

    assert [1] == [alarm.tracked.track for reading in found for alarm in reading.alarms]
    assert {1} == {each.track for reading in found for each in reading.things if each.label == "cat"}
    assert 25 == sum(any(each.label == "cat" for each in reading.things) for reading in found)
