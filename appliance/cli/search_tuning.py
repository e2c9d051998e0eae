"""`status`, `calibrate` and `refeaturize` of `appliance search`: by what it is searched, and how that goes.

While an appliance runs, its process that searches does the work and is followed; otherwise it is done here.
"""

import contextlib
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from appliance.app.catalogue_import_models import ImportModels
from appliance.cli.context import Context
from appliance.cli.parameters import Finite
from appliance.errors import PeerGoneError, SearchError
from appliance.services import Services
from appliance.store import Store
from appliance.wire import Client
from appliance.wire.messages import (
    AskSearch,
    CalibrateSearch,
    Done,
    RefeaturizeSearch,
    SearchTold,
)

if TYPE_CHECKING:
    from appliance.app.catalogue_at_hand import CatalogueAtHand

_STATUS: Final = "appliance search status"
_WORDS: Final = {
    "settings": "by the settings",
    "catalogue": "calibrated on the catalogue",
    "default": "not calibrated",
}
_KINDS: Final = {
    "loading": "reading the catalogue",
    "repairing": "describing pictures that were not",
    "refeaturizing": "describing all anew",
    "calibrating": "finding the threshold",
}


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def status(context: Context, *, as_json: bool) -> None:
    """Tell how much is in the catalogue, by what it is searched, and what is being done on it.

    \b
    Examples:
      appliance search status
    """
    told = running_search(context)
    rows = told.model_dump(mode="json", exclude={"type", "version"}) if told is not None else _kept(context)
    rows = {"running": told is not None, **rows}
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    click.echo(f"{rows['items']:,} items, {rows['pictures']:,} pictures")
    if rows["featurizer"]:
        words = _WORDS[rows["basis"]]
        click.echo(f"searched by {rows['featurizer']}, from {rows['threshold']:.2f} on ({words})")
    if rows["next_featurizer"]:
        click.echo(f"being described by {rows['next_featurizer']}")
    if told is None:
        click.echo("no process searches now; the settings say: " + _enabled(context))
        if not rows["items"]:
            click.echo("the catalogue is empty; fill it with: appliance search import items.csv")
        return
    for line in _going(told):
        click.echo(line)


