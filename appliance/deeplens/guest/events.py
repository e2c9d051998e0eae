"""What an event-driven function gets with each message: event and context, as Greengrass gave them."""

import json
import time
import uuid
from typing import Any, Final

_TIMEOUT_MS: Final = 3_000


class ClientContext:
    """What Greengrass said of a message.

    Attributes:
        client: Nothing.
        env: Nothing.
        custom: `subject`: the topic that the message came on.
    """

    def __init__(self, topic: str) -> None:
        self.client = None
        self.env: dict[str, str] = {}
        self.custom = {"subject": topic}


class Context:
    """What a handler gets as its second argument.

    Args:
        topic: What the message came on.
        arn: The function's name in full.
        memory_mb: What it may use.
    """

    def __init__(self, topic: str, *, arn: str, memory_mb: int) -> None:
        self.function_name, _, self.function_version = arn.partition(":function:")[2].partition(":")
        self.invoked_function_arn = arn
        self.memory_limit_in_mb = memory_mb
        self.aws_request_id = str(uuid.uuid4())
        self.log_group_name = f"/aws/lambda/{self.function_name}"
        self.log_stream_name = self.function_version
        self.identity = None
        self.client_context = ClientContext(topic)
        self._since = time.monotonic()

    def get_remaining_time_in_millis(self) -> int:
        """Of the three seconds that a handler had; nothing ends it here when they are over."""
        return max(0, _TIMEOUT_MS - int((time.monotonic() - self._since) * 1000))

    def log(self, message: Any) -> None:
        """Write into the function's log."""
        print(message)  # noqa: T201 - what the function says is its output


def event(payload: bytes) -> Any:
    """A message's payload as a handler gets it: JSON read; else its text; else its bytes."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return payload
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
