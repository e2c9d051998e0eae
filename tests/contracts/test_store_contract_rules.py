"""Rules in the store, the same on SQLite and on PostgreSQL: what fires, in the transaction of the event."""

from collections.abc import Callable, Sequence
from datetime import UTC, timedelta
from typing import Any

import pytest
from rule_bodies import HOOK, LINE, SONG, rule
from stores import AGREED, NOON, OPENED, SHUT, identified, on, sql

from appliance.clock import ManualClock
from appliance.errors import FormError, StoreError, UnknownRuleError, UnknownSubjectError
from appliance.events import GroupChanged, Personal, RuleChanged
from appliance.rules import Rule, RuleEngine, parse_rule
from appliance.store import KeptRule, NewEvent, OutboxRow, OutboxState, Store
from appliance.values import Grade, SubjectId

MakeStore = Callable[..., Store]


def opened(make_store: MakeStore, *rules: Rule, **options: Any) -> tuple[Store, list[KeptRule]]:
    """A store that judges, with these rules."""
    log = make_store(rules=RuleEngine(UTC), **options)
    return log, [log.add_rule(each.body()) for each in rules]


def lanes(log: Store) -> list[str]:
    """What is to be done, in the order of asking."""
    return [row.action for row in sorted(log.outbox(), key=lambda row: row.id)]


def came(subject: str) -> Any:
    """Somebody was recognised with certainty."""
    return identified(subject, grade=Grade.CONFIRMED)


def test_what_a_rule_asks_for_is_written_with_its_event(make_store: MakeStore) -> None:
    """A row for each action, with its own key, what was asked for, and how it is promised."""
    log, (kept,) = opened(make_store, rule("door_opened", SONG, HOOK))
    event = log.append(OPENED)
    song, hook = sorted(log.outbox(), key=lambda row: row.id)

    assert ("song", "at_most_once", NOON + timedelta(seconds=10)) == (
        song.action,
        song.delivery,
        song.deadline,
    )
    assert ("webhook:chat", "at_least_once") == (hook.action, hook.delivery)
    assert [f"{event.id}:{kept.id}:0", f"{event.id}:{kept.id}:1"] == [
        row.idempotency_key for row in (song, hook)
    ]
    assert ({"song": "theme", "output": "box"}, {"webhook": "chat"}) == (song.parameters, hook.parameters)
    assert {kept.id} == {song.rule, hook.rule}
    assert {event.id} == {song.event.id, hook.event.id}


def test_rules_stand_beside_the_settings_actions(make_store: MakeStore) -> None:
    """An action of the settings asks for nothing and is nobody's rule's."""
    log, _ = opened(make_store, rule("door_opened", SONG), subscriptions=[on("door_opened", action="song")])
    log.append(OPENED)
    own, ours = sorted(log.outbox(), key=lambda row: row.id)

    assert ("song", None, {}) == (own.action, own.rule, own.parameters)
    assert ours.rule is not None
    assert own.idempotency_key != ours.idempotency_key


def test_an_event_that_cannot_be_written_fires_nothing(make_store: MakeStore) -> None:
    """Events of one transaction are all there with their rows, or none is, and no rule remembers anything."""
    log, _ = opened(make_store, rule("door_opened", HOOK, cool_down_s=60))
    with pytest.raises(UnknownSubjectError):
        log.append_all([NewEvent(OPENED), NewEvent(SHUT, personal=Personal(subject="nobody", payload={}))])
    log.append(OPENED)

    assert ["webhook:chat"] == lanes(log)


def test_a_cool_down_outlives_the_process(make_store: MakeStore, clock: ManualClock) -> None:
    """What a rule did is remembered in the database: another process on it holds to it."""
    log, _ = opened(make_store, rule("door_opened", HOOK, cool_down_s=60))
    log.append(OPENED)
    clock.advance(30)
    other = make_store(rules=RuleEngine(UTC))
    other.append(OPENED)
    clock.advance(31)
    other.append(OPENED)

    assert ["webhook:chat"] * 2 == lanes(log)


def test_events_of_one_transaction_see_each_other(make_store: MakeStore) -> None:
    """The second of two that come together is within the first one's cool-down."""
    log, _ = opened(make_store, rule("door_opened", HOOK, cool_down_s=60))
    log.append_all([NewEvent(OPENED), NewEvent(OPENED)])

    assert ["webhook:chat"] == lanes(log)


