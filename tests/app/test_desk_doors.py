"""Doors at the desk: saved and taken away by who may, with what belongs to them."""

from pathlib import Path
from typing import Any

import pytest
from desk_setting_up import DOOR, FILE, WHOLE, Here, refused
from watching_box import watching

from appliance.errors import ApplianceError, DeniedError, NotSignedInError
from appliance.services import Layout, Services
from appliance.store import Consent


def test_what_is_not_shown_on_the_page_stays(quiet: Here) -> None:
    """The door's times and rule are the settings page's; setting the door up anew leaves them."""
    quiet.file.write_text(
        FILE + '\n[[doors]]\nid = "front"\ncamera = "entrance"\nrule = "plain"\nheld_open_s = 7\n',
        encoding="utf-8",
    )
    quiet.ask("doors.save", door="front", camera="entrance", **WHOLE)
    (door,) = quiet.settings.doors

    assert ("plain", 7, 0.75) == (door.rule, door.held_open_s, door.shut_fraction)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"door": "No!", "fresh": True, "camera": "entrance"}, "door"),
        ({"door": "front", "fresh": True, "camera": "nowhere"}, "camera"),
        ({"door": "front", "fresh": True, "camera": "entrance", "seed": [0.9, 0.9]}, "doors.front"),
        ({"door": "front", "fresh": True, "camera": "entrance", "open_below": 0.9}, "doors.front"),
    ],
)
def test_a_door_that_cannot_be_is_refused_by_its_field(
    quiet: Here, given: dict[str, Any], field: str
) -> None:
    """Nothing is written, and no door is said to be set up."""
    error = refused(lambda: quiet.ask("doors.save", **{**WHOLE, **given}))

    assert field in error.fields
    assert not quiet.files.overlay.exists()
    assert [] == quiet.logged("door_calibrated")


def test_a_door_of_a_name_there_is_is_not_taken_for_new(quiet: Here) -> None:
    """Somebody who sets up a second door does not lose the first."""
    quiet.ask("doors.save", door="front", fresh=True, camera="entrance", **WHOLE)
    error = refused(lambda: quiet.ask("doors.save", door="front", fresh=True, camera="entrance", **WHOLE))

    assert "already" in error.fields["door"]


def test_a_door_that_goes_leaves_a_camera_that_still_reads_faces(quiet: Here) -> None:
    """A camera that waited for it alone would never look again."""
    quiet.ask("doors.save", door="front", fresh=True, camera="entrance", read_faces="door", **WHOLE)
    quiet.ask("doors.remove", door="front")

    assert () == quiet.settings.doors
    assert "always" == quiet.settings.cameras[0].when.value
    assert "door" in refused(lambda: quiet.ask("doors.remove", door="front")).fields


def test_a_door_of_a_camera_of_the_command_line_is_kept_with_it(
    services: Services, layout: Layout, tmp_path: Path
) -> None:
    """`run --camera` and a click: both stand in the overlay, and the next start without it finds them."""
    empty = tmp_path / "appliance.toml"
    empty.write_text("", encoding="utf-8")
    with watching(layout) as box:
        box.cameras = {"camera": {"frames": 1, "refused": ""}}
        here = Here(services, box, empty, named="scene:door")
        (named,) = here.ask("doors.list")["doors"]
        taken = refused(
            lambda: here.ask("doors.save", door=named["id"], fresh=True, camera="camera", **WHOLE)
        )
        (shown,) = here.ask("cameras.list")["cameras"]
        change = refused(lambda: here.ask("cameras.save", camera="camera", when="always"))
        here.ask("doors.save", door="front", fresh=True, camera="camera", **WHOLE)

    assert "already" in taken.fields["door"]
    assert not shown["written"]
    assert "command line" in change.fields["camera"]
    assert ["scene:door"] == [each.source.get_secret_value() for each in here.settings.cameras]
    assert ["front"] == [each.id for each in here.settings.doors]


