"""Rules at the desk: made, read, changed, switched, moved, removed, tried out, by those who may."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import stores
from rule_bodies import COMMAND, HOOK, LINE, RELAY, SONG, SONG_TO_RELAY, UNLOCK, RuleDesk, body

from appliance.clock import ManualClock
from appliance.errors import DeniedError, FormError, StoreError, UnknownSubjectError
from appliance.events import RuleTried, SongSkipped
from appliance.services import Services
from appliance.settings import Settings
from appliance.store import OutboxState, Subject
from appliance.values import Grade

Ask = Callable[..., Any]


def test_a_rule_is_made_and_read(ask: Ask) -> None:
    """The answer is the rule as it is listed, in words and as JSON; it does something at once."""
    made = ask("rules.add", body=body("door_opened", HOOK, doors=["main"], cool_down_s=60))
    listed = ask("rules.list")["rules"]

    assert [made] == listed
    assert made == ask("rules.get", rule=made["id"])
    assert (0, True, 1, 0, None) == tuple(
        made[key] for key in ("place", "enabled", "version", "fired", "last")
    )
    assert "when a door opens at main and not again within 60 s: tell the webhook chat" == made["words"]
    assert [{"kind": "webhook", "words": "tell the webhook chat"}] == made["actions"]
    assert made["body"] == ask("rules.add", body=made["body"])["body"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (body("nothing"), "on"),
        (body("door_opened", {"kind": "fly"}), "actions.0.kind"),
        (body("door_opened", {**HOOK, "webhook": "gone"}), "actions.0.webhook"),
        (body("door_opened", SONG, {**COMMAND, "command": "rm"}), "actions.1.command"),
        (body("door_opened", {"kind": "record", "camera": "roof"}), "actions.0.camera"),
        (body("door_opened", {"kind": "record", "seconds": 4}), "actions.0.seconds"),
        (body("door_opened", {**SONG, "song": "gone"}), "actions.0.song"),
        (body("door_opened", {**SONG, "output": "attic"}), "actions.0.output"),
        (body("door_opened", {**SONG, "output": "mqtt"}), "actions.0.output"),
        (body("door_opened", {"kind": "mqtt", "topic": "door"}), "actions.0.kind"),
        (body(people=["nobody"]), "when.people.0"),
        (body(groups=["none"]), "when.groups.0"),
        (body("door_opened", doors=["main", "back"]), "when.doors.1"),
        (body(hours=[{"days": [0], "start": "25:00"}]), "when.hours.0.start"),
        (body(UNLOCK["kind"], UNLOCK), "on"),
        (body("door_opened", UNLOCK), "rule"),
        (body(*("subject_identified", {**UNLOCK, "lock": "back"})), "actions.0.lock"),
        ({**body(), "name": "\n"}, "name"),
        ({**body(), "more": 1}, "more"),
    ],
)
def test_what_is_no_rule_is_refused_at_its_field(ask: Ask, wrong: dict[str, Any], field: str) -> None:
    """Each fault is named by the path that a form knows; nothing is kept."""
    with pytest.raises(FormError) as caught:
        ask("rules.add", body=wrong)

    assert [field] == list(caught.value.fields)
    assert [] == ask("rules.list")["rules"]


def test_a_rule_changes_only_for_who_saw_it_last(ask: Ask) -> None:
    """Two who edit the same rule do not overwrite each other unawares."""
    rule = ask("rules.add", body=body())
    after = ask("rules.change", rule=rule["id"], body=body("door_opened"), version=1)
    with pytest.raises(FormError) as caught:
        ask("rules.change", rule=rule["id"], body=body("door_shut"), version=1)

    assert (2, "door_opened") == (after["version"], after["on"])
    assert ["version"] == list(caught.value.fields)
    assert [after] == ask("rules.list")["rules"]


def test_a_rule_whose_target_went_can_be_changed_elsewhere(services: Services, ask: Ask) -> None:
    """What it named before is let pass; what is new has to be there."""
    rule = ask("rules.add", body=body("door_opened", HOOK))
    without = RuleDesk(services, Settings())
    renamed = without("rules.change", rule=rule["id"], body={**body("door_opened", HOOK), "name": "Tell"})
    with pytest.raises(FormError, match="no such webhook"):
        without("rules.change", rule=rule["id"], body=body("door_opened", {**HOOK, "webhook": "new"}))

    assert "Tell" == renamed["name"]


def test_rules_are_switched_moved_and_removed(ask: Ask) -> None:
    """Each is there at once, and each is an event by whoever did it."""
    first, second, third = (ask("rules.add", body=body())["id"] for _ in range(3))
    off = ask("rules.switch", rule=second, enabled=False)
    moved = ask("rules.move", rule=third, place=0)["rules"]
    ask("rules.remove", rule=first)

    assert off["enabled"] is False
    assert [third, first, second] == [each["id"] for each in moved]
    assert [(third, 0), (second, 2)] == [(each["id"], each["place"]) for each in ask("rules.list")["rules"]]
    with pytest.raises(StoreError, match="no such rule"):
        ask("rules.get", rule=first)


def test_what_is_done_to_rules_is_logged_with_who_did_it(services: Services, ask: Ask) -> None:
    """The event says which rule and who, and nothing of what it says."""
    rule = ask("rules.add", body=body())["id"]
    ask("rules.switch", rule=rule, enabled=False)
    ask("rules.remove", rule=rule)
    said = [each.event.model_dump(exclude_none=True) for each in services.store.events() if each.event]

    assert [("rule_added", rule, "a"), ("rule_changed", rule, "a"), ("rule_removed", rule, "a")] == [
        (each["type"], each["rule"], each["by"]) for each in said
    ]
    assert {"type", "version", "rule", "enabled", "by"} == set(said[0])


@pytest.mark.parametrize("action", [UNLOCK, COMMAND, RELAY, SONG_TO_RELAY])
def test_a_rule_that_opens_a_lock_or_may_move_a_relay_is_no_programs(
    ask: Ask, ann: Subject, action: dict[str, Any]
) -> None:
    """A token may make rules, but none of those, nor change, try or switch one: a command may be a relay.

    So may what a webhook posts to in a private network.
    """
    named = body("subject_identified", SONG, action)
    kept = ask("rules.add", body=named, enabled=False)["id"]
    for operation, arguments in (
        ("rules.add", {"body": named}),
        ("rules.change", {"rule": kept, "body": body()}),
        ("rules.switch", {"rule": kept, "enabled": True}),
        ("rules.try", {"rule": kept, "subject": str(ann.id)}),
    ):
        with pytest.raises(DeniedError, match="not a program"):
            ask(operation, "program", **arguments)

    made = ask("rules.add", "program", body=body())
    with pytest.raises(DeniedError, match="not a program"):
        ask("rules.change", "program", rule=made["id"], body=named)

    assert made["enabled"]
    assert [False] == [each["enabled"] for each in ask("rules.list")["rules"] if each["id"] == kept]
    assert not ask("rules.switch", "program", rule=kept, enabled=False)["enabled"]


@pytest.mark.parametrize("action", [UNLOCK, COMMAND, RELAY, SONG_TO_RELAY])
def test_who_is_in_a_group_that_a_lock_opens_for_is_no_programs(
    ask: Ask, ann: Subject, action: dict[str, Any]
) -> None:
    """Joining it would open the lock by a detour, even while the rule is off; other groups stay a token's."""
    staff, other = (ask("groups.add", "program", label=each)["id"] for each in ("Staff", "Choir"))
    ask("rules.add", body=body("subject_identified", action, groups=[staff]), enabled=False)
    ask("rules.add", body=body("subject_identified", SONG, groups=[staff, other]))
    ask("groups.members", "program", group=other, members=[ann.id])
    with pytest.raises(DeniedError, match="not a program"):
        ask("groups.members", "program", group=staff, members=[ann.id])
    before = {each["label"]: len(each["members"]) for each in ask("groups.list")["groups"]}
    ask("groups.members", group=staff, members=[ann.id])

    assert {"Staff": 0, "Choir": 1} == before
    assert [1, 1] == [len(each["members"]) for each in ask("groups.list")["groups"]]


