"""What `appliance doctor` finds of an appliance that runs, but not well."""

import contextlib
import errno
import os
import struct
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import stores
from camera_clips import jpeg
from camera_servers import MjpegCamera

from appliance.app.embedding import ENROLLED_MODELS
from appliance.app.examining import Finding, examine
from appliance.app.examining.configured import keys
from appliance.app.examining.finding import found
from appliance.app.examining.machine import kept_right
from appliance.app.examining.recorded import recognition
from appliance.app.shut_pictures import keep_picture
from appliance.camera import Scene, encode_jpeg
from appliance.door import ShutPicture
from appliance.frames import FrameWriter
from appliance.services import Layout, Services
from appliance.settings import Settings, parse
from appliance.settings.model import VaultSettings
from appliance.values import CameraId, FrameStamp
from appliance.wire import Reply, Server
from appliance.wire.messages import (
    ChildStatus,
    FramesShared,
    Status,
    StatusRequest,
    SupervisorStatus,
    SupervisorStatusRequest,
    WatchFrames,
)


@contextlib.contextmanager
def running(layout: Layout, records: Mapping[str, Any]) -> Iterator[None]:
    """A supervisor and a loop that say these things of themselves."""
    child = ChildStatus(name="loop", pid=1, state="running", restarts=0)
    supervisor = SupervisorStatus(pid=1, uptime_s=1.0, children=(child,))
    loop = Status(process="loop", pid=1, uptime_s=1.0, details={"records": records})
    with (
        Server(layout.socket("supervisor"), {SupervisorStatusRequest: lambda _: Reply(supervisor)}),
        Server(layout.socket("loop"), {StatusRequest: lambda _: Reply(loop)}),
    ):
        yield


def recording(layout: Layout) -> list[Finding]:
    """What it finds of the thread that writes the log."""
    return [finding for finding in examine(Settings(), layout) if finding.subject == "recording"]


@pytest.mark.parametrize(
    ("records", "problems"),
    [({"failing": True, "waiting": 7}, 1), ({"failing": False, "waiting": 0}, 0), ({}, 0)],
)
def test_a_log_that_takes_nothing_is_a_problem(
    tmp_path: Path, records: Mapping[str, Any], problems: int
) -> None:
    """The loop goes on and keeps what it decides in memory; somebody has to be told why and how much."""
    layout = Layout(tmp_path / "state")
    with running(layout, records):
        found = recording(layout)

    assert problems == len(found)
    assert ["problem"] * problems == [finding.health for finding in found]
    assert all("7 records in memory" in finding.words and finding.hint for finding in found)


def camera_of(found: Iterator[Finding]) -> list[Finding]:
    """What it finds of the camera."""
    return [finding for finding in found if finding.subject == "camera entrance"]


@pytest.mark.parametrize(("moving", "health"), [(True, "ok"), (False, "problem")])
def test_a_live_camera_that_sends_one_picture_again_and_again_is_frozen(
    tmp_path: Path, *, moving: bool, health: str
) -> None:
    """To the last bit the same, which no sensor gives."""
    with MjpegCamera() as server:
        if not moving:
            server.spoil = lambda _, __: jpeg(7)
        settings = parse(f'[[cameras]]\nid = "entrance"\nsource = "{server.url}"\nwhen = "always"\n')
        (finding,) = camera_of(examine(settings, Layout(tmp_path / "state")))

    assert (health, not moving) == (finding.health, "frozen" in finding.words)


@pytest.mark.parametrize(("level", "health"), [(90, "ok"), (2, "problem")])
def test_the_cameras_of_a_running_appliance_are_looked_at_through_it(
    tmp_path: Path, level: int, health: str
) -> None:
    """A device can be opened once; what the loop shares is looked at just so."""
    layout = Layout(tmp_path / "state")
    picture = np.full((192, 320, 3), level, np.uint8)
    cv2.randn(picture[:20], (level,) * 3, (level,) * 3)
    settings = parse('[[cameras]]\nid = "entrance"\nsource = "/dev/video0"\nwhen = "always"\n')
    with FrameWriter(320, 192) as writer:
        writer.write(FrameStamp(CameraId("entrance"), 1, 1.0, datetime.now(UTC), None), picture)
        shared = FramesShared(camera="entrance", width=320, height=192)
        watch = {WatchFrames: lambda _: Reply(shared, fds=(os.dup(writer.fd),), close_fds=True)}
        supervisor = SupervisorStatus(pid=1, uptime_s=1.0, children=())
        with (
            Server(layout.socket("supervisor"), {SupervisorStatusRequest: lambda _: Reply(supervisor)}),
            Server(layout.socket("loop"), watch),
        ):
            (finding,) = camera_of(examine(settings, layout))

    assert health == finding.health, finding.words


