"""The one connection of the box to its broker: kept up by itself; messages count once there is a receipt.

paho does the protocol in a thread of its own and connects again after a while whenever the connection breaks.
What is to be said, on which topic, and when again, is for others; nothing is kept on disk here, so whatever
has no receipt when the process ends has to be published again by whoever wanted it said.
"""

import contextlib
import sys
import threading
from collections.abc import Callable
from typing import Any, Final

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from appliance.errors import ActionError
from appliance.settings import MqttSettings
from appliance.sinks.mqtt_client import SteadfastClient, subscribe_if_fit
from appliance.sinks.mqtt_faults import (
    FOR_GOOD,
    HUNG_UP,
    STARTING,
    STUMBLED,
    Trouble,
    not_taken,
    refused,
    unreachable,
)
from appliance.sinks.mqtt_tls import tls_context
from appliance.sinks.mqtt_topics import Topics, fit_to_publish

_log = structlog.get_logger()

ONLINE, OFFLINE = b"online", b"offline"

_CONNECT_S: Final = 30.0
"""How long a message waits for a connection before whoever publishes it is told that there is none."""
_SLOWEST_S: Final = 30
"""Longest pause before connecting again."""
_STUMBLE_S: Final = 1.0
"""Pause before connecting anew after a fault of the connection's thread."""
_LEAVE_S: Final = 2.0
_MOST_UNCONFIRMED: Final = 16
"""Messages without a receipt that are remembered by their keys; each lane of dispatch has one at a time."""

Heard = Callable[[str, bytes, bool], None]
"""Told of a message: topic, payload, and whether the broker had kept it. In the connection's thread."""


