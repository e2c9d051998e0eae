"""Pictures for viewers, and setting a door up by looking: on real shared memory, as in the models process."""

import io
import os
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from door_pictures import DOOR as LEAF
from door_pictures import WALL
from factories import stamp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from shared_frames import NOTE, asked, filmed_door, gray, shared

from appliance.app.door_setup import KEPT_S, MOST_SETUPS, DoorSetupHandlers
from appliance.app.rendering import ViewHandlers, plain
from appliance.camera import Scene
from appliance.cli.context import SCENE_DOOR
from appliance.clock import ManualClock
from appliance.door.shut_picture import decode
from appliance.errors import CameraLostError, InputError, WireError
from appliance.frames import FrameWriter
from appliance.settings import DoorSettings
from appliance.wire import Client, Server
from appliance.wire.messages import (
    KeepDoor,
    PaintFill,
    PictureShut,
    ProposeDoor,
    RenderView,
    ViewRendered,
)

VIEWS = ViewHandlers()
DOOR = {"id": "front", "camera": "c", "region": (0.3, 0.0, 0.7, 0.4), "seed": (0.5, 0.2)}
REGION, SEED = (0.3, 0.0, 0.7, 0.4), (0.5, 0.2)


def pixels(content: bytes) -> np.ndarray:
    """A JPEG's pixels."""
    with Image.open(io.BytesIO(content)) as picture:
        assert "JPEG" == picture.format
        return np.asarray(picture).astype(int)


# ------------------------------------------------------------ views


def test_the_device_view_is_the_frame_and_nothing_else() -> None:
    """Untouched: an even picture stays even, whatever was seen in it."""
    with shared([gray(level=90)]) as fd:
        reply = asked(VIEWS.render, RenderView(kind="device"), fd)

    assert {90} == set(np.unique(pixels(reply.blob)))
    assert (200, 200, 0) == (reply.message.width, reply.message.height, reply.message.sequence)


def test_the_project_view_shows_what_was_seen_and_says_it_beside() -> None:
    """Boxes are drawn on a copy; doors and faces come as values, the rule in words."""
    with shared([gray()]) as fd:
        reply = asked(VIEWS.render, RenderView(kind="project", labels={"s1": "Ann"}), fd)
        again = asked(VIEWS.render, RenderView(kind="device"), fd)
    known, stranger, unknown = reply.message.faces

    assert np.ptp(pixels(reply.blob)) > 100
    assert 0 == np.ptp(pixels(again.blob))
    assert ("open", 0.25) == (reply.message.doors["front"].state, reply.message.doors["front"].fraction)
    assert ("s1", 0.42, 0.3, "confirmed", 4) == (
        *(known.subject, known.score, known.threshold),
        *(known.grade, known.frames),
    )
    assert "the score reached the threshold" in known.why
    assert (True, "") == (stranger.stranger, unknown.why)


def test_what_was_found_is_drawn_and_told() -> None:
    """What visual search found in the frame, in its box, with its words, whatever letters they have."""
    found = {"words": "Tasse “Grüße” 0.83", "known": True, "box": [40, 60, 160, 180]}
    with shared([gray(level=90)], note={"found": found}) as fd:
        device = asked(VIEWS.render, RenderView(kind="device"), fd)
        project = asked(VIEWS.render, RenderView(kind="project"), fd)

    assert found["words"] == getattr(project.message.found, "words", None)
    assert {90} == set(np.unique(pixels(device.blob)))
    assert {90} != set(np.unique(pixels(project.blob)))


def test_a_name_is_drawn_only_for_who_was_given_it() -> None:
    """Without labels the same person is drawn as a person: another picture."""
    with shared([gray(640, 360)]) as fd:
        named = asked(VIEWS.render, RenderView(kind="project", labels={"s1": "Wilhelmina"}), fd)
        nameless = asked(VIEWS.render, RenderView(kind="project"), fd)
        other = asked(VIEWS.render, RenderView(kind="project", labels={"s2": "Wilhelmina"}), fd)

    assert named.blob != nameless.blob
    assert nameless.blob == other.blob


@given(st.text(max_size=40))
def test_every_name_can_be_drawn(name: str) -> None:
    """In letters the drawing has; never as nothing."""
    drawn = plain(name)

    assert drawn
    assert drawn.isascii()
    assert drawn == plain(drawn)


