"""Rules as somebody writes them, and a desk for whoever asks about them."""

from collections.abc import Callable, Mapping
from typing import Any

from appliance.app.desk.groups import Groups
from appliance.app.desk.operations import Desk
from appliance.app.desk.outbox import OutboxPages
from appliance.app.desk.rules import Rules
from appliance.app.desk.trials import Trials
from appliance.events import ScreenAsked
from appliance.permissions import GRANTED, Caller, Permission, Role
from appliance.rules import Rule, parse_rule
from appliance.services import Services
from appliance.settings import Settings
from appliance.store import Store

SONG = {"kind": "song", "song": "theme", "output": "box"}
HOOK = {"kind": "webhook", "webhook": "chat"}
LINE = {"kind": "screen", "text": "hello {alias}"}
UNLOCK = {"kind": "unlock", "lock": "front"}
COMMAND = {"kind": "command", "command": "chime"}
RELAY = {"kind": "webhook", "webhook": "relay"}
"""Into a private network."""
SONG_TO_RELAY = {"kind": "song", "output": "webhook:relay"}

SETTINGS = Settings.model_validate(
    {
        "cameras": [{"id": "entrance", "source": "scene:door"}],
        "doors": [{"id": "main", "camera": "entrance"}],
        "webhooks": [
            {"id": "chat", "url": "https://chat.example/hook", "secret": "0123456789abcdef"},
            {
                "id": "relay",
                "url": "http://192.168.1.7/on",
                "secret": "0123456789abcdef",
                "allow_private": True,
            },
        ],
        "locks": [{"id": "front", "door": "main"}],
        "actions": [
            {"id": "chime", "on": ["camera_lost"], "kind": "command", "argv": ["true"]},
            {"id": "told", "on": ["door_held_open"], "kind": "line"},
            {
                "id": "buzz",
                "on": (),
                "kind": "command",
                "argv": ["true"],
                "delivery": "at_most_once",
            },
        ],
    }
)
"""A box with one of each that a rule may name."""

CALLERS: Mapping[str, Caller] = {
    "admin": Caller("operator", "a", Role.ADMIN, GRANTED[Role.ADMIN], "a", "one"),
    "viewer": Caller("operator", "v", Role.VIEWER, GRANTED[Role.VIEWER], "v", "two"),
    "program": Caller("token", "t", Role.ADMIN, frozenset({Permission.RULES}), "a"),
}


def body(on: str = "subject_identified", *actions: Mapping[str, Any], **when: Any) -> dict[str, Any]:
    """A rule as JSON: on what, the actions (a song, if none), and the conditions by name."""
    return {"name": "Greet", "on": on, "when": when, "actions": [dict(each) for each in actions or (SONG,)]}


def rule(on: str = "subject_identified", *actions: Mapping[str, Any], **when: Any) -> Rule:
    """The same, read."""
    return parse_rule(body(on, *actions, **when))


def asked_line(
    store: Store, text: str = "hello {alias}", seconds: float = 8.0, subject: str | None = None
) -> ScreenAsked:
    """What asks the screens for a line, of a rule that is kept for it, switched off."""
    kept = store.add_rule(rule("door_opened", {**LINE, "text": text}).body(), enabled=False)
    return ScreenAsked(
        rule=kept.id, rule_version=kept.version, number=0, seconds=seconds, subject=subject, cause="e"
    )


class RuleDesk:
    """A desk with what rules are about.

    Args:
        services: The store and the clock.
        settings: What rules may name.
        wake: What dispatch does when it is told that there is something to do.
    """

    def __init__(
        self, services: Services, settings: Settings = SETTINGS, wake: Callable[[], None] = lambda: None
    ) -> None:
        rooms = (
            Rules(services, lambda: settings),
            Trials(services, lambda: settings, wake),
            Groups(services, lambda: settings),
            OutboxPages(services, lambda: settings, wake),
        )
        operations = [each for room in rooms for each in room.operations()]
        self._desk = Desk(CALLERS.get, operations, services.store.acting)

    def __call__(self, operation: str, who: str = "admin", **arguments: Any) -> Any:
        """What an operation answers."""
        return self._desk.ask(operation, arguments, credential=who).result
