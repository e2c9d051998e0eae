"""The settings of locks: how each is told to open, and what has to be true before it is.

A lock is off until an admin has chosen a policy, and there is no default one. What the policies mean is said
in `POLICIES`, in the words that whoever chooses one is shown.
"""

import re
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from appliance.settings.room import Identifier, Room, field
from appliance.weekly import WeeklySpan

_SCOPE: Final = "dispatch"
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN: Final = re.compile(
    r"(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))? (?P<start>\d\d:\d\d)-(?P<end>\d\d:\d\d)", re.IGNORECASE
)
_WRITTEN: Final = "hours are written like 'mon-fri 07:00-19:00'"
_MOST_TOPIC: Final = 200
_LEAST_SECRET: Final = 16
_MOST_URL: Final = 2000

Policy = Literal["off", "face_and_pin", "face_alone"]
Driver = Literal["mqtt", "http", "command"]

POLICIES: Final[Mapping[str, str]] = {
    "off": "The lock is never told to open. Every attempt is refused and logged.",
    "face_and_pin": (
        "Whoever is recognised with certainty by the camera before this door, and types their own PIN at the "
        "keypad paired with this lock, opens it. The box cannot tell a photo or a mask from a face: somebody "
        "who has one, and has seen the PIN being typed, opens it, too."
    ),
    "face_alone": (
        "Whoever is recognised with certainty by the camera before this door opens it, and so does whoever "
        "holds up a photo, a screen or a mask that looks like them: the box cannot tell these from a face. "
        "People who look much alike may open it for each other. Choose this only for a door behind another "
        "lock, or where an open door does no harm."
    ),
}
"""What each policy accepts, as whoever chooses it reads it."""


