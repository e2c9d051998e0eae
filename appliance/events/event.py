"""What every event is, and what is personal beside it.

Each is built when it is first read or written, for the reason that messages are: see `wire.messages.message`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, field_validator


class Event(BaseModel):
    """What all events share. `type` and `version` are part of what is hashed.

    Attributes:
        camera: Where it was seen, if anywhere.
        door: At which door.
        visit: Groups what happened between a door's opening and its shutting.
        by: Who did it, by the opaque id of an operator, of an API token or of a screen; None: the box, or a
            command on it. The store writes it, see `Store.acting`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
    version: Literal[1, 2] = 1
    camera: str | None = None
    door: str | None = None
    visit: str | None = None
    by: str | None = None

    #: Event types whose outbox rows an action with a `grade` filters.
    graded: ClassVar[bool] = False
    #: Versions of this type that are read; the last is the one that is written.
    versions: ClassVar[tuple[int, ...]] = (1,)

    @field_validator("version")
    @classmethod
    def _known(cls, version: int) -> int:
        if version not in cls.versions:
            raise ValueError("there is no such version of this event")
        return version


class Personal(BaseModel):
    """What is personal about an event: sealed under `subject`'s key, never in the body.

    Attributes:
        subject: Whose key seals it.
        payload: Free of structure for the store; e.g. `{"note": "…"}`.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)
    subject: str
    payload: Mapping[str, Any]
