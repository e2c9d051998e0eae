"""Operations of the live view: which cameras there are and how they are, and who is seen by name.

Pictures do not come this way: web asks the loop for the frames and the models process for JPEGs. Here is
decided who may know what.
"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import Field

from appliance.app.desk.applying import Source
from appliance.app.desk.door_states import door_states
from appliance.app.desk.eyes import Eyes, LoopSeen
from appliance.app.desk.naming import People
from appliance.app.desk.operations import Answer, Arguments, Asked, Nothing, Operation
from appliance.app.desk.sources import Kind, kind_of
from appliance.app.desk.times import moment
from appliance.permissions import Permission
from appliance.services import Services
from appliance.settings import CameraSettings

_MOST_NAMES = 64
"""People asked for at once: those that can be seen in one picture, not everybody enrolled."""
_LOST: Final[Mapping[Kind, str]] = {
    "device": "is it plugged in, and does nothing else use it",
    "network": "is it switched on and in the network, and are its address, user and password right",
    "file": "is the recording still there",
    "scene": "look at its settings",
}
"""What to look at where nothing comes from a camera, by the kind of its address."""


class Whose(Arguments):
    """Attributes: subjects: opaque ids of those who are seen."""

    subjects: tuple[str, ...] = Field(max_length=_MOST_NAMES)


class Live:
    """What the live view asks.

    Args:
        services: For names.
        source: For the cameras and doors there are.
        eyes: For how they are.
    """

    def __init__(self, services: Services, source: Source, eyes: Eyes) -> None:
        self._store = services.store
        self._source = source
        self._eyes = eyes

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        return [
            Operation("live.cameras", Nothing, Permission.LIVE, self._cameras),
            Operation("live.doors", Nothing, Permission.LOG, self._doors),
            Operation("live.names", Whose, Permission.PEOPLE, self._names),
        ]

    def _cameras(self, asked: Asked[Nothing]) -> Answer:
        """Every camera with its doors and how it is; whether the caller is told names, and everybody's."""
        settings, loop = self._source.running(), self._eyes.loop()
        told = [
            {
                "id": camera.id,
                "doors": [door.id for door in settings.doors if door.camera == camera.id],
                **camera_state(camera, loop),
            }
            for camera in settings.cameras
        ]
        who = asked.who
        names = {"names": who.may(Permission.PEOPLE), "everybody": who.may(Permission.ENROL)}
        return Answer({"cameras": told, **names})

    def _doors(self, asked: Asked[Nothing]) -> Answer:
        """How each door is and since when, by the last word of the log; see `DoorNow`."""
        del asked
        doors = [door.id for door in self._source.running().doors]
        found = door_states(self._store, doors)
        return Answer([{"id": each.id, "state": each.state, "at": moment(each.at)} for each in found])

    def _names(self, asked: Asked[Whose]) -> Answer:
        """What to call those of these people who are enrolled, and of whom the caller is told."""
        told = People(self._store, asked.who).tells
        wanted = {each for each in asked.arguments.subjects if told(each)}
        return Answer(
            {
                str(subject.id): subject.name
                for subject in self._store.subjects()
                if str(subject.id) in wanted and subject.name
            }
        )


def camera_state(camera: CameraSettings, loop: LoopSeen) -> dict[str, str]:
    """How a camera is: `ok`, `starting`, `lost`, `refused` or `away`, and why in words.

    Args:
        camera: Its settings.
        loop: What the loop says of its cameras.
    """
    if not loop.running:
        return {"state": "away", "message": loop.message, "hint": loop.hint}
    seen = loop.cameras.get(camera.id)
    if seen is None:
        return {"state": "starting", "message": "it is being opened", "hint": "wait a moment"}
    if refused := str(seen.get("refused", "")):
        return {"state": "refused", "message": refused, "hint": "look at its settings"}
    if lost := str(seen.get("lost", "")):
        kind = kind_of(camera.source.get_secret_value())
        words = f"it {'gives nothing any more' if seen.get('frames') else 'is not reached'}: {lost}"
        return {"state": "lost", "message": words, "hint": f"{_LOST[kind]}; it is tried again and again"}
    if not seen.get("frames"):
        return {"state": "starting", "message": "no picture came yet", "hint": "wait a moment"}
    return {"state": "ok", "message": "", "hint": ""}