class Mqtt:
    """The connection. Safe to be used by several threads.

    Args:
        settings: The broker's.
        topics: For the will, and what is listened to.
        device: Id of the box.
        heard: Told of what is listened to.
        came: Told of each connection.
        guest: A second connection beside the box's own, to try something out: under a name of its own, it
            says neither that the box is there nor that it is off, and listens to nothing.
        connect_s: Seconds that a message waits for a connection.
    """

    def __init__(
        self,
        settings: MqttSettings,
        topics: Topics,
        device: str,
        *,
        heard: Heard = lambda topic, payload, kept: None,  # noqa: ARG005 - nobody listens
        came: Callable[[], None] = lambda: None,
        guest: bool = False,
        connect_s: float = _CONNECT_S,
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._device = device
        self._heard = heard
        self._came = came
        self._guest = guest
        self._connect_s = connect_s
        self._lock = threading.Lock()
        self._changed = threading.Condition()
        self._client: Client | None = None
        self._trouble = STARTING
        self._connections = 0
        self._connected = False
        self._turned_away = False
        self._closed = False
        self._sending = 0
        self._awaited: set[int] = set()
        self._receipts: dict[int, ReasonCode | None] = {}
        self._unconfirmed: dict[str, int] = {}
        self._besides: frozenset[str] = frozenset()

    @property
    def connections(self) -> int:
        """How often a connection came about; 0: there was none yet."""
        return self._connections

    @property
    def connected(self) -> bool:
        """Whether there is a connection at this moment, as far as is known."""
        return self._connected

    @property
    def trouble(self) -> Trouble:
        """What stood in the way last."""
        return self._trouble

    def start(self) -> None:
        """Begin to connect, in a thread; returns at once, whether or not there is a broker.

        Raises:
            ActionError: The certificates of the settings cannot be used.
        """
        with self._lock:
            if self._client is None and not self._closed:
                client = self._made()
                client.connect_async(
                    self._settings.host, port_of(self._settings), keepalive=self._settings.keepalive_s
                )
                client.loop_start()
                self._client = client

    def listen(self, topics: frozenset[str]) -> None:
        """Hear these topics besides the box's own, from now on, and no others; without receipts.

        Args:
            topics: With `+` and `#` as MQTT has them; one that the broker refuses is not heard.
        """
        own = {self._topics.states, self._topics.discovery, self._topics.discovery_status}
        topics = topics - own  # heard already
        with self._lock:
            before, self._besides = self._besides, topics
            client = self._client if self._connected else None
        if client is None:
            return  # with the next connection
        for each in before - topics:
            with contextlib.suppress(ValueError):  # it was none for this library: never heard
                client.unsubscribe(each)
        for each in topics - before:
            subscribe_if_fit(client, each)

    def close(self) -> None:
        """Say that the box is off, and let go. What waits for a receipt is given up."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        with self._lock:
            client, self._client = self._client, None
        if client is None:
            return
        if self._connected and not self._guest:
            # An orderly end: the broker does not say it for us then.
            with contextlib.suppress(ValueError, RuntimeError):  # it broke just now: then the broker says it
                client.publish(self._topics.status, OFFLINE, qos=1, retain=True).wait_for_publish(
                    _LEAVE_S / 2
                )
        self._connected = False
        client.disconnect()
        # It may be in the middle of connecting, which nothing interrupts.
        leaving = threading.Thread(target=client.loop_stop, name="mqtt-leave", daemon=True)
        leaving.start()
        leaving.join(_LEAVE_S)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        key: str = "",
        connect_s: float | None = None,
    ) -> None:
        """Publish a message (QoS 1); returning means that the broker has confirmed its receipt.

        Args:
            topic: The whole topic.
            payload: As it is.
            retain: Whether the broker keeps it for whoever comes later; an empty payload takes back.
            key: Names the message: given again after it failed, what was sent under it is waited for, and not
                sent a second time. Empty: sent in any case.
            connect_s: Seconds that it waits for a connection; None: as long as this object was told.

        Raises:
            ActionError: There is no receipt; `permanent` where the broker never takes it.
        """
        fit_to_publish(topic)
        self.start()
        with self._changed:
            self._changed.wait_for(
                lambda: self._connected or self._closed, self._connect_s if connect_s is None else connect_s
            )
        client = self._client
        if self._closed or client is None:
            raise _stopping()
        if not self._connected:
            raise ActionError(self._trouble.message, hint=self._trouble.hint)
        number = self._unconfirmed.pop(key, None)
        if number is None:
            number = self._send(client, topic, payload, retain=retain)
        try:
            self._confirm(number)
        except _UnconfirmedError as error:
            self._keep(key, number)
            raise error.said from None

    def alive(self, wait_s: float) -> bool:
        """Whether the broker answers now: what is offered to one that does not would come whenever it wakes.

        Args:
            wait_s: Seconds that the answer may take; meanwhile whoever asks waits.
        """
        client = self._client
        if client is None or not self._connected:
            return False
        try:
            number = self._send(client, self._topics.check, b"", retain=False, expiry_s=wait_s)
        except ActionError:
            return False
        with self._changed:
            self._changed.wait_for(lambda: number in self._receipts or self._closed, wait_s)
            answered = number in self._receipts  # be it a refusal
        self._forget(number)
        return answered and not self._closed

    def offer(self, topic: str, payload: bytes, *, wait_s: float, expiry_s: float | None = None) -> bool:
        """Publish without a receipt (QoS 0), if there is a connection; whether it went out.

        Args:
            topic: The whole topic.
            payload: As it is.
            wait_s: Seconds that it may take to leave; meanwhile whoever asks waits.
            expiry_s: Seconds after which the broker hands it to nobody any more, one at least (MQTT 5); None:
                it says nothing of that.
        """
        client = self._client
        if client is None or not self._connected:
            return False
        info = client.publish(topic, payload, qos=0, properties=self._expiring(expiry_s))
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return False
        info.wait_for_publish(wait_s)
        return info.is_published()

    def _expiring(self, seconds: float | None) -> Properties | None:
        """What tells a broker how long a message counts; older protocols have no word for it."""
        if seconds is None or self._settings.protocol != "5":
            return None
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho's is not typed
        properties.MessageExpiryInterval = max(1, int(seconds))
        return properties

    def _send(
        self, client: Client, topic: str, payload: bytes, *, retain: bool, expiry_s: float | None = None
    ) -> int:
        """Send a message; the number its receipt will bear.

        Raises:
            ActionError: Too many wait for their receipts already.
        """
        with self._changed:
            self._sending += 1
        # The receipt may come before the number is known here, and is kept meanwhile. Not under our lock: the
        # connection's thread holds one of paho's when it tells us.
        sent: MQTTMessageInfo | None = None
        try:
            sent = client.publish(topic, payload, qos=1, retain=retain, properties=self._expiring(expiry_s))
        finally:
            with self._changed:
                self._sending -= 1
                if sent is not None:
                    self._awaited.add(sent.mid)
                if not self._sending:
                    self._receipts = {
                        number: said for number, said in self._receipts.items() if number in self._awaited
                    }
        if sent.rc not in {MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN}:
            self._forget(sent.mid)
            raise ActionError("the broker is behind with its receipts", hint="it is tried again by itself")
        return sent.mid

    def _confirm(self, number: int) -> None:
        """Wait for the receipt.

        Raises:
            ActionError: It is a refusal.
            _UnconfirmedError: It does not come.
        """
        with self._changed:
            came = self._changed.wait_for(
                lambda: number in self._receipts or self._closed, self._settings.timeout_s
            )
            came = came and number in self._receipts
            refusal = self._receipts.get(number)
        if not came:
            raise _UnconfirmedError(self._why_none())
        self._forget(number)
        if refusal is not None:
            trouble = not_taken(refusal)
            raise ActionError(trouble.message, permanent=refusal.getName() in FOR_GOOD, hint=trouble.hint)

    def _why_none(self) -> ActionError:
        if self._closed:
            return _stopping()
        if not self._connected:
            return ActionError(self._trouble.message, hint=self._trouble.hint)
        return ActionError(
            "the broker gave no receipt in time", hint="look at the broker, and at mqtt.timeout_s"
        )

    def _keep(self, key: str, number: int) -> None:
        """Remember what was sent under a key and has no receipt; without a key nobody asks again."""
        if not key:
            self._forget(number)
            return
        self._unconfirmed[key] = number
        while len(self._unconfirmed) > _MOST_UNCONFIRMED:
            oldest = next(iter(self._unconfirmed))
            self._forget(self._unconfirmed.pop(oldest))

    def _forget(self, number: int) -> None:
        with self._changed:
            self._awaited.discard(number)
            self._receipts.pop(number, None)

    def _made(self) -> Client:
        """A client that is not connected yet.

        Raises:
            ActionError: The certificates cannot be used.
        """
        given = self._settings
        client = SteadfastClient(
            self._died,
            client_id=client_id(given, self._device) + ("-check" if self._guest else ""),
            clean_session=True if given.protocol == "3.1.1" else None,
            protocol=MQTTProtocolVersion.MQTTv5 if given.protocol == "5" else MQTTProtocolVersion.MQTTv311,
        )
        if given.username is not None:
            client.username_pw_set(
                given.username, given.password.get_secret_value() if given.password is not None else None
            )
        if given.tls:
            client.tls_set_context(tls_context(given))
        if not self._guest:
            client.will_set(self._topics.status, OFFLINE, qos=1, retain=True)
        client.reconnect_delay_set(1, _SLOWEST_S)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        return client

    # ------------------------------------------------------------- the connection's thread

    def _on_connect(
        self, client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode, _more: Properties | None
    ) -> None:
        if reason.is_failure:
            self._turned_away = True
            self._say(refused(reason))
            return
        if not self._guest:
            # First of all that the box is there, before what waited for the connection.
            client.publish(self._topics.status, ONLINE, qos=1, retain=True)
            for wanted in (self._topics.states, self._topics.discovery, self._topics.discovery_status):
                client.subscribe(wanted, qos=1)
            for wanted in self._besides:
                subscribe_if_fit(client, wanted)
        _log.info("mqtt_connected", broker=self._settings.host)
        with self._changed:
            self._connected = True
            self._connections += 1
            self._changed.notify_all()
        self._came()

    def _on_connect_fail(self, _client: Client, _data: Any) -> None:
        self._say(unreachable(sys.exc_info()[1]))

    def _on_disconnect(
        self,
        _client: Client,
        _data: Any,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _more: Properties | None,
    ) -> None:
        was, self._connected = self._connected, False
        turned_away, self._turned_away = self._turned_away, False
        if self._closed or turned_away:
            return
        if was:
            self._say(refused(reason))
        else:
            self._say(HUNG_UP)

    def _on_publish(
        self, _client: Client, _data: Any, number: int, reason: ReasonCode, _more: Properties | None
    ) -> None:
        with self._changed:
            if self._sending or number in self._awaited:
                self._receipts[number] = reason if reason.is_failure else None
                self._changed.notify_all()

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self._heard(message.topic, bytes(message.payload), message.retain)

    def _died(self, error: Exception) -> bool:
        """A fault ended what the connection's thread did: say so; whether it is to connect anew."""
        self._connected = False
        # Its text may hold what was said; its kind is enough.
        _log.error("mqtt_thread_failed", broker=self._settings.host, error=type(error).__name__)
        self._say(STUMBLED)
        with self._changed:
            return not self._changed.wait_for(lambda: self._closed, _STUMBLE_S)

    def _say(self, trouble: Trouble) -> None:
        if trouble != self._trouble:
            _log.warning(
                "mqtt_trouble", broker=self._settings.host, reason=trouble.message, hint=trouble.hint
            )
        self._trouble = trouble


class _UnconfirmedError(Exception):
    """There is no receipt.

    Attributes:
        said: The same to whoever wanted it published.
    """

    def __init__(self, said: ActionError) -> None:
        super().__init__(said.message)
        self.said = said


def _stopping() -> ActionError:
    return ActionError("not published: the dispatcher stops")


def client_id(settings: MqttSettings, device: str) -> str:
    """What the box calls itself to the broker."""
    return settings.client_id or f"appliance-{device}"


def port_of(settings: MqttSettings) -> int:
    """The broker's port, said or by custom."""
    return settings.port or (8883 if settings.tls else 1883)
