"""Doors and disturbances of one camera, put on record: visits, held open, and what is not believed."""

from datetime import timedelta

import pytest
from factories import frame
from fakes import MemoryLog, MemorySpool, ScriptedDoor

from appliance.events import CameraDisturbed, DoorHeldOpen
from appliance.ids import seeded_ids
from appliance.pipeline import Records
from appliance.pipeline.disturbances import Disturbances
from appliance.pipeline.doors import Doors
from appliance.values import CameraReading, Disturbance, DoorReading, DoorState, Frame

OPEN, SHUT, UNSURE = DoorState.OPEN, DoorState.SHUT, DoorState.UNSURE


def watched(*states: DoorState, held_open_s: float = 0.0) -> tuple[Doors, MemoryLog]:
    """A camera's one door with its states told per frame."""
    log = MemoryLog()
    records = Records(log, MemorySpool())
    doors = {"front": ScriptedDoor(*states)}
    return Doors("entrance", doors, {"front": held_open_s}, records, seeded_ids(1)), log


def run(doors: Doors, frames: int, *, start: int = 0, blind: bool = False) -> None:
    """Feed frames, ten a second."""
    for i in range(start, start + frames):
        doors.observe(frame(i), blind=blind)


def test_a_door_held_open_is_said_once() -> None:
    """After two seconds, with the time it has been open and its visit; not again while it stays open."""
    doors, log = watched(SHUT, OPEN, held_open_s=2.0)
    run(doors, 100)
    held = log.kept[-1].event

    assert ["door_shut", "door_opened", "door_held_open"] == log.types()
    assert isinstance(held, DoorHeldOpen)
    assert (2.0, log.kept[1].event.visit) == (held.open_s, held.visit)


def test_every_opening_is_counted_anew() -> None:
    """Shut in between: the next opening has its own two seconds."""
    doors, log = watched(*[OPEN] * 25, *[SHUT] * 5, *[OPEN] * 15, *[SHUT] * 5, OPEN, held_open_s=2.0)
    run(doors, 75)

    assert [
        *("door_opened", "door_held_open", "door_shut", "door_opened", "door_shut"),
        *("door_opened", "door_held_open"),
    ] == log.types()


def test_a_door_that_cannot_be_told_is_not_accused() -> None:
    """Somebody before the door for minutes: unsure, and not held open."""
    doors, log = watched(SHUT, UNSURE, held_open_s=2.0)
    run(doors, 100)

    assert ["door_shut", "door_unsure"] == log.types()


def test_unsure_in_between_is_the_same_opening() -> None:
    """People in the doorway make it unsure; it was open before and after, and never shut."""
    doors, log = watched(*[OPEN] * 10, *[UNSURE] * 15, OPEN, held_open_s=2.0)
    run(doors, 40)

    assert ["door_opened", "door_unsure", "door_opened", "door_held_open"] == log.types()
    assert 1 == len({kept.event.visit for kept in log.kept})


def test_zero_seconds_mean_never() -> None:
    """A door that may stand open all day says nothing."""
    doors, log = watched(OPEN, held_open_s=0.0)
    run(doors, 5000)

    assert ["door_opened"] == log.types()


def test_a_blind_camera_is_not_believed() -> None:
    """The door becomes unsure at once, is not shown the dark, and is what it was when light returns."""
    log, door = MemoryLog(), _Asked()
    doors = Doors("entrance", {"front": door}, {}, Records(log, MemorySpool()), seeded_ids(1))
    run(doors, 5)
    run(doors, 10, start=5, blind=True)
    run(doors, 5, start=15)

    assert ["door_shut", "door_unsure", "door_shut"] == log.types()
    assert [*range(5), *range(15, 20)] == door.frames


def test_what_the_dark_hides_does_not_keep_faces_read() -> None:
    """A blind door is unsure in the log, but counts as shut for the question whether somebody may come in."""
    doors, _ = watched(SHUT)
    run(doors, 5)
    run(doors, 50, start=5, blind=True)

    assert not doors.not_shut_since(0.0)


def interrupt(doors: Doors, at: int, *, blind: bool) -> None:
    """See nothing from that frame on: the pictures show nothing, or there are none."""
    if blind:
        run(doors, 1, start=at, blind=True)
    else:
        doors.interrupted()


