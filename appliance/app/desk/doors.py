"""Operations of doors: listing, saving and removing them.

Here is decided who may, and what is written; what a door being set up looks like is for `door_showing`.
A door's `rule` and its times are left as they are; the settings page has them.
"""

from typing import Any, Final, Literal

from pydantic import Field

from appliance.app.desk.applying import Applying, Source
from appliance.app.desk.door_showing import JUDGED, Point, Region, Showing
from appliance.app.desk.eyes import Eyes
from appliance.app.desk.forms import fields_of
from appliance.app.desk.in_person import decides_a_lock, only_in_person
from appliance.app.desk.live import camera_state
from appliance.app.desk.operations import Answer, Arguments, Asked, Nothing, Operation
from appliance.app.shut_pictures import forget_picture, kept_content, kept_instead
from appliance.errors import DeniedError, FormError
from appliance.events import DoorCalibrated
from appliance.permissions import Caller, Permission
from appliance.services import Layout
from appliance.settings import DoorSettings, Settings

_ID = Field(max_length=64)
_SHOWN: Final = JUDGED | {"id"}
_MOST_LOGGED: Final = 200
_UNSEEN: Final = "it was not shown shut and open as it is now, so nobody knows whether they are told apart"

Picture = Literal["kept", "earlier", "not_shown", "moved"]


class Door(Arguments):
    """A door as it is to be saved.

    Attributes:
        door: Its id.
        fresh: It is to be a new one.
        camera: That sees it.
        read_faces: When faces are read on that camera from now on; None: as it is.
        separation: How far the states lay apart when it was shown both; None: it was not.
        sure: Save it even where shut and open are not told apart, or it was not shown both.
        revision: Of the settings as seen.
    """

    door: str = _ID
    fresh: bool = False
    camera: str = _ID
    region: Region
    seed: Point
    tolerance: int = Field(ge=1, le=100)
    shut_fraction: float = Field(ge=0, le=1)
    open_below: float = Field(ge=0, le=1)
    shut_above: float = Field(ge=0, le=1)
    read_faces: Literal["door", "approach", "always"] | None = None
    separation: float | None = Field(default=None, ge=-10, le=10)
    sure: bool = True
    revision: str = Field(default="", max_length=64)


class Which(Arguments):
    """Attributes: door: its id; revision: of the settings as seen."""

    door: str = _ID
    revision: str = Field(default="", max_length=64)


