"""A desk with cameras and doors to set up, on a box whose other processes a test chooses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from watching_box import WatchingBox

from appliance.app.desk.applying import Applying, Source
from appliance.app.desk.cameras import Cameras
from appliance.app.desk.door_showing import Showing
from appliance.app.desk.doors import Doors
from appliance.app.desk.eyes import Eyes
from appliance.app.desk.live import Live
from appliance.app.desk.operations import Answer, Desk
from appliance.cli.context import with_camera
from appliance.errors import FormError
from appliance.permissions import GRANTED, Caller, Permission, Role
from appliance.services import Services
from appliance.settings import Settings
from appliance.settings.overlay import SettingsFiles

FILE = """
[[cameras]]
id = "entrance"
source = "rtsp://admin:hunter2@10.0.0.5/main"
when = "always"
"""
DOOR = {"region": [0.3, 0.0, 0.7, 0.4], "seed": [0.5, 0.2], "tolerance": 12}
WHOLE = {**DOOR, "shut_fraction": 0.75, "open_below": 0.5, "shut_above": 0.8}
PATIENCE_S = 60.0

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
        showing = Showing(eyes)
        rooms = (
            Live(services, source, eyes),
            Cameras(source, applying, eyes, services.layout),
            showing,
            Doors(source, applying, eyes, showing, services.layout),
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


def refused(ask: Callable[[], object]) -> FormError:
    """The error of a form."""
    with pytest.raises(FormError) as caught:
        ask()
    return caught.value
