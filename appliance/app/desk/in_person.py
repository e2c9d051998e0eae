"""What is no program's: whatever makes a door open for more people, runs a command or tells a relay.

A token may make rules, change settings and enrol. What of that decides for whom a lock opens is for an admin
who is signed in: choosing it over a token would be opening the lock by a detour. Who may at all is decided
by permissions, before anything here.
"""

from collections.abc import Iterable
from typing import Final

from appliance.app.repeating import private_webhooks
from appliance.errors import DeniedError
from appliance.permissions import Caller
from appliance.rules import Action, CallWebhook, PlaySong, Rule, RunCommand, Unlock
from appliance.settings import Settings

_JUDGING: Final = ("recognition", "faces", "encounters.confirm_frames")
"""Settings of how sure it has to be who somebody is."""
_BROKER: Final = ("mqtt.host", "mqtt.port", "mqtt.tls")
"""Settings of to whom a lock's message goes."""


def only_in_person(who: Caller) -> None:
    """Let nobody pass but somebody who is signed in.

    Raises:
        DeniedError: It is a token, or something that is paired.
    """
    if who.kind != "operator":
        raise DeniedError(
            "an admin who is signed in has to do that, not a program",
            hint="it says for whom a door opens, or may move something here; see UNLOCKING.md",
        )


def guard_rules(who: Caller, settings: Settings, *rules: Rule | None) -> None:
    """What opens a lock, or runs or tells what may be a relay, is for people who are signed in.

    Args:
        who: Asks.
        settings: As they are now.
        rules: What it is about.

    Raises:
        DeniedError: Somebody else asks for it.
    """
    if is_no_programs(settings, *rules):
        only_in_person(who)


def is_no_programs(settings: Settings, *rules: Rule | None) -> bool:
    """Whether a rule opens a lock, runs a command or posts into a private network: either may be a relay."""
    relays = private_webhooks(settings)
    return any(
        isinstance(action, Unlock | RunCommand) or _webhook(action) in relays
        for rule in rules
        if rule is not None
        for action in rule.actions
    )


def _webhook(action: Action) -> str | None:
    """Id of the webhook that an action posts to."""
    if isinstance(action, CallWebhook):
        return action.webhook
    kind, _, webhook = action.output.partition(":") if isinstance(action, PlaySong) else ("", "", "")
    return webhook if kind == "webhook" else None


def decides_a_lock(keys: Iterable[str], *settings: Settings) -> bool:
    """Whether any of these settings has a say in whom a lock opens for, while one is not off.

    Args:
        keys: With dots, elements by id; a whole element by its own key.
        settings: As they are, and as they would be.
    """
    parts = {part for each in settings for part in _deciding(each)}
    return any(key == part or key.startswith(f"{part}.") for key in keys for part in parts)


def _deciding(settings: Settings) -> set[str]:
    """Keys, or beginnings of keys."""
    locks = [each for each in settings.locks if each.policy != "off"]
    cameras = {door.id: door.camera for door in settings.doors}
    found = {f"doors.{lock.door}" for lock in locks}
    found.update(f"cameras.{lock.camera or cameras.get(lock.door, '')}" for lock in locks)
    found.update(_JUDGING if locks else ())
    found.update(_BROKER if any(lock.driver == "mqtt" for lock in locks) else ())
    return found
