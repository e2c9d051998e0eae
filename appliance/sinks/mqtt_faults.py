"""What a broker's refusals, and failures to reach one, mean: plain words with a next step.

Nothing that a broker says is repeated but its own name for a reason.
"""

import socket
import ssl
from typing import Final, NamedTuple

from paho.mqtt.reasoncodes import ReasonCode


class Trouble(NamedTuple):
    """What stands in the way.

    Attributes:
        message: In words.
        hint: What to do about it.
    """

    message: str
    hint: str


STARTING: Final = Trouble("the broker was not reached yet", "wait a moment")
GONE: Final = Trouble(
    "the connection to the broker broke",
    "it is made again by itself; if it keeps breaking, look at the network",
)
FROZEN: Final = Trouble("the broker does not answer at this moment", "look at the broker, and at the network")
HUNG_UP: Final = Trouble(
    "the broker hangs up before it lets the box in",
    "does it ask for a certificate (mqtt.certificate), and are mqtt.port and mqtt.tls right?",
)
STUMBLED: Final = Trouble(
    "a fault of our own broke the connection to the broker",
    "it is made again by itself; if that comes again, the log of dispatch says what it was",
)
_LOG_ON: Final = Trouble(
    "the broker does not let the box in", "look at mqtt.username, mqtt.password and mqtt.certificate"
)
_BY_NAME: Final = {
    "Unsupported protocol version": Trouble(
        "the broker does not speak this version of MQTT", 'set mqtt.protocol = "3.1.1"'
    ),
    "Client identifier not valid": Trouble(
        "the broker does not take the name the box calls itself", "set mqtt.client_id to one that it takes"
    ),
    "Bad user name or password": _LOG_ON,
    "Not authorized": _LOG_ON,
    "Bad authentication method": _LOG_ON,
    "Banned": _LOG_ON,
    "Server unavailable": Trouble("the broker is there, but not available", "it is tried again by itself"),
    "Server busy": Trouble("the broker is busy", "it is tried again by itself"),
    "Session taken over": Trouble(
        "somebody else logged on under the name the box calls itself",
        "each client of a broker needs a name of its own: mqtt.client_id",
    ),
    "Keep alive timeout": GONE,
    "Unspecified error": GONE,
    "Server shutting down": Trouble("the broker was shut down", "it is tried again by itself"),
}
FOR_GOOD: Final = frozenset(
    {"Not authorized", "Topic name invalid", "Payload format invalid", "Packet too large"}
)
"""Reasons for refusing a message that another try does not change."""


def refused(reason: ReasonCode) -> Trouble:
    """Why the broker let us not in, or ended the connection."""
    name = reason.getName()
    return _BY_NAME.get(name) or Trouble(
        f"the broker ended the connection: {name.lower()}", "look at the log of the broker"
    )


def not_taken(reason: ReasonCode) -> Trouble:
    """Why the broker did not take a message."""
    name = reason.getName()
    if name == "Not authorized":
        return Trouble(
            "the broker does not let the box publish there", "give its user the right to write this topic"
        )
    return Trouble(f"the broker did not take the message: {name.lower()}", "look at the log of the broker")


def unreachable(error: BaseException | None) -> Trouble:
    """Why no connection came about."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Trouble(
            f"the broker's certificate is not trusted: {error.verify_message}",
            "look at mqtt.ca_file and at the name in mqtt.host",
        )
    if isinstance(error, ssl.SSLError):
        return Trouble(
            "the broker and the box do not agree on TLS",
            "look at mqtt.port, mqtt.tls, and the certificate the broker asks of its clients",
        )
    if isinstance(error, socket.gaierror):
        return Trouble("the broker's name cannot be looked up", "look at mqtt.host and at the network")
    if isinstance(error, ConnectionRefusedError):
        return Trouble(
            "nobody listens at the broker's address", "is the broker running, and mqtt.port right?"
        )
    if isinstance(error, TimeoutError):
        return Trouble("the broker does not answer", "look at mqtt.host, at the network, and at firewalls")
    return Trouble("the broker cannot be reached", "look at mqtt.host, mqtt.port and the network")
