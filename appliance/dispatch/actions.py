"""What can be done about an event, and the simplest of it: a line for people.

An action performs one delivery or says why not; it neither retries nor knows of the outbox.
"""

from datetime import tzinfo
from typing import Protocol, TextIO

from appliance.deliveries import Delivery
from appliance.dispatch.wording import Names, line
from appliance.errors import ActionError


class Action(Protocol):
    """Something that is done about an event.

    One delivery at a time, always from the same thread, but for what is planned `together`.
    """

    def perform(self, delivery: Delivery) -> None:
        """Do it; returning means that it is done.

        Raises:
            ActionError: It did not happen; `permanent` when another try cannot help, `unknown` when it may
                have happened and must not be repeated.
        """

    def close(self) -> None:
        """Give up what is being done; called from another thread, at the end, more than once perhaps.

        A `perform` that runs raises ActionError soon.
        """


class LineAction:
    """Writes one readable line for each event.

    Args:
        stream: Where to; usually standard output.
        names: The name to show for a subject; None shows ids only.
        zone: Time zone of the clock shown; None is this machine's.
    """

    def __init__(self, stream: TextIO, names: Names | None = None, zone: tzinfo | None = None) -> None:
        self._stream = stream
        self._names = names
        self._zone = zone

    def perform(self, delivery: Delivery) -> None:
        """Write the line, and flush it.

        Raises:
            ActionError: The stream does not take it (a closed pipe, a full disk).
        """
        text = line(delivery.event, delivery.at, self._names, self._zone) + "\n"
        encoding = self._stream.encoding or "utf-8"
        try:
            # A terminal in another encoding shows a question mark rather than nothing.
            self._stream.write(text.encode(encoding, "replace").decode(encoding))
            self._stream.flush()
        except (OSError, ValueError) as error:
            raise ActionError(f"the line cannot be written: {type(error).__name__}") from error

    def close(self) -> None:
        """Nothing to give up."""
