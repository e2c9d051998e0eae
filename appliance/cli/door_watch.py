"""`appliance door watch` and `show`: the door's timeline, and a picture of what is watched."""

import json
import threading
from pathlib import Path
from typing import Any

import click

from appliance.cli.context import Context
from appliance.cli.door_choice import (
    camera_option,
    chosen_door,
    clip_option,
    door_option,
    doors_option,
    fps_option,
    frames_of,
    only_one_source,
    picture_of,
    region_option,
    seed_option,
)
from appliance.cli.files import write_private
from appliance.cli.parameters import Finite
from appliance.errors import InputError

_EVERY_FRAME = 60.0
"""Frames a second of a clip from which a moment is picked: as many as a clip may have."""
_SLACK_S = 1e-6
"""A frame is taken for the moment asked for if it is no more than a rounding error before it."""


@click.command()
@clip_option
@camera_option
@door_option
@doors_option
@region_option
@seed_option
@fps_option
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
    by --region and --seed. A door just as it stands in the settings is watched as the loop does: from the
    kept picture of it shut, if there is one.

    \b
    Examples:
      appliance door watch --clip day.mp4 --changes
      appliance door watch --clip opened.mp4 --doors proposed.toml --json
      appliance door watch --clip day.mp4 --rule plain
    """
    from appliance.app import doors as trying

    only_one_source(clip, camera)
    chosen = chosen_door(context, door, doors, clip, given)
    stop = threading.Event()
    frames = frames_of(context, clip, camera or chosen.camera, fps=fps, stop=stop)
    picture = picture_of(context, chosen)
    seen: dict[str, int] = {"open": 0, "shut": 0, "unsure": 0}
    count = {"opened": 0, "shut": 0}
    last, end_s = "unsure", 0.0
    try:
        for at_s, reading in trying.watched(frames, chosen, picture):
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


@click.command()
@clip_option
@camera_option
@door_option
@doors_option
@region_option
@seed_option
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
    only_one_source(clip, camera)
    chosen = chosen_door(context, door, doors, clip, given)
    frames = frames_of(context, clip, camera or chosen.camera, fps=_EVERY_FRAME, stop=threading.Event())
    for frame in frames:
        if clip is None or frame.stamp.monotonic_s >= at_s - _SLACK_S:
            write_private(out, trying.drawn(frame, chosen))
            click.echo(f"{out}: door {chosen.id} at {frame.stamp.media_s or 0.0:.2f} s")
            return
    raise InputError(f"the clip ends before {at_s:g} s")
