"""`appliance door calibrate`: propose how to watch a door, from a clip or the live camera."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from appliance.cli.context import Context
from appliance.cli.door_choice import (
    camera_option,
    clip_option,
    door_option,
    door_to_propose,
    drawn_region,
    fps_option,
    live_camera,
    only_one_source,
    region_option,
)
from appliance.cli.door_prompting import Progress, prompted
from appliance.cli.files import write_private
from appliance.cli.parameters import Finite
from appliance.errors import InputError
from appliance.settings import DoorSettings

if TYPE_CHECKING:
    from appliance.door import Proposal

_ASSUMES = "the door was shut at the beginning, and nobody was in the picture"
"""What a clip cannot show."""
_SELDOM = ("rule", "debounce_s", "held_open_s")
"""Settings that are no part of a proposal."""


@click.command()
@clip_option
@camera_option
@door_option
@region_option
@fps_option
@click.option("--shut-s", type=Finite(2, 60), default=5.0, show_default=True, help="Live: seconds shut.")
@click.option(
    "--open-s",
    type=Finite(2, 60),
    default=10.0,
    show_default=True,
    help="Live: seconds to open it and step away.",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="PNG with region, seed and fill."
)
@click.option(
    "--keep", is_flag=True, help="Also keep a picture of the shut door, for the watch to begin with."
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
    keep: bool,
    as_json: bool,
) -> None:
    """Propose region, seed and fractions from the door being shut and then opened.

    From a clip in which it is shut for some seconds, then opened (and perhaps shut again), or from
    the live camera, which says when to open it. Nobody has to say where the door is; --region says
    it where other things move. The first state is taken for the shut door, and nobody should be in the
    picture. Prints the block to paste into the settings; one that should not be used, as comments.

    With --keep a small gray picture of the shut door's region is kept in the state directory: the watch then
    knows the door when it starts, even while it is open, and need not guess.

    \b
    Examples:
      appliance door calibrate --clip opened.mp4 --out seen.png
      appliance door calibrate --camera entrance --shut-s 5 --open-s 15 --keep
      appliance door calibrate --clip opened.mp4 --region 0.3,0.0,0.7,0.3 --json
    """
    from appliance.app import doors

    only_one_source(clip, camera)
    base, new = door_to_propose(context, door, camera)
    if region is not None:
        base = drawn_region(base, region)
    if clip is not None:
        frames = doors.clip_frames(clip, fps)
    else:
        live = live_camera(context, base.camera)
        stop, lasts_s = threading.Event(), shut_s + open_s
        frames = prompted(doors.live_frames(live, stop, lasts_s), shut_s, open_s)
    if new and door is not None:
        there = ", ".join(each.id for each in context.settings.doors) or "none"
        click.echo(f"{door} is a new door; the settings have: {there}", err=True)
    progress = Progress()
    # The live camera has its own count-down.
    tell: Callable[[float], None] = progress.tell if clip is not None else lambda _: None
    done = doors.calibrate(frames, base, keep_region=region is not None, vouched=keep, tell=tell)
    progress.clear()
    if out is not None:
        write_private(out, done.picture)
    found = done.proposal
    kept = _keep(context, found) if keep else None
    click.echo(json.dumps(_row(found, new=new, kept=kept)) if as_json else _text(found))
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    if not found.usable:
        raise InputError(
            f"this proposal is not to be used ({found.separation:.2f} of 1): {found.words}",
            hint="record it again with nobody in the picture, move the camera so that the upper door stands "
            "out, light it, or try --region",
        )
    if kept is not None:
        click.echo(
            f"{kept}: picture of the shut door, for the watch to begin with at its next start", err=True
        )
    else:
        click.echo(
            "with --keep a picture of the shut door is kept, too, for the watch to begin with", err=True
        )


def _keep(context: Context, found: "Proposal") -> Path | None:
    """Keep the picture of a proposal that may be used; where it lies.

    Raises:
        StoreError: It cannot be written.
    """
    from appliance.app.shut_pictures import keep_picture

    if not found.usable or found.picture is None:
        return None
    keep_picture(context.layout, found.door.id, found.picture)
    return context.layout.shut_picture(found.door.id)


def _row(found: "Proposal", *, new: bool, kept: Path | None) -> dict[str, Any]:
    """A proposal with stable names; shares 0 to 1."""
    return {
        "door": found.door.model_dump(mode="json"),
        "new_door": new,
        "separation": found.separation,
        "usable": found.usable,
        "words": found.words,
        "assumes": _ASSUMES,
        "notes": list(found.notes),
        "shut_fraction_least": found.shut,
        "open_fraction_most": found.opened,
        "shut_s": found.shut_s,
        "open_s": found.opened_s,
        "agreed": found.agreed,
        "picture_kept": kept is not None,
    }


def _text(found: "Proposal") -> str:
    """A proposal to paste; as comments altogether when it is not to be used."""
    lines = [
        f"# {found.words}",
        f"# separation {found.separation:.2f} of 1; the watch is right about {found.agreed:.0%} of the clip",
        f"# shut {found.shut_s:g} s: at least {found.shut:.0%} filled",
        f"# open {found.opened_s:g} s: at most {found.opened:.0%} filled",
        f"# assumed: {_ASSUMES}",
        *(f"# note: {each}" for each in found.notes),
    ]
    lead = "" if found.usable else "# "
    return "\n".join([*lines, *(lead + each for each in _block(found.door).splitlines())])


def _block(door: DoorSettings) -> str:
    """A door as the settings say it; what is seldom set only where it is not the default."""
    region = ", ".join(f"{each:g}" for each in door.region)
    seed = ", ".join(f"{each:g}" for each in door.seed)
    seldom = door.model_dump(include=set(_SELDOM))
    return "\n".join(
        [
            "[[doors]]",
            f'id = "{door.id}"',
            f'camera = "{door.camera}"',
            f"region = [{region}]",
            f"seed = [{seed}]",
            f"tolerance = {door.tolerance}",
            f"shut_fraction = {door.shut_fraction:g}",
            f"open_below = {door.open_below:g}",
            f"shut_above = {door.shut_above:g}",
            # JSON's strings and numbers are TOML's.
            *(
                f"{name} = {json.dumps(seldom[name])}"
                for name in _SELDOM
                if seldom[name] != DoorSettings.model_fields[name].default
            ),
        ]
    )
