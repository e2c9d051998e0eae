"""`appliance door`: find out how to watch a door, watch it, and draw what is watched."""

import json
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic import ValidationError

from appliance.cli.context import SCENE_DOOR, Context
from appliance.cli.files import write_file
from appliance.cli.parameters import Finite
from appliance.errors import InputError, SettingsError
from appliance.settings import CameraSettings, DoorSettings

if TYPE_CHECKING:
    from appliance.values import Frame

_CLEAR = "\r\x1b[K"
_REGION_PARTS, _SEED_PARTS = 4, 2


class _Fractions(click.ParamType[tuple[float, ...]]):
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


_clip = click.option("--clip", metavar="SOURCE", help="A recording: a video file, a folder, scene:door.")
_camera = click.option("--camera", metavar="ID", help="A camera of the settings, live. [default: the door's]")
_door = click.option("--door", metavar="ID", help="A door of the settings. [default: the first]")
_doors = click.option(
    "--doors",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A TOML file with a [[doors]] block, as calibrate prints it, instead of the settings' doors.",
)
_region = click.option("--region", type=_Fractions(_REGION_PARTS), help="left,top,right,bottom in fractions.")
_seed = click.option("--seed", type=_Fractions(_SEED_PARTS), help="x,y of a point on the shut door.")
_fps = click.option("--fps", type=Finite(1, 60), default=10.0, show_default=True, help="Frames a second.")


@click.group()
def door() -> None:
    """Set up the door: propose what to watch, try it, draw it.

    \b
    Examples:
      appliance door calibrate --clip opened.mp4 --out seen.png
      appliance door watch --clip day.mp4
      appliance door show --out frame.png
    """


@door.command()
@_clip
@_camera
@_door
@_region
@_fps
@click.option("--shut-s", type=Finite(2, 600), default=5.0, show_default=True, help="Live: seconds shut.")
@click.option("--open-s", type=Finite(2, 600), default=5.0, show_default=True, help="Live: seconds open.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="PNG with region, seed and fill."
)
@click.option("--json", "as_json", is_flag=True, help="The proposal as one JSON object.")
@click.pass_obj
def calibrate(
    context: Context,
    *,
    clip: str | None,
    camera: str | None,
    door: str | None,
    region: tuple[float, float, float, float] | None,
    fps: float,
    shut_s: float,
    open_s: float,
    out: Path | None,
    as_json: bool,
) -> None:
    """Propose region, seed and fractions from the door being shut and then opened.

    From a clip in which it is shut for some seconds, then opened (and perhaps shut again), or from
    the live camera, which says when to open it. Nobody has to say where the door is; --region says
    it where other things move. Prints the block to paste into the settings.

    \b
    Examples:
      appliance door calibrate --clip opened.mp4 --out seen.png
      appliance door calibrate --camera entrance --shut-s 5 --open-s 5
      appliance door calibrate --clip opened.mp4 --region 0.3,0.0,0.7,0.3 --json
    """
    from appliance.app import doors

    base = _identity(context, door, camera)
    if region is not None:
        middle = (region[0] + region[2]) / 2, (region[1] + region[3]) / 2
        base = _changed(base, {"region": region, "seed": middle})
    if clip is not None:
        frames = doors.clip_frames(clip, fps)
    else:
        configured = _live(context, camera or base.camera)
        frames = _told(doors.live_frames(configured, threading.Event(), shut_s + open_s), shut_s, open_s)
    done = doors.calibrate(frames, base, keep_region=region is not None, tell=_progress)
    _clear()
    if out is not None:
        write_file(out, done.picture)
    found = done.proposal
    if as_json:
        click.echo(
            json.dumps(
                {
                    "door": found.door.model_dump(mode="json"),
                    "separation": found.separation,
                    "usable": found.usable,
                    "words": found.words,
                    "shut_fraction_least": found.shut,
                    "open_fraction_most": found.opened,
                    "shut_s": found.shut_s,
                    "open_s": found.opened_s,
                    "agreed": found.agreed,
                }
            )
        )
    else:
        click.echo(
            f"# {found.words}; separation {found.separation:.2f} of 1\n"
            f"# shut {found.shut_s:g} s: at least {found.shut:.0%} filled; "
            f"open {found.opened_s:g} s: at most {found.opened:.0%}"
        )
        click.echo(_block(found.door))
    if not found.usable:
        raise InputError(
            f"the two states do not separate ({found.separation:.2f} of 1): {found.words}",
            hint="move the camera so that the upper door stands out, light it, or try --region",
        )


