"""The kept pictures of shut doors: private files, of which a bad one costs no start; who begins with them."""

import contextlib
import os
import stat
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from door_pictures import DOOR, door, seconds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from appliance.app import doors
from appliance.app.parts import LoggedEvents, camera_pipeline, opened_parts, read_policy, store_gallery
from appliance.app.replaying import SealsNothing, replay
from appliance.app.shut_pictures import (
    forget_picture,
    keep_picture,
    kept_instead,
    kept_picture,
    read_picture,
)
from appliance.door import ShutPicture, Snapshot, shut_picture
from appliance.door.shut_picture import encode
from appliance.errors import InputError, StoreError
from appliance.pipeline import Records
from appliance.services import Layout, Services
from appliance.settings import DoorSettings, Settings
from appliance.values import WHOLE_FRAME

FRONT = door()


def vouched(**look: object) -> ShutPicture:
    """The shut door."""
    shown = [Snapshot(each.stamp.monotonic_s, each.gray(WHOLE_FRAME)) for each in seconds(0, 1, **look)]
    return shut_picture(shown, FRONT.region)


def warned(layout: Layout, of: DoorSettings) -> list[dict[str, Any]]:
    """What the diagnostics say when nothing can be begun with."""
    with capture_logs() as logged:
        assert kept_picture(layout, of) is None
    return [dict(each) for each in logged]


# ------------------------------------------------------------ files


def test_a_picture_is_kept_read_and_forgotten(layout: Layout) -> None:
    """In a directory that is not there yet; a second one takes the place of the first."""
    assert [] == warned(layout, FRONT)
    keep_picture(layout, "front", vouched(leaf=90))
    keep_picture(layout, "front", vouched())
    found = kept_picture(layout, FRONT)
    forget_picture(layout, "front")
    forget_picture(layout, "front")

    assert found is not None
    assert np.array_equal(vouched().gray, found.gray)
    assert [] == warned(layout, FRONT)


def test_a_picture_is_private(layout: Layout) -> None:
    """It shows a piece of the office: nobody else may read it, or list what there is."""
    keep_picture(layout, "front", vouched())
    file = layout.shut_picture("front")

    assert layout.state / "doors" / "front.json" == file
    assert (0o600, 0o700) == tuple(stat.S_IMODE(each.stat().st_mode) for each in (file, file.parent))
    assert [file] == list(file.parent.iterdir())