@pytest.mark.parametrize(
    ("key", "health", "words"),
    [("file", "note", "not a stolen box"), ("passphrase", "ok", "stolen box"), ("credential", "ok", "TPM")],
)
def test_each_kind_of_key_is_told_by_what_it_protects(
    tmp_path: Path, key: Any, health: str, words: str
) -> None:
    """And with what its owner has to see to."""
    (finding,) = keys(Settings(vault=VaultSettings(key=key)), Layout(tmp_path))

    assert health == finding.health
    assert words in finding.words
    assert finding.hint


def test_a_change_of_the_key_that_was_broken_off_is_a_problem(tmp_path: Path) -> None:
    """Nothing is lost by it; but the old key, which somebody wanted gone, still opens everything."""
    before = [finding.health for finding in keys(Settings(), Layout(tmp_path))]
    (tmp_path / "rekey.json").write_text("{}")
    after = [finding.health for finding in keys(Settings(), Layout(tmp_path))]

    assert (["note"], ["problem", "note"]) == (before, after)


@pytest.mark.parametrize(("status", "right"), [(0x2001, True), (0x40, False), (0x2041, False)])
def test_the_kernels_word_on_the_clock_is_read(status: int, *, right: bool) -> None:
    """`struct timex` of 64-bit Linux: the status stands after the mode and four long numbers."""
    timex = struct.pack("=i4xqqqqi", 0, 1, 2, 3, 4, status).ljust(208, b"\0")

    assert right == kept_right(timex)


def folder_of(folder: Path, picture: np.ndarray, *, undecodable: bool = False) -> Path:
    """A camera that is a folder of one JPEG."""
    folder.mkdir()
    data = encode_jpeg(picture, 95)
    # Without quantisation tables the header is sound and the picture is not.
    (folder / "0.jpg").write_bytes(data.replace(b"\xff\xdb", b"\xff\xef") if undecodable else data)
    return folder


def test_a_picture_that_cannot_be_decoded_is_a_finding_of_its_camera_alone(tmp_path: Path) -> None:
    """The next camera is looked at, and everything after the cameras."""
    sound = Scene(width=320, height=192).render(0)
    sources = {
        "attic": folder_of(tmp_path / "attic", sound, undecodable=True),
        "entrance": folder_of(tmp_path / "entrance", sound),
    }
    text = "".join(
        f'[[cameras]]\nid = "{name}"\nsource = "{source}"\nwhen = "always"\n'
        for name, source in sources.items()
    )
    found = {each.subject: each.health for each in examine(parse(text), Layout(tmp_path / "state"))}

    assert ("problem", "ok") == (found["camera attic"], found["camera entrance"])
    assert {"clock", "processes"} <= found.keys()


def test_a_look_that_is_refused_by_the_system_is_a_finding(tmp_path: Path) -> None:
    """Whatever the system says of a file; what was found before stays, and the other looks are taken."""

    def refused() -> Iterator[Finding]:
        yield Finding("disk", "ok", "plenty")
        raise PermissionError(errno.EACCES, "Permission denied", "state/captures")

    first, second = found("state", refused())

    assert ("disk", "ok") == (first.subject, first.health)
    assert ("state", "problem") == (second.subject, second.health)
    assert "state/captures: Permission denied" in second.words
    assert second.hint


def test_a_state_that_the_system_refuses_is_a_problem_and_no_traceback(tmp_path: Path) -> None:
    """A name longer than the file system takes: no look gets in, and all are taken."""
    told = list(examine(Settings(), Layout(tmp_path / ("x" * 300))))

    assert {("state", "problem"), ("keys", "problem")} <= {(each.subject, each.health) for each in told}
    assert {"python", "models", "recipients", "processes"} <= {each.subject for each in told}


DOOR = {"id": "front", "camera": "entrance", "region": [0.34, 0.05, 0.66, 0.3], "seed": [0.45, 0.15]}


