"""A dry run: what a rule would have done about events of the past. Pure; nothing is done, nothing remembered.

Each event goes through the very `judge` that decides as it is written. Who is in which group is as it is now,
and what a rule did before begins with the first event given: `begins` says how far back that has to be.
"""

from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo
from typing import Final

from appliance.events import Event
from appliance.rules.judging import Fact, MemoryPast, Reason, fact, judge
from appliance.rules.rule import Rule

MOST_TOLD: Final = 500
"""Firings, and near misses, that are told one by one; all are counted."""
_FAR: Final = frozenset({Reason.OTHER_EVENT, Reason.OTHER_GRADE})
"""Why an event is nothing that the rule is about, rather than a near miss."""


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of the past.

    Attributes:
        id: Its id.
        at: When, aware.
        event: What happened.
    """

    id: str
    at: datetime
    event: Event


@dataclass(frozen=True, slots=True)
class Told:
    """An event, and what the rule made of it.

    Attributes:
        event: Its id.
        at: When it happened, aware.
        what: What the rule looked at.
        reason: `FIRES`, or the first condition that failed.
    """

    event: str
    at: datetime
    what: Fact
    reason: Reason


@dataclass(slots=True)
class DryRun:
    """What a rule would have done.

    Attributes:
        events: How many events of its kind there were, those of other grades left out.
        fired: How often it would have fired.
        missed: Reason → how many events it passed over for it.
        firings: When it would have fired, the oldest first; the newest `MOST_TOLD` of them.
        near: What it passed over, likewise.
    """

    events: int = 0
    fired: int = 0
    missed: Counter[Reason] = field(default_factory=Counter)
    firings: deque[Told] = field(default_factory=lambda: deque(maxlen=MOST_TOLD))
    near: deque[Told] = field(default_factory=lambda: deque(maxlen=MOST_TOLD))


def begins(rule: Rule, since: datetime, zone: tzinfo | None = None) -> datetime:
    """From when on events are needed, so that what the rule did before `since` is known, too.

    Of cool-downs that were begun by events that other cool-downs held up nothing is known; they end one
    length of it after the beginning at the latest, which is what is taken.
    """
    found = since - timedelta(seconds=rule.when.cool_down_s)
    if rule.when.first_of_day:
        midnight = datetime.combine(since.astimezone(zone).date(), time.min)
        local = midnight.astimezone() if zone is None else midnight.replace(tzinfo=zone)
        found = min(found, local)
    return found


def dry_run(
    rule: Rule,
    happened: Iterable[Happened],
    members: Mapping[str, Collection[str]],
    *,
    since: datetime,
    zone: tzinfo | None = None,
) -> DryRun:
    """Judge events of the past in their order.

    Args:
        rule: It.
        happened: Events in the order of the log, from `begins` on.
        members: Subject → the groups they are in now.
        since: From when on it is told; those before only set the scene.
        zone: In whose hours and days; None: those of this machine's clock.
    """
    past, found = MemoryPast(members, {}), DryRun()
    for each in happened:
        what = fact(each.event)
        reason = judge(rule, what, each.at, past, zone)
        if reason is Reason.FIRES:
            past.fire(what.about, each.at)
        if each.at < since or reason in _FAR:
            continue
        found.events += 1
        told = Told(each.id, each.at, what, reason)
        if reason is Reason.FIRES:
            found.fired += 1
            found.firings.append(told)
        else:
            found.missed[reason] += 1
            found.near.append(told)
    return found
