"""`appliance clips …`: recorded video: which clips there are, taking one out, deleting one, recording one."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from appliance.app.clip_asking import ClipAsking, asking
from appliance.cli.agreeing import agree
from appliance.cli.context import Context
from appliance.cli.files import new_file
from appliance.cli.parameters import Finite
from appliance.errors import InputError
from appliance.events import ClipExported
from appliance.phrases import CLIP_ENDS, lasting
from appliance.wire import Client
from appliance.wire.messages import ClipTold, FragmentTold, Record, RecordTaken

_MIB: Final = 1024 * 1024
_SHORT, _LONG = 6, 36
"""Characters of an id: as few as tell it from others, and all of it."""
_LEAVES: Final = (
    "The clip leaves the box in the clear: whoever has the file sees everybody who is on it.\nExport it?"
)
_GOES: Final = (
    "Nothing brings a clip back: its key is destroyed with it. What Kinesis Video Streams has of it stays "
    "there.\nDelete it?"
)
_TAKEN: Final = {
    "began": "recording",
    "extended": "a clip of this camera is being recorded, and goes on",
    "known": "this was asked for before",
}


@click.group()
def clips() -> None:
    """Recorded video: list, show, export, delete, record.

    Clips are recorded by rules, and kept sealed on the box; they play in the browser.

    \b
    Examples:
      appliance clips list
      appliance clips export 0190a5bc-0000-7000-8000-00000000dead --out dog.mp4
      appliance clips record entrance --seconds 30
    """


@clips.command("list")
@click.option("--camera", help="Only this camera's.")
@click.option("--most", type=click.IntRange(1, 1000), default=100, help="So many, the newest. [default: 100]")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def list_(context: Context, *, camera: str | None, most: int, as_json: bool) -> None:
    """List the clips, the newest first."""
    with context.services() as services, asking(context.settings, services) as ask:
        found = ask.clips(camera, most=most)
    if as_json:
        click.echo(json.dumps([_row(each) for each in found.clips], indent=1))
        return
    if not found.clips:
        click.echo("no clips are stored")
    for each in found.clips:
        click.echo(f"{each.clip}  {_line(each)}")
    if found.more:
        click.echo(f"and older ones; --most {most * 10 if most < 100 else 1000} shows more")  # noqa: PLR2004


@clips.command("show")
@click.argument("clip")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def show(context: Context, *, clip: str, as_json: bool) -> None:
    """Show what is known of CLIP (an id, or its end), and its fragments."""
    with context.services() as services, asking(context.settings, services) as ask:
        shown = ask.clip(_whole(ask, clip))
    told = shown.clip
    if as_json:
        rows = [_fragment_row(each) for each in shown.fragments]
        click.echo(json.dumps({**_row(told), "pieces": rows}, indent=1))
        return
    click.echo(f"{told.clip}\n  {_line(told)}")
    click.echo(f"  {told.width} x {told.height}, {told.fragments} fragments")
    if told.why:
        click.echo(f"  ended: {CLIP_ENDS.get(told.why, told.why)}")
    if told.labels:
        click.echo(f"  seen: {', '.join(f'{label} ({score:.0%})' for label, score in told.labels)}")
    for cause in told.causes:
        click.echo(f"  set off by the event {cause}")
    if told.streams:
        click.echo(f"  recorded for {', '.join(told.streams)}")
    if told.keep_until_ms is not None:
        click.echo(f"  kept until {_moment(told.keep_until_ms)}")


@clips.command("export")
@click.argument("clip")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file: .mp4 or .mkv. [default: CLIP.mp4]",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def export(context: Context, *, clip: str, out: Path | None, yes: bool) -> None:
    """Write CLIP (an id, or its end) into one file that any player plays: it leaves the box in the clear.

    That is in the log: appliance events list.
    """
    from appliance.video.mp4 import clip_pieces

    with context.services() as services, asking(context.settings, services) as ask:
        shown = ask.clip(_whole(ask, clip))
        target = out if out is not None else Path(f"{shown.clip.clip}.mp4")
        if target.suffix not in {".mp4", ".mkv"}:
            raise InputError(
                f"{target} is neither .mp4 nor .mkv", hint="name the file so; nothing else is written"
            )
        agree(_LEAVES, yes=yes)
        with new_file(target) as file:
            services.store.append(ClipExported(camera=shown.clip.camera, clip=shown.clip.clip))
            if target.suffix == ".mp4":
                for piece in clip_pieces(lambda: ask.fragments(shown)):
                    file.write(piece)
            else:
                for piece in _matroska(ask, shown.clip.clip):
                    file.write(piece)
    click.echo(f"{target}: {_line(shown.clip)}")


@clips.command("delete")
@click.argument("clip", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(context: Context, *, clip: tuple[str, ...], yes: bool) -> None:
    """Delete CLIP (ids, or their ends): with its key, for good.

    What waits of it to be sent to Kinesis Video Streams goes, too, and nothing more of it is sent; what is
    stored there by then stays until its time is over.
    """
    with context.services() as services, asking(context.settings, services) as ask:
        # Of one that is not listed any more something may wait to be sent.
        wanted = [each if len(each) == _LONG else _whole(ask, each) for each in clip]
        agree(_GOES, yes=yes)
        for each in wanted:
            ask.delete(each)
            click.echo(f"{each} is deleted")


@clips.command("record")
@click.argument("camera")
@click.option("--seconds", type=Finite(1, 3600), help="Of video from now on. [default: as the settings say]")
@click.pass_obj
def record(context: Context, *, camera: str, seconds: float | None) -> None:
    """Record a clip of CAMERA now; the appliance has to run."""
    from appliance.app.function_wishes import cameras_of

    there = cameras_of(context.settings, context.layout)()
    if camera not in there:
        raise InputError(
            f"there is no camera {camera[:64]!r}; there are: {', '.join(sorted(there)) or 'none'}"
        )
    client = Client(context.layout.socket("video"))
    asked = Record(camera=camera, seconds=seconds or context.settings.video.clip_s)
    click.echo(_TAKEN[client.call(asked, RecordTaken).message.state])


def _matroska(ask: ClipAsking, clip: str) -> Any:
    """A clip as one Matroska file, piece by piece."""
    import uuid

    from appliance.video.matroska import stream_fragment, stream_header

    shown = ask.clip(clip)
    for number, fragment in enumerate(ask.fragments(shown)):
        if number == 0:
            yield stream_header(fragment.track, segment_uid=uuid.UUID(clip).bytes)
        yield stream_fragment(fragment, close=False)


def _whole(ask: ClipAsking, clip: str) -> str:
    """The id of which this is the whole or the end.

    Raises:
        InputError: It is that of none, or of several.
    """
    if len(clip) < _SHORT:
        raise InputError(f"{clip!r} is too short for a clip's id", hint="give its last six digits at least")
    found = [each.clip for each in ask.ending(clip[:_LONG]).clips]
    if len(found) != 1:
        words = "several clips have ids that end so" if found else "no clip has this id"
        raise InputError(f"{clip[:64]!r}: {words}", hint="list them", command="appliance clips list")
    return found[0]


def _line(clip: ClipTold) -> str:
    seen = f"  {clip.labels[0][0]}" if clip.labels else ""
    lasted = lasting((clip.end_ms - clip.begin_ms) / 1000)
    now = "  being recorded" if clip.state == "recording" else ""
    return f"{_moment(clip.begin_ms)}  {clip.camera}  {lasted}  {clip.size_bytes / _MIB:.1f} MiB{seen}{now}"


def _moment(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC).astimezone():%Y-%m-%d %H:%M:%S}"


def _row(clip: ClipTold) -> dict[str, Any]:
    return clip.model_dump(mode="json")


def _fragment_row(fragment: FragmentTold) -> dict[str, Any]:
    return fragment.model_dump(mode="json")
