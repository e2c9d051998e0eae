"""The whole loop on a camera that goes dark and is moved, and a door held open: what stands in the log."""

from datetime import timedelta

import numpy as np
import pytest
from camera_views import Turned, dark, frames, office
from door_scenes import draw
from door_scenes_clip import Move
from factories import stamp
from fakes import ToyFaces

from appliance.app.parts import LoggedEvents, camera_pipeline, opened_parts, read_policy, store_gallery
from appliance.app.replaying import START, Replayed, SealsNothing, replay
from appliance.app.sights import last_sights
from appliance.camera import encode_jpeg
from appliance.events import CameraDisturbed
from appliance.pipeline import Records
from appliance.services import Services
from appliance.settings import Settings
from appliance.store import NewEvent

FPS = 2


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Replayed, Replayed]:
    """A folder of pictures, replayed twice: dark 10 to 20 s, open 27 to 52 s, elsewhere from 60 s on."""
    folder = tmp_path_factory.mktemp("disturbed")
    clip = office(7, people=[], moves=[[Move(27.0, 1.0, 90.0), Move(52.0, 1.0, 0.0)]], duration=77.0)
    pictures = folder / "pictures"
    pictures.mkdir()
    elsewhere = Turned(7)
    for index, frame in enumerate(frames(clip, dark, between=(10.0, 20.0))):
        shown = frame.bgr() if frame.stamp.monotonic_s < 60 else elsewhere(frame.bgr(), index)
        (pictures / f"{index:04}.jpg").write_bytes(encode_jpeg(shown, 90))
    shut = office(7, people=[], moves=[[]], duration=2.0)
    door = draw(shut, np.random.default_rng(7)).model_dump() | {
        "id": "front",
        "camera": "entrance",
        "held_open_s": 18.0,
    }
    camera = {"id": "entrance", "source": str(pictures), "fps": FPS, "disturbed_after_s": 3.0}
    settings = Settings.model_validate({"cameras": [camera], "doors": [door]})
    first, second = (replay(settings, None, folder / name) for name in ("first", "second"))
    return first, second


def test_a_disturbed_camera_is_in_the_log(told: tuple[Replayed, Replayed]) -> None:
    """Dark, clear, and at last moved, each once; the door held open once, in between."""
    done, _ = told
    types = [stored.type for stored in done.events]

    assert ["camera_dark", "camera_clear", "door_held_open", "camera_moved"] == [
        kind for kind in types if kind.startswith("camera") or kind == "door_held_open"
    ]


def test_in_the_dark_the_door_is_not_believed(told: tuple[Replayed, Replayed]) -> None:
    """Unsure with the news of the dark, at the latest, and until there is light: then it is shut."""
    done, _ = told
    doors = [(stored.type, (stored.at - START).total_seconds()) for stored in done.events]
    before = [kind for kind, at in doors if kind.startswith("door") and at < 20]
    after = next((kind, at) for kind, at in doors if kind.startswith("door") and at >= 20)

    assert ["door_shut", "door_unsure"] == before
    assert "door_shut" == after[0]
    assert after[1] < 27


def test_its_times_are_the_recordings(told: tuple[Replayed, Replayed]) -> None:
    """The dark lasted ten seconds, and the door had been open for eighteen when that was said."""
    done, _ = told
    facts = {stored.type: stored.event for stored in done.events}

    assert facts["camera_clear"].lasted_s == pytest.approx(10.0, abs=1.5)  # type: ignore[union-attr]
    assert facts["door_held_open"].open_s == pytest.approx(18.0, abs=1.0)  # type: ignore[union-attr]


def test_a_replay_of_it_says_the_same(told: tuple[Replayed, Replayed]) -> None:
    """To the last bit of the log."""
    first, second = told

    assert [stored.hash for stored in first.events] == [stored.hash for stored in second.events]


def test_what_disturbed_it_before_a_restart_is_over_in_the_light(services: Services) -> None:
    """The loop went down in the dark and comes up in the light: clear, once, with the length of both."""
    begin = stamp().wall
    for kind, before in (("camera_covered", 900), ("camera_dark", 600), ("camera_moved", 300)):
        event = CameraDisturbed(type=kind, camera="entrance")  # type: ignore[arg-type]
        services.store.append_all([NewEvent(event, at=begin - timedelta(seconds=before))])
    settings = Settings.model_validate(
        {"cameras": [{"id": "entrance", "source": "scene:door", "when": "always"}]}
    )
    policy = read_policy(settings)
    gallery = store_gallery(services.store, policy)
    with opened_parts(settings, services, policy, gallery) as parts:
        records = Records(LoggedEvents(services.store, lambda: None), SealsNothing(), parts.origin)
        loops = [camera_pipeline(settings.cameras[0], parts, records, ToyFaces([]))]
        for frame in frames(office(7, people=[], moves=[[]], duration=8.0)):
            loops[0].process(frame)
        again = last_sights(services.store)["entrance"]
        loops.append(camera_pipeline(settings.cameras[0], parts, records, ToyFaces([])))
        for frame in frames(office(7, people=[], moves=[[]], duration=8.0)):
            loops[1].process(frame)
    clear = [stored.event for stored in services.store.events(types=["camera_clear"])]

    assert again.ongoing is None
    assert [900.0] == [round(event.lasted_s) for event in clear]  # type: ignore[union-attr, arg-type]
