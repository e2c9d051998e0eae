"""Operations that try rules out: what one would have done, and doing it once about somebody.

Nothing is counted by a trial, no lock is opened, and no cool-down begins. Keeping rules is in `rules`.
"""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from pydantic import Field

from appliance.app.desk.in_person import guard_rules
from appliance.app.desk.operations import Answer, Arguments, Asked, Operation
from appliance.app.desk.rules import action_facts
from appliance.app.desk.times import moment
from appliance.app.desk.told_done import SKIPPED
from appliance.app.dry_running import dry_run_of
from appliance.app.rule_targets import Targets, targets
from appliance.errors import FormError
from appliance.events import SongSkipped
from appliance.permissions import Permission
from appliance.rules import Due, Told, Unlock, due_of, parse_rule
from appliance.rules.rule import MOST_ACTIONS
from appliance.rules.wording import REASONS, sentence
from appliance.services import Services
from appliance.settings import Settings
from appliance.store import OutboxState

_ID = Field(max_length=36)
MOST_DAYS: Final = 92
_LONGEST_S: Final = 20.0
_LOOK_S: Final = 0.1
_SAID: Final = 50
"""Songs not played among which a trial's own are looked for: it is asked about within minutes."""
_ENDS: Final = frozenset(OutboxState) - {OutboxState.PENDING, OutboxState.RUNNING}


class RuleRehearsal(Arguments):
    """Attributes: rule: id of a kept one; body: one that is not kept yet, instead; days: how far back."""

    rule: str | None = Field(default=None, max_length=36)
    body: dict[str, Any] | None = None
    days: float = Field(default=7.0, gt=0, le=MOST_DAYS)


class RuleTrial(Arguments):
    """Attributes: rule: id; subject: about whom."""

    rule: str = _ID
    subject: str = _ID


class TrialLook(Arguments):
    """Attributes: event: that of `rules.try`; known: actions that had ended when it was last looked at."""

    event: str = _ID
    known: int = Field(default=0, ge=0, le=MOST_ACTIONS)
    timeout_s: float = Field(default=_LONGEST_S, ge=0, le=_LONGEST_S)


