"""Cameras and doors at the desk: set up by who may, saved as the overlay, logged, and put in force."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from watching_box import WatchingBox, supervised, watching

from appliance.app.desk.applying import Applying, Source
from appliance.app.desk.cameras import Cameras, found_devices
from appliance.app.desk.doors import Doors
from appliance.app.desk.eyes import Eyes
from appliance.app.desk.live import Live
from appliance.app.desk.operations import Answer, Desk
from appliance.app.shut_pictures import keep_picture, read_picture
from appliance.cli.context import with_camera
from appliance.door import ShutPicture
from appliance.errors import (
    ApplianceError,
    CameraLostError,
    DeniedError,
    FormError,
    InputError,
    NotSignedInError,
    SettingsError,
    StoreError,
)
from appliance.permissions import GRANTED, Caller, Permission, Role
from appliance.services import Layout, Services
from appliance.settings import Settings
from appliance.settings.overlay import SettingsFiles
from appliance.store import Consent
from appliance.wire.messages import ChildStatus

FILE = """
[[cameras]]
id = "entrance"
source = "rtsp://admin:hunter2@10.0.0.5/main"
when = "always"
"""
DOOR = {"region": [0.3, 0.0, 0.7, 0.4], "seed": [0.5, 0.2], "tolerance": 12}
WHOLE = {**DOOR, "shut_fraction": 0.75, "open_below": 0.5, "shut_above": 0.8}
PATIENCE_S = 10.0

CALLERS = {
    "admin": Caller("operator", "a", Role.ADMIN, GRANTED[Role.ADMIN], "a", "one"),
    "other": Caller("operator", "b", Role.ADMIN, GRANTED[Role.ADMIN], "b", "two"),
    "viewer": Caller("operator", "v", Role.VIEWER, GRANTED[Role.VIEWER], "v", "three"),
    "fitter": Caller("token", "f", Role.ADMIN, frozenset({Permission.DOORS}), "a"),
    "watcher": Caller("token", "t", Role.VIEWER, frozenset({Permission.LIVE}), "v"),
}


class Here:
    """A desk with cameras and doors, its box, and its files."""

    def __init__(self, services: Services, box: WatchingBox, file: Path, *, named: str = "") -> None:
        self.services = services
        self.box = box
        self.file = file
        self.files = SettingsFiles(file, services.layout.overlay_file)
        source = Source(self.files, lambda: self._running(named))
        applying, eyes = Applying(services, source, later_s=0.01), Eyes(services.layout)
        rooms = (
            Live(services, source, eyes),
            Cameras(source, applying, eyes, services.layout),
            Doors(source, applying, eyes, services.layout),
        )
        self.applying = applying
        self.desk = Desk(
            CALLERS.get, [each for room in rooms for each in room.operations()], services.store.acting
        )

    def _running(self, named: str) -> Settings:
        settings = self.files.read().settings
        return with_camera(settings, named, None) if named else settings

    def answer(self, operation: str, *, who: str = "admin", **arguments: Any) -> Answer:
        """Ask, and hear everything."""
        return self.desk.ask(operation, arguments, credential=who)

    def ask(self, operation: str, *, who: str = "admin", **arguments: Any) -> Any:
        """Ask; the result."""
        return self.answer(operation, who=who, **arguments).result

    @property
    def settings(self) -> Settings:
        """As a new start would read them."""
        return self.files.read().settings

    def logged(self, kind: str) -> list[Any]:
        """Events of a type."""
        return [stored.event for stored in self.services.store.events(types=(kind,))]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A settings file with one camera."""
    path = tmp_path / "appliance.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


@pytest.fixture
def here(services: Services, layout: Layout, file: Path) -> Iterator[Here]:
    """A desk beside a loop that films a door."""
    with watching(layout) as box:
        yield Here(services, box, file)


@pytest.fixture
def quiet(services: Services, layout: Layout, file: Path) -> Iterator[Here]:
    """A desk beside a supervisor that notes who is to restart, and nothing else."""
    with supervised(layout, WatchingBox()) as box:
        yield Here(services, box, file)


