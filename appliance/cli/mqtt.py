"""`appliance mqtt …`: the broker, tried out; and where the box says what."""

import json

import click

from appliance.cli.context import Context


@click.group()
def mqtt() -> None:
    """The broker that events are published to.

    \b
    Examples:
      appliance mqtt check
      appliance mqtt topics
    """


@mqtt.command("check")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def check(context: Context, *, as_json: bool) -> None:
    """Connect, publish one message and wait for its receipt; say what is wrong if anything is.

    The connection is one of its own, under the box's name with -check behind it: a broker that lets in
    certain names only has to know that one, too.
    """
    from appliance.app.targets import try_broker

    with context.services() as services:
        topic = try_broker(context.settings, services)
    click.echo(json.dumps({"topic": topic}) if as_json else f"the broker confirmed a message on {topic}")


@mqtt.command("topics")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def topics(context: Context, *, as_json: bool) -> None:
    """Print the topics of this box, as the settings make them. Nothing is connected."""
    from appliance.app.targets import needed
    from appliance.events import event_types
    from appliance.sinks.mqtt_topics import Topics, published

    settings = needed(context.settings.mqtt)
    with context.services() as services:
        found = Topics.of(settings, services.device)
    kinds = [each for each in event_types() if each in published(settings, event_types())]
    rows = {
        "status": found.status,
        "states": found.states,
        "events": [found.event(each) for each in kinds],
        "rules": f"{found.base}/rules/…",
        "songs": found.songs,
        "infer": found.infer,
        **({"home_assistant": found.discovery} if settings.home_assistant else {}),
    }
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    for name, told in rows.items():
        for each in [told] if isinstance(told, str) else told:
            click.echo(f"{name:<15} {each}")
