"""Operations of rules: list, read, make, change, switch, move, remove; what they may name.

A rule travels as the JSON of `appliance.rules.Rule`: `{name, on, when, actions: [{kind, …}]}`, where `when`
is `{grade, people, groups, doors, cameras, labels, least_score, hours: [{days, start, end}], first_of_day,
cool_down_s, repetitions}`, all of it optional. Faults of a form are a FormError whose fields are called by
their path in it: `when.hours.0.start`, `actions.1.webhook`, `rule` for the whole. Trying rules out is in
`trials`, groups of people are in `groups`, the outbox in `outbox`.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, get_args

from pydantic import Field

from appliance.app.desk.in_person import guard_rules
from appliance.app.desk.operations import Answer, Arguments, Asked, Nothing, Operation
from appliance.app.desk.times import moment
from appliance.app.dry_running import known_labels
from appliance.app.rule_targets import Targets, targets
from appliance.errors import FormError
from appliance.permissions import Permission
from appliance.rules import Rule, parse_rule
from appliance.rules.rule import MOST_ACTIONS, Action, Trigger
from appliance.rules.wording import doing, occasion, sentence
from appliance.services import Services
from appliance.settings import Settings
from appliance.store import KeptRule, RuleActivity

_ID = Field(max_length=36)
_WEEK: Final = timedelta(days=7)


class WhichRule(Arguments):
    """Attributes: rule: id."""

    rule: str = _ID


class NewRule(Arguments):
    """Attributes: body: the rule; enabled: whether it does anything yet."""

    body: dict[str, Any]
    enabled: bool = True


class RuleChange(Arguments):
    """Attributes: rule: id; body: as it is to be; version: that which was looked at."""

    rule: str = _ID
    body: dict[str, Any]
    version: int | None = Field(default=None, ge=1)


class RuleSwitch(Arguments):
    """Attributes: rule: id; enabled: whether it does anything."""

    rule: str = _ID
    enabled: bool


class RuleMove(Arguments):
    """Attributes: rule: id; place: from 0."""

    rule: str = _ID
    place: int = Field(ge=0, le=1000)


class Rules:
    """Carries out what is asked about rules.

    Args:
        services: The store and the clock.
        settings: As they are now: what rules may name.
    """

    def __init__(self, services: Services, settings: Callable[[], Settings]) -> None:
        self._store = services.store
        self._clock = services.clock
        self._settings = settings

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        return [
            Operation("rules.list", Nothing, Permission.RULES, self.list_rules),
            Operation("rules.get", WhichRule, Permission.RULES, self.get),
            Operation("rules.add", NewRule, Permission.RULES, self.add),
            Operation("rules.change", RuleChange, Permission.RULES, self.change),
            Operation("rules.switch", RuleSwitch, Permission.RULES, self.switch),
            Operation("rules.move", RuleMove, Permission.RULES, self.move),
            Operation("rules.remove", WhichRule, Permission.RULES, self.remove),
            Operation("rules.choices", Nothing, Permission.RULES, self.choices),
        ]

    def list_rules(self, asked: Asked[Nothing]) -> Answer:
        """Every rule in its order, with what it did in the last seven days.

        `{rules: [{id, place, enabled, version, changed_at, fired, last, name, on, words, actions, body}]}`:
        `fired` how often, `last` when last or null, `words` the rule as a sentence, `actions` what each does
        as `{kind, words}`. Of one that cannot be read (a newer program wrote it) `name`, `on`, `words` and
        `body` are null, `actions` is empty, and it does nothing.
        """
        del asked
        activity = self._store.rule_activity(self._clock.wall() - _WEEK)
        there = self._targets()
        return Answer({"rules": [_shown(each, there, activity.get(each.id)) for each in self._store.rules()]})

    def get(self, asked: Asked[WhichRule]) -> Answer:
        """One rule, as in the list.

        Raises:
            UnknownRuleError: There is no such rule.
        """
        return Answer(self._one(self._store.rule(asked.arguments.rule)))

    def add(self, asked: Asked[NewRule]) -> Answer:
        """Keep a new rule, behind the others; the answer is that rule, as in the list.

        Raises:
            FormError: It is none, names what is not there, or there are too many.
            DeniedError: It opens a lock or may move a relay, and no person asks who is signed in.
        """
        rule = parse_rule(asked.arguments.body)
        guard_rules(asked.who, self._settings(), rule)
        self._targets().check(rule)
        return Answer(self._one(self._store.add_rule(rule.body(), enabled=asked.arguments.enabled)))

    def change(self, asked: Asked[RuleChange]) -> Answer:
        """Have a rule say something else; the answer is that rule.

        What it named before and is not there any more is let pass.

        Raises:
            UnknownRuleError: There is no such rule.
            FormError: It is none, names what is not there, or somebody changed it meanwhile.
            DeniedError: It opens a lock or may move a relay, and no person asks who is signed in.
        """
        given = asked.arguments
        kept = self._store.rule(given.rule)
        rule, before = parse_rule(given.body), read(kept)
        guard_rules(asked.who, self._settings(), rule, before)
        self._targets().check(rule, before)
        return Answer(self._one(self._store.change_rule(kept.id, body=rule.body(), version=given.version)))

    def switch(self, asked: Asked[RuleSwitch]) -> Answer:
        """Switch a rule on or off; the answer is that rule.

        Raises:
            UnknownRuleError: There is no such rule.
            DeniedError: It opens a lock or may move a relay, and no person asks who is signed in.
        """
        given = asked.arguments
        if given.enabled:
            guard_rules(asked.who, self._settings(), read(self._store.rule(given.rule)))
        return Answer(self._one(self._store.change_rule(given.rule, enabled=given.enabled)))

    def move(self, asked: Asked[RuleMove]) -> Answer:
        """Put a rule at another place; the answer is the whole list.

        Raises:
            UnknownRuleError: There is no such rule.
        """
        self._store.move_rule(asked.arguments.rule, asked.arguments.place)
        return self.list_rules(Asked(Nothing(), asked.caller, b"", asked.credential))

    def remove(self, asked: Asked[WhichRule]) -> Answer:
        """Let a rule go; what it asked for already is still done.

        Raises:
            UnknownRuleError: There is no such rule.
        """
        self._store.remove_rule(asked.arguments.rule)
        return Answer()

    def choices(self, asked: Asked[Nothing]) -> Answer:
        """What a rule may name.

        `{triggers, people: [{id, name}], groups: [{id, label, members}], doors, cameras, labels, songs:
        [{id, title}], outputs, webhooks, locks: [{id, door, policy}], commands, mqtt, most_actions}`; `name`
        is null where it does not open; `policy` is as the settings call it; `mqtt` says whether a broker is
        set; an output `home_assistant:ENTITY` is written by hand and needs `mqtt`.
        """
        del asked
        settings = self._settings()
        there = targets(settings, self._store)
        return Answer(
            {
                "triggers": list(get_args(Trigger)),
                "people": [{"id": each, "name": name} for each, name in there.people.items()],
                "groups": [
                    {"id": each.id, "label": each.label, "members": len(each.members)}
                    for each in self._store.groups()
                ],
                "doors": list(there.doors),
                "cameras": list(there.cameras),
                "labels": known_labels(settings),
                "songs": [{"id": each, "title": title} for each, title in there.songs.items()],
                "outputs": [
                    "box",
                    "screen",
                    *(["mqtt"] if there.mqtt else []),
                    *(f"webhook:{each}" for each in there.webhooks),
                ],
                "webhooks": list(there.webhooks),
                "locks": [
                    {"id": each.id, "door": each.door, "policy": each.policy} for each in settings.locks
                ],
                "commands": list(there.commands),
                "mqtt": there.mqtt,
                "most_actions": MOST_ACTIONS,
            }
        )

    def _targets(self) -> Targets:
        return targets(self._settings(), self._store)

    def _one(self, kept: KeptRule) -> dict[str, Any]:
        activity = self._store.rule_activity(self._clock.wall() - _WEEK)
        return _shown(kept, self._targets(), activity.get(kept.id))


def read(kept: KeptRule) -> Rule | None:
    """What a kept rule says; None: it cannot be read."""
    try:
        return parse_rule(kept.body)
    except FormError:
        return None


def _shown(kept: KeptRule, there: Targets, activity: RuleActivity | None) -> dict[str, Any]:
    rule = read(kept)
    return {
        "id": kept.id,
        "place": kept.place,
        "enabled": kept.enabled,
        "version": kept.version,
        "changed_at": moment(kept.changed_at),
        "fired": 0 if activity is None else activity.fired,
        "last": None if activity is None else moment(activity.last),
        "name": None if rule is None else rule.name,
        "on": None if rule is None else rule.on,
        "words": None if rule is None else sentence(rule, there.called),
        "when": None if rule is None else occasion(rule, there.called),
        "actions": [] if rule is None else [action_facts(each, there) for each in rule.actions],
        "body": None if rule is None else rule.model_dump(mode="json"),
    }


def action_facts(action: Action, there: Targets) -> dict[str, Any]:
    """What an action does: `{kind, words}`."""
    return {"kind": action.kind, "words": doing(action, there.called)}
