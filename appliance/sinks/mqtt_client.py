"""paho's client made to last: a fault in its thread costs a connection, and not all that come after.

paho ends its thread with whatever is raised in it, by itself or by whom it tells, and nobody is told that it
did. What is said and heard is `mqtt`'s.
"""

import contextlib
from collections.abc import Callable
from typing import Any

import structlog
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

_log = structlog.get_logger()


class SteadfastClient(Client):
    """A client whose thread outlives a fault, its own or of whoever it tells: it connects anew.

    Args:
        died: Told of the fault; whether to go on. Waits as long as there is to be a pause.
        given: For the client.
    """

    def __init__(self, died: Callable[[Exception], bool], **given: Any) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, **given)
        self._died_of = died

    def loop_forever(self, timeout: float = 1.0, retry_first_connection: bool = False) -> MQTTErrorCode:  # noqa: FBT001, FBT002 - as it is called there
        """Serve the connection until it is let go of."""
        while True:
            try:
                return super().loop_forever(timeout, retry_first_connection)
            except Exception as error:  # noqa: BLE001 - whatever it is, the box must not fall silent
                if not self._died_of(error):
                    return MQTTErrorCode.MQTT_ERR_CONN_LOST
            with contextlib.suppress(Exception):  # then that loop finds no connection, and tries again
                self.reconnect()


def subscribe_if_fit(client: Client, topic: str) -> None:
    """Hear a topic that somebody else asked for; one that is none for this library is not heard, and told."""
    try:
        client.subscribe(topic, qos=0)
    except ValueError:
        _log.warning("mqtt_topic_not_heard", reason="it is no topic to subscribe to")