def test_only_who_may_is_told_of_rules(ask: Ask) -> None:
    """A viewer sees neither rules nor groups nor the outbox."""
    for operation in ("rules.list", "groups.list", "outbox.list", "rules.choices"):
        with pytest.raises(DeniedError):
            ask(operation, "viewer")


def test_what_there_is_to_choose_from(ask: Ask, ann: Subject) -> None:
    """People, groups, doors, cameras, webhooks, locks and commands, by id and name."""
    group = ask("groups.add", label="Night shift")["id"]
    ask("groups.members", group=group, members=[ann.id])
    found = ask("rules.choices")

    assert [{"id": ann.id, "name": "Ann"}] == found["people"]
    assert [{"id": group, "label": "Night shift", "members": 1}] == found["groups"]
    assert (["main"], ["entrance"], ["chat", "relay"], ["chime", "buzz"]) == tuple(
        found[key] for key in ("doors", "cameras", "webhooks", "commands")
    )
    assert [{"id": "front", "door": "main", "policy": "off"}] == found["locks"]
    assert ["box", "screen", "webhook:chat", "webhook:relay"] == found["outputs"]
    assert found["mqtt"] is False


def test_a_rule_tells_how_often_it_fired_this_week(
    services: Services, ask: Ask, ann: Subject, clock: ManualClock
) -> None:
    """Events are counted, not actions; an older week's are not, nor is trying it out."""
    rule = ask("rules.add", body=body("subject_identified", SONG, LINE))["id"]
    who = stores.identified(ann.id, grade=Grade.CONFIRMED)
    services.store.append(who, at=stores.NOON - timedelta(days=8))
    services.store.append(who, at=stores.NOON - timedelta(days=1))
    services.store.append(who, at=stores.NOON)
    ask("rules.try", rule=rule, subject=ann.id)
    found = ask("rules.get", rule=rule)

    assert (2, stores.NOON.isoformat()) == (found["fired"], found["last"])


