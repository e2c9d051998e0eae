"""Operations that try the broker and the webhooks out: what is wrong comes back in words, as an answer.

What of their settings may be changed over the network is `foreign`'s.
"""

from typing import Any

from pydantic import Field

from appliance.app.desk.applying import Source
from appliance.app.desk.in_person import only_in_person
from appliance.app.desk.operations import Answer, Arguments, Asked, Nothing, Operation
from appliance.app.repeating import private_webhooks
from appliance.app.targets import try_broker, try_webhook
from appliance.errors import ActionError
from appliance.permissions import Permission
from appliance.services import Services


class Which(Arguments):
    """Attributes: webhook: its id."""

    webhook: str = Field(max_length=64)


class Targets:
    """Tries them out.

    Args:
        services: Id of the box, and the clock.
        source: Where the settings are.
    """

    def __init__(self, services: Services, source: Source) -> None:
        self._services = services
        self._source = source

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        may = Permission.SETTINGS
        return [
            Operation("mqtt.check", Nothing, may, self.check_mqtt, waits=True),
            Operation("webhooks.test", Which, may, self.test, waits=True),
        ]

    def check_mqtt(self, asked: Asked[Nothing]) -> Answer:  # noqa: ARG002 - an operation is told what was asked
        """Connect to the broker and publish a message: `{ok, message, hint}`, in words.

        Raises:
            SettingsError: There is no broker in the settings, or they are wrong.
        """
        try:
            topic = try_broker(self._source.running(), self._services)
        except ActionError as error:
            return Answer({"ok": False, "message": error.message, "hint": error.hint})
        return Answer({"ok": True, "message": f"the broker confirmed a message on {topic}", "hint": ""})

    def test(self, asked: Asked[Which]) -> Answer:
        """Post a test to a webhook: `{ok, message, hint}`, in words.

        Raises:
            SettingsError: There is no such webhook, or the settings are wrong.
            DeniedError: It may post into a private network, where a relay takes anything for an order, and
                no person asks who is signed in.
        """
        settings = self._source.running()
        if asked.arguments.webhook in private_webhooks(settings):
            only_in_person(asked.who)
        try:
            status = try_webhook(settings, self._services, asked.arguments.webhook)
        except ActionError as error:
            return Answer({"ok": False, "message": error.message, "hint": error.hint})
        return Answer({"ok": True, "message": f"the server took it: it answered {status}", "hint": ""})