def test_the_first_time_of_a_day_is_each_persons_own(make_store: MakeStore, clock: ManualClock) -> None:
    """Once a day for each, anew on the next, also after the clock was set back within the day."""
    log, _ = opened(make_store, rule("subject_identified", SONG, first_of_day=True))
    ann, ben = (log.add_subject(name, consent=AGREED).id for name in ("Ann", "Ben"))
    for who, after_s in ((ann, 0), (ben, 1), (ann, 3600), (ann, -7200), (ann, 86400)):
        clock.advance(after_s)
        log.append(came(who), at=clock.wall())

    assert [ann, ben, ann] == [
        row.event.event.subject  # type: ignore[union-attr]
        for row in sorted(log.outbox(), key=lambda row: row.id)
    ]


def test_a_rule_that_is_off_does_nothing(make_store: MakeStore) -> None:
    """Switched off it holds its tongue at once, in every process; switched on it speaks again."""
    log, (kept,) = opened(make_store, rule("door_opened", HOOK))
    log.change_rule(kept.id, enabled=False)
    log.append(OPENED)
    quiet = lanes(log)
    make_store().change_rule(kept.id, enabled=True)
    log.append(OPENED)

    assert [] == quiet
    assert ["webhook:chat"] == lanes(log)


def test_a_changed_rule_holds_from_the_next_event(make_store: MakeStore) -> None:
    """By whichever process it was changed: nobody restarts anything."""
    log, (kept,) = opened(make_store, rule("door_opened", HOOK))
    log.append(OPENED)
    make_store().change_rule(kept.id, body=rule("door_opened", LINE).body())
    log.append(OPENED)

    assert ["webhook:chat", "screen"] == lanes(log)


@pytest.mark.parametrize("body", ["", "{}", "[", '{"name": "new", "on": "door_opened", "sings": true}'])
def test_a_rule_that_cannot_be_read_does_nothing_and_holds_nobody_up(
    make_store: MakeStore, body: str
) -> None:
    """A newer program wrote it, or it is damaged: the others still fire, and the event is written."""
    log, _ = opened(make_store)
    log.add_rule(body)
    log.add_rule(rule("door_opened", HOOK).body())
    log.append(OPENED)

    assert ["webhook:chat"] == lanes(log)


def test_rules_ask_in_their_order(make_store: MakeStore) -> None:
    """And in another one once they were moved."""
    log, (first, second) = opened(make_store, rule("door_opened", HOOK), rule("door_opened", LINE))
    log.append(OPENED)
    log.move_rule(second.id, 0)
    log.append(OPENED)

    assert ["webhook:chat", "screen", "screen", "webhook:chat"] == lanes(log)
    assert [second.id, first.id] == [each.id for each in log.rules()]


def test_groups_are_asked_as_they_are_now(make_store: MakeStore) -> None:
    """Who joins is meant from the next event on, and who leaves is not."""
    log, _ = opened(make_store)
    ann, ben = (log.add_subject(name, consent=AGREED).id for name in ("Ann", "Ben"))
    group = log.add_group("Night shift")
    log.add_rule(rule("subject_identified", SONG, people=[ben], groups=[group.id]).body())
    log.append(came(ann))
    log.set_members(group.id, [ann])
    log.append(came(ann))
    log.append(came(ben))
    log.set_members(group.id, [])
    log.append(came(ann))

    assert [ann, ben] == [
        row.event.event.subject  # type: ignore[union-attr]
        for row in sorted(log.outbox(), key=lambda row: row.id)
    ]


def test_a_removed_group_means_nobody(make_store: MakeStore) -> None:
    """A rule that asks for it alone fires for nobody, not for everybody."""
    log, _ = opened(make_store)
    ann = log.add_subject("Ann", consent=AGREED).id
    group = log.add_group("Night shift")
    log.set_members(group.id, [ann])
    log.add_rule(rule("subject_identified", SONG, groups=[group.id]).body())
    log.remove_group(group.id)
    log.append(came(ann))

    assert [] == lanes(log)
    with pytest.raises(UnknownRuleError):
        log.set_members(group.id, [ann])


def test_a_removed_rule_still_has_done_what_it_asked_for(make_store: MakeStore) -> None:
    """Its rows stay to be done; it asks for no more."""
    log, (kept,) = opened(make_store, rule("door_opened", HOOK, cool_down_s=1))
    log.append(OPENED)
    log.remove_rule(kept.id)
    log.append(OPENED)

    assert [(kept.id, OutboxState.PENDING)] == [(row.rule, row.state) for row in log.outbox()]
    with pytest.raises(UnknownRuleError):
        log.change_rule(kept.id, enabled=True)


