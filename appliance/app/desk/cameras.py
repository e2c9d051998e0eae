"""Operations of setting cameras up: which there are, which devices are found, saving, removing.

An address may hold a password: it comes in and is never told again, only what of it is fit to be shown.
Opens no camera; the loop does, when it reads the settings anew.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import Field, SecretStr

from appliance.app.desk.applying import Applying, Source
from appliance.app.desk.eyes import Eyes
from appliance.app.desk.forms import fields_of
from appliance.app.desk.live import camera_state
from appliance.app.desk.operations import Answer, Arguments, Asked, Nothing, Operation
from appliance.app.desk.sources import RECORDINGS, kind_of, shown
from appliance.app.shut_pictures import forget_picture
from appliance.app.stream_judging import judged_stream
from appliance.errors import FormError
from appliance.permissions import Permission
from appliance.services import Layout
from appliance.settings import CameraSettings, Settings
from appliance.settings.overlay import overlaid_keys, read_overlay

_DEVICES = Path("/sys/class/video4linux")
_NAME = re.compile(r"[\w.][\w. ()+-]*")
_NUMBERED = re.compile(r"video\d{1,3}")
_ID = Field(max_length=64)


class Which(Arguments):
    """Attributes: camera: its id; revision: of the settings as seen."""

    camera: str = _ID
    revision: str = Field(default="", max_length=64)


class Camera(Arguments):
    """A camera as somebody filled it in.

    Attributes:
        camera: Its id.
        fresh: It is to be a new one.
        source: Its address; empty, or as it was shown: the one it has.
        user: For a network address, beside it; put into the address, quoted.
        password: Likewise.
        when: When faces are read; None: as it is; a new one's always, until it has a door.
        revision: Of the settings as seen.
    """

    camera: str = _ID
    fresh: bool = False
    source: SecretStr = Field(default=SecretStr(""), max_length=2000)
    user: str = Field(default="", max_length=200)
    password: SecretStr = Field(default=SecretStr(""), max_length=200)
    when: Literal["door", "approach", "always"] | None = None
    revision: str = Field(default="", max_length=64)


class Cameras:
    """Setting cameras up.

    Args:
        source: Where the settings are.
        applying: Puts them in force.
        eyes: For how the cameras are.
        layout: Where the pictures of shut doors lie.
        devices: Where the system lists its video devices.
    """

    def __init__(
        self, source: Source, applying: Applying, eyes: Eyes, layout: Layout, devices: Path = _DEVICES
    ) -> None:
        self._source = source
        self._applying = applying
        self._eyes = eyes
        self._layout = layout
        self._devices = devices

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        return [
            Operation("cameras.list", Nothing, Permission.SETTINGS, self._list),
            Operation("cameras.find", Nothing, Permission.SETTINGS, self._find),
            Operation("cameras.save", Camera, Permission.SETTINGS, self._save),
            Operation("cameras.remove", Which, Permission.SETTINGS, self._remove),
        ]

    def _list(self, asked: Asked[Nothing]) -> Answer:
        """Every camera: what of its address can be shown, how it is, and where it is written."""
        del asked
        running, files, loop = self._source.running(), self._source.files, self._eyes.loop()
        written = files.read().settings
        changed = overlaid_keys(read_overlay(files.overlay))
        told = [
            {
                "id": camera.id,
                "kind": kind_of(camera.source.get_secret_value()),
                "shown": shown(camera),
                "secret": shown(camera) != camera.source.get_secret_value(),
                "when": camera.when.value,
                "doors": [door.id for door in running.doors if door.camera == camera.id],
                "written": _named(camera.id, written),
                "changed": any(key.split(".")[:2] == ["cameras", camera.id] for key in changed),
                **camera_state(camera, loop),
                "video": _video(loop.cameras.get(camera.id, {}), running) if loop.running else None,
            }
            for camera in running.cameras
        ]
        return Answer({"cameras": told, "revision": files.revision()})

    def _find(self, asked: Asked[Nothing]) -> Answer:
        """The system's video devices, by address; those that only give metadata are among them."""
        del asked
        return Answer({"devices": found_devices(self._devices)})

    def _save(self, asked: Asked[Camera]) -> Answer:
        """Add or change one; the loop then reads the settings anew."""
        given = asked.arguments
        written = self._source.files.read().settings
        now = next((each for each in written.cameras if each.id == given.camera), None)
        if given.fresh and now is not None:
            words = "there is a camera of this name already"
            raise FormError(words, fields={"camera": words})
        if not given.fresh and now is None:
            self._refuse_foreign(given.camera)
        address = _address(given, now, self._layout)
        changes: dict[str, Any] = {}
        if address is not None:
            changes[f"cameras.{given.camera}.source"] = address
        if given.when is not None:
            changes[f"cameras.{given.camera}.when"] = given.when
        elif now is None:
            # Without a door there is nothing to wait for; the door's own page changes that.
            changes[f"cameras.{given.camera}.when"] = "always"
        with fields_of(f"cameras.{given.camera}", "camera"):
            saved = self._applying.save(changes, revision=given.revision, who=asked.who)
        return Answer(saved.told())

    def _remove(self, asked: Asked[Which]) -> Answer:
        """Take one away, with the doors it sees."""
        given = asked.arguments
        doors: list[str] = []

        def without_it(written: Settings) -> dict[str, Any]:
            if not _named(given.camera, written):
                self._refuse_foreign(given.camera)
            doors[:] = [door.id for door in written.doors if door.camera == given.camera]
            return {f"cameras.{given.camera}": None, **{f"doors.{door}": None for door in doors}}

        saved = self._applying.save(without_it, revision=given.revision, who=asked.who)
        for door in doors:
            forget_picture(self._layout, door)
        return Answer(saved.told())

    def _refuse_foreign(self, camera: str) -> None:
        """A camera that the settings do not have.

        Raises:
            FormError: Always.
        """
        if _named(camera, self._source.running()):
            words = "this camera was named on the command line, when the appliance was started"
            hint = "set up its door, and both are kept; or start the appliance without naming a camera"
            raise FormError(words, fields={"camera": words}, hint=hint)
        words = "there is no such camera"
        raise FormError(words, fields={"camera": words})


