"""`appliance check`: are the settings right? Nothing else is opened."""

import json
from typing import Any

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from appliance.cli.context import Context
from appliance.settings import Settings, nested_model
from appliance.settings.overlay import overlaid_keys, read_overlay


@click.command()
@click.option(
    "--describe", is_flag=True, help="List every setting with its default, meaning and restart scope."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def check(context: Context, *, describe: bool, as_json: bool) -> None:
    """Check the settings file: faults with line, key and the nearest valid key or event.

    \b
    Examples:
      appliance check
      appliance --settings /etc/appliance.toml check --json
      appliance check --describe
    """
    if describe:
        rows = described(Settings)
        if as_json:
            click.echo(json.dumps(rows, indent=1))
            return
        for row in rows:
            click.echo(
                f"{row['key']} = {row['default']}\n    {row['meaning']} [change: restart {row['scope']}]"
            )
        return
    from appliance.app.checking import checked

    path = context.need_settings_file()
    settings = checked(context.settings, context.settings_files)
    overlay = context.settings_files.overlay
    changed = overlaid_keys(read_overlay(overlay))
    summary = {
        "file": str(path),
        "overlay": str(overlay) if changed else None,
        "overlaid": list(changed),
        "ok": True,
        "cameras": [camera.id for camera in settings.cameras],
        "doors": [door.id for door in settings.doors],
        "actions": [action.id for action in settings.actions],
        "recipients": len(settings.evidence.recipients),
    }
    if as_json:
        click.echo(json.dumps(summary, indent=1))
        return
    click.echo(f"{path} is right: {len(settings.cameras)} camera(s), {len(settings.doors)} door(s)")
    if changed:
        click.echo(f"changed in the UI, by {overlay}: {', '.join(changed)}")
    if not settings.evidence.recipients:
        click.echo("note: evidence.recipients is empty, so no picture of a stranger will be stored")


def described(model: type[BaseModel], prefix: str = "") -> list[dict[str, Any]]:
    """Every setting below a model: key, default, meaning, restart scope."""
    rows: list[dict[str, Any]] = []
    for name, field in model.model_fields.items():
        key = f"{prefix}{name}"
        inner = nested_model(field.annotation)
        if inner is not None:
            rows.extend(described(inner, f"{key}." if inner is field.annotation else f"{key}[]."))
            continue
        scope = field.json_schema_extra["scope"] if isinstance(field.json_schema_extra, dict) else ""
        default = "(required)" if field.is_required() else _plain(field.default)
        rows.append({"key": key, "default": default, "meaning": _meaning(field), "scope": scope})
    return rows


def _meaning(field: FieldInfo) -> str:
    """What a setting is, and what tries it out in a terminal."""
    extra = field.json_schema_extra
    command = extra.get("command", "") if isinstance(extra, dict) else ""
    return f"{field.description}{f' Tried out by: {command}' if command else ''}"


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))