def test_trying_a_rule_does_its_actions_once(services: Services, ask: Ask, ann: Subject) -> None:
    """One event says that it was tried, with a row for each action but the lock's; nothing is counted."""
    rule = ask("rules.add", body=body("subject_identified", SONG, UNLOCK, HOOK, people=[ann.id]))["id"]
    answer = ask("rules.try", rule=rule, subject=ann.id)
    rows = services.store.outbox(event=answer["event"])
    stored = services.store.event(answer["event"])

    assert RuleTried(rule=rule, subject=ann.id, by="a") == stored.event
    assert [("song", True), ("unlock", False), ("webhook", True)] == [
        (each["kind"], each["tried"]) for each in answer["actions"]
    ]
    assert {"song", "webhook:chat"} == {each.action for each in rows}
    assert [{"song": "theme", "output": "box"}] == [each.parameters for each in rows if each.action == "song"]
    assert 2 == len(services.store.outbox())


def test_a_lock_is_never_tried(services: Services, ask: Ask, ann: Subject) -> None:
    """A rule that does nothing else cannot be tried at all."""
    rule = ask("rules.add", body=body("subject_identified", UNLOCK))["id"]
    with pytest.raises(FormError, match="never tried"):
        ask("rules.try", rule=rule, subject=ann.id)

    assert [] == services.store.outbox()


def test_a_rule_is_tried_on_somebody_who_is_recognised(services: Services, ask: Ask, ann: Subject) -> None:
    """Not on nobody, nor on who is paused."""
    rule = ask("rules.add", body=body())["id"]
    services.store.pause(ann.id)
    for whom in (ann.id, "nobody"):
        with pytest.raises(UnknownSubjectError):
            ask("rules.try", rule=rule, subject=whom)

    assert [] == services.store.outbox()


