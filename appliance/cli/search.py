"""`appliance search …`: the catalogue of visual search, and looking into it.

The group, and single items; imports and exports are in `search_tables`, looking is in `search_looking`, by
what is searched is in `search_tuning`.
"""

import json
from pathlib import Path
from typing import Any, Final, get_args

import click

from appliance.cli.agreeing import agree
from appliance.cli.context import Context
from appliance.cli.search_looking import query, watch
from appliance.cli.search_tables import export, import_
from appliance.cli.search_tuning import calibrate, refeaturize, status
from appliance.errors import InputError, UnknownItemError
from appliance.picture_files import read_picture
from appliance.store import CatalogueItem, ItemEntry, Store
from appliance.store.catalogue_checks import tidy
from appliance.wire import Client
from appliance.wire.messages import SearchView

_LIST: Final = "appliance search list"
_UNREAD: Final = {"no_file": "there is no such file", "too_many_bytes": "the file is too large"}


@click.group()
def search() -> None:
    """Visual search: a catalogue of things, and what in it is like a picture or what a camera sees.

    \b
    Examples:
      appliance search import items.csv
      appliance search query cup.jpg
      appliance search watch --camera desk
      appliance search add cup-7 cup.jpg --title "Blue cup" --link https://example.com/cup-7
      appliance search status

    A table is CSV or JSON with the columns id, title, link, price, notes and pictures (paths, with ; between
    several). The pictures lie in the table's folder.
    """


for each in (import_, export, query, watch, calibrate, refeaturize, status):
    search.add_command(each)


