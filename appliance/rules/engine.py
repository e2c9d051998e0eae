"""The engine the store asks in an event's own transaction: kept rules in, outbox rows to be written out.

Rules are read anew only when their version changed. It writes nothing: the store does, or nobody.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Protocol

import structlog

from appliance.errors import FormError
from appliance.events import Event
from appliance.rules.judging import Reason, fact, judge
from appliance.rules.rule import TRIGGERS, Action, Rule, ShowOnScreen, parse_rule

_log = structlog.get_logger()


class Kept(Protocol):
    """A rule as the store keeps it."""

    @property
    def id(self) -> str:
        """Opaque."""

    @property
    def version(self) -> int:
        """Counts its changes."""

    @property
    def body(self) -> str:
        """JSON."""


class Asks(Protocol):
    """What the store answers within the transaction."""

    def groups(self, subject: str) -> Collection[str]:
        """Ids of the groups that somebody is in."""

    def fired(self, rule: str, about: str) -> datetime | None:
        """When a rule last fired about the same on this device."""


@dataclass(frozen=True, slots=True)
class Due:
    """An action that a rule wants done.

    Attributes:
        rule: Its id.
        number: Of the action in the rule, from 0.
        lane: Name in the outbox.
        delivery: `at_least_once` or `at_most_once`.
        deadline_s: Seconds after the event when it is too late, for at most once.
        parameters: For whoever does it; JSON values.
        about: Whom or what the rule fired about.
    """

    rule: str
    number: int
    lane: str
    delivery: str
    deadline_s: float
    parameters: Mapping[str, Any]
    about: str


def due_of(rule_id: str, version: int, rule: Rule, about: str) -> list[Due]:
    """A rule's actions, one by one.

    Args:
        rule_id: Its id.
        version: Of the rule as it is kept.
        rule: What it says.
        about: Whom or what it fired about.
    """
    return [
        Due(
            rule_id,
            number,
            each.lane,
            each.delivery,
            each.deadline_s,
            {**each.parameters(), **_place(each, version, number)},
            about,
        )
        for number, each in enumerate(rule.actions)
    ]


def _place(action: Action, version: int, number: int) -> dict[str, Any]:
    """Where a line's text is found again."""
    return {"version": version, "number": number} if isinstance(action, ShowOnScreen) else {}


@dataclass(frozen=True, slots=True)
class _Past:
    rule: str
    asks: Asks

    def groups(self, subject: str) -> Collection[str]:
        """As the store says."""
        return self.asks.groups(subject)

    def fired(self, about: str) -> datetime | None:
        """As the store says, of this rule."""
        return self.asks.fired(self.rule, about)


class RuleEngine:
    """Judges events by kept rules.

    Args:
        zone: In whose hours and days; None: those of this machine's clock.
    """

    triggers: frozenset[str] = frozenset(TRIGGERS)
    """Event types that any rule can be about: of others the store need not read the rules."""

    def __init__(self, zone: tzinfo | None = None) -> None:
        self._zone = zone
        self._read: dict[str, tuple[int, Rule | None]] = {}

    def due(self, event: Event, at: datetime, kept: Sequence[Kept], asks: Asks) -> list[Due]:
        """What is to be done about an event, rule by rule in their order.

        Args:
            event: What happened.
            at: When, aware.
            kept: The rules that are switched on.
            asks: The store, in the event's transaction.
        """
        what, found = fact(event), list[Due]()
        for each in kept:
            rule = self._rule(each)
            if rule is None or judge(rule, what, at, _Past(each.id, asks), self._zone) is not Reason.FIRES:
                continue
            found += due_of(each.id, each.version, rule, what.about)
        return found

    def _rule(self, kept: Kept) -> Rule | None:
        """The rule, read once per version; None: it cannot be read, and does nothing."""
        known = self._read.get(kept.id)
        if known is None or known[0] != kept.version:
            try:
                rule = parse_rule(kept.body)
            except FormError as error:
                _log.error("rule_not_readable", rule=kept.id, reason=error.message)
                rule = None
            known = self._read[kept.id] = (kept.version, rule)
        return known[1]