@pytest.mark.parametrize(
    ("name", "drawn"), [("Jürgen Groß", "Jurgen Gross"), ("Søren", "Soren"), ("李雷", "person")]
)
def test_a_name_keeps_what_can_be_kept(name: str, drawn: str) -> None:
    """Marks fall off; a name in another script is beside the picture, not in it."""
    assert drawn == plain(name)


def test_a_view_is_no_wider_than_asked_and_never_blown_up() -> None:
    """A phone need not load what it cannot show."""
    with shared([gray(640, 360)]) as fd:
        small = asked(VIEWS.render, RenderView(kind="device", width_px=320), fd)
        large = asked(VIEWS.render, RenderView(kind="device", width_px=1280), fd)

    assert (180, 320, 3) == pixels(small.blob).shape
    assert (360, 640, 3) == pixels(large.blob).shape
    assert (640, 360) == (small.message.width, small.message.height)


def test_the_newest_frame_is_shown_and_none_twice() -> None:
    """Who has the newest waits for one after it; the writer that stopped is a lost camera."""
    with shared([gray(level=10), gray(level=200)]) as fd:
        newest = asked(VIEWS.render, RenderView(kind="device"), fd)
        with pytest.raises(CameraLostError, match="no newer frame"):
            asked(VIEWS.render, RenderView(kind="device", after=1, wait_s=0.05), fd)

    assert {200} == set(np.unique(pixels(newest.blob)))


def test_memory_without_a_frame_is_a_lost_camera() -> None:
    """A camera that never gave one."""
    with FrameWriter(100, 100) as writer, pytest.raises(CameraLostError):
        asked(VIEWS.render, RenderView(kind="device", wait_s=0), writer.fd)


def test_what_is_no_shared_memory_is_refused(tmp_path: Path) -> None:
    """No descriptor, two, a file, and a note that is none of ours."""
    (tmp_path / "file").write_bytes(b"0" * 10000)
    fd = os.open(tmp_path / "file", os.O_RDONLY)
    try:
        for fds in ((), (fd, fd), (fd,)):
            with pytest.raises(WireError):
                asked(VIEWS.render, RenderView(kind="device"), *fds)
    finally:
        os.close(fd)
    for note in (b"[]", b"{", b'{"faces": [{"box": 3}]}', b'{"doors": 5}'):
        with shared([gray()], note=note) as broken, pytest.raises(WireError, match="note"):
            asked(VIEWS.render, RenderView(kind="project"), broken)


def test_a_view_comes_over_the_socket(tmp_path: Path) -> None:
    """Descriptor there, JPEG back, as web asks the models process."""
    path = tmp_path / "run" / "models.sock"
    with Server(path, VIEWS.handlers()), shared([gray()], note=NOTE) as fd:
        reply = Client(path).call(RenderView(kind="project"), ViewRendered, fds=(fd,))

    assert 3 == len(reply.message.faces)
    assert (200, 200, 3) == pixels(reply.blob).shape


# ------------------------------------------------------------ doors


def paint(fd: int, **changes: Any) -> Any:
    """The fill painted."""
    wanted = PaintFill.model_validate({"region": REGION, "seed": SEED, "tolerance": 12, **changes})
    return asked(DoorSetupHandlers().paint, wanted, fd)


def test_the_fill_is_painted_where_the_door_is() -> None:
    """The shut leaf is tinted, the wall beside it is not, and the share is what the loop would say."""
    with filmed_door() as (fd, _):
        reply = paint(fd)
    seen = pixels(reply.blob)

    # The leaf is gray: where it is tinted, green leads.
    assert seen[40, 100, 1] - seen[40, 100, 0] > 40
    assert abs(seen[40, 65, 1] - seen[40, 65, 0]) < 15
    assert abs(seen[120, 100, 1] - seen[120, 100, 0]) < 15
    assert 0.6 < reply.message.fraction < 0.85


def test_a_fill_that_runs_out_of_the_door_is_told() -> None:
    """From the leaf it reaches the border of the region above and below only, where the door goes on."""
    with filmed_door() as (fd, _):
        inside = paint(fd)
        outside = paint(fd, seed=(0.31, 0.2), tolerance=100)

    assert inside.message.spills < 0.1
    assert outside.message.spills > 0.9


