"""Cameras at the desk: found, added, changed and taken away by who may, and how they are told to be."""

from pathlib import Path
from typing import Any

import pytest
from desk_setting_up import DOOR, FILE, WHOLE, Here, refused
from watching_box import WatchingBox, supervised

from appliance.app.desk.cameras import found_devices
from appliance.errors import CameraLostError
from appliance.services import Layout, Services
from appliance.wire.messages import ChildStatus


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
        ({"camera": "yard", "source": "rtsp://" + "x" * 2000}, "source", "at most 2,000 characters"),
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


def saved(here: Here, **changes: Any) -> str:
    """Save the door front; what is said of its picture."""
    given = {**WHOLE, "door": "front", "camera": "entrance", **changes}
    return str(here.ask("doors.save", **given)["picture"])


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


def test_whoever_sets_a_camera_up_is_told_what_to_set_in_it(here: Here) -> None:
    """What it sends, and why a clip of it would be made anew, where its picture is looked at first."""
    account = {"codec": "h264", "seconds": 12.0, "kbit_s": 4000, "group_s": 12.0, "crowded": False}
    told = []
    for fault in ("long_group", ""):
        here.box.cameras = {"entrance": {"frames": 9, "video": {**account, "fault": fault, "group_s": 2.0}}}
        told.append(here.ask("cameras.list")["cameras"][0]["video"])
    here.box.cameras = {"entrance": {"frames": 9}}

    assert [False, True] == [each["well"] for each in told]
    assert "I-frame interval" in told[0]["hint"]
    assert "copied" in told[1]["words"]
    assert here.ask("cameras.list")["cameras"][0]["video"] is None


def test_a_camera_that_is_gone_is_no_picture(here: Here) -> None:
    """One the loop does not know any more."""
    here.box.cameras = {}

    with pytest.raises(CameraLostError, match="no camera 'entrance'"):
        here.ask("doors.paint", camera="entrance", **DOOR)
