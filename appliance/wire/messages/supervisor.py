"""What the supervisor is asked: how its children are, and to start one anew."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from appliance.wire.messages.message import Message


class SupervisorStatusRequest(Message):
    """How are your children? Answered by `SupervisorStatus`."""

    type: Literal["supervisor_status_request"] = "supervisor_status_request"
    version: Literal[1] = 1


ChildState = Literal["starting", "running", "waiting", "stopping", "stopped"]
"""waiting: it died, and its restart is due after a pause."""


class ChildStatus(BaseModel):
    """How a child of the supervisor is.

    Attributes:
        pid: None while it does not run.
        restarts: Times it was restarted since the supervisor started.
        last_exit: How it ended last (`exit 3`, `killed by SIGKILL`); empty if it never did.
        message: What it said when it ended, if it is not well again since; empty if nothing.
        hint: What it said to do about that.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
    name: str
    pid: int | None
    state: ChildState
    restarts: int
    last_exit: str = ""
    message: str = ""
    hint: str = ""


class SupervisorStatus(Message):
    """The supervisor's children, in the order in which they are started."""

    type: Literal["supervisor_status"] = "supervisor_status"
    version: Literal[1] = 1
    pid: int
    uptime_s: float
    children: tuple[ChildStatus, ...]


class RestartChild(Message):
    """Have a child end in good order and start again, e.g. to read changed settings.

    Answered by `Done` as soon as it is asked to; how it is then, `SupervisorStatus` says.
    """

    type: Literal["restart_child"] = "restart_child"
    version: Literal[1] = 1
    child: str