@search.command("list")
@click.argument("words", nargs=-1)
@click.option(
    "--most", type=click.IntRange(1, 100_000), default=100, help="So many, the newest. [default: 100]"
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def list_(context: Context, *, words: tuple[str, ...], most: int, as_json: bool) -> None:
    """List the items, the newest first; with WORDS those that have each of them.

    \b
    Examples:
      appliance search list
      appliance search list blue cup --json
    """
    with context.services() as services:
        found = services.store.items(limit=most + 1, text=" ".join(words))
        count = services.store.item_count()
    for each in found[:most]:
        click.echo(json.dumps(item_json(each), ensure_ascii=False) if as_json else _line(each))
    if as_json:
        return
    if not count:
        click.echo("the catalogue is empty; fill it with: appliance search import items.csv")
    elif not found:
        click.echo(f"none of the {count:,} items has these words")
    elif len(found) > most:
        click.echo(f"and older ones, {count:,} in all; --most {most * 10} shows more")


@search.command("show")
@click.argument("item")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def show(context: Context, *, item: str, as_json: bool) -> None:
    """Show ITEM (its id) and its pictures.

    \b
    Examples:
      appliance search show cup-7
    """
    with context.services() as services:
        found = wanted_item(services.store, item)
    if as_json:
        click.echo(json.dumps(item_json(found), indent=1, ensure_ascii=False))
        return
    entry = found.entry
    click.echo(f"{entry.id}  {entry.title}")
    for name in ("link", "price", "notes"):
        if said := getattr(entry, name):
            click.echo("\n".join(f"  {line}" for line in said.splitlines()))
    click.echo(f"  added {found.added_at.astimezone():%Y-%m-%d %H:%M}")
    for each in found.pictures:
        click.echo(f"  picture {each.id}  {each.width_px} x {each.height_px}  sha256 {each.sha256[:12]}")
    if not found.pictures:
        click.echo(f"  no pictures, so it is never found: appliance search add {entry.id} PICTURE")


@search.command("add")
@click.argument("item")
@click.argument("picture", nargs=-1, type=click.Path(path_type=Path))
@click.option("--title", help="What it is called. [default: as it is called now, or the id]")
@click.option("--link", help="Where more of it is to be read: http:// or https://.")
@click.option("--price", help="As it is to be shown.")
@click.option("--notes", help="Anything else.")
@click.option(
    "--view",
    type=click.Choice(get_args(SearchView)),
    default="all",
    help="What counts in the pictures: all, a square in the middle, or the largest thing. [default: all]",
)
@click.option("--replace", is_flag=True, help="Let the pictures that it has go.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def add(
    context: Context,
    /,
    *,
    item: str,
    picture: tuple[Path, ...],
    view: SearchView,
    replace: bool,
    as_json: bool,
    **said: str | None,
) -> None:
    """Add ITEM (an id that you choose) with PICTURE files; or add pictures to it, or change what it says.

    \b
    Examples:
      appliance search add cup-7 front.jpg side.jpg --title "Blue cup" --price "12 €"
      appliance search add cup-7 handle.jpg
      appliance search add cup-7 --title "Light blue cup"
    """
    from appliance.app.catalogue_changing import CatalogueChanges
    from appliance.app.catalogue_import_models import ImportModels
    from appliance.app.embedding import models_socket

    contents = [_read(each) for each in picture]
    with context.services(create=True) as services:
        store, model = services.store, context.settings.search.model
        entry = _entry(store, item, said)
        only_pictures = not replace and all(each is None for each in said.values())
        if contents:
            opened = ImportModels(
                lambda: models_socket(context.layout, context.process_command("models")), store, model
            )
            with opened as models:
                models.ready()
                changes = CatalogueChanges(store, models, model)
                if only_pictures and store.items_by_id([entry.id]):  # what it says meanwhile stays
                    put = changes.add(entry.id, contents, view)
                else:
                    put = changes.put(entry, contents, view=view, replace_pictures=replace)
        else:
            put = CatalogueChanges(store, Client(context.layout.socket("models")), model).put(entry)
        found = store.item(entry.id)
    if as_json:
        click.echo(
            json.dumps({"outcome": put.outcome, "item": item_json(found)}, indent=1, ensure_ascii=False)
        )
        return
    click.echo(f"{put.outcome}: {_line(found)}")
    if not found.pictures:
        click.echo(f"it has no pictures, so it is never found: appliance search add {found.entry.id} PICTURE")


@search.command("remove")
@click.argument("item", nargs=-1, required=True)
@click.option("--picture", help="Only this picture of it, by the end of its id.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove(context: Context, *, item: tuple[str, ...], picture: str | None, yes: bool) -> None:
    """Remove ITEM (ids) with their pictures, for good.

    \b
    Examples:
      appliance search remove cup-7 cup-8 --yes
      appliance search remove cup-7 --picture 5b3f02
    """
    from appliance.app.catalogue_changing import CatalogueChanges

    if picture is not None and len(item) != 1:
        raise click.UsageError("--picture is of one item")
    with context.services() as services:
        store = services.store
        changes = CatalogueChanges(
            store, Client(context.layout.socket("models")), context.settings.search.model
        )
        found = [wanted_item(store, each) for each in item]
        if picture is not None:
            of = [each for each in found[0].pictures if picture and each.id.endswith(picture)]
            if len(of) != 1:
                words = "several of its pictures have ids that end so" if of else "it has no such picture"
                raise InputError(
                    f"{item[0]}: {words}", hint="see them", command=f"appliance search show {item[0]}"
                )
            agree("Nothing brings a picture back.\nRemove it?", yes=yes)
            changes.remove_picture(found[0].entry.id, of[0].id)
            click.echo(f"removed a picture of {item[0]}; it has {len(found[0].pictures) - 1}")
            return
        agree(f"Nothing brings an item back.\nRemove {len(found)} item(s) with their pictures?", yes=yes)
        for each in found:
            changes.remove(each.entry.id)
            click.echo(f"removed: {each.entry.id}  {each.entry.title}")


def wanted_item(store: Store, item: str) -> CatalogueItem:
    """The item that has this id.

    Raises:
        UnknownItemError: None has it; those that have it among their words are named.
    """
    try:
        return store.item(tidy(item))
    except UnknownItemError:
        near = [each.entry.id for each in store.items(limit=3, text=item)] if item.strip() else []
        hint = f"nearest: {', '.join(near)}" if near else "see what there is"
        raise UnknownItemError(f"there is no item {item[:64]!r}", hint=hint, command=_LIST) from None


def item_json(item: CatalogueItem) -> dict[str, Any]:
    """An item, with stable names."""
    entry = item.entry
    return {
        "id": entry.id,
        "title": entry.title,
        "link": entry.link,
        "price": entry.price,
        "notes": entry.notes,
        "pictures": [
            {"id": each.id, "sha256": each.sha256, "width_px": each.width_px, "height_px": each.height_px}
            for each in item.pictures
        ],
        "added_at": item.added_at.isoformat(),
        "changed_at": item.changed_at.isoformat(),
    }


def _line(item: CatalogueItem) -> str:
    many = len(item.pictures)
    price = f"  {item.entry.price}" if item.entry.price else ""
    return f"{item.entry.id:<20} {many:>2} picture{'s' if many != 1 else ' '}  {item.entry.title}{price}"


def _entry(store: Store, item: str, said: dict[str, str | None]) -> ItemEntry:
    """What an item is to say: what was given, else what it says now."""
    item = tidy(item)
    had = store.items_by_id([item]).get(item)
    now = had.entry if had is not None else ItemEntry(item, item)
    return ItemEntry(
        item,
        *(
            str(getattr(now, name) if said[name] is None else said[name])
            for name in ("title", "link", "price", "notes")
        ),
    )


def _read(path: Path) -> bytes:
    """A picture's bytes.

    Raises:
        InputError: It cannot be read.
    """
    content = read_picture(path)
    if isinstance(content, str):
        raise InputError(f"{path}: {_UNREAD[content]}")
    return content