class Doors:
    """The doors there are.

    Args:
        source: Where the settings are.
        applying: Puts them in force.
        eyes: Know how the cameras are.
        showing: Knows what a door looked like that is being set up.
        layout: Where the pictures of shut doors lie.
    """

    def __init__(
        self, source: Source, applying: Applying, eyes: Eyes, showing: Showing, layout: Layout
    ) -> None:
        self._source = source
        self._applying = applying
        self._eyes = eyes
        self._showing = showing
        self._layout = layout

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        return [
            Operation("doors.list", Nothing, Permission.DOORS, self._list),
            Operation("doors.save", Door, Permission.DOORS, self._save),
            Operation("doors.remove", Which, Permission.DOORS, self._remove),
        ]

    def _list(self, asked: Asked[Nothing]) -> Answer:
        """Every door as it is set, and the cameras there are to see one.

        Of a door, `doubt` says why it may not be watched rightly; empty: nothing is known against it.
        """
        del asked
        settings, loop = self._source.running(), self._eyes.loop()
        cameras = [
            {"id": camera.id, "when": camera.when.value, **camera_state(camera, loop)}
            for camera in settings.cameras
        ]
        judged = self._judged()
        doors = [
            {**door.model_dump(mode="json", include=set(_SHOWN)), "doubt": _doubt(judged.get(door.id, True))}
            for door in settings.doors
        ]
        return Answer({"doors": doors, "cameras": cameras, "revision": self._source.files.revision()})

    def _save(self, asked: Asked[Door]) -> Answer:
        """Write the door and keep the picture of it shut; the loop then reads both anew and watches it.

        Whether shut and open are told apart is looked at once more, whatever the page says.

        Of the picture the answer says `kept`; `earlier`: the door was not shown shut now, and the picture
        kept before still is of this region; `not_shown` or `moved`: there is none, and why.

        Raises:
            FormError: It cannot be; or under `sure`, there is a doubt that whoever asks is to be asked about.
            DeniedError: A lock is at this door and not off, and no person asks who is signed in.
        """
        given = asked.arguments
        written = self._source.files.read().settings
        # Also where no setting would be another: its picture would be.
        if decides_a_lock([f"doors.{given.door}"], written):
            only_in_person(asked.who)
        there = next((each for each in written.doors if each.id == given.door), None)
        if given.fresh and (there or any(each.id == given.door for each in self._source.running().doors)):
            raise FormError("taken", fields={"door": "there is a door of this name already"})
        key = f"doors.{given.door}"
        fields = ("camera", "region", "seed", "tolerance", "shut_fraction", "open_below", "shut_above")
        values = given.model_dump(mode="json")
        changes: dict[str, Any] = {f"{key}.{name}": values[name] for name in fields}
        changes.update(self._camera(given, written, asked.who))
        with fields_of(key, "door"):
            # Refused before any picture is given up for it.
            self._applying.propose(changes, who=asked.who)
            usable = self._usable(asked, there)
            if not given.sure and usable is not True:
                raise FormError("not told apart", fields={"sure": _doubt(usable)})
            done = DoorCalibrated(
                door=given.door,
                camera=given.camera,
                separation=None if usable is None else given.separation,
                usable=usable,
            )
            picture, content = self._pictured(asked, there)
            if picture == "earlier":
                saved = self._applying.save(changes, revision=given.revision, events=[done], who=asked.who)
            else:
                # The loop reads the picture when it starts: another one alone is reason enough to.
                anew = ("loop",) if content != kept_content(self._layout, given.door) else ()
                with kept_instead(self._layout, given.door, content):
                    saved = self._applying.save(
                        changes, revision=given.revision, events=[done], anew=anew, who=asked.who
                    )
        return Answer({**saved.told(), "picture": picture})

    def _judged(self) -> dict[str, bool | None]:
        """By door, what was found when it was last set up here; of doors set up otherwise, nothing.

        Of one that was noted before this was, that it was shown both is taken for good.
        """
        found: dict[str, bool | None] = {}
        for stored in self._applying.history(("door_calibrated",), _MOST_LOGGED):
            event = stored.event
            if isinstance(event, DoorCalibrated) and event.door is not None:
                seen = True if event.separation is not None else None
                found.setdefault(event.door, seen if event.usable is None else event.usable)
        return found

    def _usable(self, asked: Asked[Door], there: DoorSettings | None) -> bool | None:
        """Whether shut and open are told apart by these settings; None: it was not shown both."""
        given = asked.arguments
        door = given.model_dump(mode="json", include=set(JUDGED))
        found = self._showing.told_apart(asked.who, _shown_as(given), door)
        if found is None and there is not None and _same(given, there):
            return self._judged().get(given.door, True)
        return found

    def _pictured(self, asked: Asked[Door], there: DoorSettings | None) -> tuple[Picture, bytes | None]:
        """What is to be said of the picture of the shut door, and the picture."""
        given = asked.arguments
        found, content = self._showing.shut_picture(asked.who, _shown_as(given), given.camera, given.region)
        if found == "not_shown" and self._is_kept_of(given, there):
            return "earlier", None
        return found, content

    def _is_kept_of(self, given: Door, there: DoorSettings | None) -> bool:
        """Whether the picture that is kept shows the door as it is to be saved."""
        same = there is not None and (there.camera, there.region) == (given.camera, given.region)
        return same and self._layout.shut_picture(given.door).exists()

    def _camera(self, given: Door, written: Settings, who: Caller) -> dict[str, Any]:
        """What is to be written of the door's camera.

        Raises:
            DeniedError: Faces would be read otherwise than at an open door, and who asks may not say that.
            FormError: The camera is neither in the settings, nor can it be taken up into them.
        """
        key = f"cameras.{given.camera}"
        there = next((each for each in written.cameras if each.id == given.camera), None)
        if given.read_faces not in {None, "door", there and there.when.value}:
            _need_settings(who)
        if there is not None:
            return {} if given.read_faces is None else {f"{key}.when": given.read_faces}
        named = next((each for each in self._source.running().cameras if each.id == given.camera), None)
        if named is None:
            raise FormError("no camera", fields={"camera": "there is no such camera"})
        if written.cameras:
            words = "this camera was named on the command line, and the settings have others"
            hint = "start the appliance without naming a camera, and it watches those"
            raise FormError(words, fields={"camera": words}, hint=hint)
        # Named on the command line only: its door can be kept no longer than it, so both are.
        when = given.read_faces or "door"
        return {f"{key}.source": named.source.get_secret_value(), f"{key}.when": when}

    def _remove(self, asked: Asked[Which]) -> Answer:
        """Take a door away; a camera that waited for it alone reads faces always from then on.

        Raises:
            DeniedError: It does, and who asks may not say when faces are read.
            FormError: There is no such door.
        """
        given = asked.arguments

        def without_it(written: Settings) -> dict[str, Any]:
            door = next((each for each in written.doors if each.id == given.door), None)
            if door is None:
                raise FormError("no door", fields={"door": "there is no such door in the settings"})
            changes: dict[str, Any] = {f"doors.{given.door}": None}
            if _waits_for(door, written):
                _need_settings(asked.who)
                changes[f"cameras.{door.camera}.when"] = "always"
            return changes

        saved = self._applying.save(without_it, revision=given.revision, who=asked.who)
        forget_picture(self._layout, given.door)
        return Answer(saved.told())


def _doubt(usable: bool | None) -> str:  # noqa: FBT001 - three answers, of which one is that there is none
    """Why a door may not be watched rightly, in words; empty: nothing is known against it."""
    if usable is None:
        return _UNSEEN
    return "" if usable else "shut and open are not told apart as it is set up now"


def _same(given: Door, there: DoorSettings) -> bool:
    """Whether what a judgement rests on is as it was."""
    return given.model_dump(mode="json", include=set(JUDGED)) == there.model_dump(
        mode="json", include=set(JUDGED)
    )


def _need_settings(who: Caller) -> None:
    """When faces are read is more than where a door is.

    Raises:
        DeniedError: Who asks may not change settings.
    """
    if not who.may(Permission.SETTINGS):
        raise DeniedError(
            "this needs the permission 'settings', too: it changes when faces are read",
            hint="an admin may, or a token that was given this scope",
        )


def _waits_for(door: DoorSettings, settings: Settings) -> bool:
    """Whether this door is the only one that its camera reads faces by."""
    others = [each for each in settings.doors if each.camera == door.camera and each.id != door.id]
    return not others and any(
        camera.id == door.camera and camera.when.value == "door" for camera in settings.cameras
    )


def _shown_as(given: Door) -> tuple[str, ...]:
    """The names it may have been shown under: while the page has none for a new door, it is `new`."""
    return ("new", given.door) if given.fresh else (given.door,)