@pytest.mark.parametrize(
    ("rule", "lit", "shut_fraction", "health", "words"),
    [
        ("followed", 0.0, 0.93, "ok", "it looks shut"),
        ("plain", 0.35, 0.93, "ok", "it looks shut"),
        ("followed", 0.35, 0.93, "note", "neither open nor shut"),
        (
            "followed",
            0.0,
            0.5,
            "note",
            "looks shut, but the fill runs into the wall, or the light is unusual",
        ),
        ("plain", 0.6, 0.93, "ok", "it looks open"),
    ],
)
def test_a_door_is_judged_as_the_loop_would(  # noqa: PLR0917 - by parametrize
    tmp_path: Path, rule: str, lit: float, shut_fraction: float, health: str, words: str
) -> None:
    """By the rule it is watched with, in whatever light: where the loop takes it for shut, so does this."""
    picture = Scene(width=640, height=360).render(0).copy()
    below = int(360 * (0.05 + 0.25 * (1 - lit)))
    picture[below:] = np.clip(picture[below:].astype(np.int16) + 60, 0, 255)
    source = str(folder_of(tmp_path / "entrance", picture))
    settings = Settings.model_validate(
        {
            "cameras": [{"id": "entrance", "source": source}],
            "doors": [{**DOOR, "rule": rule, "shut_fraction": shut_fraction}],
        }
    )
    (door,) = [each for each in examine(settings, Layout(tmp_path / "state")) if each.subject == "door front"]

    assert health == door.health, door.words
    assert words in door.words
    told = "is open" in door.words or "looks open" in door.words or health != "ok"
    assert told == ("appliance door calibrate" in door.advice)
    assert "appliance" not in door.hint
    assert ("door:front" if told else "") == door.place


def of_door(tmp_path: Path, layout: Layout, **changes: Any) -> dict[str, Finding]:
    """What is found of the door of the scene, as it stands shut, and of its picture."""
    folder = tmp_path / "entrance"
    if not folder.exists():
        folder_of(folder, Scene(width=640, height=360).render(0).copy())
    settings = Settings.model_validate(
        {
            "cameras": [{"id": "entrance", "source": str(folder)}],
            "doors": [{**DOOR, "shut_fraction": 0.93, **changes}],
        }
    )
    return {each.subject: each for each in examine(settings, layout)}


def test_a_door_without_a_picture_is_told_what_to_run(tmp_path: Path) -> None:
    """Kept, it is well; of another region or damaged, a problem; the plain rule needs none."""
    layout = Layout(tmp_path / "state")
    region = (0.34, 0.05, 0.66, 0.3)
    without = of_door(tmp_path, layout)["picture of front"]
    plain = of_door(tmp_path, layout, rule="plain")
    keep_picture(layout, "front", ShutPicture(region, np.full((50, 90), 90, np.uint8)))
    well = of_door(tmp_path, layout)["picture of front"]
    other = of_door(tmp_path, layout, region=[0.3, 0.05, 0.66, 0.3])["picture of front"]
    layout.shut_picture("front").write_bytes(b"{")
    damaged = of_door(tmp_path, layout)["picture of front"]

    assert ["note", "ok", "problem", "problem"] == [each.health for each in (without, well, other, damaged)]
    assert "begins by guessing" in without.words
    assert "another region" in other.words
    assert "damaged" in damaged.words
    assert all("door calibrate --keep --door front" in each.advice for each in (without, other, damaged))
    assert "picture of front" not in plain


def test_a_door_is_judged_from_its_picture_as_the_loop_would(tmp_path: Path) -> None:
    """What looks shut without one is open beside the picture of a door that looks otherwise."""
    layout = Layout(tmp_path / "state")
    region = (0.34, 0.05, 0.66, 0.3)
    without = of_door(tmp_path, layout)["door front"]
    seen = Scene(width=640, height=360).render(0)[18:108, 218:422, 1]
    keep_picture(layout, "front", ShutPicture(region, np.ascontiguousarray(seen[:, ::-1])[:, :192]))
    beside = of_door(tmp_path, layout)["door front"]

    assert "it looks shut" in without.words
    assert "it looks shut" not in beside.words


def test_a_gallery_too_large_to_try_out_is_left_to_the_report(services: Services) -> None:
    """Beyond some thousands of references the doctor does not let anybody wait."""
    person = services.store.add_subject("Ann", consent=stores.AGREED)
    face = stores.face(models=ENROLLED_MODELS)
    services.store.add_reference(person.id, face, quality=80.0, details={})
    findings = [
        next(
            each
            for each in recognition(services.store, Settings(), most=most)
            if each.subject == "recognition"
        )
        for most in (1, 0)
    ]

    assert ["ok", "note"] == [each.health for each in findings]
    assert ("appliance enroll report", "safety") == (findings[1].command[-23:], findings[1].place)