@click.command("calibrate")
@click.option(
    "--false-matches",
    "rate",
    type=Finite(0.0001, 0.5),
    help="Share of things not in the catalogue that may find something. [default: as the settings say]",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def calibrate(context: Context, *, rate: float | None, as_json: bool) -> None:
    """Find the threshold on the catalogue: below it the answer is "nothing like it".

    Items are looked up as a camera could show them, as if they were not in the catalogue. An import does this
    by itself.

    \b
    Examples:
      appliance search calibrate
      appliance search calibrate --false-matches 0.01
    """
    if running_search(context) is not None:
        _search(context).call(CalibrateSearch(rate=rate), Done)
        _say({"running": True, "explained": None}, f"begun; see: {_STATUS}", as_json=as_json)
        return
    with context.services() as services, opened_models(context, services.store) as models:
        explained = settle_threshold(context, services, models, rate=rate, quiet=as_json)
    if not explained:
        raise SearchError(
            "the settings say from which similarity on something counts",
            hint='for a calibrated one: [search] threshold = "calibrated"',
        )
    _say({"running": False, "explained": explained}, explained, as_json=as_json)


@click.command("refeaturize")
@click.option(
    "--model", help="The network: efficientnet-lite0, or an id of search.networks. [default: the settings']"
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def refeaturize(context: Context, *, model: str | None, as_json: bool) -> None:
    """Describe all pictures by another network, or those that are not described yet; then search by that.

    While an appliance runs it does so, and goes on searching by the old one meanwhile. Broken off, it goes on
    where it was when it is begun again.

    \b
    Examples:
      appliance search refeaturize
      appliance search refeaturize --model mine
    """
    if running_search(context) is not None:
        _search(context).call(RefeaturizeSearch(model=model), Done)
        _say({"running": True}, f"begun; see: {_STATUS}", as_json=as_json)
        return
    with context.services() as services, opened_models(context, services.store) as models:
        with at_hand(context, services, models, "describing", quiet=as_json) as hand:
            done, left_out = hand.describe(model)
        explained = settle_threshold(context, services, models, quiet=as_json) if done else ""
    words = f"{done:,} pictures were described" + (f", {left_out:,} could not be" if left_out else "")
    _say(
        {"running": False, "described": done, "left_out": left_out, "explained": explained or None},
        "\n".join(each for each in (words, explained) if each),
        as_json=as_json,
    )


def opened_models(context: Context, store: Store) -> ImportModels:
    """The models process of the running appliance, or one of our own, once it is entered."""
    from appliance.app.embedding import models_socket

    return ImportModels(
        lambda: models_socket(context.layout, context.process_command("models")),
        store,
        context.settings.search.model,
    )


def running_search(context: Context) -> SearchTold | None:
    """How searching goes in the appliance that runs; None: none does."""
    try:
        return _search(context).call(AskSearch(), SearchTold).message
    except PeerGoneError:
        return None


def settle_threshold(
    context: Context,
    services: Services,
    models: ImportModels,
    *,
    rate: float | None = None,
    quiet: bool = False,
) -> str:
    """Find the threshold anew, here or by whoever searches; what came of it in words.

    Returns:
        Empty: the settings say it, so nothing was found.

    Raises:
        ApplianceError: It cannot be found.
    """
    if not isinstance(context.settings.search.threshold, str):
        return ""
    if running_search(context) is not None:
        _search(context).call(CalibrateSearch(rate=rate), Done)
        return f"the threshold is being found anew; see: {_STATUS}"
    with at_hand(context, services, models, "calibrating", quiet=quiet) as hand:
        return f"the threshold is {hand.calibrate(rate)}"


@contextlib.contextmanager
def at_hand(
    context: Context, services: Services, models: ImportModels, label: str, *, quiet: bool
) -> "Iterator[CatalogueAtHand]":
    """The catalogue, for work that is done here, with a bar."""
    from appliance.app.catalogue_at_hand import CatalogueAtHand

    models.ready()
    with click.progressbar(length=1, label=label, hidden=quiet, file=sys.stderr) as bar:

        def tell(done: int, of: int) -> None:
            bar.length = max(1, of)
            bar.update(done - bar.pos)

        yield CatalogueAtHand(services.store, models, context.settings.search, services.clock, tell=tell)


def _going(told: SearchTold) -> Iterator[str]:
    """How searching goes, in lines."""
    yield f"{told.indexed:,} pictures are searched in, {told.memory_bytes / 1e6:,.0f} MB"
    for work in told.work:
        of = f" of {work.total:,}" if work.total else ""
        trouble = f"; {work.words}" if work.words else ""
        yield f"{_KINDS[work.kind]}: {work.done:,}{of}{trouble}"
    for source in told.sources:
        words = f": {source.words}" if source.words else ""
        yield f"{source.source} {source.name}: {source.state}, {source.looked_up} looked up{words}"
    if told.unreadable:
        yield f"{told.unreadable} pictures cannot be described, and so are not found"
    if told.explained:
        yield told.explained
    if told.trouble:
        yield f"{told.trouble}; {told.hint}" if told.hint else told.trouble


def _kept(context: Context) -> dict[str, Any]:
    """What the store knows, as `SearchTold` names it."""
    from appliance.search.threshold import DEFAULT

    with context.services() as services:
        state = services.store.search_state()
    wanted = context.settings.search.threshold
    threshold, basis = (DEFAULT, "default") if state.threshold is None else (state.threshold, "catalogue")
    if not isinstance(wanted, str):
        threshold, basis = wanted, "settings"
    at = state.calibrated_at
    return {
        "items": state.items,
        "pictures": state.pictures,
        "featurizer": state.featurizer or "",
        "next_featurizer": state.next_featurizer or "",
        "model": context.settings.search.model,
        "threshold": threshold,
        "basis": basis,
        "calibrated_at": None if at is None else at.isoformat(),
    }


def _enabled(context: Context) -> str:
    if context.settings.search.enabled:
        return "it is to run; start it with: appliance run"
    return "[search] enabled = false; set it to true to search before cameras"


def _say(rows: dict[str, Any], words: str, *, as_json: bool) -> None:
    click.echo(json.dumps(rows, indent=1) if as_json else words)


def _search(context: Context) -> Client:
    return Client(context.layout.socket("search"))
