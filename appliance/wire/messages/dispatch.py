"""What the dispatch process is told: that there is work. What it is, it reads from the outbox."""

from typing import Literal

from appliance.wire.messages.message import Message


class WakeDispatch(Message):
    """Something new is in the outbox. Answered by `Done`; losing one costs two seconds at most."""

    type: Literal["wake_dispatch"] = "wake_dispatch"
    version: Literal[1] = 1
