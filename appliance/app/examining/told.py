"""Broker and webhooks: whether what they need can be read, and what goes over the network in the clear.

Neither is asked anything: that is for whoever tries them out. Dispatch says whether it has its connection.
"""

from collections.abc import Iterator
from ipaddress import ip_address

from appliance.app.examining.finding import Finding
from appliance.errors import ActionError, WireError
from appliance.services import Layout
from appliance.settings import MqttSettings, Settings
from appliance.sinks.mqtt_tls import tls_context
from appliance.wire import Client
from appliance.wire.messages import AskBroker, BrokerTold

_CHECK = "appliance mqtt check"


_PATIENCE_S = 3.0


def told(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """How broker and webhooks are set; nothing where there is none."""
    if settings.mqtt.host:
        yield from _broker(settings.mqtt, layout)
    for each in settings.webhooks:
        if each.url.get_secret_value().lower().startswith("http:"):
            yield Finding(
                f"webhook {each.id}",
                "note",
                "it is posted to in the clear: anybody on the way may read what is, and repeat it",
                "give it an https:// address, unless it is of this machine",
            )


def _now(layout: Layout) -> BrokerTold | None:
    """How the connection is; None: dispatch does not run, so there is none to be judged."""
    try:
        asked = Client(layout.socket("dispatch"), timeout_s=_PATIENCE_S)
        return asked.call(AskBroker(), BrokerTold).message
    except WireError:
        return None


def _broker(broker: MqttSettings, layout: Layout) -> Iterator[Finding]:
    if (now := _now(layout)) is not None and not now.connected:
        words = f"nothing is published at this moment: {now.trouble}"
        yield Finding("mqtt", "problem", words, now.hint, _CHECK)
        return
    key = broker.private_key
    if broker.tls:
        try:
            tls_context(broker)
        except ActionError as error:
            yield Finding("mqtt", "problem", error.message, error.hint, _CHECK)
            return
    if key is not None and key.stat().st_mode & 0o077:
        yield Finding(
            "mqtt",
            "problem",
            f"{key} can be read by other users",
            "shut it to all but the account that runs the appliance",
            f"chmod 600 {key}",
        )
    elif not broker.tls and not _is_here(broker.host):
        yield Finding(
            "mqtt",
            "note",
            "the broker is told in the clear: whoever is on the way may read all of it, and the password",
            "set mqtt.tls, unless the broker is of this machine",
            place="setting:mqtt.tls",
        )
    else:
        yield Finding("mqtt", "ok", f"events are published to {broker.host}", command=_CHECK)


def _is_here(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