def test_the_region_of_the_scene_is_as_a_region_should_be() -> None:
    """The page that sets doors up has nothing to say against the door that the demo begins with."""
    door = SCENE_DOOR
    with shared([Scene(width=640, height=360).render(0)]) as fd:
        reply = paint(fd, region=door["region"], seed=door["seed"])

    assert abs(door["shut_fraction"] - reply.message.fraction) < 0.08
    assert reply.message.spills < 0.1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"region": (0.7, 0.0, 0.3, 0.4)}, "no part of the picture"),
        ({"region": (0.3, 0.0, 0.7, 1.4)}, "no part of the picture"),
        ({"seed": (0.9, 0.2)}, "outside the region"),
        ({"region": (0.5, 0.2, 0.51, 0.21), "seed": (0.505, 0.205)}, "16 by 16 are needed"),
    ],
)
def test_a_door_that_cannot_be_painted_is_refused_in_words(changes: dict[str, Any], words: str) -> None:
    """What was dragged over the page may be anything."""
    with filmed_door() as (fd, _), pytest.raises(InputError, match=words):
        paint(fd, **changes)


def shown(setup: DoorSetupHandlers, name: str = "one") -> None:
    """Somebody shows the door shut, then open."""
    with filmed_door() as (fd, turn):
        asked(setup.keep, KeepDoor(setup=name, state="shut", seconds=2), fd)
        turn(1.0)
        time.sleep(0.05)
        asked(setup.keep, KeepDoor(setup=name, state="open", seconds=2), fd)


def test_a_door_shown_shut_and_open_is_proposed_and_told_apart() -> None:
    """Region, seed and fractions, in settings that hold, and in words how well."""
    setup = DoorSetupHandlers()
    shown(setup)
    found = asked(setup.propose, ProposeDoor(setup="one", door=DOOR)).message
    kept = asked(setup.propose, ProposeDoor(setup="one", door=DOOR, keep="region")).message

    assert found.usable
    assert "told apart" in found.words
    assert found.shut > found.opened
    assert DoorSettings.model_validate(dict(found.door)).id == "front"
    assert REGION == DoorSettings.model_validate(dict(kept.door)).region


def test_settings_changed_by_hand_are_judged_as_they_are() -> None:
    """What was proposed is found good as it stands; a point on the wall is not."""
    setup = DoorSetupHandlers()
    shown(setup)
    found = asked(setup.propose, ProposeDoor(setup="one", door=DOOR, keep="region")).message
    same = asked(setup.propose, ProposeDoor(setup="one", door=found.door, keep="all")).message
    wall = {**found.door, "region": (0.0, 0.5, 0.3, 0.9), "seed": (0.1, 0.7)}
    other = asked(setup.propose, ProposeDoor(setup="one", door=wall, keep="all")).message

    assert same.usable
    assert found.door == same.door
    assert not other.usable
    assert "do not use this" in other.words


def test_a_proposal_wants_both_states() -> None:
    """It says which is missing; what another set-up has shown does not count."""
    setup = DoorSetupHandlers()
    with filmed_door() as (fd, _):
        kept = asked(setup.keep, KeepDoor(setup="one", state="shut", seconds=0.6), fd).message
        with pytest.raises(InputError, match="not shown open yet"):
            asked(setup.propose, ProposeDoor(setup="one", door=DOOR))
        with pytest.raises(InputError, match="not shown shut and open yet"):
            asked(setup.propose, ProposeDoor(setup="two", door=DOOR))

    assert ("shut",) == kept.states
    assert kept.still


def test_a_door_that_moves_while_it_is_looked_at_is_told() -> None:
    """Somebody pressed the button too early: they see it at once."""
    setup = DoorSetupHandlers()
    pictures = [gray(level=100 + 40 * (number % 2)) for number in range(12)]
    with FrameWriter(200, 200, slots=16) as writer:

        def film() -> None:
            for number, each in enumerate(pictures):
                writer.write(stamp(number, number / 10), each, b"{}")
                time.sleep(0.05)

        thread = threading.Thread(target=film)
        thread.start()
        kept = asked(setup.keep, KeepDoor(setup="one", state="shut", seconds=0.6), writer.fd).message
        thread.join()

    assert not kept.still


def test_a_camera_that_gives_nothing_is_told() -> None:
    """Two frames are no state of a door."""
    setup = DoorSetupHandlers()
    with shared([gray(), gray()]) as fd, pytest.raises(CameraLostError, match="too few"):
        asked(setup.keep, KeepDoor(setup="one", state="shut", seconds=0.5), fd)