def test_a_camera_of_the_command_line_beside_others_takes_no_door(quiet: Here) -> None:
    """Where the settings have cameras of their own, it is said what to do instead."""
    other = Here(quiet.services, quiet.box, quiet.file, named="scene:door")
    error = refused(lambda: other.ask("doors.save", door="front", fresh=True, camera="camera", **WHOLE))

    assert "command line" in error.fields["camera"]
    assert "without naming a camera" in error.hint


@pytest.mark.parametrize("read_faces", ["always", "approach"])
def test_where_a_door_is_says_not_when_faces_are_read(quiet: Here, read_faces: str) -> None:
    """A token for doors alone may not have everybody who passes read; an admin may."""
    quiet.ask("doors.save", door="main", fresh=True, camera="entrance", read_faces="door", **WHOLE)
    asked = {"door": "main", "camera": "entrance", "read_faces": read_faces, **WHOLE}
    with pytest.raises(DeniedError, match="when faces are read"):
        quiet.ask("doors.save", who="fitter", **asked)
    with pytest.raises(DeniedError, match="when faces are read"):
        quiet.ask("doors.remove", who="fitter", door="main")
    held = quiet.settings.cameras[0].when.value
    quiet.ask("doors.save", who="fitter", **{**asked, "read_faces": "door", "tolerance": 20})
    quiet.ask("doors.save", **asked)
    quiet.ask("doors.save", who="fitter", **asked)

    assert "door" == held
    assert read_faces == quiet.settings.cameras[0].when.value
    assert "doors.main.tolerance" in quiet.logged("settings_changed")[1].keys


ASKED: dict[str, dict[str, Any]] = {
    "cameras.list": {},
    "cameras.find": {},
    "cameras.save": {"camera": "entrance", "when": "always"},
    "cameras.remove": {"camera": "entrance"},
    "doors.list": {},
    "doors.paint": {"camera": "entrance", **DOOR},
    "doors.look": {"camera": "entrance", "door": "front", "state": "shut"},
    "doors.propose": {"camera": "entrance", "door": "front", **DOOR},
    "doors.save": {"door": "front", "camera": "entrance", **WHOLE},
    "doors.remove": {"door": "front"},
}


@pytest.mark.parametrize("operation", ASKED)
def test_only_an_admin_sets_anything_up(alone: Here, operation: str) -> None:
    """Neither a viewer, nor a token for looking, nor nobody; and nothing is done."""
    for who, error in (("viewer", DeniedError), ("watcher", DeniedError), ("", NotSignedInError)):
        with pytest.raises(error):
            alone.ask(operation, who=who, **ASKED[operation])

    assert not alone.files.overlay.exists()


def test_names_are_for_who_may_see_people(alone: Here) -> None:
    """And of those only who is asked for; to viewers only those who agreed that they are told of."""
    agreed = Consent(purposes=("identify",), text_version="1", given_by="form")
    store = alone.services.store
    people = [str(store.add_subject(name, consent=agreed).id) for name in ("Ann", "Ben")]
    with pytest.raises(DeniedError):
        alone.ask("live.names", who="watcher", subjects=people)

    store.give_consent(people[1], Consent(purposes=("last_seen",), text_version="1", given_by="form"))

    assert {people[0]: "Ann"} == alone.ask("live.names", subjects=[people[0], "nobody"])
    assert {people[1]: "Ben"} == alone.ask("live.names", who="viewer", subjects=[*people, "nobody"])
    assert [False, True] == [alone.ask("live.cameras", who=who)["everybody"] for who in ("viewer", "admin")]
    assert not alone.ask("live.cameras", who="watcher")["names"]
    assert alone.ask("live.cameras", who="viewer")["names"]


def test_every_error_is_ours(quiet: Here) -> None:
    """Whatever is sent, the desk answers with one of its own errors."""
    for given in ({"camera": "e" * 100}, {"camera": "entrance", "state": "ajar"}, {}, {"camera": 3}):
        with pytest.raises(ApplianceError):
            quiet.ask("doors.look", **given)
