"""What is of its moment, by MQTT: told to a broker that answers now, or not at all. Nothing is kept here.

A message with a receipt (QoS 1) would be sent again whenever the connection is back, long after whoever asked
was told that it failed; one to a broker that sleeps would come when it wakes.
"""

from typing import Final, Protocol

from appliance.errors import ActionError
from appliance.sinks.mqtt_faults import FROZEN, Trouble
from appliance.sinks.mqtt_topics import fit_to_publish

_AT_ONCE_S: Final = 2.0
"""How long it may take to be with the broker, and then with whoever listens."""


class Broker(Protocol):
    """The connection; see `appliance.sinks.mqtt.Mqtt`."""

    @property
    def connected(self) -> bool:
        """Whether there is a connection."""

    @property
    def trouble(self) -> Trouble:
        """What stood in the way last."""

    def alive(self, wait_s: float) -> bool:
        """Whether the broker answers within so many seconds."""

    def offer(self, topic: str, payload: bytes, *, wait_s: float, expiry_s: float | None = None) -> bool:
        """Publish without a receipt, if there is a connection; whether it went out."""


def tell_at_once(broker: Broker, topic: str, payload: bytes) -> None:
    """Publish to a broker that answers at this moment.

    Args:
        broker: The connection.
        topic: The whole topic.
        payload: As it is.

    Raises:
        ActionError: It was not told.
    """
    fit_to_publish(topic)
    if broker.alive(_AT_ONCE_S) and broker.offer(topic, payload, wait_s=_AT_ONCE_S, expiry_s=_AT_ONCE_S):
        return
    trouble = FROZEN if broker.connected else broker.trouble
    raise ActionError(trouble.message, hint=trouble.hint)