@pytest.fixture
def alone(services: Services, file: Path) -> Here:
    """A desk beside nothing."""
    return Here(services, WatchingBox(), file)


def refused(ask: Callable[[], object]) -> FormError:
    """The error of a form."""
    with pytest.raises(FormError) as caught:
        ask()
    return caught.value


# ------------------------------------------------------------ cameras


def test_an_address_is_never_told(here: Here) -> None:
    """What is shown is scheme, host and port; the password is in no answer and no event."""
    (camera,) = here.ask("cameras.list")["cameras"]
    here.ask("cameras.save", camera="entrance", source="rtsp://root:swordfish@10.0.0.6/x")
    everything = str(here.ask("cameras.list")) + str(here.logged("settings_changed"))

    assert ("rtsp://10.0.0.5", True, "network", "ok") == (
        *(camera["shown"], camera["secret"]),
        *(camera["kind"], camera["state"]),
    )
    assert "hunter2" not in everything + str(camera)
    assert "swordfish" not in everything
    assert "rtsp://root:swordfish@10.0.0.6/x" == here.settings.cameras[0].source.get_secret_value()
    assert 0o600 == here.files.overlay.stat().st_mode & 0o777


def test_saving_what_was_shown_changes_no_address_and_restarts_nothing(quiet: Here) -> None:
    """A form sent back as it came is no change."""
    saved = quiet.ask("cameras.save", camera="entrance", source="rtsp://10.0.0.5", when="always")

    assert [] == saved["changed"]
    assert [] == quiet.box.restarted
    assert not quiet.files.overlay.exists()


def test_user_and_password_are_put_into_the_address_quoted(quiet: Here) -> None:
    """They may hold what an address may not; a new one for the same address leaves the path alone."""
    given = {"user": "ad min", "password": "p@ss/word"}
    quiet.ask("cameras.save", camera="entrance", **given)

    assert (
        "rtsp://ad%20min:p%40ss%2Fword@10.0.0.5/main" == quiet.settings.cameras[0].source.get_secret_value()
    )


def test_a_new_camera_is_added_and_only_the_loop_restarts(quiet: Here) -> None:
    """Without a door it reads faces always; the log says which keys, and who."""
    saved = quiet.ask("cameras.save", camera="yard", fresh=True, source="scene:door")
    (event,) = quiet.logged("settings_changed")

    assert ["loop"] == quiet.box.restarted == saved["restarting"]
    assert ["entrance", "yard"] == [each.id for each in quiet.settings.cameras]
    assert "always" == quiet.settings.cameras[1].when.value
    assert {"cameras.yard.id", "cameras.yard.source", "cameras.yard.when"} == set(event.keys)
    assert "a" == event.by


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"camera": "Yard!", "fresh": True, "source": "scene:door"}, "camera", "lower-case letters"),
        ({"camera": "entrance", "fresh": True, "source": "scene:door"}, "camera", "already"),
        ({"camera": "yard", "fresh": True}, "source", "an address is needed"),
        ({"camera": "yard", "fresh": True, "source": "gopher://x"}, "source", "over the network"),
        ({"camera": "yard", "fresh": True, "source": "nonexistent.mp4"}, "source", "no file or folder"),
        ({"camera": "yard", "fresh": True, "source": "scene:attic"}, "source", "no scene 'attic'"),
        (
            {"camera": "yard", "fresh": True, "source": "/dev/video0", "user": "x"},
            "user",
            "network address only",
        ),
        ({"camera": "yard", "source": "scene:door"}, "camera", "no such camera"),
        ({"camera": "entrance", "when": "door"}, "when", "no [[doors]] names it"),
    ],
)
def test_a_camera_that_cannot_be_is_refused_by_its_field(
    quiet: Here, given: dict[str, Any], field: str, words: str
) -> None:
    """Nothing is written, logged or restarted, and the words hold no address."""
    error = refused(lambda: quiet.ask("cameras.save", **given))

    assert words in error.fields[field]
    assert not quiet.files.overlay.exists()
    assert [] == quiet.box.restarted == quiet.logged("settings_changed")


