"""What the commands of `appliance door` have in common: their options, and which door and camera are meant.

Reads settings and files of settings; looks at no picture.
"""

import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic import ValidationError

from appliance.cli.context import SCENE_DOOR, Context
from appliance.cli.parameters import Finite
from appliance.errors import SettingsError
from appliance.settings import CameraSettings, DoorSettings
from appliance.settings.wording import in_words

if TYPE_CHECKING:
    from appliance.door import ShutPicture
    from appliance.values import Frame

_REGION_PARTS, _SEED_PARTS = 4, 2


class Fractions(click.ParamType[tuple[float, ...]]):
    """Fractions of the picture, separated by commas."""

    name = "fractions"

    def __init__(self, count: int) -> None:
        self._count = count

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """`0.3,0.05,0.7,0.3` → four numbers from 0 to 1."""
        if isinstance(value, tuple):
            return value
        try:
            parts = tuple(float(each) for each in str(value).split(","))
        except ValueError:
            parts = ()
        if len(parts) != self._count or not all(0 <= each <= 1 for each in parts):
            self.fail(f"{value!r} is not {self._count} numbers from 0 to 1, separated by commas", param, ctx)
        return parts


clip_option = click.option(
    "--clip", metavar="SOURCE", help="A recording: a video file, a folder, scene:door."
)
camera_option = click.option(
    "--camera", metavar="ID", help="A camera of the settings, live. [default: the door's]"
)
door_option = click.option("--door", metavar="ID", help="A door of the settings. [default: the first]")
doors_option = click.option(
    "--doors",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A TOML file with a [[doors]] block, as calibrate prints it, instead of the settings' doors.",
)
region_option = click.option(
    "--region", type=Fractions(_REGION_PARTS), help="left,top,right,bottom in fractions."
)
seed_option = click.option("--seed", type=Fractions(_SEED_PARTS), help="x,y of a point on the shut door.")
fps_option = click.option(
    "--fps", type=Finite(1, 60), default=10.0, show_default=True, help="Frames a second."
)


def door_to_propose(context: Context, door: str | None, camera: str | None) -> tuple[DoorSettings, bool]:
    """Whose proposal it shall be: a door of the settings, or a new one; and whether it is new.

    Raises:
        SettingsError: The id cannot be one, or the door belongs to another camera.
    """
    settings = context.settings
    for each in settings.doors:
        if each.id == door and camera not in {None, each.camera}:
            raise SettingsError(
                f"door {door!r} is seen by camera {each.camera!r}",
                hint="leave --camera away, or name a new door with --door",
            )
        if each.id == (door or each.id) and each.camera == (camera or each.camera):
            return each, False
    first = camera or (settings.cameras[0].id if settings.cameras else "camera")
    new = changed(DoorSettings(id="front", camera="camera"), {"id": door or "front", "camera": first})
    return new, True


def drawn_region(door: DoorSettings, region: tuple[float, ...]) -> DoorSettings:
    """A door with a region drawn by hand, and the seed in its middle for the time being."""
    left, top, right, bottom = region
    return changed(door, {"region": region, "seed": ((left + right) / 2, (top + bottom) / 2)})


def only_one_source(clip: str | None, camera: str | None) -> None:
    """Refuse a clip together with a live camera.

    Raises:
        SettingsError: Both were given.
    """
    if clip is not None and camera is not None:
        raise SettingsError(
            "--clip and --camera cannot both be given",
            hint="a recording needs no camera; the live camera needs no recording",
        )


def frames_of(
    context: Context, clip: str | None, camera: str, *, fps: float, stop: threading.Event
) -> "Iterator[Frame]":
    """Frames of the recording, or of the live camera until `stop` is set.

    Raises:
        SettingsError: There is no such camera.
    """
    from appliance.app import doors

    if clip is not None:
        return doors.clip_frames(clip, fps)
    return doors.live_frames(live_camera(context, camera), stop)


def chosen_door(
    context: Context, door: str | None, file: Path | None, clip: str | None, given: dict[str, Any]
) -> DoorSettings:
    """The door that is meant, with what was given on the command line.

    Raises:
        SettingsError: There is none, or it cannot be.
    """
    changes = {key: value for key, value in given.items() if value is not None}
    known = _read_doors(file) if file is not None else context.settings.doors
    for each in known:
        if door is None or each.id == door:
            return changed(each, changes)
    if door is not None:
        there = ", ".join(each.id for each in known) or "none"
        raise SettingsError(f"there is no door {door!r}", hint=f"there are: {there}")
    if clip is not None and clip.startswith("scene:"):
        return changed(DoorSettings(id="door", camera="camera", **SCENE_DOOR), changes)
    if not {"region", "seed"} <= changes.keys():
        raise SettingsError(
            "there is no door in the settings",
            hint="propose one with: appliance door calibrate --clip FILE; or give --region and --seed",
        )
    return changed(DoorSettings(id="door", camera="camera"), changes)


def picture_of(context: Context, door: DoorSettings) -> "ShutPicture | None":
    """The kept picture of a door just as it stands in the settings, shut; None of any other."""
    from appliance.app.shut_pictures import kept_picture

    return kept_picture(context.layout, door) if door in context.settings.doors else None


def _read_doors(file: Path) -> tuple[DoorSettings, ...]:
    """The [[doors]] of a TOML file.

    Raises:
        SettingsError: It holds none, or they are wrong.
    """
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8")).get("doors", [])
        doors = tuple(DoorSettings.model_validate(each) for each in tables)
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not TOML") from error
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        where = ".".join(map(str, fault["loc"]))
        raise SettingsError(f"{file}: doors: {where}: {in_words(fault, DoorSettings)}") from None
    except (AttributeError, TypeError) as error:
        raise SettingsError(f"{file}: doors is not a list of tables") from error
    if not doors:
        raise SettingsError(f"{file} has no [[doors]]")
    return doors


def changed(door: DoorSettings, changes: dict[str, Any]) -> DoorSettings:
    """A door with other values.

    Raises:
        SettingsError: They do not go together.
    """
    try:
        return DoorSettings.model_validate({**door.model_dump(), **changes})
    except ValidationError as error:
        fault = in_words(error.errors(include_input=False)[0], DoorSettings)
        raise SettingsError(f"this door cannot be watched: {fault}") from None


def live_camera(context: Context, camera: str) -> CameraSettings:
    """A camera of the settings.

    Raises:
        SettingsError: There is no such one.
    """
    for each in context.settings.cameras:
        if each.id == camera:
            return each
    there = ", ".join(each.id for each in context.settings.cameras) or "none"
    raise SettingsError(
        f"there is no camera {camera!r} in the settings; there are: {there}",
        hint="name a recording with --clip FILE, or a configured camera with --camera ID",
    )
