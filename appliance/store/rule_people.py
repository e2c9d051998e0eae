"""Who rules and groups name, when somebody is removed or turns out to be somebody else; in that transaction.

A list of people that would become empty is not emptied: empty means everybody. The last one stays named in
it, and the rule is switched off.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from appliance.events import Event, GroupChanged, RuleChanged
from appliance.store.chain import canonical
from appliance.store.firing import kept_rules
from appliance.store.tables import group_members, rule_firings, rules


def forget_person(connection: Connection, subject: str, at: datetime) -> list[Event]:
    """Take somebody who is removed out of groups and rules, and forget when rules fired about them.

    Args:
        connection: In the transaction that removes them.
        subject: Who.
        at: Now.

    Returns:
        What is to be logged.
    """
    left = _leave_groups(connection, subject)
    connection.execute(delete(rule_firings).where(rule_firings.c.about == subject))
    return [*left, *_rename(connection, subject, None, at)]


def hand_over_person(connection: Connection, other: str, keep: str, at: datetime) -> list[Event]:
    """Let who is kept stand in groups and rules where the other stood.

    Args:
        connection: In the transaction that merges them.
        other: Who is removed.
        keep: Who is kept.
        at: Now.

    Returns:
        What is to be logged.
    """
    own = set(connection.execute(_groups_of(keep)).scalars())
    left = _leave_groups(connection, other)
    joined = [each.group for each in left if each.group not in own]
    if joined:
        connection.execute(insert(group_members), [{"group": each, "subject": keep} for each in joined])
    _take_firings(connection, other, keep)
    return [
        *left,
        *(GroupChanged(type="group_joined", group=each, subject=keep) for each in joined),
        *_rename(connection, other, keep, at),
    ]


def _groups_of(subject: str) -> Any:
    return (
        select(group_members.c.group)
        .where(group_members.c.subject == subject)
        .order_by(group_members.c.group)
    )


def _leave_groups(connection: Connection, subject: str) -> list[GroupChanged]:
    found = list(connection.execute(_groups_of(subject)).scalars())
    connection.execute(delete(group_members).where(group_members.c.subject == subject))
    return [GroupChanged(type="group_left", group=each, subject=subject) for each in found]


def _take_firings(connection: Connection, other: str, keep: str) -> None:
    """The later of both counts, so that a cool-down or a day's first time is not had twice."""
    wanted = select(rule_firings).where(rule_firings.c.about.in_([other, keep]))
    latest: dict[tuple[str, str], Mapping[Any, Any]] = {}
    for row in connection.execute(wanted.order_by(rule_firings.c.at)).mappings().all():
        latest[row["device"], row["rule"]] = row
    connection.execute(delete(rule_firings).where(rule_firings.c.about.in_([other, keep])))
    if latest:
        connection.execute(insert(rule_firings), [{**row, "about": keep} for row in latest.values()])


def _rename(connection: Connection, before: str, after: str | None, at: datetime) -> list[Event]:
    """Name somebody else in every rule that names a person, or nobody."""
    said: list[Event] = []
    for kept in list(kept_rules(connection)):
        try:
            body = json.loads(kept.body)
            people = list(body["when"]["people"])
        except (
            ValueError,
            KeyError,
            TypeError,
        ):  # a newer program's: it names whom it names, and fires for nobody
            continue
        if before not in people:
            continue
        named = list(dict.fromkeys(after or each if each == before else each for each in people))
        if after is None:
            named = [each for each in named if each != before]
        alone = not named and not body["when"].get("groups")
        changed: dict[str, Any] = {"version": kept.version + 1, "changed_at": at}
        if alone:
            changed["enabled"] = False
        else:
            body["when"]["people"] = named
            changed["body"] = canonical(body)
        connection.execute(update(rules).where(rules.c.id == kept.id).values(changed))
        said.append(RuleChanged(type="rule_changed", rule=kept.id, enabled=kept.enabled and not alone))
    return said
