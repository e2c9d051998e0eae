"""`appliance webhooks …`: which there are, and one of them tried out."""

import json

import click

from appliance.cli.context import Context


@click.group()
def webhooks() -> None:
    """Addresses that rules post events to.

    \b
    Examples:
      appliance webhooks list
      appliance webhooks test chat
    """


@webhooks.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def list_(context: Context, *, as_json: bool) -> None:
    """List the webhooks of the settings. Neither their addresses nor their secrets are shown."""
    found = context.settings.webhooks
    for each in found:
        row = {"id": each.id, "attempts": each.attempts, "allow_private": each.allow_private}
        private = ", private networks allowed" if each.allow_private else ""
        click.echo(json.dumps(row) if as_json else f"{each.id}: {each.attempts} attempts{private}")
    if not found and not as_json:
        click.echo("the settings have no webhook")


@webhooks.command("test")
@click.argument("webhook")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def test(context: Context, webhook: str, *, as_json: bool) -> None:
    """Post a signed test to WEBHOOK, of type webhook_test; say what is wrong if anything is."""
    from appliance.app.targets import try_webhook

    with context.services() as services:
        status = try_webhook(context.settings, services, webhook)
    click.echo(json.dumps({"status": status}) if as_json else f"the server took it: it answered {status}")
