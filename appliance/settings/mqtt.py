"""The settings of MQTT: the broker, how it is reached, and what is told to it.

Topics are made of these in `appliance.sinks.mqtt_topics`; nothing is connected here.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from appliance.settings.room import Room, field

_SCOPE = "dispatch"

_LEVEL = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,47}"
EventName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
"""The type of an event; whether there is such a type is looked at elsewhere."""


class MqttSettings(Room):
    """A broker that events are published to."""

    host: str = field(
        "",
        "Name or address of the broker; empty: nothing is published.",
        scope="all",
        pattern=r"^$|^[A-Za-z0-9:][A-Za-z0-9.:_-]{0,252}$",
    )
    port: int | None = field(
        None, "Port of the broker; empty: 8883 with TLS, 1883 without.", scope=_SCOPE, ge=1, le=65535
    )
    tls: bool = field(
        default=True,
        description="Whether the connection is encrypted and the broker has to show its certificate.",
        scope=_SCOPE,
    )
    ca_file: Path | None = field(
        None, "Certificates that the broker's is checked against, PEM; empty: this machine's.", scope=_SCOPE
    )
    certificate: Path | None = field(
        None, "The box's own certificate, PEM, for brokers that ask for one.", scope=_SCOPE
    )
    private_key: Path | None = field(None, "The private key of that certificate, PEM.", scope=_SCOPE)
    username: str | None = field(None, "Name to log on with.", scope=_SCOPE, min_length=1, max_length=255)
    password: SecretStr | None = field(None, "Password to log on with; never shown.", scope=_SCOPE)
    protocol: Literal["5", "3.1.1"] = field(
        "5",
        "Version of MQTT: 5 (the broker says why it refuses a message) or 3.1.1, for older brokers.",
        scope=_SCOPE,
    )
    client_id: str | None = field(
        None,
        "What the box calls itself to the broker; empty: made of the id of the box. Two clients of one name "
        "throw each other out.",
        scope=_SCOPE,
        pattern=r"^[A-Za-z0-9_.:-]{1,128}$",
    )
    keepalive_s: int = field(
        30, "Seconds after which either side notices that the other is gone.", scope=_SCOPE, ge=5, le=3600
    )
    timeout_s: float = field(
        10.0, "Seconds to wait for the broker's receipt of a message.", scope=_SCOPE, ge=1, le=60
    )
    prefix: str = field(
        "appliance",
        "What the topics begin with.",
        scope=_SCOPE,
        pattern=rf"^{_LEVEL}(/{_LEVEL}){{0,3}}$",
    )
    node: str | None = field(
        None,
        "What follows in the topics and tells boxes of one broker apart; empty: the id of the box.",
        scope=_SCOPE,
        pattern=rf"^{_LEVEL}$",
    )
    publish_events: bool = field(
        default=True,
        description="Whether events are published by themselves; what a rule publishes goes out in any case.",
        scope="all",
    )
    events: tuple[EventName, ...] = field(
        (),
        "Event types that are published; empty: those about doors and people, and what was done about them.",
        scope="all",
        max_length=200,
    )
    last_person: bool = field(
        default=False,
        description="Whether the alias of whoever was recognised last is published; of those alone who "
        "agreed that others see when they were recognised.",
        scope=_SCOPE,
    )
    coffees: bool = field(
        default=True,
        description="Whether coffees are published, of those who agreed to the leaderboard.",
        scope=_SCOPE,
    )
    pictures: bool = field(
        default=False,
        description="Whether a small picture of each camera is published again and again. Whoever may read "
        "the broker sees who is at the door.",
        scope=_SCOPE,
    )
    picture_s: float = field(10.0, "Seconds from one such picture to the next.", scope=_SCOPE, ge=1, le=3600)
    home_assistant: bool = field(
        default=True,
        description="Whether Home Assistant is told what there is, so that it shows the box by itself.",
        scope=_SCOPE,
    )
    discovery_prefix: str = field(
        "homeassistant",
        "Where Home Assistant looks for what there is.",
        scope=_SCOPE,
        pattern=rf"^{_LEVEL}(/{_LEVEL}){{0,3}}$",
    )
    thing: str = field(
        "appliance",
        "Name of the thing in the topic of what is seen: $aws/things/NAME/infer, as DeepLens had it.",
        scope=_SCOPE,
        pattern=r"^[A-Za-z0-9:_-]{1,128}$",
    )
    infer_topic: str | None = field(
        None,
        "Topic of what is seen instead of that, for brokers that keep $ for themselves, as AWS IoT Core.",
        scope=_SCOPE,
        pattern=r"^[^$#+\x00-\x1f\x7f][^#+\x00-\x1f\x7f]{0,199}$",
    )

    @field_validator("host")
    @classmethod
    def _host(cls, host: str) -> str:
        try:
            host.encode("idna")
        except UnicodeError:
            raise ValueError("this is no name of a host") from None
        return host

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key need each other")
        if not self.tls and (self.certificate is not None or self.ca_file is not None):
            raise ValueError("ca_file, certificate and private_key are for tls = true")
        if self.password is not None and self.username is None:
            raise ValueError("password needs a username")
        return self
