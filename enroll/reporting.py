"""`appliance enroll report`: what the gallery risks, in words and as JSON."""

import json
import sys

import click

from appliance.cli.context import Context
from appliance.cli.parameters import Finite
from appliance.evaluation.safety import SafetyReport
from appliance.evaluation.safety_words import as_json as report_json
from appliance.evaluation.safety_words import words
from appliance.store import Store
from enroll.asking import as_json_option
from enroll.telling import Names, Safety

_SHOW_PROGRESS_FROM = 5000
"""References; fewer are compared with each other within two seconds."""


@click.command("report")
@click.option(
    "--fpir",
    type=Finite(0.00001, 0.1),
    help="Say it for this share of strangers that may pass, instead of that in the settings.",
)
@as_json_option
@click.pass_obj
def report(context: Context, *, fpir: float | None, as_json: bool) -> None:
    """Say how safe the gallery is: who will be recognised, who could be taken for whom.

    The threshold rises with the number of people, so that the share of strangers who pass stays as wanted,
    and more of the enrolled are missed; more pictures of each person bring that back. Names people who
    look alike, and those who need more or better pictures.

    \b
    Examples:
      appliance enroll report
      appliance enroll report --fpir 0.0001
      appliance enroll report --json | jq .alike
    """
    with context.services() as services:
        found = safety_now(context, services.store, fpir=fpir)
        names = Names.of(services.store)
    if as_json:
        click.echo(json.dumps(report_json(found, names), indent=1))
        return
    for line in words(found, names):
        click.echo(line)


def after(context: Context, store: Store) -> Safety:
    """The safety of what is enrolled after a change, ready to be told."""
    return Safety(safety_now(context, store), Names.of(store))


def safety_now(context: Context, store: Store, *, fpir: float | None = None) -> SafetyReport:
    """The safety of what is enrolled at this moment, with a progress bar where it takes long."""
    from appliance.app.safety import gallery_safety

    count = sum(subject.references for subject in store.subjects())
    with click.progressbar(
        length=count, label="comparing", hidden=count < _SHOW_PROGRESS_FROM, file=sys.stderr
    ) as bar:
        return gallery_safety(store, context.settings.recognition, fpir=fpir, progress=bar.update)
