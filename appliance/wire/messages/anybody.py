"""What every process of ours can be asked, and how any of them answers."""

from collections.abc import Mapping
from typing import Any, Literal

from appliance.wire.messages.message import Message


class Ping(Message):
    """Are you there and able to answer? Every server answers it by itself."""

    type: Literal["ping"] = "ping"
    version: Literal[1] = 1


class Pong(Message):
    """Yes."""

    type: Literal["pong"] = "pong"
    version: Literal[1] = 1
    pid: int


class Done(Message):
    """It was done, and there is nothing more to say."""

    type: Literal["done"] = "done"
    version: Literal[1] = 1


class Failure(Message):
    """It failed with one of our errors; `appliance.wire.failures` makes and raises it.

    Attributes:
        error: Name of the class in `appliance.errors`.
        message: What is wrong and where.
        hint: What to do about it.
        reason: The stable code of a PhotoError; else empty.
        position: That of a ChainBrokenError; else 0.
        permanent: That of an ActionError; else False.
        fields: Those of a FormError; else empty.
        wait_s: That of a ThrottledError; else 0.
    """

    type: Literal["failure"] = "failure"
    version: Literal[1] = 1
    error: str
    message: str
    hint: str = ""
    reason: str = ""
    position: int = 0
    permanent: bool = False
    fields: Mapping[str, str] = {}
    wait_s: float = 0.0


class StatusRequest(Message):
    """How are you? Answered by `Status`."""

    type: Literal["status_request"] = "status_request"
    version: Literal[1] = 1


class Status(Message):
    """How a process is.

    Attributes:
        process: Its name: loop, models, dispatch, web, supervisor.
        uptime_s: Seconds since it started.
        details: Whatever the process has to say of itself; JSON values.
    """

    type: Literal["status"] = "status"
    version: Literal[1] = 1
    process: str
    pid: int
    uptime_s: float
    details: Mapping[str, Any] = {}
