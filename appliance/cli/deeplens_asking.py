"""Asking the process that hosts functions, for the commands of `appliance deeplens`."""

from typing import Any, TypeVar

from appliance.cli.context import Context
from appliance.errors import PeerGoneError
from appliance.wire import Client, Message, Reply

M = TypeVar("M", bound=Message)

STOP_S = 30.0
"""How long ending a function may take."""


def asked(
    context: Context, message: Message, expect: type[M], *, blob: bytes = b"", timeout_s: float = 15.0
) -> M:
    """What the process that hosts functions answers; see `asked_reply`."""
    return asked_reply(context, message, expect, blob=blob, timeout_s=timeout_s).message


def asked_reply(
    context: Context, message: Message, expect: type[M], *, blob: bytes = b"", timeout_s: float = 15.0
) -> Reply[M]:
    """What the process that hosts functions answers, with what came beside it.

    Raises:
        PeerGoneError: It does not run.
        ApplianceError: What it raised.
    """
    client = Client(context.layout.socket("functions"), timeout_s=timeout_s)
    try:
        answer: Reply[Any] = client.call(message, expect, blob=blob)
    except PeerGoneError as error:
        raise PeerGoneError(
            "nothing that hosts functions answers here",
            hint="start the appliance, with deeplens.enabled",
            command="appliance run\nor, without it: appliance deeplens run FUNCTION --source scene:door",
        ) from error
    return answer