def test_what_was_shown_is_forgotten_in_time_and_when_others_come() -> None:
    """Pictures of an office are not kept longer than somebody works with them."""
    clock = ManualClock(stamp().wall)
    setup = DoorSetupHandlers(clock)
    with filmed_door() as (fd, _):
        for number in range(MOST_SETUPS + 1):
            asked(setup.keep, KeepDoor(setup=f"s{number}", state="shut", seconds=0.5), fd)
    with pytest.raises(InputError, match="not shown shut and open"):
        asked(setup.propose, ProposeDoor(setup="s0", door=DOOR))
    with pytest.raises(InputError, match="not shown open"):
        asked(setup.propose, ProposeDoor(setup="s1", door=DOOR))
    clock.advance(KEPT_S + 1)
    with pytest.raises(InputError, match="not shown shut and open"):
        asked(setup.propose, ProposeDoor(setup="s1", door=DOOR))


def pictured(setup: DoorSetupHandlers, name: str = "one", region: Any = REGION) -> Any:
    """The picture of the shut door that is to be kept."""
    return asked(setup.picture, PictureShut(setup=name, region=region))


def test_the_picture_of_the_shut_door_is_made_of_what_was_shown_as_shut() -> None:
    """Of the region as it is to be saved; what was shown as open has no part in it."""
    setup = DoorSetupHandlers()
    shown(setup)
    reply = pictured(setup)
    found = decode(reply.blob)
    leaf, wall = found.gray[:, 30:70], found.gray[:, :6]

    assert reply.message.still
    assert reply.message.frames > 5
    assert REGION == found.region
    assert 2 > abs(float(leaf.mean()) - LEAF)
    assert 2 > abs(float(wall.mean()) - WALL)


def test_no_picture_is_made_of_what_was_not_shown_or_is_forgotten() -> None:
    """Another set-up's, the open door alone, and after a quarter of an hour."""
    clock = ManualClock(stamp().wall)
    setup = DoorSetupHandlers(clock)
    with filmed_door() as (fd, _):
        asked(setup.keep, KeepDoor(setup="one", state="shut", seconds=0.5), fd)
        asked(setup.keep, KeepDoor(setup="two", state="open", seconds=0.5), fd)
    replies = [pictured(setup), pictured(setup, "two"), pictured(setup, "three")]
    clock.advance(KEPT_S + 1)
    replies.append(pictured(setup))

    assert [True, False, False, False] == [reply.blob != b"" for reply in replies]
    assert [0, 0, 0] == [reply.message.frames for reply in replies[1:]]


def test_no_picture_is_made_of_a_region_in_which_something_moved() -> None:
    """Somebody stood there: what is kept for months shows nobody. What moves elsewhere is no matter."""
    setup = DoorSetupHandlers()
    with FrameWriter(200, 200, slots=16) as writer:

        def film() -> None:
            for number in range(12):
                moved = gray(level=100)
                moved[:100, :100] += np.uint8(40 * (number % 2))
                writer.write(stamp(number, number / 10), moved, b"{}")
                time.sleep(0.05)

        thread = threading.Thread(target=film)
        thread.start()
        asked(setup.keep, KeepDoor(setup="one", state="shut", seconds=0.6), writer.fd)
        thread.join()
    there, elsewhere = pictured(setup), pictured(setup, region=(0.6, 0.0, 0.9, 0.4))

    assert (False, b"") == (there.message.still, there.blob)
    assert there.message.frames > 0
    assert elsewhere.message.still
    assert elsewhere.blob


@pytest.mark.parametrize("region", [(0.7, 0.0, 0.3, 0.4), (0.5, 0.2, 0.51, 0.21), (-0.1, 0.0, 0.5, 0.4)])
def test_a_region_that_is_none_is_not_pictured(region: tuple[float, ...]) -> None:
    """Turned round, hardly a pixel, or beyond the frame."""
    setup = DoorSetupHandlers()
    shown(setup)

    with pytest.raises(InputError, match=r"region"):
        pictured(setup, region=region)


def test_settings_that_are_none_are_refused_in_words() -> None:
    """Whatever a page sends is checked as settings are."""
    setup = DoorSetupHandlers()
    shown(setup)
    with pytest.raises(InputError, match="no settings of a door"):
        asked(setup.propose, ProposeDoor(setup="one", door={**DOOR, "tolerance": 0}))
