"""Rules and groups of people, kept; each change with its event in one transaction.

What a rule says is a body of JSON that the room `rules` reads; here it is kept in its order and counted in
versions. When a rule fires is `firing`.
"""

import unicodedata
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from appliance.errors import FormError, UnknownRuleError, UnknownSubjectError
from appliance.events import GroupChanged, RuleChanged, RuleTried
from appliance.store.database import reading
from appliance.store.firing import Due, kept_rules, outbox_row
from appliance.store.log import EventLog
from appliance.store.records import Group, KeptRule, NewEvent, RuleActivity, StoredEvent, SubjectState
from appliance.store.tables import events, group_members, groups, outbox, rules, songs, subjects
from appliance.values import SubjectId
from appliance.writing import writable

MOST_RULES = 200
MOST_GROUPS = 100
GROUP_CHARS = 64
_TRIED = "rule_tried"


class Rules(EventLog):
    """The rules and groups of a database, on top of the log that changes go to."""

    def rules(self) -> list[KeptRule]:
        """All, in their order."""
        with reading(self._engine) as connection:
            return list(kept_rules(connection))

    def add_rule(self, body: str, *, enabled: bool = True) -> KeptRule:
        """Keep a new rule, behind the others.

        Args:
            body: Canonical JSON, checked by whoever made it.
            enabled: Whether it does anything yet.

        Raises:
            FormError: There are too many.
        """
        now = self._clock.wall()
        with self._writing() as connection:
            self._lock_head(connection)
            many, last = connection.execute(select(func.count(), func.max(rules.c.place))).one()
            if many >= MOST_RULES:
                raise FormError(f"there are {many} rules already", fields={"name": "remove one first"})
            fresh: dict[str, Any] = {
                "id": self._ids(now),
                "place": 0 if last is None else last + 1,
                "enabled": enabled,
                "version": 1,
                "body": body,
                "created_at": now,
                "changed_at": now,
            }
            connection.execute(insert(rules).values(fresh))
            added = RuleChanged(type="rule_added", rule=fresh["id"], enabled=enabled)
            self._append(connection, [NewEvent(added, at=now)])
        return KeptRule(**fresh)

    def rule(self, rule: str) -> KeptRule:
        """One.

        Raises:
            UnknownRuleError: There is no such rule.
        """
        with reading(self._engine) as connection:
            return _rule(connection, rule)

    def change_rule(
        self, rule: str, *, body: str | None = None, enabled: bool | None = None, version: int | None = None
    ) -> KeptRule:
        """Have a rule say something else, or switch it.

        Args:
            rule: Id.
            body: Canonical JSON, checked by whoever made it; None: it stays.
            enabled: Whether it does anything; None: as it was.
            version: That which was looked at; None: whatever it is.

        Raises:
            UnknownRuleError: There is no such rule.
            FormError: It is of another version: somebody changed it meanwhile.
        """
        now = self._clock.wall()
        with self._writing() as connection:
            self._lock_head(connection)
            before = _rule(connection, rule)
            if version is not None and version != before.version:
                words = "somebody changed this rule meanwhile; look at it again"
                raise FormError(words, fields={"version": words})
            changed: dict[str, Any] = {"version": before.version + 1, "changed_at": now}
            if body is not None:
                changed["body"] = body
            if enabled is not None:
                changed["enabled"] = enabled
            connection.execute(update(rules).where(rules.c.id == rule).values(changed))
            after = _rule(connection, rule)
            said = RuleChanged(type="rule_changed", rule=rule, enabled=after.enabled)
            self._append(connection, [NewEvent(said, at=now)])
        return after

    def remove_rule(self, rule: str) -> None:
        """Let a rule go; what it asked for already is still done.

        Raises:
            UnknownRuleError: There is no such rule.
        """
        with self._writing() as connection:
            self._lock_head(connection)
            _rule(connection, rule)
            connection.execute(delete(rules).where(rules.c.id == rule))
            self._append(connection, [NewEvent(RuleChanged(type="rule_removed", rule=rule, enabled=False))])

    def move_rule(self, rule: str, place: int) -> list[KeptRule]:
        """Put a rule at another place; the actions of one event are asked for in the rules' order.

        Args:
            rule: Id.
            place: From 0; behind the last: to the end.

        Returns:
            All, in their new order.

        Raises:
            UnknownRuleError: There is no such rule.
        """
        with self._writing() as connection:
            self._lock_head(connection)
            moved = _rule(connection, rule)
            order = [each.id for each in kept_rules(connection) if each.id != rule]
            order.insert(max(0, place), rule)
            for number, each in enumerate(order):
                connection.execute(update(rules).where(rules.c.id == each).values(place=number))
            said = RuleChanged(type="rule_changed", rule=rule, enabled=moved.enabled)
            self._append(connection, [NewEvent(said)])
            return list(kept_rules(connection))

    def rule_activity(self, since: datetime) -> dict[str, RuleActivity]:
        """What rules did on this device since a moment, as far as the log reaches: rule → how often.

        Trying a rule out does not count.
        """
        wanted = (
            select(outbox.c.rule, func.count(func.distinct(events.c.id)), func.max(events.c.at))
            .join_from(outbox, events, events.c.id == outbox.c.event)
            .where(
                outbox.c.device == self._device,
                outbox.c.rule.is_not(None),
                events.c.type != _TRIED,
                events.c.at >= since,
            )
            .group_by(outbox.c.rule)
        )
        with reading(self._engine) as connection:
            return {rule: RuleActivity(int(many), last) for rule, many, last in connection.execute(wanted)}

    def try_rule(self, rule: str, subject: str, due: Sequence[Due]) -> StoredEvent:
        """Have a rule's actions done once about somebody, as a test: nothing is counted, nothing remembered.

        The event says that it was tried, and its outbox rows carry what the rule asks for.

        Args:
            rule: Id.
            subject: About whom.
            due: What is to be done; never anything that opens a lock, which whoever asks sees to.

        Raises:
            UnknownRuleError: There is no such rule.
            UnknownSubjectError: Nobody, or not active.
        """
        with self._writing() as connection:
            self._lock_head(connection)
            _rule(connection, rule)
            there = select(subjects.c.id).where(
                subjects.c.id == subject, subjects.c.state == SubjectState.ACTIVE.value
            )
            if connection.execute(there).first() is None:
                raise UnknownSubjectError("nobody who is recognised at present has this id")
            tried = RuleTried(rule=rule, subject=subject)
            stored = self._append(connection, [NewEvent(tried)], triggers=False)[0]
            about = {"device": stored.device, "id": stored.id, "at": stored.at}
            rows = [
                outbox_row(
                    about,
                    action=each.lane,
                    key=f"{each.rule}:{each.number}",
                    delivery=each.delivery,
                    deadline_s=each.deadline_s,
                    rule=each.rule,
                    parameters=each.parameters,
                )
                for each in due
            ]
            if rows:
                connection.execute(insert(outbox), rows)
        return stored

    def song_titles(self) -> dict[str, str]:
        """What there is to be played: id → title, by title."""
        wanted = select(songs.c.id, songs.c.title).order_by(songs.c.title, songs.c.id)
        with reading(self._engine) as connection:
            return {each.id: each.title for each in connection.execute(wanted)}

    def memberships(self) -> dict[str, Collection[str]]:
        """Who is in which groups at present: subject → ids of groups."""
        found: dict[str, set[str]] = {}
        with reading(self._engine) as connection:
            for group, subject in connection.execute(select(group_members.c.group, group_members.c.subject)):
                found.setdefault(subject, set()).add(group)
        return dict(found)

    def groups(self) -> list[Group]:
        """All, by label."""
        with reading(self._engine) as connection:
            members: dict[str, list[SubjectId]] = {}
            for found in connection.execute(
                select(group_members).order_by(group_members.c.subject)
            ).mappings():
                members.setdefault(found["group"], []).append(SubjectId(found["subject"]))
            every = connection.execute(select(groups).order_by(groups.c.label, groups.c.id)).mappings()
            return [Group(each["id"], each["label"], tuple(members.get(each["id"], ()))) for each in every]

    def add_group(self, label: str) -> Group:
        """Keep a new group, with nobody in it.

        Args:
            label: What it is called, 1 to 64 visible characters, unlike the others.

        Raises:
            FormError: The label cannot be, or is taken, or there are too many groups.
        """
        label = _label(label)
        now = self._clock.wall()
        with self._writing() as connection:
            self._lock_head(connection)
            labels = list(connection.execute(select(groups.c.label)).scalars())
            _not_taken(label, labels)
            if len(labels) >= MOST_GROUPS:
                raise FormError(
                    f"there are {len(labels)} groups already", fields={"label": "remove one first"}
                )
            fresh: dict[str, Any] = {"id": self._ids(now), "label": label, "created_at": now}
            connection.execute(insert(groups).values(fresh))
            self._append(connection, [NewEvent(GroupChanged(type="group_added", group=fresh["id"]), at=now)])
        return Group(fresh["id"], label, ())

    def rename_group(self, group: str, label: str) -> Group:
        """Call a group something else; who is in it stays.

        Raises:
            UnknownRuleError: There is no such group.
            FormError: The label cannot be, or is taken.
        """
        label = _label(label)
        with self._writing() as connection:
            self._lock_head(connection)
            if _group(connection, group) != label:
                _not_taken(label, list(connection.execute(select(groups.c.label)).scalars()))
                connection.execute(update(groups).where(groups.c.id == group).values(label=label))
                self._append(connection, [NewEvent(GroupChanged(type="group_changed", group=group))])
            of_it = select(group_members.c.subject).where(group_members.c.group == group)
            members = sorted(connection.execute(of_it).scalars())
        return Group(group, label, tuple(SubjectId(each) for each in members))

    def remove_group(self, group: str) -> None:
        """Let a group go; rules that ask for it alone fire for nobody any more.

        Raises:
            UnknownRuleError: There is no such group.
        """
        with self._writing() as connection:
            self._lock_head(connection)
            _group(connection, group)
            connection.execute(delete(group_members).where(group_members.c.group == group))
            connection.execute(delete(groups).where(groups.c.id == group))
            self._append(connection, [NewEvent(GroupChanged(type="group_removed", group=group))])

    def set_members(self, group: str, members: Sequence[SubjectId]) -> Group:
        """Say who is in a group; each who joins or leaves is an event.

        Raises:
            UnknownRuleError: There is no such group.
            UnknownSubjectError: Somebody is not enrolled.
        """
        wanted = set(members)
        with self._writing() as connection:
            self._lock_head(connection)
            label = _group(connection, group)
            there = select(subjects.c.id).where(
                subjects.c.id.in_(wanted), subjects.c.state != SubjectState.REMOVED.value
            )
            if wanted - set(connection.execute(there).scalars()):
                raise UnknownSubjectError("somebody of those is not enrolled")
            of_it = select(group_members.c.subject).where(group_members.c.group == group)
            before = set(connection.execute(of_it).scalars())
            for subject in sorted(before - wanted):
                _leave(connection, group, subject)
            joined = sorted(wanted - before)
            if joined:
                rows = [{"group": group, "subject": subject} for subject in joined]
                connection.execute(insert(group_members), rows)
            said = [
                *(
                    GroupChanged(type="group_left", group=group, subject=who)
                    for who in sorted(before - wanted)
                ),
                *(GroupChanged(type="group_joined", group=group, subject=who) for who in joined),
            ]
            self._append(connection, [NewEvent(each) for each in said])
        return Group(group, label, tuple(sorted(wanted)))


def _rule(connection: Connection, rule: str) -> KeptRule:
    found = next((each for each in kept_rules(connection) if each.id == rule), None)
    if found is None:
        raise UnknownRuleError("there is no such rule", hint="it may have been removed meanwhile")
    return found


def _group(connection: Connection, group: str) -> str:
    label: str | None = connection.execute(select(groups.c.label).where(groups.c.id == group)).scalar()
    if label is None:
        raise UnknownRuleError("there is no such group", hint="it may have been removed meanwhile")
    return label


def _label(label: str) -> str:
    label = unicodedata.normalize("NFC", label).strip()
    if not 0 < len(label) <= GROUP_CHARS or not writable(label):
        words = f"a name of 1 to {GROUP_CHARS} visible characters is needed"
        raise FormError(words, fields={"label": words})
    return label


def _not_taken(label: str, labels: Collection[str]) -> None:
    if label in labels:
        raise FormError("there is such a group already", fields={"label": "choose another name"})


def _leave(connection: Connection, group: str, subject: str) -> None:
    connection.execute(
        delete(group_members).where(group_members.c.group == group, group_members.c.subject == subject)
    )