def test_who_is_removed_leaves_groups_and_rules(make_store: MakeStore) -> None:
    """Each is logged; a list that would mean everybody is kept, and its rule switched off."""
    log, _ = opened(make_store)
    ann, ben = (log.add_subject(name, consent=AGREED).id for name in ("Ann", "Ben"))
    group = log.add_group("Night shift")
    log.set_members(group.id, [ann, ben])
    both, alone, also = (
        log.add_rule(rule("subject_identified", SONG, **when).body())
        for when in ({"people": [ann, ben]}, {"people": [ann]}, {"people": [ann], "groups": [group.id]})
    )
    log.append(came(ann))
    log.remove_subject(ann)
    log.append(came(ben))
    after = {each.id: each for each in log.rules()}

    assert (ben,) == log.groups()[0].members
    assert [(ben,), (ann,), ()] == [people(after[each.id]) for each in (both, alone, also)]
    assert [True, False, True] == [after[each.id].enabled for each in (both, alone, also)]
    assert {both.id, also.id} == {row.rule for row in log.outbox() if said_of(row) == ben}
    assert GroupChanged(type="group_left", group=group.id, subject=ann) in [e.event for e in log.events()]
    assert RuleChanged(type="rule_changed", rule=alone.id, enabled=False) in [e.event for e in log.events()]


def test_of_two_who_are_one_rules_and_groups_follow(make_store: MakeStore, clock: ManualClock) -> None:
    """Who is kept stands where the other stood; a cool-down that ran for the other goes on."""
    log, _ = opened(make_store)
    ann, again = (log.add_subject("Ann", consent=AGREED).id for _ in range(2))
    group = log.add_group("Night shift")
    log.set_members(group.id, [again])
    kept = log.add_rule(rule("subject_identified", SONG, people=[again], cool_down_s=600).body())
    log.append(came(again))
    log.merge(ann, again)
    clock.advance(60)
    log.append(came(ann))
    clock.advance(600)
    log.append(came(ann))

    assert (ann,) == log.groups()[0].members
    assert (ann,) == people(log.rule(kept.id))
    assert [again, ann] == [said_of(row) for row in sorted(log.outbox(), key=lambda row: row.id)]


def test_when_rules_fired_about_whom_is_kept_no_longer_than_it_is_needed(
    make_store: MakeStore, clock: ManualClock, address: str
) -> None:
    """Of who was here more than eight days ago nothing is left but the log, which has its own retention."""
    log, _ = opened(make_store, rule("subject_identified", SONG))
    ann, ben = (log.add_subject(name, consent=AGREED).id for name in ("Ann", "Ben"))
    log.append(came(ann), at=NOON)
    clock.advance(9 * 86400)
    log.append(came(ben), at=clock.wall())

    assert [(ben,)] == [tuple(each) for each in sql(address, "SELECT about FROM rule_firings")]


def test_there_are_so_many_rules_and_groups_and_no_more(make_store: MakeStore) -> None:
    """Each event is judged by all of them within the database's lock."""
    log, _ = opened(make_store, *(rule("door_opened") for _ in range(200)))
    for number in range(100):
        log.add_group(f"Group {number}")
    with pytest.raises(FormError):
        log.add_rule(rule("door_opened").body())
    with pytest.raises(FormError):
        log.add_group("One more")

    assert (200, 100) == (len(log.rules()), len(log.groups()))


def test_the_store_refuses_what_is_not_there(make_store: MakeStore) -> None:
    """Rules and groups by an id that nothing has."""
    log, _ = opened(make_store)
    calls: Sequence[Callable[[], object]] = (
        lambda: log.rule("x"),
        lambda: log.remove_rule("x"),
        lambda: log.move_rule("x", 0),
        lambda: log.rename_group("x", "Y"),
        lambda: log.remove_group("x"),
        lambda: log.try_rule("x", "s", []),
    )
    for call in calls:
        with pytest.raises(StoreError):
            call()

    assert [] == log.events()


def people(kept: KeptRule) -> tuple[str, ...]:
    """Whom a rule names."""
    return parse_rule(kept.body).when.people


def said_of(row: OutboxRow) -> SubjectId | None:
    """Whom an outbox row is about."""
    return getattr(row.event.event, "subject", None)
