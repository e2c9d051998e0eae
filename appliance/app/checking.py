"""Settings that are well-formed, held against what the program knows: can it run with them?

The settings room knows types and ranges; which event types there are, and what a key that can
be sealed to looks like, is known by other rooms. `appliance check`, `appliance run` and the UI ask here,
so that what the one calls right the other starts with. Opens nothing but the files of settings, for the
lines in them.
"""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from appliance.app.object_labels import label_faults
from appliance.camera import open_source
from appliance.clock import SystemClock
from appliance.errors import CameraRefusedError, RecipientError, SettingsError
from appliance.events import event_types
from appliance.evidence import parse_recipient
from appliance.settings import Settings
from appliance.settings.overlay import SettingsFiles
from appliance.settings.relations import KeyPath


@dataclass(frozen=True, slots=True)
class Fault:
    """A setting that cannot be used.

    Attributes:
        place: The table or key that is nearest to it, as `key_lines` names it.
        words: Which setting, and what is wrong with it; no key and no address.
        hint: What to do about it.
    """

    place: KeyPath
    words: str
    hint: str


def checked(settings: Settings, files: SettingsFiles | None = None) -> Settings:
    """The settings, if the appliance can run with them.

    Args:
        settings: Whole.
        files: Where they were read from, to say on which line of which file a fault is.

    Raises:
        SettingsError: A recipient is no key to seal to, an action waits for an event that there is not, or
            things are looked for that their model does not know; one line per fault.
    """
    found = list(faults(settings))
    if found:
        told = (f"{_where(files, fault.place)}{fault.words}" for fault in found)
        raise SettingsError("\n".join(told), hint=found[0].hint)
    return settings


def faults(settings: Settings) -> Iterator[Fault]:
    """What the program does not know of what the settings name."""
    for number, line in enumerate(settings.evidence.recipients):
        try:
            parse_recipient(line, where=f"evidence.recipients[{number}]")
        except RecipientError as error:
            yield Fault(("evidence", "recipients"), error.message, error.hint)
    for number, camera in enumerate(settings.cameras):
        try:
            open_source(camera, SystemClock())  # named by its address, not opened
        except CameraRefusedError as error:
            yield Fault(("cameras", number, "source"), error.message, error.hint)
    for number, key, words, hint in label_faults(settings.objects):
        yield Fault(("objects", number, key), f"objects[{number}].{key}: {words}", hint)
    yield from _unknown_events(settings)


def _unknown_events(settings: Settings) -> Iterator[Fault]:
    """Event types that are named, and that there are not."""
    known = event_types()
    for kind in settings.mqtt.events:
        if kind not in known:
            words = f"mqtt.events: {_no_event(kind, known)}"
            yield Fault(("mqtt", "events"), words, "what each event means is in EVENTS.md")
    for number, action in enumerate(settings.actions):
        for kind in action.on:
            if kind not in known:
                words = f"actions[{number}].on: {_no_event(kind, known)}"
                yield Fault(("actions", number, "on"), words, "what each event means is in EVENTS.md")


def _no_event(kind: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(kind, known, n=1, cutoff=0.5)
    advice = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
    return f"there is no event {kind[:64]!r}; {advice}"


def _where(files: SettingsFiles | None, place: KeyPath) -> str:
    """`file:line: `, as far as known."""
    if files is None or (files.file is None and not files.overlay.exists()):
        return ""
    try:
        return f"{files.read().where(place)}: "
    except SettingsError:
        return ""  # a file changed since it was read; the fault is told without its line
