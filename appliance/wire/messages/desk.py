"""What the desk is asked: one message for all of its operations, which have their own models there."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import SecretStr, field_serializer

from appliance.wire.messages.message import Message


class AskDesk(Message):
    """Have the desk carry out an operation. Answered by `DeskAnswered`; files travel in the blob.

    Attributes:
        operation: Its name, e.g. `people.list`.
        arguments: Of the operation's own model; JSON values.
        credential: What the caller presents: a session's secret, a token, a paired screen's. Never logged.
    """

    type: Literal["ask_desk"] = "ask_desk"
    version: Literal[1] = 1
    operation: str
    arguments: Mapping[str, Any] = {}
    credential: SecretStr = SecretStr("")

    @field_serializer("credential", when_used="json")
    def _written(self, credential: SecretStr) -> str:
        return credential.get_secret_value()


class DeskAnswered(Message):
    """What came of it; JSON values, and raw bytes in the blob where the operation says so."""

    type: Literal["desk_answered"] = "desk_answered"
    version: Literal[1] = 1
    result: Any = None
