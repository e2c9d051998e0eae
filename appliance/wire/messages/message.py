"""What all messages are: frozen models with a type and a version. No message stands here.

Each, and each part of one, is built when it is first read or written: a process knows all and uses few, and
to build them all is a good part of its start.
"""

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """What all messages share; each has a Literal `type` and `version`, with defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


def kind(message: type[Message]) -> str:
    """The wire name of a class of messages, its `type`."""
    return str(message.model_fields["type"].default)
