"""Rules firing: what they want done about an event, as outbox rows, in the transaction that appends it.

Whether a rule fires is judged by an engine that is handed in; here stand the questions it asks of the
database, and what is remembered for the next time: when each rule fired about whom.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from appliance.events import Event
from appliance.store.chain import canonical
from appliance.store.records import KeptRule, OutboxState
from appliance.store.tables import group_members, rule_firings, rules

REMEMBERED: Final = timedelta(days=8)
"""How long it is kept when a rule fired about whom: longer than any cool-down, and than a day."""


class Due(Protocol):
    """An action that a rule wants done."""

    @property
    def rule(self) -> str:
        """Id of the rule."""

    @property
    def number(self) -> int:
        """Of the action in the rule."""

    @property
    def lane(self) -> str:
        """Its name in the outbox."""

    @property
    def delivery(self) -> str:
        """What is promised of it."""

    @property
    def deadline_s(self) -> float:
        """Seconds after the event when it is too late."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """For whoever does it."""

    @property
    def about(self) -> str:
        """Whom or what the rule fired about."""


class Judging(Protocol):
    """The rule engine, as the store needs it."""

    @property
    def triggers(self) -> Collection[str]:
        """Event types that any rule can be about."""

    def due(self, event: Event, at: datetime, kept: Sequence[KeptRule], asks: "Asked") -> Sequence[Due]:
        """What is to be done about an event."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The database, as rules ask it within a transaction."""

    connection: Connection
    device: str

    def groups(self, subject: str) -> Collection[str]:
        """Ids of the groups that somebody is in."""
        wanted = select(group_members.c.group).where(group_members.c.subject == subject)
        return list(self.connection.execute(wanted).scalars())

    def fired(self, rule: str, about: str) -> datetime | None:
        """When a rule last fired about the same on this device."""
        wanted = select(rule_firings.c.at).where(
            rule_firings.c.device == self.device,
            rule_firings.c.rule == rule,
            rule_firings.c.about == about,
        )
        at: datetime | None = self.connection.execute(wanted).scalar()
        return at


def fire(
    connection: Connection, engine: Judging, event: Event, row: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The outbox rows that rules want for an event; that they fired is remembered.

    Args:
        connection: In the transaction that appends the event.
        engine: Judges.
        event: What happened.
        row: The event's row.
    """
    if row["type"] not in engine.triggers:
        return []
    kept = list(kept_rules(connection, enabled=True))
    if not kept:
        return []
    due = engine.due(event, row["at"], kept, Asked(connection, row["device"]))
    for rule, about in dict.fromkeys((each.rule, each.about) for each in due):
        _remember(connection, {"device": row["device"], "rule": rule, "about": about, "at": row["at"]})
        _forget(connection, row["device"], rule, row["at"] - REMEMBERED)
    return [
        outbox_row(
            row,
            action=each.lane,
            key=f"{each.rule}:{each.number}",
            delivery=each.delivery,
            deadline_s=each.deadline_s,
            rule=each.rule,
            parameters=each.parameters,
        )
        for each in due
    ]


def outbox_row(
    row: Mapping[str, Any],
    *,
    action: str,
    key: str,
    delivery: str,
    deadline_s: float,
    rule: str | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A row of the outbox, pending.

    Args:
        row: The event's.
        action: Its name.
        key: Tells it from the event's other actions.
        delivery: What is promised.
        deadline_s: Seconds after the event when it is too late.
        rule: Whose it is; None: the settings'.
        parameters: What the rule asks for.
    """
    return {
        "device": row["device"],
        "event": row["id"],
        "action": action,
        "delivery": delivery,
        "state": OutboxState.PENDING.value,
        "attempts": 0,
        "not_before": row["at"],
        "deadline": row["at"] + timedelta(seconds=deadline_s),
        "window_s": deadline_s,
        "idempotency_key": f"{row['id']}:{key}",
        "rule": rule,
        "parameters": None if parameters is None else canonical(dict(parameters)),
    }


def kept_rules(connection: Connection, *, enabled: bool | None = None) -> Iterator[KeptRule]:
    """The rules in their order.

    Args:
        connection: Any.
        enabled: Only those that are, or are not; None: all.
    """
    wanted = select(rules).order_by(rules.c.place, rules.c.id)
    if enabled is not None:
        wanted = wanted.where(rules.c.enabled == enabled)
    for found in connection.execute(wanted).mappings():
        yield KeptRule(
            found["id"],
            found["place"],
            bool(found["enabled"]),
            found["version"],
            found["body"],
            found["created_at"],
            found["changed_at"],
        )


def _remember(connection: Connection, row: Mapping[str, Any]) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(rule_firings).values(row)
    connection.execute(
        fresh.on_conflict_do_update(
            index_elements=list(rule_firings.primary_key.columns), set_={"at": fresh.excluded.at}
        )
    )


def _forget(connection: Connection, device: str, rule: str, before: datetime) -> None:
    """What no condition looks back to any more: who was here when is not kept for that."""
    connection.execute(
        delete(rule_firings).where(
            rule_firings.c.device == device, rule_firings.c.rule == rule, rule_firings.c.at < before
        )
    )
