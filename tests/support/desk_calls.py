"""The desk in the tests' own process: its real operations, without a socket; it can be away.

Arguments and results go through JSON as they would on the wire. The contract suite runs against this and
against the desk's client alike.
"""

import json
from collections.abc import Mapping
from typing import Any

from appliance.app.desk.operations import Desk
from appliance.errors import PeerGoneError
from web.desk import Answered


class NearDesk:
    """A desk's operations, called directly.

    Attributes:
        away: Whether it is as if its process had ended.
        asked: The names of what was asked, in order.
    """

    def __init__(self, desk: Desk) -> None:
        self.away = False
        self.asked: list[str] = []
        self._desk = desk

    def ask(
        self,
        operation: str,
        arguments: Mapping[str, Any],
        *,
        credential: str = "",
        blob: bytes = b"",
        timeout_s: float | None = None,
    ) -> Answered:
        """Carry out an operation."""
        if self.away:
            raise PeerGoneError("desk.sock: nobody listens")
        self.asked.append(operation)
        answer = self._desk.ask(
            operation, json.loads(json.dumps(dict(arguments))), credential=credential, blob=blob
        )
        return Answered(json.loads(json.dumps(answer.result)), answer.blob)
