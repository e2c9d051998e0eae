"""The desk as web sees it: an operation's name, arguments and a credential go over, an answer comes back.

Nothing is decided here and nothing is kept: what the desk raises is raised again, as the same class.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import SecretStr

from appliance.wire import Client
from appliance.wire.messages import AskDesk, DeskAnswered


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of an operation.

    Attributes:
        result: JSON values.
        blob: Raw bytes beside it, e.g. a picture; empty where the operation has none.
    """

    result: Any = None
    blob: bytes = b""


class DeskCalls(Protocol):
    """Whatever carries out operations: the desk's process, or its core in the tests' own process."""

    def ask(
        self,
        operation: str,
        arguments: Mapping[str, Any],
        *,
        credential: str = "",
        blob: bytes = b"",
        timeout_s: float | None = None,
    ) -> Answered:
        """Carry out an operation for who presents the credential.

        Raises:
            PeerGoneError: The desk is away.
            ApplianceError: Whatever the operation raises.
        """
        ...


class DeskClient:
    """The desk's process, behind its socket.

    Args:
        path: Of the socket.
        timeout_s: Seconds for a whole call, unless the call says otherwise.
    """

    def __init__(self, path: Path, *, timeout_s: float = 10.0) -> None:
        self._client = Client(path, timeout_s=timeout_s)

    def ask(
        self,
        operation: str,
        arguments: Mapping[str, Any],
        *,
        credential: str = "",
        blob: bytes = b"",
        timeout_s: float | None = None,
    ) -> Answered:
        """Carry out an operation; see `DeskCalls`."""
        message = AskDesk(operation=operation, arguments=dict(arguments), credential=SecretStr(credential))
        reply = self._client.call(message, DeskAnswered, blob=blob, timeout_s=timeout_s)
        return Answered(reply.message.result, reply.blob)
