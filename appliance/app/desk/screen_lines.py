"""Lines that rules have the office screen show for some seconds; pure, but for what people are called.

The text is the admin's, and stands in the rule that asks for it: of one that is gone, or says something else
meanwhile, nothing is shown. `{alias}` in it stands for whom it is about: a line that names somebody who is
not greeted on screens is not shown at all, and where it is about nobody it says "somebody".
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from appliance.app.desk.rules import read
from appliance.events import ScreenAsked
from appliance.rules import ShowOnScreen
from appliance.store import KeptRule, StoredEvent

LINES: Final = ("screen_asked",)
"""The event types that ask for one."""
RULES: Final = ("rule_changed", "rule_removed")
"""Those after which one may not be shown any more."""
LONGEST_LINE_S: Final = 60.0
"""No line stays longer, whatever asks for it."""
MOST_LINES: Final = 3
"""Lines shown at once; of more, those that came last."""
ALIAS: Final = "{alias}"


@dataclass(slots=True)
class _Line:
    """A line.

    Attributes:
        key: Tells it from others; says nothing of anybody.
        event: What asked for it.
        text: As it is to be read; None: it is not shown.
        until_s: Monotonic seconds at which it goes.
    """

    key: str
    event: ScreenAsked
    text: str | None
    until_s: float


class Lines:
    """The lines of this moment.

    Args:
        called: What to call somebody by their id; None: they are not greeted.
        kept: A rule by its id; None: it is gone.
    """

    def __init__(self, called: Callable[[str], str | None], kept: Callable[[str], KeptRule | None]) -> None:
        self._called = called
        self._kept = kept
        self._lines: list[_Line] = []

    def take(self, stored: StoredEvent, now: datetime, seconds: float) -> bool:
        """Take an event in; whether something else is to be seen now.

        Args:
            stored: It.
            now: Aware time.
            seconds: The same moment on a monotonic clock.
        """
        event = stored.event
        if not isinstance(event, ScreenAsked):
            return False
        age_s = max((now - stored.at).total_seconds(), 0.0)  # a clock that was set back makes nothing older
        until_s = seconds - age_s + min(event.seconds, LONGEST_LINE_S)
        key = hashlib.sha256(f"line {stored.id}".encode()).hexdigest()[:12]
        self._lines.append(_Line(key, event, self._text(event), until_s))
        self._lines = [each for each in self._lines if each.until_s > seconds][-MOST_LINES:]
        return True

    def changed(self) -> None:
        """Somebody may be called otherwise, or not at all, or a rule say something else."""
        for each in self._lines:
            each.text = self._text(each.event)

    def shown(self, seconds: float) -> list[dict[str, Any]]:
        """The lines to be read now, as `{key, text, left_s}`, those that came last at the end."""
        return [
            {"key": each.key, "text": each.text, "left_s": round(each.until_s - seconds, 3)}
            for each in self._lines
            if each.until_s > seconds and each.text is not None
        ]

    def _text(self, event: ScreenAsked) -> str | None:
        text = self._written(event)
        if text is None or ALIAS not in text:
            return text
        called = "somebody" if event.subject is None else self._called(event.subject)
        return None if called is None else text.replace(ALIAS, called)

    def _written(self, event: ScreenAsked) -> str | None:
        """What the rule says where the event points; None: nothing any more."""
        if event.rule_version is None or event.number is None:  # logged by an older program
            return event.text
        kept = self._kept(event.rule)
        if kept is None or kept.version != event.rule_version or (rule := read(kept)) is None:
            return None
        action = rule.actions[event.number] if event.number < len(rule.actions) else None
        return action.text if isinstance(action, ShowOnScreen) else None