@pytest.mark.parametrize(
    "address",
    [
        *("/etc", "/etc/passwd", "/root/nothing-here", "/proc/self/environ", "~/clip.mp4", "../device.key"),
        *(
            "clips/../../device.key",
            "file:///etc/passwd",
            "FILE:/etc/passwd",
            "concat:/etc/passwd|/x",
            "..",
        ),
        *("/dev/mem", "/dev/v4l/../../etc/passwd", "/dev/v4l/by-id/../x", "/dev/video0/../mem"),
        *("STATE/device.key", "STATE/recordings/../device.key", "STATE/recordings/link", "STATE"),
        *("tcp://10.0.0.5:22", "udp://239.0.0.1:5", "data:image/png;base64,x", "pipe:0", "a\nb"),
    ],
)
def test_no_file_of_the_machine_is_a_camera_over_the_network(
    quiet: Here, layout: Layout, address: str
) -> None:
    """Neither by the cameras' form nor by the settings'; the words do not tell what is there."""
    (layout.state / "recordings").mkdir()
    (layout.state / "recordings" / "link").symlink_to("/etc")
    address = address.replace("STATE", str(layout.state))
    errors = [
        refused(lambda: quiet.ask("cameras.save", camera="spy", fresh=True, source=address)),
        refused(
            lambda: quiet.applying.propose({"cameras.spy.source": address, "cameras.spy.when": "always"})
        ),
        refused(lambda: quiet.applying.save({"cameras.entrance.source": address})),
    ]
    said = {words for error in errors for words in error.fields.values()}

    assert 1 == len(said)
    assert all("over the network" in words for words in said)
    assert not quiet.files.overlay.exists()


@pytest.mark.parametrize(
    ("address", "written", "shown"),
    [
        ("/dev/video3", "/dev/video3", "/dev/video3"),
        ("/dev/v4l/by-id/usb-Cam_1-video-index0", None, None),
        ("RTSP://10.0.0.5/x", None, "RTSP://10.0.0.5"),
        ("rtsps://10.0.0.5/x", None, "rtsps://10.0.0.5"),
        ("https://10.0.0.5:8080/x", None, "https://10.0.0.5:8080"),
        ("scene:door", None, "scene:door"),
        ("clip.mp4", "STATE/recordings/clip.mp4", "…/clip.mp4"),
        ("STATE/recordings/clips", None, "…/clips"),
    ],
)
def test_what_a_camera_may_be_over_the_network(
    quiet: Here, layout: Layout, address: str, written: str | None, shown: str | None
) -> None:
    """A device, an address of the network, a scene, a recording in its folder; saved again as it is shown."""
    (layout.state / "recordings" / "clips").mkdir(parents=True)
    (layout.state / "recordings" / "clip.mp4").touch()
    address = address.replace("STATE", str(layout.state))
    quiet.ask("cameras.save", camera="yard", fresh=True, source=address)
    (told,) = [each for each in quiet.ask("cameras.list")["cameras"] if each["id"] == "yard"]
    quiet.ask("cameras.save", camera="yard", source=told["shown"], when="approach")

    wanted = (written or address).replace("STATE", str(layout.state))
    assert (shown or address) == told["shown"]
    assert wanted == quiet.settings.cameras[1].source.get_secret_value()
    assert str(layout.state) not in str(told)


def test_a_file_that_was_named_on_the_machine_stays(quiet: Here, tmp_path: Path) -> None:
    """Its other settings are changed over the network; changed there and reset, the file's word holds."""
    (tmp_path / "clip.mp4").touch()
    clip = str(tmp_path / "clip.mp4")
    quiet.file.write_text(FILE.replace("rtsp://admin:hunter2@10.0.0.5/main", clip), encoding="utf-8")
    quiet.ask("cameras.save", camera="entrance", when="approach")
    quiet.ask("cameras.save", camera="entrance", source="scene:door")
    quiet.applying.save({}, resets=["cameras.entrance.source"])

    assert clip == quiet.settings.cameras[0].source.get_secret_value()
    assert tmp_path.name not in str(quiet.ask("cameras.list")["cameras"])


