"""A door that is being set up: painted, shown shut and open, judged; and the picture that is kept of it."""

import time
from typing import Any

import numpy as np
import pytest
from desk_setting_up import DOOR, FILE, WHOLE, Here, refused

from appliance.app.shut_pictures import keep_picture, read_picture
from appliance.door import ShutPicture
from appliance.errors import InputError


def test_the_fill_is_painted_for_who_may(here: Here) -> None:
    """A JPEG and how much is covered."""
    answer = here.answer("doors.paint", camera="entrance", **DOOR)

    assert answer.blob.startswith(b"\xff\xd8\xff")
    assert 0.6 < answer.result["fraction"] < 0.85


def test_a_door_is_shown_shut_and_open_proposed_and_saved(here: Here) -> None:
    """From the first click to the settings the loop reads; the log says by whom, and how well."""
    asked = {"camera": "entrance", "door": "new"}
    here.ask("doors.look", **asked, state="shut")
    here.box.turn(1.0)
    time.sleep(0.1)
    kept = here.ask("doors.look", **asked, state="open")
    found = here.ask("doors.propose", **asked, **DOOR)
    again = here.ask("doors.propose", **asked, **found["door"], keep="all")
    more = {"door": "front", "fresh": True, "camera": "entrance", "read_faces": "door"}
    here.ask("doors.save", **more, **found["door"], separation=found["separation"])
    (door,) = here.settings.doors
    (event,) = here.logged("door_calibrated")

    assert ["open", "shut"] == kept["states"]
    assert found["usable"]
    assert "told apart" in found["words"]
    assert found["door"] == again["door"]
    assert ("front", "entrance", tuple(found["door"]["seed"])) == (door.id, door.camera, door.seed)
    assert "door" == here.settings.cameras[0].when.value
    assert ("front", "a", found["separation"]) == (event.door, event.by, event.separation)
    assert ["loop"] == here.box.restarted


def test_a_door_not_told_apart_is_saved_only_by_who_is_sure(here: Here) -> None:
    """Shown shut under both names, a door is useless: asked about, saved if wanted, told of then."""
    given = {**WHOLE, "door": "front", "camera": "entrance", "fresh": True, "separation": 0.9}
    unseen = refused(lambda: here.ask("doors.save", **given, sure=False))
    for state in ("shut", "open"):
        here.ask("doors.look", camera="entrance", door="new", state=state)
    useless = refused(lambda: here.ask("doors.save", **given, sure=False))
    nothing = here.files.overlay.exists()
    here.ask("doors.save", **given)
    (door,) = here.ask("doors.list")["doors"]
    here.ask("doors.look", camera="entrance", door="front", state="shut")
    here.box.turn(1.0)
    time.sleep(0.1)
    here.ask("doors.look", camera="entrance", door="front", state="open")
    mended = {
        **given,
        "fresh": False,
        **here.ask("doors.propose", camera="entrance", door="front", **DOOR)["door"],
    }
    here.ask("doors.save", **mended, sure=False)
    (good,) = here.ask("doors.list")["doors"]

    assert "was not shown" in unseen.fields["sure"]
    assert "are not told apart" in useless.fields["sure"]
    assert not nothing
    assert ("shut and open are not told apart as it is set up now", "") == (door["doubt"], good["doubt"])
    assert [False, True] == [event.usable for event in here.logged("door_calibrated")]


def test_a_door_that_was_never_shown_is_in_doubt_and_one_written_by_hand_is_not(quiet: Here) -> None:
    """Whoever wrote the settings file answers for it; saved again as it is, what was found stays found."""
    quiet.file.write_text(FILE + '\n[[doors]]\nid = "front"\ncamera = "entrance"\n', encoding="utf-8")
    (by_hand,) = quiet.ask("doors.list")["doors"]
    same = {name: by_hand[name] for name in WHOLE}
    quiet.ask("doors.save", door="front", camera="entrance", **same, sure=False, read_faces="door")
    quiet.ask("doors.save", door="back", fresh=True, camera="entrance", **WHOLE)
    front, back = quiet.ask("doors.list")["doors"]

    assert ("", "") == (by_hand["doubt"], front["doubt"])
    assert "nobody knows" in back["doubt"]


def saved(here: Here, **changes: Any) -> str:
    """Save the door front; what is said of its picture."""
    given = {**WHOLE, "door": "front", "camera": "entrance", **changes}
    return str(here.ask("doors.save", **given)["picture"])


def kept_of(here: Here) -> ShutPicture | None:
    """The picture of the door front as it is set now."""
    (door,) = here.settings.doors
    return read_picture(here.services.layout, door)


