"""A line on the office screens, asked for by a rule: put into the log, from which the screens read.

What it says is the admin's text, and may name people: it stays in the rule, of which the log names version
and action. Who `{alias}` is, is decided where it is shown: by what that person agreed to.
"""

from typing import Protocol

from appliance.deliveries import Delivery
from appliance.errors import ActionError, ApplianceError
from appliance.events import Event, ScreenAsked


class Appends(Protocol):
    """The log."""

    def append(self, event: Event) -> object:
        """Write an event.

        Raises:
            StoreError: It cannot be.
        """


class ScreenAction:
    """Asks the screens to show a line, once for each event.

    Args:
        log: Where it is asked for.
    """

    def __init__(self, log: Appends) -> None:
        self._log = log

    def perform(self, delivery: Delivery) -> None:
        """Ask for it.

        Raises:
            ActionError: What the rule asks for is none, or the log cannot take it.
        """
        try:
            asked = ScreenAsked(
                rule=delivery.rule or "",
                rule_version=int(delivery.parameters["version"]),
                number=int(delivery.parameters["number"]),
                seconds=float(delivery.parameters["seconds"]),
                subject=getattr(delivery.event, "subject", None),
                cause=delivery.event_id,
                door=delivery.event.door,
                camera=delivery.event.camera,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ActionError("the rule's line cannot be read", permanent=True) from error
        try:
            self._log.append(asked)
        except ApplianceError as error:
            raise ActionError(f"the screens cannot be asked: {error.message}") from error

    def close(self) -> None:
        """Nothing to give up."""