@pytest.mark.parametrize("blind", [True, False])
def test_no_opening_lasts_through_a_night_without_sight(*, blind: bool) -> None:
    """Open, nothing seen for hours, open: another visit, and its two seconds begin when it is seen again."""
    doors, log = watched(OPEN, held_open_s=2.0)
    run(doors, 30)
    interrupt(doors, 30, blind=blind)
    run(doors, 30, start=50_000)
    opened = [kept.event.visit for kept in log.kept if kept.event.type == "door_opened"]
    held = [kept.event for kept in log.kept if isinstance(kept.event, DoorHeldOpen)]

    assert 2 == len(set(opened)) == len(opened)
    assert [(2.0, visit) for visit in opened] == [(event.open_s, event.visit) for event in held]


@pytest.mark.parametrize("blind", [True, False])
def test_a_moment_without_sight_leaves_the_visit(*, blind: bool) -> None:
    """Nine seconds: whoever comes in belongs together; but how long it has been open is counted anew."""
    doors, log = watched(OPEN, held_open_s=2.0)
    run(doors, 11)
    interrupt(doors, 11, blind=blind)
    run(doors, 30, start=100)
    held = [kept.event for kept in log.kept if isinstance(kept.event, DoorHeldOpen)]

    assert 1 == len({kept.event.visit for kept in log.kept})
    assert [2.0] == [event.open_s for event in held]


def test_a_shut_door_seen_again_is_no_news() -> None:
    """Shut before the outage and after it: said once."""
    doors, log = watched(SHUT)
    run(doors, 5)
    doors.interrupted()
    run(doors, 5, start=50_000)

    assert ["door_shut"] == log.types()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Disturbance.MOVED, "camera_moved"),
        (Disturbance.COVERED, "camera_covered"),
        (Disturbance.DARK, "camera_dark"),
        (Disturbance.FROZEN, "camera_frozen"),
    ],
)
def test_a_disturbance_is_an_event_and_its_end_another(kind: Disturbance, expected: str) -> None:
    """Each by its own name, with the time it lasted at the end."""
    log = MemoryLog()
    told = _Told([CameraReading(), CameraReading(begun=kind, blind=True), CameraReading(lasted_s=7.5)])
    disturbances = Disturbances("entrance", told, Records(log, MemorySpool()))

    assert [False, True, False] == [disturbances.blind(frame(i)) for i in range(3)]
    assert [expected, "camera_clear"] == log.types()
    assert [None, 7.5] == [k.event.lasted_s for k in log.kept if isinstance(k.event, CameraDisturbed)]


def test_what_an_earlier_process_said_ends_with_its_whole_length() -> None:
    """Dark since an hour before the first frame: the end says that, too; a later end does not."""
    log = MemoryLog()
    told = _Told([CameraReading(blind=True), CameraReading(lasted_s=5.0), CameraReading(lasted_s=2.0)])
    since = frame(0).stamp.wall - timedelta(hours=1)
    disturbances = Disturbances("entrance", told, Records(log, MemorySpool()), since)

    assert [True, False, False] == [disturbances.blind(frame(i)) for i in range(3)]
    assert [3605.0, 2.0] == [k.event.lasted_s for k in log.kept if isinstance(k.event, CameraDisturbed)]


def test_a_clock_that_was_set_back_makes_no_length_negative() -> None:
    """The dark began, by the log, tomorrow: only what this process saw of it counts."""
    log = MemoryLog()
    since = frame(0).stamp.wall + timedelta(days=1)
    told = _Told([CameraReading(lasted_s=5.0)])
    Disturbances("entrance", told, Records(log, MemorySpool()), since).blind(frame(0))

    assert [5.0] == [k.event.lasted_s for k in log.kept if isinstance(k.event, CameraDisturbed)]


def test_a_camera_that_nobody_watches_is_believed() -> None:
    """Without a watch there is nothing to say."""
    log = MemoryLog()

    assert not Disturbances("entrance", None, Records(log, MemorySpool())).blind(frame(0))
    assert [] == log.types()


class _Asked(ScriptedDoor):
    """A shut door that notes which frames it was shown."""

    def __init__(self) -> None:
        super().__init__(SHUT)
        self.frames: list[int] = []

    def observe(self, seen: Frame) -> DoorReading:
        """Note it, and look."""
        self.frames.append(seen.stamp.sequence)
        return super().observe(seen)


class _Told:
    """A camera's condition as told beforehand."""

    def __init__(self, readings: list[CameraReading]) -> None:
        self._readings = readings

    def observe(self, seen: Frame) -> CameraReading:
        """The next."""
        return self._readings.pop(0)