def test_a_camera_goes_with_its_doors_and_nobody_elses(quiet: Here) -> None:
    """A door without its camera would be a fault of the settings."""
    quiet.ask("cameras.save", camera="yard", fresh=True, source="scene:door")
    quiet.ask("doors.save", door="front", fresh=True, camera="entrance", **WHOLE)
    quiet.ask("doors.save", door="back", fresh=True, camera="yard", **WHOLE)
    quiet.ask("cameras.remove", camera="entrance")

    assert ["yard"] == [each.id for each in quiet.settings.cameras]
    assert ["back"] == [each.id for each in quiet.settings.doors]


def test_somebody_elses_change_in_between_is_not_overwritten(quiet: Here) -> None:
    """Two admins save: the second is told to look again."""
    seen = quiet.ask("cameras.list")["revision"]
    quiet.ask("cameras.save", who="other", camera="entrance", when="approach", revision=seen)
    error = refused(lambda: quiet.ask("cameras.save", camera="entrance", when="always", revision=seen))

    assert "somebody else has changed" in error.fields["revision"]
    assert "approach" == quiet.settings.cameras[0].when.value


def test_devices_are_found_in_their_order(tmp_path: Path) -> None:
    """By the system's own list; what a device calls itself is cleaned of what is not to be printed."""
    for number, name in ((10, "Late"), (2, "A \x1b[31mwebcam\n"), (3, "")):
        folder = tmp_path / f"video{number}"
        folder.mkdir()
        (folder / "name").write_text(name)
    (tmp_path / "v4l-subdev0").mkdir()
    found = found_devices(tmp_path)

    assert ["/dev/video2", "/dev/video3", "/dev/video10"] == [each["source"] for each in found]
    assert ["A [31mwebcam", "video3", "Late"] == [each["name"] for each in found]
    assert [] == found_devices(tmp_path / "none")


# ------------------------------------------------------------ doors


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


# ------------------------------------------------------------ when somebody is away


def test_without_a_loop_it_is_said_why_there_is_no_picture(alone: Here) -> None:
    """The list still comes; a picture is refused in words."""
    (camera,) = alone.ask("doors.list")["cameras"]

    assert "away" == camera["state"]
    assert "does not run" in camera["message"]
    with pytest.raises(CameraLostError, match="does not run"):
        alone.ask("doors.paint", camera="entrance", **DOOR)


def test_what_a_loop_died_of_is_told(services: Services, layout: Layout, file: Path) -> None:
    """Its last words reach the page on which the settings can be mended."""
    words = {"message": "camera entrance: no", "hint": "check the address"}
    died = ChildStatus(name="loop", pid=None, state="waiting", restarts=3, last_exit="exit 4", **words)
    with supervised(layout, WatchingBox(children=(died,))) as box:
        (camera,) = Here(services, box, file).ask("live.cameras")["cameras"]

    assert ("away", "camera entrance: no", "check the address") == (
        *(camera["state"], camera["message"]),
        camera["hint"],
    )


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        ({}, "starting"),
        ({"entrance": {"frames": 0}}, "starting"),
        ({"entrance": {"frames": 0, "refused": "not a video"}}, "refused"),
        ({"entrance": {"frames": 0, "lost": "/dev/video0: Input/output error"}}, "lost"),
        ({"entrance": {"frames": 3, "lost": "no frame for 10 s"}}, "lost"),
        ({"entrance": {"frames": 3, "refused": "", "lost": ""}}, "ok"),
    ],
)
def test_how_a_camera_is_is_told(here: Here, seen: dict[str, Any], state: str) -> None:
    """From being opened to running, or why it never will."""
    here.box.cameras = seen
    (camera,) = here.ask("live.cameras", who="viewer")["cameras"]

    assert state == camera["state"]


@pytest.mark.parametrize(("frames", "words"), [(0, "it is not reached"), (7, "it gives nothing any more")])
def test_why_a_camera_is_lost_is_told_with_what_to_do(here: Here, frames: int, words: str) -> None:
    """Not "starting" for ever: what the camera said, and what to look at, for every page that asks."""
    here.box.cameras = {"entrance": {"frames": frames, "lost": "the device said no"}}
    told = [here.ask(name)["cameras"][0] for name in ("live.cameras", "cameras.list", "doors.list")]

    assert {f"{words}: the device said no"} == {each["message"] for each in told}
    assert all("tried again and again" in each["hint"] for each in told)


