"""The topics of one box, and which types of events it publishes when the settings name none. Pure.

Levels of a topic are ids, or what the settings' patterns let through: nothing that somebody typed elsewhere
becomes part of one. What a rule adds is checked here once more.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

from appliance.errors import ActionError
from appliance.settings import MqttSettings

QUIET: Final = (
    *("process_", "camera_", "settings_", "device_key_", "log_", "capture_"),
    *("operator_", "password_", "sign_in_", "token_", "screen_", "keypad_", "pin_"),
    *("subject_enrolled", "subject_renamed", "subject_paused", "subject_resumed", "subject_removed"),
    *("subject_merged", "subject_strictness_", "reference_", "consent_", "group_", "rule_", "action_"),
    *(
        "door_calibrated",
        "song_added",
        "song_changed",
        "song_removed",
        "song_given",
        "song_taken_back",
        "function_",
        "clip_deleted",
        "clip_exported",
        "stream_",
    ),
)
"""How the types of events begin that are published only where the settings name them: how the box itself is
kept, not what happens in the office."""

_RULES: Final = re.compile(r"[A-Za-z0-9_-]{1,32}(/[A-Za-z0-9_-]{1,32}){0,3}")
_ENTITY: Final = re.compile(r"[a-z0-9_]{1,64}(\.[a-z0-9_]{1,128})?")
_INFER: Final = re.compile(r"\$aws/things/[A-Za-z0-9:_-]{1,128}/infer")
_MOST: Final = 1024
"""Characters of a topic, far below what brokers take (65,535 bytes)."""


def published(settings: MqttSettings, known: tuple[str, ...]) -> frozenset[str]:
    """The types of events that are published.

    Args:
        settings: The broker's.
        known: Every type there is.
    """
    if not settings.publish_events:
        return frozenset()
    if settings.events:
        return frozenset(settings.events)
    return frozenset(each for each in known if not each.startswith(QUIET))


def fit_to_publish(topic: str) -> str:
    """A whole topic, if it can be published to.

    Raises:
        ActionError: It is empty, too long, or holds a wildcard or what no topic holds.
    """
    if not 0 < len(topic) <= _MOST or any(sign in "+#" or not sign.isprintable() for sign in topic):
        raise ActionError("that is no topic to publish to", permanent=True, hint="without #, + and controls")
    return topic


def fit_for_function(topic: str, settings: MqttSettings) -> str:
    """A topic that a hosted function may publish to: none of the box's own, none of Home Assistant's.

    Raises:
        ActionError: It is one of those, a reserved one, or no topic.
    """
    fit_to_publish(topic)
    own = (settings.prefix, settings.discovery_prefix)
    reserved = topic.startswith("$") and not _INFER.fullmatch(topic)
    if reserved or any(topic == each or topic.startswith(f"{each}/") for each in own):
        raise ActionError("that topic is not a function's to publish to", permanent=True)
    return topic


@dataclass(frozen=True, slots=True)
class Topics:
    """Where one box says what.

    Attributes:
        base: What all of its topics begin with, but for Home Assistant's and that of what is seen.
        discovery: Where Home Assistant is told what there is.
        discovery_status: Where Home Assistant says that it is there.
        infer: Where is told what is seen.
    """

    base: str
    discovery: str
    discovery_status: str
    infer: str

    @classmethod
    def of(cls, settings: MqttSettings, device: str) -> Self:
        """As the settings say, for the box of that id."""
        return cls(
            base=f"{settings.prefix}/{settings.node or device}",
            discovery=f"{settings.discovery_prefix}/device/{device}/config",
            discovery_status=f"{settings.discovery_prefix}/status",
            infer=settings.infer_topic or f"$aws/things/{settings.thing}/infer",
        )

    @property
    def status(self) -> str:
        """`online` or `offline`, retained."""
        return f"{self.base}/status"

    @property
    def states(self) -> str:
        """All topics of states, as a filter to subscribe to."""
        return f"{self.base}/state/#"

    @property
    def last_person(self) -> str:
        """Who was recognised last, retained."""
        return f"{self.base}/state/last_person"

    @property
    def coffees(self) -> str:
        """Coffees of today, all together, retained."""
        return f"{self.base}/state/coffees"

    @property
    def check(self) -> str:
        """What is published to try the broker out; never retained."""
        return f"{self.base}/check"

    @property
    def songs(self) -> str:
        """What is to be played, for whoever listens; never retained."""
        return f"{self.base}/songs"

    def player(self, entity: str) -> str:
        """What a media player of Home Assistant is to play; never retained.

        Raises:
            ActionError: That is no name of one.
        """
        if not _ENTITY.fullmatch(entity):
            raise ActionError(
                "that is no media player's name", permanent=True, hint="such as media_player.kitchen"
            )
        return f"{self.base}/media_player/{entity}"

    def event(self, kind: str) -> str:
        """Events of a type, never retained."""
        return f"{self.base}/events/{kind}"

    def rule(self, suffix: str) -> str:
        """What a rule publishes, never retained.

        Raises:
            ActionError: The suffix has not the form that is needed.
        """
        if not _RULES.fullmatch(suffix):
            raise ActionError(
                "the rule's topic is none",
                permanent=True,
                hint="letters, digits, - and _, with / between four levels at most",
            )
        return f"{self.base}/rules/{suffix}"

    def door(self, door: str) -> str:
        """How a door is, retained."""
        return f"{self.base}/state/door/{door}"

    def coffee(self, drinker: str) -> str:
        """Somebody's coffees, retained; by what stands for them there, which is not their id."""
        return f"{self.base}/state/coffee/{drinker}"

    def picture(self, camera: str) -> str:
        """A camera's picture, never retained: a broker may write what it retains to a disk."""
        return f"{self.base}/picture/{camera}"