class LockSettings(Room):
    """A lock that may be told to open for people who are recognised."""

    id: Identifier = field(..., "Name of the lock in rules.", scope=_SCOPE)
    door: Identifier = field(..., "Id of the door that it locks.", scope=_SCOPE)
    camera: Identifier | None = field(
        None,
        "Id of the camera that sees who stands before the lock, with when = approach or always; empty: the "
        "door's own.",
        scope=_SCOPE,
    )
    policy: Policy = field(
        "off",
        "off (never opened), face_and_pin (recognised, and their PIN at the paired keypad), or face_alone (a "
        "photo or a mask of somebody enrolled may open it; there is no liveness check).",
        scope=_SCOPE,
    )
    driver: Driver = field(
        "command",
        "How it is told: mqtt (a message), http (a signed POST) or command (a program).",
        scope=_SCOPE,
    )
    topic: str = field("", "For mqtt: the whole topic the lock listens to.", scope=_SCOPE)
    payload: str = field(
        '{"state":"OPEN","until":{until}}',
        "For mqtt: the message. {until}, which has to be in it, becomes the second since 1970 after which "
        "the lock must not open any more; {key} what tells one opening from another.",
        scope=_SCOPE,
        max_length=500,
    )
    url: SecretStr | None = field(
        None,
        "For http: where the POST goes; may carry a token and is therefore never shown.",
        scope=_SCOPE,
    )
    secret: SecretStr | None = field(
        None, "For http: what the POST is signed with, as webhooks are; never shown.", scope=_SCOPE
    )
    allow_private: bool = field(
        default=False,
        description="For http: whether the address may be of this machine or a private network, and without "
        "TLS.",
        scope=_SCOPE,
    )
    ca_file: Path | None = field(
        None,
        "For http: certificates that the lock's is checked against, PEM; empty: this machine's.",
        scope=_SCOPE,
    )
    argv: tuple[str, ...] = field(
        (),
        "For command: the program and its arguments. What is opened arrives as JSON on standard input, and "
        "nothing of anybody.",
        scope=_SCOPE,
    )
    timeout_s: float = field(3.0, "Seconds that telling the lock may take.", scope=_SCOPE, ge=0.5, le=10)
    strictness: float = field(
        10.0,
        "By how much rarer a stranger may be taken for somebody enrolled than the recognition's own wanted "
        "share allows; what this makes of the threshold has to be reached.",
        scope=_SCOPE,
        ge=1,
        le=1000,
    )
    margin: float = field(
        0.1,
        "How far somebody must be ahead of the second most alike person, in points of likeness.",
        scope=_SCOPE,
        ge=0,
        le=1,
    )
    hours: tuple[str, ...] = field(
        (),
        "When it may be opened, by the box's clock: 'mon-fri 07:00-19:00', 'sat 22:00-02:00'; empty: always.",
        scope=_SCOPE,
        max_length=14,
    )
    decision_s: float = field(
        3.0,
        "Seconds after which a decision no longer opens anything; the time to type and check a PIN is not "
        "part of it.",
        scope=_SCOPE,
        ge=1,
        le=5,
    )
    pin_attempts: Annotated[int, Field(ge=3, le=10)] = field(
        5, "Wrong PINs in a row after which somebody's PIN is refused for a while.", scope=_SCOPE
    )
    pin_pause_s: float = field(
        900.0,
        "Seconds for which it is refused then; after each further one again.",
        scope=_SCOPE,
        ge=60,
        le=86400,
    )

    @property
    def spans(self) -> tuple[WeeklySpan, ...]:
        """The hours, read; none: always."""
        return tuple(_span(each) for each in self.hours)

    @field_validator("hours")
    @classmethod
    def _legible(cls, hours: tuple[str, ...]) -> tuple[str, ...]:
        for each in hours:
            _span(each)
        return hours

    @field_validator("topic")
    @classmethod
    def _topic(cls, topic: str) -> str:
        if len(topic) > _MOST_TOPIC or any(sign in "#+" or not sign.isprintable() for sign in topic):
            raise ValueError("a topic without #, + and control characters is needed")
        if topic.startswith("$"):
            raise ValueError("topics that begin with $ are the broker's own")
        return topic

    @field_validator("url")
    @classmethod
    def _address(cls, secret: SecretStr | None) -> SecretStr | None:
        url = "https://" if secret is None else secret.get_secret_value()
        # Words without what was written: it is a secret.
        if not url.isascii() or not url.isprintable() or " " in url or len(url) > _MOST_URL:
            raise ValueError("printable ASCII without spaces is needed, 2000 characters at most")
        if not url.lower().startswith(("https://", "http://")):
            raise ValueError("https://host/path is needed")
        return secret

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value()) < _LEAST_SECRET:
            raise ValueError("16 characters at least are needed")
        return secret

    @model_validator(mode="after")
    def _check(self) -> Self:
        needs: dict[str, dict[str, Any]] = {
            "mqtt": {"topic": self.topic, "{until} in payload": "{until}" in self.payload},
            "http": {"url": self.url, "secret": self.secret},
            "command": {"argv": self.argv},
        }
        for name, value in needs[self.driver].items():
            if not value and self.policy != "off":
                raise ValueError(f"{name} is needed for driver = {self.driver!r}")
        if self.url is not None and not self.allow_private and self._is_plain(self.url):
            raise ValueError("url must begin with https://, unless allow_private is true")
        return self

    @staticmethod
    def _is_plain(url: SecretStr) -> bool:
        return url.get_secret_value().lower().startswith("http:")


def _span(text: str) -> WeeklySpan:
    """A span as it is written.

    Raises:
        ValueError: It is none.
    """
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise ValueError(_WRITTEN)
    try:
        first = _DAYS.index(found["first"].lower())
        last = first if found["last"] is None else _DAYS.index(found["last"].lower())
        start, end = time.fromisoformat(found["start"]), time.fromisoformat(found["end"])
    except ValueError:
        raise ValueError(_WRITTEN) from None
    many = (last - first) % len(_DAYS) + 1
    return WeeklySpan(frozenset((first + day) % len(_DAYS) for day in range(many)), start, end)