def test_a_camera_that_is_gone_is_no_picture(here: Here) -> None:
    """One the loop does not know any more."""
    here.box.cameras = {}

    with pytest.raises(CameraLostError, match="no camera 'entrance'"):
        here.ask("doors.paint", camera="entrance", **DOOR)


def test_a_change_is_kept_where_no_supervisor_is(alone: Here) -> None:
    """Processes that are units of their own: who saved is told that they have to be restarted."""
    saved = alone.ask("cameras.save", camera="entrance", when="approach")

    assert (["loop"], []) == (saved["pending"], saved["restarting"])
    assert "approach" == alone.settings.cameras[0].when.value


# ------------------------------------------------------------ applying


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


def test_what_cannot_be_written_is_not_in_the_log(services: Services, file: Path, tmp_path: Path) -> None:
    """A disk that is full, a folder that is gone: an event tells of what happened only."""
    files = SettingsFiles(file, tmp_path / "gone" / "overlay.toml")
    applying = Applying(services, Source(files, lambda: files.read().settings))
    with pytest.raises(SettingsError, match="cannot be written"):
        applying.save({"recognition.margin": 0.2})

    assert [] == services.store.events(types=("settings_changed",))


def test_what_cannot_be_logged_does_not_hold(quiet: Here, layout: Layout) -> None:
    """What was there before is put back, nothing if there was nothing, and nobody restarts."""
    with sqlite3.connect(layout.database) as database:
        database.execute("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(StoreError):
        quiet.applying.save({"recognition.margin": 0.2})
    at_first = quiet.files.overlay.exists()
    with sqlite3.connect(layout.database) as database:
        database.execute("DROP TRIGGER full")
    quiet.applying.save({"recognition.margin": 0.3})
    before = quiet.files.overlay.read_text()
    with sqlite3.connect(layout.database) as database:
        database.execute("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(StoreError):
        quiet.applying.save({"recognition.margin": 0.2})

    assert not at_first
    assert before == quiet.files.overlay.read_text()
    assert ["loop"] == quiet.box.restarted


def test_everything_restarts_where_everything_reads_it(quiet: Here) -> None:
    """The desk and web last and a moment later, so that the answer gets out."""
    saved = quiet.applying.save({"log.level": "warning"})
    deadline = time.monotonic() + PATIENCE_S
    while len(quiet.box.restarted) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)

    assert ("models", "dispatch", "loop", "desk", "web") == saved.restarting
    assert ["models", "dispatch", "loop"] == quiet.box.restarted[:3]
    assert {"desk", "web"} == set(quiet.box.restarted[3:])
    assert not saved.whole


def test_with_models_in_the_loop_the_loop_restarts(quiet: Here) -> None:
    """There is no other process to ask."""
    quiet.file.write_text(FILE + '\n[processes]\nmodels = "loop"\n', encoding="utf-8")

    assert ("loop",) == quiet.applying.save({"processes.models_memory_mib": 4096}).restarting


def test_what_the_supervisor_goes_by_holds_after_a_new_start(quiet: Here) -> None:
    """It is written and said."""
    assert quiet.applying.save({"vault.key": "passphrase"}).whole


def test_a_fault_of_the_file_does_not_keep_another_thing_from_being_mended(quiet: Here) -> None:
    """A camera whose file is away today is not in the way of changing a threshold."""
    quiet.file.write_text(
        FILE.replace("rtsp://admin:hunter2@10.0.0.5/main", "/nonexistent.mp4"), encoding="utf-8"
    )
    saved = quiet.applying.save({"recognition.margin": 0.2})

    assert ["recognition.margin"] == [each.key for each in saved.differences]


def test_a_broken_file_is_told_and_nothing_written(quiet: Here) -> None:
    """Its line, as at the start."""
    quiet.file.write_text("site = 3", encoding="utf-8")
    with pytest.raises(SettingsError, match=f"{quiet.file}:1: site"):
        quiet.applying.save({"recognition.margin": 0.2})

    assert not quiet.files.overlay.exists()


# ------------------------------------------------------------ who may


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
