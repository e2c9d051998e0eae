"""Settings that are well-formed, held against what the program knows: can it run with them?

The settings room knows types and ranges; which event types there are, and what a key that can
be sealed to looks like, is known by other rooms. `appliance check` and `appliance run` ask here,
so that what the one calls right the other starts with. Opens nothing but the settings file, for the
lines in it.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.camera import open_source
from appliance.clock import SystemClock
from appliance.errors import CameraRefusedError, RecipientError, SettingsError
from appliance.events import event_types
from appliance.evidence import parse_recipient
from appliance.settings import Settings
from appliance.settings.relations import KeyPath
from appliance.settings.source import key_lines


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


def checked(settings: Settings, file: Path | None = None) -> Settings:
    """The settings, if the appliance can run with them.

    Args:
        settings: Whole.
        file: Where they were read from, to say on which line a fault is.

    Raises:
        SettingsError: A recipient is no key to seal to, or an action waits for an event that there is not;
            one line per fault.
    """
    found = list(faults(settings))
    if found:
        lines = _lines(file)
        told = (f"{_where(file, lines, fault.place)}{fault.words}" for fault in found)
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
    known = event_types()
    for number, action in enumerate(settings.actions):
        for kind in action.on:
            if kind not in known:
                near = difflib.get_close_matches(kind, known, n=1, cutoff=0.5)
                advice = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
                words = f"actions[{number}].on: there is no event {kind[:64]!r}; {advice}"
                yield Fault(("actions", number, "on"), words, "what each event means is in EVENTS.md")


def _lines(file: Path | None) -> dict[KeyPath, int]:
    try:
        return key_lines(file.read_text(encoding="utf-8")) if file is not None else {}
    except (OSError, UnicodeDecodeError):
        return {}  # it changed since it was read; the fault is told without its line


def _where(file: Path | None, lines: dict[KeyPath, int], place: KeyPath) -> str:
    """`file:line: `, as far as known."""
    if file is None:
        return ""
    while place and place not in lines:
        place = place[:-1]
    line = lines.get(place)
    return f"{file}: " if line is None else f"{file}:{line}: "