def test_a_picture_of_another_region_is_none_and_it_is_said_what_to_do(layout: Layout) -> None:
    """The region was drawn anew since."""
    keep_picture(layout, "front", vouched())
    (warning,) = warned(layout, door(region=(0.2, 0.0, 0.7, 0.4)))

    assert ("warning", "front") == (warning["log_level"], warning["door"])
    assert "another region" in warning["reason"]
    assert "appliance door calibrate --keep --door front" in warning["hint"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_a_bad_file_is_none_and_a_warning(layout: Layout, content: bytes) -> None:
    """Whatever it holds, the loop starts; the words name the file, and nothing of what is in it."""
    path = layout.shut_picture("front")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    (warning,) = warned(layout, FRONT)

    assert f"{path} is damaged" == warning["reason"]
    assert "--keep --door front" in warning["hint"]


def test_what_cannot_be_read_is_none_and_a_warning(layout: Layout) -> None:
    """A folder in its place, and a file that has grown beyond any of these."""
    path = layout.shut_picture("front")
    path.mkdir(parents=True)
    (folder,) = warned(layout, FRONT)
    path.rmdir()
    path.write_bytes(encode(vouched()) + b" " * (2 << 20))
    (large,) = warned(layout, FRONT)

    assert "Is a directory" in folder["reason"]
    assert "account" in folder["hint"]
    assert "damaged" in large["reason"]
    with pytest.raises(InputError, match="damaged"):
        read_picture(layout, FRONT)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A typed error that names it; nothing half written stays."""
    (tmp_path / "state").write_text("a file where the directory should be", encoding="utf-8")
    layout = Layout(tmp_path / "state")

    with pytest.raises(StoreError, match=r"doors/front.json cannot be written"):
        keep_picture(layout, "front", vouched())
    assert [layout.state] == list(tmp_path.iterdir())


@pytest.mark.parametrize("before", [None, b"an earlier one"])
@pytest.mark.parametrize("content", [None, b"another"])
def test_what_fails_leaves_the_picture_that_was(
    layout: Layout, before: bytes | None, content: bytes | None
) -> None:
    """Settings that are refused take no picture with them; those that are saved do."""
    path = layout.shut_picture("front")
    path.parent.mkdir(parents=True)

    def there() -> bytes | None:
        return path.read_bytes() if path.exists() else None

    if before is not None:
        path.write_bytes(before)
    meanwhile = []
    with contextlib.suppress(ZeroDivisionError), kept_instead(layout, "front", content):
        meanwhile.append(there())
        raise ZeroDivisionError
    refused = there()
    with kept_instead(layout, "front", content):
        pass

    assert (content, before, content) == (*meanwhile, refused, there())


def test_more_than_a_picture_is_not_kept(layout: Layout) -> None:
    """Whatever another process says it is."""
    with (
        pytest.raises(InputError, match="too large"),
        kept_instead(layout, "front", bytes(os.sysconf("SC_PAGE_SIZE") << 10)),
    ):
        raise AssertionError
    assert not layout.shut_picture("front").exists()


# ------------------------------------------------------------ who begins with them


def test_a_trial_begins_with_the_picture_it_is_given() -> None:
    """An even room of another gray is open from the first, and shut without."""
    look = {"opened": 1.0, "room": DOOR + 40}
    known, guessed = (
        [reading.state.value for _, reading in doors.watched(iter(seconds(0, 2, **look)), FRONT, each)][-1]
        for each in (vouched(), None)
    )

    assert ("open", "shut") == (known, guessed)


def first_states(services: Services, home: Layout | None) -> set[str]:
    """What the loop logs in its first seconds of a door that stands open before a room that fills like it."""
    configured = Settings.model_validate(
        {
            "cameras": [{"id": "c", "source": "scene:door", "when": "always"}],
            "doors": [FRONT.model_dump()],
        }
    )
    policy = read_policy(configured)
    gallery = store_gallery(services.store, policy)
    with opened_parts(configured, services, policy, gallery) as parts:
        records = Records(LoggedEvents(services.store, lambda: None), SealsNothing(), parts.origin)
        loop = camera_pipeline(configured.cameras[0], parts, records, parts.reader, home=home)
        for frame in seconds(0, 2, opened=1.0, room=DOOR + 40):
            loop.process(frame)
    return {stored.type for stored in services.store.events() if stored.type.startswith("door_")}


def test_the_loop_begins_with_the_kept_picture(services: Services) -> None:
    """From its own state directory: a door that stands open when it starts is open."""
    keep_picture(services.layout, "front", vouched())

    assert {"door_opened"} == first_states(services, None)


def test_the_loop_can_begin_with_somebody_elses(services: Services, tmp_path: Path) -> None:
    """A replay writes elsewhere than where the pictures lie; without one it guesses."""
    home = Layout(tmp_path / "home")
    keep_picture(home, "front", vouched())

    assert {"door_shut"} == first_states(services, None)
    assert {"door_shut", "door_opened"} == first_states(services, home)


def test_a_replay_begins_with_what_its_origin_keeps(services: Services, tmp_path: Path) -> None:
    """Twice the same log to the last bit; without an origin there is nothing to begin with."""
    clip = tmp_path / "clip"
    clip.mkdir()
    for number, each in enumerate(seconds(0, 2, opened=1.0, room=DOOR + 40)):
        cv2.imwrite(str(clip / f"{number:03d}.png"), each.gray(WHOLE_FRAME))
    camera = {"id": "c", "source": str(clip), "fps": 10, "when": "door"}
    configured = Settings.model_validate({"cameras": [camera], "doors": [FRONT.model_dump()]})
    keep_picture(services.layout, "front", vouched())
    one, two, without = (
        replay(configured, origin, tmp_path / name).events
        for name, origin in (("one", services), ("two", services), ("without", None))
    )

    assert [each.hash for each in one] == [each.hash for each in two]
    assert "door_opened" in {each.type for each in one}
    assert "door_opened" not in {each.type for each in without}