class Trials:
    """Tries rules out.

    Args:
        services: The store and the clock.
        settings: As they are now: what rules may name.
        wake: Tells dispatch that there is something to be done.
        seconds: A monotonic clock, seconds.
        pause: Waits so many seconds.
    """

    def __init__(
        self,
        services: Services,
        settings: Callable[[], Settings],
        wake: Callable[[], None],
        *,
        seconds: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = services.store
        self._clock = services.clock
        self._settings = settings
        self._wake = wake
        self._seconds = seconds
        self._pause = pause

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        return [
            Operation("rules.dry_run", RuleRehearsal, Permission.RULES, self.dry_run),
            Operation("rules.try", RuleTrial, Permission.RULES, self.try_),
            Operation("rules.trial", TrialLook, Permission.RULES, self.trial, waits=True),
        ]

    def dry_run(self, asked: Asked[RuleRehearsal]) -> Answer:
        """What a rule would have done about the events of the last days; nothing is done.

        `{words, days, since, events, fired, missed: [{reason, words, count}], firings, near}`; `firings` and
        `near` list `{event, at, subject, name, door, camera, label, reason, words}`, the newest first, 500 at
        most. Groups are taken as they are now. A switched-off rule is judged as if it were on.

        Raises:
            UnknownRuleError: There is no such rule.
            FormError: It is none.
        """
        given, there = asked.arguments, targets(self._settings(), self._store)
        if (given.rule is None) == (given.body is None):
            raise FormError("either rule or body is needed", fields={"rule": "either this or body"})
        rule = parse_rule(given.body if given.body is not None else self._store.rule(given.rule or "").body)
        since = self._clock.wall() - timedelta(days=given.days)
        found = dry_run_of(self._store, rule, since)
        return Answer(
            {
                "words": sentence(rule, there.called),
                "days": given.days,
                "since": moment(since),
                "events": found.events,
                "fired": found.fired,
                "missed": [
                    {"reason": reason.value, "words": REASONS[reason], "count": many}
                    for reason, many in found.missed.most_common()
                ],
                "firings": [_told(each, there) for each in reversed(found.firings)],
                "near": [_told(each, there) for each in reversed(found.near)],
            }
        )

    def try_(self, asked: Asked[RuleTrial]) -> Answer:
        """Do a rule's actions once, about somebody who is chosen, marked as a test; a lock is never opened.

        `{event, actions: [{number, kind, words, tried}]}`; ask `rules.trial` what becomes of them. Conditions
        are not asked, nothing is counted, and no cool-down begins.

        Raises:
            UnknownRuleError: There is no such rule.
            UnknownSubjectError: Nobody, or not recognised at present.
            FormError: There is nothing in it that can be tried.
            DeniedError: It opens a lock or may move a relay, and no person asks who is signed in.
        """
        given, there = asked.arguments, targets(self._settings(), self._store)
        kept = self._store.rule(given.rule)
        rule = parse_rule(kept.body)
        guard_rules(asked.who, self._settings(), rule)
        due = due_of(kept.id, kept.version, rule, given.subject)
        tried: list[Due] = [
            each for each, action in zip(due, rule.actions, strict=True) if not isinstance(action, Unlock)
        ]
        if not tried:
            words = "it only opens a lock, and that is never tried from here"
            raise FormError(words, fields={"rule": words})
        stored = self._store.try_rule(given.rule, given.subject, tried)
        self._wake()
        numbers = {each.number for each in tried}
        return Answer(
            {
                "event": stored.id,
                "actions": [
                    {**action_facts(each, there), "number": number, "tried": number in numbers}
                    for number, each in enumerate(rule.actions)
                ],
            }
        )

    def trial(self, asked: Asked[TrialLook]) -> Answer:
        """What became of a rule's actions that were tried; waits until one more of them has ended.

        `{actions: [{number, lane, state, error, attempts}], unplayed, ended, done}`; `unplayed` says in words
        why a song of it was not played, a line each: its action is done all the same; `ended` is how many
        have, to be handed back as `known`; `done` says that all have.
        """
        given = asked.arguments
        until = self._seconds() + given.timeout_s
        while True:
            rows = [each for each in self._store.outbox(event=given.event) if each.event.type == "rule_tried"]
            ended = sum(each.state in _ENDS for each in rows)
            if ended > given.known or ended == len(rows) or self._seconds() >= until:
                break
            self._pause(_LOOK_S)
        return Answer(
            {
                "actions": [
                    {
                        "number": int(each.idempotency_key.rpartition(":")[2]),
                        "lane": each.action,
                        "state": each.state.value,
                        "error": each.last_error,
                        "attempts": each.attempts,
                    }
                    for each in sorted(rows, key=lambda row: row.id)
                ],
                "unplayed": self._unplayed(given.event) if rows else [],
                "ended": ended,
                "done": ended == len(rows),
            }
        )

    def _unplayed(self, cause: str) -> list[str]:
        """Why songs that an event asked for were not played, as far as that was said lately."""
        lately = self._store.events(types=("song_skipped",), newest_first=True, limit=_SAID)
        skipped = [each.event for each in lately if isinstance(each.event, SongSkipped)]
        return [SKIPPED[each.reason] for each in reversed(skipped) if each.cause == cause]


def _told(told: Told, there: Targets) -> Mapping[str, Any]:
    what = told.what
    return {
        "event": told.event,
        "at": moment(told.at),
        "subject": what.subject,
        "name": None if what.subject is None else there.people.get(what.subject),
        "door": what.door,
        "camera": what.camera,
        "label": what.label,
        "reason": told.reason.value,
        "words": REASONS[told.reason],
    }
