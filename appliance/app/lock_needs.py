"""What keeps a lock shut, whoever comes: in sentences, for the page of locks and for a command.

Looks at settings and database, and tells no lock anything.
"""

from collections.abc import Iterator

from appliance.actions.locks import program_of
from appliance.app.unlocking import PURPOSE, camera_of
from appliance.errors import FormError
from appliance.rules import Unlock, parse_rule
from appliance.settings import LockSettings, Settings, When
from appliance.store import Store


def keeps_shut(settings: Settings, store: Store, lock: LockSettings) -> Iterator[str]:
    """What is missing before anybody can open it."""
    yield from _in_the_settings(settings, lock)
    if lock.policy == "off":
        yield "It is off: choose what opens it."
    if not any(enabled for _, enabled in asking(store, lock.id)):
        yield "No rule that is switched on asks for it: make one, on somebody recognised, that opens it."
    agreed = {each.id for each in store.subjects() if PURPOSE in each.purposes}
    if not agreed:
        yield "Nobody has agreed to a door being unlocked for them."
    if lock.policy == "face_and_pin":
        if not any(each.lock == lock.id and each.revoked_at is None for each in store.keypads()):
            yield "No keypad is paired with it."
        if agreed and not agreed & {each.subject for each in store.pins()}:
            yield "Nobody who agreed has a PIN."


def asking(store: Store, lock: str) -> Iterator[tuple[str, bool]]:
    """Names of the rules that ask for a lock, and whether each is switched on."""
    for kept in store.rules():
        try:
            rule = parse_rule(kept.body)
        except FormError:
            continue
        if any(isinstance(each, Unlock) and each.lock == lock for each in rule.actions):
            yield rule.name, kept.enabled


def _in_the_settings(settings: Settings, lock: LockSettings) -> Iterator[str]:
    """What the settings lack."""
    camera = camera_of(settings, lock)
    when = next((each.when for each in settings.cameras if each.id == camera), None)
    if when is None:
        yield "No camera sees who stands before it."
    elif when not in (When.APPROACH, When.ALWAYS):
        yield f"Camera {camera} reads faces once the door is open: have it look at who approaches."
    if lock.driver == "mqtt" and not (lock.topic and settings.mqtt.host):
        yield "It is told by MQTT, and the settings have no topic for it or no broker."
    if lock.driver == "http" and (lock.url is None or lock.secret is None):
        yield "It is told by a POST, and the settings have no address or no key for it."
    if lock.driver == "command" and not lock.argv:
        yield "It is told by a program, and the settings name none."
    elif lock.driver == "command" and program_of(lock.argv) is None:
        yield "The program that tells it is not there, or may not be run."
