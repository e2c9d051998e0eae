"""Operations of the outbox: what is being done about events, what became of it, dead letters once more.

A dead letter is not deleted from here: it stays as long as its event does, and retention takes both. One that
may open a door is tried again by who is signed in, and by no program.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import Field

from appliance.app.desk.in_person import only_in_person
from appliance.app.desk.operations import Answer, Arguments, Asked, Operation
from appliance.app.desk.rules import read
from appliance.app.desk.times import moment
from appliance.app.repeating import may_be_repeated, moves_things
from appliance.errors import UnknownDeliveryError
from appliance.permissions import Caller, Permission
from appliance.services import Services
from appliance.settings import Settings
from appliance.store import OutboxRow, OutboxState

MOST: Final = 200


class OutboxPage(Arguments):
    """Attributes: states: only these, empty: all; before: the `next` of the page before; limit: at most."""

    states: tuple[OutboxState, ...] = Field(default=(), max_length=len(OutboxState))
    before: int | None = Field(default=None, ge=1)
    limit: int = Field(default=50, ge=1, le=MOST)


class WhichRow(Arguments):
    """Attributes: row: the number of a dead letter."""

    row: int = Field(ge=1)


class OutboxPages:
    """Shows the outbox, and tries dead letters again.

    Args:
        services: The store.
        settings: As they are now.
        wake: Tells dispatch that there is something to be done.
    """

    def __init__(
        self, services: Services, settings: Callable[[], Settings], wake: Callable[[], None]
    ) -> None:
        self._store = services.store
        self._settings = settings
        self._wake = wake

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        return [
            Operation("outbox.list", OutboxPage, Permission.RULES, self.list_rows),
            Operation("outbox.retry", WhichRow, Permission.RULES, self.retry),
        ]

    def list_rows(self, asked: Asked[OutboxPage]) -> Answer:
        """A page of what is done about events, the newest first.

        `{rows, next, counts}`: a row is `{row, action, kind, target, state, delivery, attempts, at, event,
        type, rule, rule_name, error, not_before, started_at, finished_at, retry}`; `rule` is null for an
        action of the settings file, `rule_name` also where the rule is gone; `retry` says whether who
        asks can have it tried again. `next` goes in `before`, null at the end. `counts` is state → how many,
        whatever was asked for. States: pending, running, delivered, unknown (interrupted, promised at most
        once, never repeated), expired (too late), dead (failed for good).
        """
        given = asked.arguments
        found = self._store.outbox(states=given.states, before=given.before, limit=given.limit + 1)
        more, found = len(found) > given.limit, found[: given.limit]
        names = {each.id: rule.name for each in self._store.rules() if (rule := read(each)) is not None}
        counts, settings = self._store.outbox_counts(), self._settings()
        return Answer(
            {
                "rows": [_row(each, names, settings, asked.who) for each in found],
                "next": found[-1].id if more else None,
                "counts": {state.value: counts.get(state, 0) for state in OutboxState},
            }
        )

    def retry(self, asked: Asked[WhichRow]) -> Answer:
        """Try a dead letter again, with all its attempts before it; the answer is its row.

        Raises:
            UnknownDeliveryError: There is no such dead letter, or it is promised at most once.
            DeniedError: It runs a command or posts into a private network, either of which may be a relay,
                and no person asks who is signed in.
        """
        number, settings = asked.arguments.row, self._settings()
        found = next((each for each in self._store.outbox(before=number + 1, limit=1)), None)
        if found is not None and found.id == number:
            if moves_things(settings, found):
                only_in_person(asked.who)
            if found.state is OutboxState.DEAD and not may_be_repeated(settings, found):
                raise UnknownDeliveryError(f"number {number} is promised at most once and is never repeated")
        row = self._store.retry_dead(number)
        self._wake()
        names = {each.id: rule.name for each in self._store.rules() if (rule := read(each))}
        return Answer(_row(row, names, settings, asked.who))


def _row(row: OutboxRow, names: Mapping[str, str], settings: Settings, who: Caller) -> dict[str, Any]:
    kind, _, target = row.action.partition(":")
    return {
        "row": row.id,
        "action": row.action,
        "kind": kind if row.rule is not None else "settings",
        "target": target or None,
        "state": row.state.value,
        "delivery": row.delivery.value,
        "attempts": row.attempts,
        "at": moment(row.event.at),
        "event": row.event.id,
        "type": row.event.type,
        "rule": row.rule,
        "rule_name": names.get(row.rule) if row.rule is not None else None,
        "error": row.last_error,
        "not_before": moment(row.not_before),
        "started_at": moment(row.started_at),
        "finished_at": moment(row.finished_at),
        "retry": may_be_repeated(settings, row)
        and (who.kind == "operator" or not moves_things(settings, row)),
    }