def _video(seen: Mapping[str, Any], running: Settings) -> dict[str, Any] | None:
    """How well what a camera sends can be recorded; None: nothing came yet, or nothing is recorded."""
    judged = judged_stream(seen.get("video", {}), running.video.pre_trigger_s)
    return asdict(judged) if judged is not None and running.video.enabled else None


def found_devices(folder: Path) -> list[dict[str, str]]:
    """The video devices in the system's list, in its order; their names are whatever they say."""
    try:
        names = sorted(
            (each.name for each in folder.iterdir() if _NUMBERED.fullmatch(each.name)),
            key=lambda n: int(n[5:]),
        )
    except OSError:
        return []
    return [{"source": f"/dev/{name}", "name": _first_line(folder / name / "name") or name} for name in names]


def _first_line(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "".join(each for each in text.strip()[:80] if each.isprintable())


def _address(given: Camera, now: CameraSettings | None, layout: Layout) -> str | None:
    """The address to be written; None: it stays. A recording may be given by its name alone.

    Raises:
        FormError: There is none, or user and password do not go with it.
    """
    address = given.source.get_secret_value().strip()
    password = given.password.get_secret_value()
    if now is not None and (not address or address == shown(now)):
        if not given.user and not password:
            return None
        address = now.source.get_secret_value()
    if not address:
        raise FormError("where is the camera?", fields={"source": "an address is needed"})
    if _NAME.fullmatch(address):
        address = str(layout.state / RECORDINGS / address)
    if not given.user and not password:
        return address
    parts = urlsplit(address)
    if not parts.scheme or not parts.hostname:
        words = "a user and a password go with a network address only"
        raise FormError(words, fields={"user": words})
    user = (
        f"{quote(given.user, safe='')}:{quote(password, safe='')}" if password else quote(given.user, safe="")
    )
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, f"{user}@{host}", parts.path, parts.query, parts.fragment))


def _named(camera: str, settings: Settings) -> bool:
    return any(each.id == camera for each in settings.cameras)
