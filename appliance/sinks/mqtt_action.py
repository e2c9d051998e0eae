"""Events to the broker: what dispatch performs for the lane `mqtt`.

Two kinds of rows come here: of the box's own subscription, without parameters, which go to the topic of
their type, and of rules, which name a topic of their own. Both are the same document. None is ever retained:
whoever connects later is not told of what was over before as if it happened now.

Coffees bear another id of whoever had them than everything else does, and no id of the stay: the broker keeps
coffees by alias, and whoever agreed to those alone is not to be told by it when they come.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol

from appliance.deliveries import Delivery
from appliance.sinks.documents import Aliases, document, written
from appliance.sinks.mqtt_topics import Topics

_COFFEES: Final = "coffee_"
"""How the types of events about coffees begin."""
_DRINKERS: Final = ("subject", "was_subject")
_JOINS: Final = ("encounter",)
"""Fields of such an event by which it would be found among the others of the same stay."""


class Broker(Protocol):
    """Where messages are published; see `appliance.sinks.mqtt.Mqtt`."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, key: str = "") -> None:
        """Publish, and wait for the receipt. Raises ActionError."""

    def close(self) -> None:
        """Give up what waits."""


class MqttAction:
    """Publishes one event at a time.

    Args:
        broker: Takes it.
        topics: Of the box.
        device: Id of the box.
        drinker: What stands for somebody where coffees are told, by their id.
        aliases: Names who may be named; None: nobody is. Not asked about coffees.
        after: Called after each event: states may have changed with it.
    """

    def __init__(
        self,
        broker: Broker,
        topics: Topics,
        device: str,
        drinker: Callable[[str], str],
        *,
        aliases: Aliases | None = None,
        after: Callable[[], None] = lambda: None,
    ) -> None:
        self._broker = broker
        self._topics = topics
        self._device = device
        self._drinker = drinker
        self._aliases = aliases
        self._after = after

    def perform(self, delivery: Delivery) -> None:
        """Publish the event; returning means that the broker has it.

        Raises:
            ActionError: It has not, or not for certain.
        """
        content = self._content(delivery)
        topic = self._topics.event(str(content["type"]))
        if delivery.parameters:
            topic = self._topics.rule(str(delivery.parameters.get("topic", "")))
        self._broker.publish(topic, written(content), key=delivery.idempotency_key)
        self._after()

    def _content(self, delivery: Delivery) -> dict[str, Any]:
        bare = document(delivery, self._device)
        if not str(bare["type"]).startswith(_COFFEES):
            return document(delivery, self._device, self._aliases)
        told = {k: v for k, v in bare.items() if k not in _JOINS}
        drinkers = {k: self._drinker(told[k]) for k in _DRINKERS if isinstance(told.get(k), str)}
        return {**told, **drinkers}

    def close(self) -> None:
        """Give up what waits for its receipt, and the connection."""
        self._broker.close()