@door.command()
@_clip
@_camera
@_door
@_doors
@_region
@_seed
@_fps
@click.option("--shut-fraction", type=Finite(0, 1), help="Share of the region a shut door fills.")
@click.option("--tolerance", type=click.IntRange(1, 100), help="Gray levels.")
@click.option("--rule", type=click.Choice(["followed", "plain"]), help="plain: the bare fill, to compare.")
@click.option("--changes", is_flag=True, help="Only the frames in which the state changes.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line; the last is the summary.")
@click.pass_obj
def watch(
    context: Context,
    /,
    *,
    clip: str | None,
    camera: str | None,
    door: str | None,
    doors: Path | None,
    fps: float,
    changes: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Print the door's timeline: seconds, state, share filled.

    Live until Ctrl-C. The door is that of the settings, of a file with --doors, or the one given
    by --region and --seed.

    \b
    Examples:
      appliance door watch --clip day.mp4 --changes
      appliance door watch --clip opened.mp4 --doors proposed.toml --json
      appliance door watch --clip day.mp4 --rule plain
    """
    from appliance.app import doors as trying

    chosen = _chosen(context, door, doors, clip, given)
    stop = threading.Event()
    frames = (
        trying.clip_frames(clip, fps)
        if clip is not None
        else trying.live_frames(_live(context, camera or chosen.camera), stop)
    )
    seen: dict[str, int] = {"open": 0, "shut": 0, "unsure": 0}
    count = {"opened": 0, "shut": 0}
    last, end_s = "unsure", 0.0
    try:
        for at_s, reading in trying.watched(frames, chosen):
            state, end_s = reading.state.value, at_s
            seen[state] += 1
            if state not in {"unsure", last}:
                if last != "unsure":
                    count["opened" if state == "open" else "shut"] += 1
                last = state
            if reading.changed or not changes:
                row = {"t_s": round(at_s, 3), "state": state, "fraction": round(reading.fraction, 4)}
                click.echo(
                    json.dumps(row) if as_json else f"{at_s:8.2f} s  {state:<6}  {reading.fraction:6.1%}"
                )
    except KeyboardInterrupt:
        stop.set()
    frames_seen = sum(seen.values())
    summary = {
        "frames": frames_seen,
        "duration_s": round(end_s, 3),
        "times_opened": count["opened"],
        "times_shut": count["shut"],
        "share_open": round(seen["open"] / max(1, frames_seen), 4),
        "share_shut": round(seen["shut"] / max(1, frames_seen), 4),
        "share_unsure": round(seen["unsure"] / max(1, frames_seen), 4),
    }
    if as_json:
        click.echo(json.dumps({"summary": summary}))
    else:
        click.echo(
            f"{frames_seen} frames, {end_s:.1f} s: opened {count['opened']} times, "
            f"shut {count['shut']} times; "
            f"open {summary['share_open']:.0%}, shut {summary['share_shut']:.0%}, "
            f"unsure {summary['share_unsure']:.0%}",
            err=True,
        )


@door.command()
@_clip
@_camera
@_door
@_doors
@_region
@_seed
@click.option("--at-s", type=Finite(min=0), default=0.0, help="Which moment of the clip, seconds.")
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The PNG to write."
)
@click.pass_obj
def show(
    context: Context,
    /,
    *,
    clip: str | None,
    camera: str | None,
    door: str | None,
    doors: Path | None,
    at_s: float,
    out: Path,
    **given: Any,
) -> None:
    """Draw region, seed and fill on a frame of a clip or of the camera.

    \b
    Examples:
      appliance door show --out frame.png
      appliance door show --clip opened.mp4 --at-s 4 --doors proposed.toml --out frame.png
    """
    from appliance.app import doors as trying

    if out.suffix.lower() != ".png":
        raise InputError(f"{out} is not named .png")
    chosen = _chosen(context, door, doors, clip, given)
    frames = (
        trying.clip_frames(clip, 60.0)
        if clip is not None
        else trying.live_frames(_live(context, camera or chosen.camera), threading.Event())
    )
    for frame in frames:
        if clip is None or frame.stamp.monotonic_s >= at_s - 1e-6:
            write_file(out, trying.drawn(frame, chosen))
            click.echo(f"{out}: door {chosen.id} at {frame.stamp.media_s or 0.0:.2f} s")
            return
    raise InputError(f"the clip ends before {at_s:g} s")


def _identity(context: Context, door: str | None, camera: str | None) -> DoorSettings:
    """Whose proposal it shall be: a door of the settings, or a new one."""
    settings = context.settings
    for each in settings.doors:
        if each.id == (door or each.id) and each.camera == (camera or each.camera):
            return each
    first = camera or (settings.cameras[0].id if settings.cameras else "camera")
    return _changed(DoorSettings(id="front", camera="camera"), {"id": door or "front", "camera": first})


def _chosen(
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
            return _changed(each, changes)
    if door is not None:
        there = ", ".join(each.id for each in known) or "none"
        raise SettingsError(f"there is no door {door!r}", hint=f"there are: {there}")
    if clip is not None and clip.startswith("scene:"):
        return _changed(DoorSettings(id="door", camera="camera", **SCENE_DOOR), changes)
    if not {"region", "seed"} <= changes.keys():
        raise SettingsError(
            "there is no door in the settings",
            hint="propose one with: appliance door calibrate --clip FILE; or give --region and --seed",
        )
    return _changed(DoorSettings(id="door", camera="camera"), changes)


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
        raise SettingsError(f"{file}: doors: {'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None
    except (AttributeError, TypeError) as error:
        raise SettingsError(f"{file}: doors is not a list of tables") from error
    if not doors:
        raise SettingsError(f"{file} has no [[doors]]")
    return doors


def _changed(door: DoorSettings, changes: dict[str, Any]) -> DoorSettings:
    """A door with other values.

    Raises:
        SettingsError: They do not go together.
    """
    try:
        return DoorSettings.model_validate({**door.model_dump(), **changes})
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]["msg"].removeprefix("Value error, ")
        raise SettingsError(f"this door cannot be watched: {fault}") from None


def _live(context: Context, camera: str) -> CameraSettings:
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


def _told(frames: Iterator["Frame"], shut_s: float, open_s: float) -> Iterator["Frame"]:
    """Frames of the live camera, with what the person at the door is to do."""
    click.echo(f"leave the door shut for {shut_s:g} s", err=True)
    begin: float | None = None
    asked = False
    for frame in frames:
        begin = frame.stamp.monotonic_s if begin is None else begin
        at_s = frame.stamp.monotonic_s - begin
        if not asked and at_s >= shut_s:
            _clear()
            click.echo(f"now open it, and leave it open for {open_s:g} s", err=True)
            asked = True
        elif sys.stderr.isatty():
            left = shut_s + (open_s if asked else 0) - at_s
            click.echo(f"{_CLEAR}{max(0.0, left):.0f} s", nl=False, err=True)
        yield frame


_told_at = [0.0]


def _progress(at_s: float) -> None:
    """Progress for whoever waits at a terminal, twice a second."""
    now = time.monotonic()
    if sys.stderr.isatty() and now - _told_at[0] > 0.5:  # noqa: PLR2004
        _told_at[0] = now
        click.echo(f"{_CLEAR}looked at {at_s:.0f} s", nl=False, err=True)


def _clear() -> None:
    if sys.stderr.isatty():
        click.echo(_CLEAR, nl=False, err=True)


def _block(door: DoorSettings) -> str:
    """A door as the settings say it."""
    region = ", ".join(f"{each:g}" for each in door.region)
    seed = ", ".join(f"{each:g}" for each in door.seed)
    return (
        f'[[doors]]\nid = "{door.id}"\ncamera = "{door.camera}"\nregion = [{region}]\nseed = [{seed}]\n'
        f"tolerance = {door.tolerance}\nshut_fraction = {door.shut_fraction:g}\n"
        f"open_below = {door.open_below:g}\nshut_above = {door.shut_above:g}"
    )
