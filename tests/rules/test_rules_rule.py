"""What a rule may say: read, kept as JSON and read again, refused where it is none."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rule_bodies import COMMAND, HOOK, LINE, SONG, UNLOCK, body, rule

from appliance.errors import FormError
from appliance.events import event_types
from appliance.rules import MOST_ACTIONS, TRIGGERS, Reason, ShowOnScreen, parse_rule
from appliance.rules.wording import REASONS, Called, hours, sentence
from appliance.rules.wording import TRIGGERS as TRIGGER_WORDS

MQTT = {"kind": "mqtt", "topic": "door/front"}
CALLED = Called({"ann": "Ann", "ben": "Ben"}.get, {"g": "Night shift"}.get, {"s": "Chime"}.get)

CLOCKS = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda each: f"{each[0]:02}:{each[1]:02}")
SPANS = st.fixed_dictionaries(
    {"days": st.lists(st.integers(0, 6), min_size=1, max_size=7), "start": CLOCKS, "end": CLOCKS}
)
IDS = st.lists(st.from_regex(r"[A-Za-z0-9_.:-]{1,64}", fullmatch=True), max_size=3)
RULES = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["Greet", "Grüße", "朝"]),
        "on": st.sampled_from(["subject_identified", "coffee_taken"]),
        "when": st.fixed_dictionaries(
            {},
            optional={
                "grade": st.sampled_from(["greeting", "confirmed", "final", None]),
                "people": IDS,
                "groups": IDS,
                "doors": IDS,
                "hours": st.lists(SPANS, max_size=3),
                "first_of_day": st.booleans(),
                "cool_down_s": st.floats(0, 7 * 86400),
                "repetitions": st.booleans(),
            },
        ),
        "actions": st.lists(st.sampled_from([SONG, HOOK, LINE, COMMAND, MQTT]), min_size=1, max_size=8),
    }
)


@given(made=RULES)
def test_a_rule_is_the_same_after_it_was_kept(made: dict[str, Any]) -> None:
    """Read, written as canonical JSON, read again: equal, and written the same again."""
    first = parse_rule(made)
    again = parse_rule(first.body())

    assert first == again
    assert first.body() == again.body()
    assert json.dumps(
        json.loads(first.body()), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ) == (first.body())


@given(made=RULES)
def test_every_rule_is_a_sentence(made: dict[str, Any]) -> None:
    """Whatever it names; people and groups by what they are called, never by an id."""
    people, groups = (made["when"].get(name, []) for name in ("people", "groups"))
    asked: list[str] = []
    called = Called(*(lambda each: asked.append(each) or "X" for _ in range(3)))  # type: ignore[func-returns-value]
    words = sentence(parse_rule({**made, "when": {**made["when"], "doors": []}}), called)

    assert words.startswith("when ")
    assert {*people, *groups} == set(asked)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (rule(), "when somebody is recognised: play their own song on the box"),
        (
            rule("subject_identified", SONG, LINE, people=["ann", "gone"], groups=["g"], first_of_day=True),
            (
                "when Ann, somebody who is no longer enrolled or somebody of Night shift is recognised for "
                "the first time that day: play their own song on the box, and show “hello {alias}” on the "
                "office screens"
            ),
        ),
        (
            rule("object_seen", {**SONG, "song": "s", "output": "screen"}, labels=["dog"], least_score=0.8),
            "when a dog, at least 80% certain, is seen: play “Chime” on the office screens",
        ),
        (
            rule("door_held_open", HOOK, doors=["main"], cool_down_s=600),
            "when a door stays open at main and not again within 10 min: tell the webhook chat",
        ),
        (
            rule(
                "stranger_seen", MQTT, hours=[{"days": [0, 1, 2, 3, 4, 6], "start": "20:00", "end": "07:00"}]
            ),
            (
                "when a stranger is seen on Mon to Fri, Sun, 20:00 to 07:00: publish it by MQTT as "
                "rules/door/front"
            ),
        ),
        (
            rule("subject_identified", UNLOCK),
            "when somebody is recognised: open the lock front, if its own policy allows it",
        ),
        (rule("coffee_taken", COMMAND), "when somebody takes a coffee: run the command chime"),
        (rule("door_opened", {"kind": "record"}), "when a door opens: record video"),
        (
            rule("door_opened", {"kind": "record", "camera": "hall", "seconds": 60}),
            "when a door opens: record 60 s of video by camera hall",
        ),
    ],
)
def test_a_rule_reads_as_its_sentence(made: Any, words: str) -> None:
    """Exactly these words."""
    assert words == sentence(made, CALLED)


def test_hours_are_said_as_people_say_them() -> None:
    """Days in a row with their ends, a whole day without hours, all days in two words."""
    spans = rule(
        hours=[{"days": [5, 6]}, {"days": list(range(7)), "start": "09:00", "end": "17:00"}]
    ).when.hours

    assert ["Sat, Sun", "every day, 09:00 to 17:00"] == [hours(each) for each in spans]


def test_every_reason_and_every_trigger_has_words() -> None:
    """Whoever adds one writes its words."""
    assert set(Reason) == set(REASONS)
    assert set(TRIGGERS) == set(TRIGGER_WORDS)
    assert len(REASONS) == len(set(REASONS.values()))


def test_rules_are_about_events_that_there_are() -> None:
    """Every trigger is the type of an event."""
    assert set(TRIGGERS) <= set(event_types())


@pytest.mark.parametrize(
    ("on", "action", "when"),
    [
        ("door_opened", UNLOCK, {}),
        ("stranger_seen", UNLOCK, {}),
        ("coffee_taken", UNLOCK, {}),
        ("subject_identified", UNLOCK, {"grade": "greeting"}),
        ("subject_identified", UNLOCK, {"grade": "final"}),
        ("door_opened", SONG, {"people": ["ann"]}),
        ("object_seen", SONG, {"groups": ["g"]}),
        ("subject_identified", SONG, {"labels": ["dog"]}),
    ],
)
def test_what_makes_no_sense_together_is_no_rule(
    on: str, action: dict[str, Any], when: dict[str, Any]
) -> None:
    """A lock for a door that opened, people of a thing: refused as a whole."""
    with pytest.raises(FormError) as caught:
        parse_rule(body(on, action, **when))

    assert ["rule"] == list(caught.value.fields)


def test_a_rule_names_targets_that_fit_the_outbox() -> None:
    """A lane is at most as long as the outbox has room for: a longer one would stop the event itself."""
    longest = {**HOOK, "webhook": "w" * 32}

    assert len(rule("door_opened", longest).actions[0].lane) <= 64
    with pytest.raises(FormError):
        rule("door_opened", {**HOOK, "webhook": "w" * 33})


@pytest.mark.parametrize("text", ["hello {name}", "{alias} {ALIAS}", "{ alias }", "well {}", "{{alias}}"])
def test_a_line_takes_no_placeholder_that_nobody_fills(text: str) -> None:
    """It would be on the screen as it was typed; the fault names the one there is."""
    with pytest.raises(FormError) as caught:
        rule("door_opened", {**LINE, "text": text})

    assert ["actions.0.text"] == list(caught.value.fields)
    assert "{alias}" in caught.value.fields["actions.0.text"]


@pytest.mark.parametrize(
    "text", ["hello {alias}", "{alias}, {alias}!", "coffee :-}", "one { is no placeholder"]
)
def test_a_line_takes_the_alias_and_lone_braces(text: str) -> None:
    """As often as one likes."""
    action = rule("door_opened", {**LINE, "text": text}).actions[0]

    assert isinstance(action, ShowOnScreen)
    assert text == action.text


def test_a_rule_has_so_many_actions() -> None:
    """And no more: they are written within the database's lock."""
    assert MOST_ACTIONS == len(rule("door_opened", *[HOOK] * MOST_ACTIONS).actions)
    with pytest.raises(FormError) as caught:
        rule("door_opened", *[HOOK] * (MOST_ACTIONS + 1))

    assert ["actions"] == list(caught.value.fields)


@pytest.mark.parametrize("written", ["hunter2", {"name": "hunter2", "hunter2": {}}, '{"on": "hunter2"}'])
def test_no_fault_repeats_what_was_written(written: Any) -> None:
    """It may be anything."""
    with pytest.raises(FormError) as caught:
        parse_rule(written)

    assert "hunter2" not in "".join(caught.value.fields.values())
