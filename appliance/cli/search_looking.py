"""`appliance search query` and `watch`: what is like a picture, or like what a camera sees now.

While an appliance runs that searches, it is asked; otherwise the catalogue is read here.
"""

import contextlib
import json
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

import click

from appliance.cli.context import Context
from appliance.cli.door_choice import live_camera
from appliance.cli.search_tuning import opened_models
from appliance.errors import InputError, PeerGoneError
from appliance.picture_files import read_picture
from appliance.wire import Client
from appliance.wire.messages import (
    AskNewest,
    Found,
    FoundTold,
    MatchTold,
    NewestTold,
    SearchPicture,
    SearchView,
)

if TYPE_CHECKING:
    from appliance.app.catalogue_at_hand import CatalogueAtHand

_LOOK_S: Final = 35.0
_WAIT_S: Final = 20.0
_AGAIN_S: Final = 1.0
_QUALITY: Final = 90
NOTHING: Final = 1
"""Exit code of a query to which there is nothing like it."""

_view = click.option(
    "--view",
    type=click.Choice(get_args(SearchView)),
    help="What counts: all, a square in the middle, or the largest thing.",
)
_matches = click.option(
    "--matches", type=click.IntRange(1, 50), help="At most. [default: as the settings say]"
)


@click.command("query")
@click.argument("picture", type=click.Path(dir_okay=False, path_type=Path))
@_view
@_matches
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def query(
    ctx: click.Context, *, picture: Path, view: SearchView | None, matches: int | None, as_json: bool
) -> None:
    """Print what in the catalogue is like PICTURE, the best first; ends with exit code 1 if nothing is.

    \b
    Examples:
      appliance search query cup.jpg
      appliance search query desk.jpg --view largest --matches 5 --json
    """
    context: Context = ctx.obj
    content = read_picture(picture)
    if isinstance(content, str):
        words = "there is no such file" if content == "no_file" else "the file is too large"
        raise InputError(f"{picture}: {words}")
    asked = SearchPicture(view=view or "all", matches=matches)
    try:
        client = Client(context.layout.socket("search"))
        found = client.call(asked, Found, blob=content, timeout_s=_LOOK_S).message.found
    except PeerGoneError:
        with _looking(context) as looking:
            found = looking.look(content, asked.view, matches)
    _tell(found, as_json=as_json)
    if not found.known:
        ctx.exit(NOTHING)


@click.command("watch")
@click.option("--camera", metavar="ID", help="A camera of the settings. [default: all that are watched]")
@_view
@_matches
@click.option("--most", type=click.IntRange(1), help="End after so many look-ups.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def watch(
    context: Context,
    *,
    camera: str | None,
    view: SearchView | None,
    matches: int | None,
    most: int | None,
    as_json: bool,
) -> None:
    """Print what is found before a camera, as it happens, until Ctrl-C.

    Hold a thing still before the camera: it is looked up once. While an appliance runs that searches, this is
    what it finds, by its settings; otherwise the camera is opened here.

    \b
    Examples:
      appliance search watch
      appliance search watch --camera desk --view all --json
    """
    stop = threading.Event()
    told = 0
    with (
        contextlib.suppress(KeyboardInterrupt),
        contextlib.closing(_lookups(context, camera, view, matches, stop)) as lookups,
    ):
        for found in lookups:
            _tell(found, as_json=as_json, line=True)
            told += 1
            if most is not None and told >= most:
                break
    stop.set()


def _lookups(
    context: Context, camera: str | None, view: SearchView | None, matches: int | None, stop: threading.Event
) -> Generator[FoundTold]:
    """Look-ups before a camera as they happen."""
    client = Client(context.layout.socket("search"))
    try:
        number = client.call(AskNewest(limit=1), NewestTold).message.number
    except PeerGoneError:
        yield from _own_lookups(context, camera, view, matches, stop)
        return
    if view is not None or matches is not None:
        raise InputError(
            "the running appliance watches by its settings",
            hint="leave --view and --matches away, or change [search] view and matches",
        )
    click.echo("watching what the running appliance finds; Ctrl-C ends it", err=True)
    away = False
    while True:
        asked = AskNewest(limit=50, after=number, wait_s=0 if away else _WAIT_S)
        try:
            told = client.call(asked, NewestTold, timeout_s=_WAIT_S + 10).message
        except PeerGoneError:
            if not away:
                click.echo("the appliance does not search just now; it goes on by itself", err=True)
            away = True
            stop.wait(_AGAIN_S)
            continue
        if told.number < number:  # it was started anew, and counts from the beginning
            number = 0
            away = False
            continue
        if away:
            away = False
            click.echo("it searches again", err=True)
        new = {each.number: each for each in (*told.found, *told.last.values()) if each.number > number}
        number = max(number, told.number)
        for _, each in sorted(new.items()):
            if camera in {None, each.name}:
                yield each


def _own_lookups(
    context: Context, camera: str | None, view: SearchView | None, matches: int | None, stop: threading.Event
) -> Generator[FoundTold]:
    """The same, from a camera that is opened here."""
    from appliance.app.doors import live_frames
    from appliance.camera import encode_jpeg
    from appliance.search import HeldStill, seen, sketch

    settings = context.settings.search
    first = settings.cameras[0] if settings.cameras else None
    if camera is None and first is None and context.settings.cameras:
        first = context.settings.cameras[0].id
    chosen = live_camera(context, camera or first or "camera")
    counting = view or settings.view
    with _looking(context) as looking:
        click.echo(f"watching {chosen.id}: hold a thing still before it; Ctrl-C ends it", err=True)
        still = HeldStill.of_sketches(settings.hold_s)
        due_s = 0.0
        for frame in live_frames(chosen, stop):
            if frame.stamp.monotonic_s < due_s:
                continue
            due_s = frame.stamp.monotonic_s + 1 / settings.look_fps
            bgr = frame.bgr()
            middle = "centre" if counting == "largest" else counting
            if still.look(sketch(seen(bgr, middle)), frame.stamp.monotonic_s):
                yield looking.look(encode_jpeg(bgr, _QUALITY), counting, matches, camera=chosen.id)


@contextlib.contextmanager
def _looking(context: Context) -> "Iterator[CatalogueAtHand]":
    from appliance.app.catalogue_at_hand import CatalogueAtHand

    with context.services() as services, opened_models(context, services.store) as models:
        models.ready()
        yield CatalogueAtHand(services.store, models, context.settings.search, services.clock)


def _tell(found: FoundTold, *, as_json: bool, line: bool = False) -> None:
    """Print what came of a look."""
    if as_json:
        rows = found.model_dump(mode="json")
        click.echo(json.dumps(rows, ensure_ascii=False, indent=None if line else 1))
        return
    where = f"{found.at.astimezone():%H:%M:%S}  {found.name:<12} " if line else ""
    if found.known:
        for each in found.matches[:1] if line else found.matches:
            click.echo(where + _match(each))
        return
    near = f"; the nearest is {found.near.item} with {found.near.score:.2f}" if found.near is not None else ""
    click.echo(f"{where}nothing like it{near} (from {found.threshold:.2f} on it would count)")


def _match(match: MatchTold) -> str:
    more = "  ".join(each for each in (match.price, match.link) if each)
    return f"{match.score:.2f}  {match.item:<20} {match.title}" + (f"  {more}" if more else "")