def test_a_picture_alone_is_reason_enough_for_the_loop_to_start_anew(here: Here) -> None:
    """It reads pictures when it starts; saved again as it is, nothing restarts and nothing is logged."""
    saved(here, fresh=True)
    first = list(here.box.restarted)
    again = here.ask("doors.save", **{**WHOLE, "door": "front", "camera": "entrance"})
    idle = list(here.box.restarted)
    here.ask("doors.look", camera="entrance", door="front", state="shut")
    shown = here.ask("doors.save", **{**WHOLE, "door": "front", "camera": "entrance"})

    assert (["loop"], ["loop"], []) == (first, idle, again["restarting"])
    assert ("kept", [], ["loop"]) == (shown["picture"], shown["changed"], shown["restarting"])
    assert ["loop", "loop"] == here.box.restarted
    assert (1, 2) == (len(here.logged("settings_changed")), len(here.logged("door_calibrated")))


@pytest.mark.parametrize("name", ["new", "front"])
def test_the_picture_of_the_shut_door_is_kept_with_the_door(here: Here, name: str) -> None:
    """From what was shown as shut, before it had a name or under it, for the region that is saved."""
    here.ask("doors.look", camera="entrance", door=name, state="shut")
    said = saved(here, fresh=True)
    found = kept_of(here)

    assert "kept" == said
    assert found is not None
    assert 0o600 == here.services.layout.shut_picture("front").stat().st_mode & 0o777
    assert ["loop"] == here.box.restarted


def test_a_door_saved_without_being_shown_keeps_no_picture_and_says_so(here: Here) -> None:
    """It was shown open only, and shut by somebody else; then it is shown shut, and there is one."""
    here.ask("doors.look", who="other", camera="entrance", door="front", state="shut")
    here.ask("doors.look", camera="entrance", door="front", state="open")
    said = [saved(here, fresh=True)]
    assert not here.services.layout.shut_picture("front").exists()
    here.ask("doors.look", camera="entrance", door="front", state="shut")
    said.append(saved(here))
    found = kept_of(here)

    assert ["not_shown", "kept"] == said
    assert found is not None


def test_an_earlier_picture_stays_while_it_fits(quiet: Here) -> None:
    """Another tolerance is no reason to let go of it; another region or camera is."""
    layout = quiet.services.layout
    quiet.ask("cameras.save", camera="yard", fresh=True, source="scene:door")
    said = [saved(quiet, fresh=True)]
    keep_picture(layout, "front", ShutPicture((0.3, 0.0, 0.7, 0.4), np.zeros((20, 20), np.uint8)))
    said += [saved(quiet, tolerance=13)]
    stayed = kept_of(quiet)
    said += [saved(quiet, region=[0.2, 0.0, 0.7, 0.4])]
    gone = not layout.shut_picture("front").exists()
    keep_picture(layout, "front", ShutPicture((0.2, 0.0, 0.7, 0.4), np.zeros((20, 20), np.uint8)))
    said += [saved(quiet, region=[0.2, 0.0, 0.7, 0.4], camera="yard")]

    assert ["not_shown", "earlier", "not_shown", "not_shown"] == said
    assert stayed is not None
    assert gone
    assert not layout.shut_picture("front").exists()


@pytest.mark.parametrize("given", [{"seed": [0.9, 0.9]}, {"revision": "of another day"}, {"fresh": True}])
def test_a_door_that_is_refused_leaves_the_picture_that_was(here: Here, given: dict[str, Any]) -> None:
    """Whatever it is refused for; another door's picture is not put in its place."""
    saved(here, fresh=True)
    earlier = ShutPicture((0.3, 0.0, 0.7, 0.4), np.zeros((20, 20), np.uint8))
    keep_picture(here.services.layout, "front", earlier)
    for door in ("front", "new"):
        here.ask("doors.look", camera="entrance", door=door, state="shut")
    refused(lambda: saved(here, **{"tolerance": 13, **given}))
    found = kept_of(here)

    assert found is not None
    assert np.array_equal(earlier.gray, found.gray)


def test_a_picture_goes_with_its_door_and_with_its_camera(quiet: Here) -> None:
    """Nothing of an office stays that nobody watches any more; the other door's does."""
    layout = quiet.services.layout
    for door in ("front", "side", "back"):
        camera = "yard" if door == "back" else "entrance"
        if door == "back":
            quiet.ask("cameras.save", camera="yard", fresh=True, source="scene:door")
        quiet.ask("doors.save", door=door, fresh=True, camera=camera, **WHOLE)
        keep_picture(layout, door, ShutPicture((0.3, 0.0, 0.7, 0.4), np.zeros((20, 20), np.uint8)))
    quiet.ask("doors.remove", door="front")
    without_door = sorted(each.stem for each in (layout.state / "doors").iterdir())
    quiet.ask("cameras.remove", camera="entrance")

    assert ["back", "side"] == without_door
    assert ["back"] == [each.stem for each in (layout.state / "doors").iterdir()]


def test_what_one_admin_showed_is_not_anothers(here: Here) -> None:
    """Two people at one door do not mix their pictures."""
    asked = {"camera": "entrance", "door": "new"}
    here.ask("doors.look", **asked, state="shut")

    with pytest.raises(InputError, match="not shown open yet"):
        here.ask("doors.propose", **asked, **DOOR)
    with pytest.raises(InputError, match="not shown shut and open yet"):
        here.ask("doors.propose", who="other", **asked, **DOOR)
