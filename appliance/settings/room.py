"""What every model of the settings is, what every field of one has, and types that several share.

No setting stands here.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
"""Lower-case letters, digits, `_` and `-`; at most 32; safe in topics, file names and keys."""

Fraction = Annotated[float, Field(ge=0, le=1)]


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