def test_what_became_of_a_trial_is_told_as_it_happens(services: Services, ann: Subject) -> None:
    """Dispatch is woken; each look answers when one more action has ended, with how it went."""
    store = services.store

    def work() -> None:
        song, hook = store.claim(stores.NOON, 2)
        store.finish(song, OutboxState.DELIVERED)
        store.finish(hook, OutboxState.DEAD, error="nobody answers")

    ask = RuleDesk(services, wake=work)
    rule = ask("rules.add", body=body("subject_identified", SONG, HOOK))["id"]
    event = ask("rules.try", rule=rule, subject=ann.id)["event"]
    told = ask("rules.trial", event=event)

    assert (2, True) == (told["ended"], told["done"])
    assert [(0, "song", "delivered", None), (1, "webhook:chat", "dead", "nobody answers")] == [
        (each["number"], each["lane"], each["state"], each["error"]) for each in told["actions"]
    ]


def test_a_trial_that_nobody_performs_is_not_waited_for_for_ever(ask: Ask, ann: Subject) -> None:
    """Without dispatch the look answers when its time is over, with what there is."""
    rule = ask("rules.add", body=body())["id"]
    event = ask("rules.try", rule=rule, subject=ann.id)["event"]
    told = ask("rules.trial", event=event, timeout_s=0.05)

    assert (0, False, ["pending"]) == (
        told["ended"],
        told["done"],
        [each["state"] for each in told["actions"]],
    )


def test_a_song_that_was_not_played_is_told(services: Services, ask: Ask, ann: Subject) -> None:
    """Whoever tries a rule hears why it was silent: her song is none, and that counts as done."""
    rule = ask("rules.add", body=body())["id"]
    event = ask("rules.try", rule=rule, subject=str(ann.id))["event"]
    for cause in ("another", event):
        services.store.append(SongSkipped(reason="no_song", subject=str(ann.id), cause=cause))

    assert ["there is none"] == ask("rules.trial", event=event, timeout_s=0)["unplayed"]


def test_only_trials_are_looked_at(services: Services, ask: Ask) -> None:
    """What other events brought about is for the outbox."""
    ask("rules.add", body=body("door_opened", HOOK))
    opened = services.store.append(stores.OPENED)

    assert [] == ask("rules.trial", event=opened.id)["actions"]


def test_groups_are_made_renamed_filled_and_removed(services: Services, ask: Ask, ann: Subject) -> None:
    """Each is an event; who joined or left is named by id."""
    group = ask("groups.add", label=" Night shift ")["id"]
    rule = ask("rules.add", body=body(groups=[group]))["id"]
    ask("groups.members", group=group, members=[ann.id])
    ask("groups.rename", group=group, label="Night")
    listed = ask("groups.list")["groups"]
    ask("groups.members", group=group, members=[])
    ask("groups.remove", group=group)

    assert [
        {
            "id": group,
            "label": "Night",
            "members": [{"id": ann.id, "name": "Ann"}],
            "rules": [{"id": rule, "name": "Greet"}],
        }
    ] == listed
    assert [] == ask("groups.list")["groups"]
    assert ["group_added", "group_joined", "group_changed", "group_left", "group_removed"] == [
        each.type for each in services.store.events() if each.type.startswith("group_")
    ]


@pytest.mark.parametrize("label", ["", "  ", "x" * 65, "a\nb", "Night shift"])
def test_a_groups_name_is_legible_and_its_own(ask: Ask, label: str) -> None:
    """Nothing that moves a cursor, and no two alike."""
    ask("groups.add", label="Night shift")
    other = ask("groups.add", label="Day shift")["id"]
    for operation, more in (("groups.add", {}), ("groups.rename", {"group": other})):
        with pytest.raises(FormError) as caught:
            ask(operation, label=label, **more)

        assert ["label"] == list(caught.value.fields)


def test_a_group_holds_who_is_enrolled(ask: Ask, ann: Subject) -> None:
    """An id of nobody is refused, and nobody joins."""
    group = ask("groups.add", label="Night")["id"]
    with pytest.raises(UnknownSubjectError):
        ask("groups.members", group=group, members=[ann.id, "nobody"])

    assert [] == ask("groups.list")["groups"][0]["members"]
