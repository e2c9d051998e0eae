"""What every model of the settings is, and what every field of one has. No setting stands here."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


def field(default: Any, description: str, *, scope: str = "loop", command: str = "", **limits: Any) -> Any:
    """A field with what every field must have: a description and a restart scope.

    A description is shown on pages too and names no command; what tries the setting out in a terminal is
    `command`.
    """
    extra: dict[str, Any] = {"scope": scope, **({"command": command} if command else {})}
    return Field(default, description=description, json_schema_extra=extra, **limits)


class Room(BaseModel):
    """Frozen, and strict about names: a key nobody knows is an error, not a silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")
