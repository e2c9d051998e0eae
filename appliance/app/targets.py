"""Trying the broker and the webhooks out, as the settings say, from wherever somebody asks: once.

What is sent says that it is a test. The box's own connection is left alone.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from appliance.errors import SettingsError
from appliance.services import Services
from appliance.settings import MqttSettings, Settings, WebhookSettings

_CONNECT_S: Final = 10.0
TEST: Final = "webhook_test"
"""The `type` of what is posted to try a webhook out."""


def try_broker(settings: Settings, services: Services) -> str:
    """Connect, publish a message and wait for its receipt; the topic it went to.

    Raises:
        SettingsError: There is no broker in the settings.
        ActionError: It did not work; says why.
    """
    from appliance.sinks.mqtt import Mqtt  # noqa: PLC0415 - a box without a broker loads no client
    from appliance.sinks.mqtt_topics import Topics  # noqa: PLC0415

    broker = needed(settings.mqtt)
    topics = Topics.of(broker, services.device)
    mqtt = Mqtt(broker, topics, services.device, guest=True, connect_s=_CONNECT_S)
    try:
        said = {"type": "mqtt_check", "at": _now(services.clock.wall)}
        mqtt.publish(topics.check, json.dumps(said).encode())
    finally:
        mqtt.close()
    return topics.check


def needed(settings: MqttSettings) -> MqttSettings:
    """The broker's settings.

    Raises:
        SettingsError: There is no broker in them.
    """
    if not settings.host:
        raise SettingsError(
            "no broker is set, so nothing is published",
            hint='add to the settings: [mqtt] host = "name or address"',
        )
    return settings


def webhook_of(settings: Settings, webhook: str) -> WebhookSettings:
    """One webhook's settings.

    Raises:
        SettingsError: There is none of that id.
    """
    for each in settings.webhooks:
        if each.id == webhook:
            return each
    there = ", ".join(each.id for each in settings.webhooks) or "none"
    raise SettingsError(f"there is no webhook {webhook[:64]!r}; there are: {there}")


def try_webhook(settings: Settings, services: Services, webhook: str) -> int:
    """Post a document that says it is a test, once; the status of the answer.

    Raises:
        SettingsError: There is no such webhook.
        ActionError: It was not taken; says why.
    """
    from appliance.sinks.webhook import WebhookAction  # noqa: PLC0415 - a box without one loads none

    action = WebhookAction(webhook_of(settings, webhook), services.device, services.clock)
    key = services.ids(services.clock.wall())
    return action.post(
        {
            "id": key,
            "at": _now(services.clock.wall),
            "device": services.device,
            "idempotency_key": key,
            "type": TEST,
            "version": 1,
        },
        key=key,
    )


def _now(wall: Callable[[], datetime]) -> str:
    return wall().astimezone(UTC).isoformat(timespec="milliseconds")
