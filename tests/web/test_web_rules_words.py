"""A rule in the editor: what a form says of it, rows that come and go, and each part in words."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from appliance.rules import TRIGGERS, parse_rule
from web.rules import draft as drafts
from web.rules import words
from web.rules.examples import BLANK, EXAMPLES, example
from web.rules.rehearsing import by_day, does

IDS = st.text(string.ascii_lowercase, min_size=1, max_size=6)
CLOCKS = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
HOURS = st.fixed_dictionaries(
    {
        "days": st.lists(st.integers(0, 6), min_size=1, max_size=7, unique=True),
        "start": CLOCKS,
        "end": CLOCKS,
    }
)
ACTIONS = st.one_of(
    st.fixed_dictionaries(
        {
            "kind": st.just("song"),
            "song": IDS,
            "output": st.sampled_from(["box", "mqtt", "home_assistant:media_player.hall"]),
        }
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("screen"),
            "text": IDS,
            "seconds": st.integers(2, 60).map(float),
        }
    ),
    st.fixed_dictionaries({"kind": st.just("webhook"), "webhook": IDS}),
    st.fixed_dictionaries({"kind": st.just("mqtt"), "topic": IDS}),
    st.fixed_dictionaries({"kind": st.just("command"), "command": IDS}),
    st.fixed_dictionaries(
        {
            "kind": st.just("record"),
            "camera": IDS | st.just(""),
            "seconds": st.none() | st.integers(5, 600).map(float),
        }
    ),
)
NAMES = words.Names({"a": "Ann Archer", "b": "Ben Bauer"}, {"g": "Night shift"}, {"s": "Chime"})


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    """Rules that the desk takes, as it answers them."""
    on = draw(st.sampled_from(TRIGGERS))
    when: dict[str, Any] = {
        "doors": draw(st.lists(IDS, max_size=2, unique=True)),
        "cameras": draw(st.lists(IDS, max_size=2, unique=True)),
        "hours": draw(st.lists(HOURS, max_size=3)),
        "first_of_day": draw(st.booleans()),
        "cool_down_s": draw(st.sampled_from([0.0, 60.0, 301.0, 86400.0])),
    }
    if on in {"subject_identified", "coffee_taken"}:
        when |= {name: draw(st.lists(IDS, max_size=3, unique=True)) for name in ("people", "groups")}
    if on in {"object_seen", "coffee_taken"}:
        when["labels"] = draw(st.lists(IDS, max_size=3, unique=True))
    if on == "object_seen":
        when["least_score"] = draw(st.sampled_from([0.0, 0.25, 0.6]))
    if on in {"subject_identified", "stranger_seen"}:
        when |= {"grade": draw(st.sampled_from([None, "final"])), "repetitions": draw(st.booleans())}
    said = {
        "name": draw(IDS),
        "on": on,
        "when": when,
        "actions": draw(st.lists(ACTIONS, min_size=1, max_size=4)),
    }
    return parse_rule(said).model_dump(mode="json")


def typed(rule: dict[str, Any]) -> MultiDict[str, str]:
    """A form in which somebody filled in a rule by hand."""
    form = MultiDict[str, str]([("name", rule["name"]), ("on", rule["on"])])
    when = rule["when"]
    for name in ("people", "groups", "doors", "cameras", "labels"):
        form.setlist(f"when.{name}", when[name])
    form["when.grade"] = when["grade"] or ""
    form["when.least_score"] = f"{100 * when['least_score']:g} %"
    form["when.cool_down_s"] = f"{when['cool_down_s']:g}"
    for name in ("first_of_day", "repetitions"):
        if when[name]:
            form[f"when.{name}"] = "1"
    for place, span in enumerate(when["hours"]):
        at = f"when.hours.{place}"
        form[f"{at}.shown"], form[f"{at}.start"], form[f"{at}.end"] = "1", span["start"], span["end"]
        form.setlist(f"{at}.days", [str(day) for day in span["days"]])
    for place, action in enumerate(rule["actions"]):
        for name, value in action.items():
            form[f"actions.{place}.{name}"] = f"{value:g}" if isinstance(value, float) else value or ""
        if action.get("output", "").startswith("home_assistant:"):
            kind, _, entity = action["output"].partition(":")
            form[f"actions.{place}.output"], form[f"actions.{place}.entity"] = kind, entity
    return form


@given(rules())
def test_what_is_filled_in_is_the_rule(rule: dict[str, Any]) -> None:
    """Any rule, typed into the form, is that rule: nothing is lost on the way and nothing is added."""
    made = parse_rule(drafts.rule_of(drafts.read(typed(rule))))

    assert parse_rule(rule) == made


@given(rules())
def test_a_rule_comes_out_of_the_editor_as_it_went_in(rule: dict[str, Any]) -> None:
    """What the editor shows of a kept rule is all of it."""
    assert parse_rule(rule) == parse_rule(drafts.rule_of(drafts.draft_of(rule)))


@given(rules(), st.sampled_from(TRIGGERS))
def test_what_an_event_cannot_be_asked_for_is_left_out(rule: dict[str, Any], on: str) -> None:
    """Whoever chooses another event is not refused for what they had asked of the one before."""
    made = drafts.rule_of({**drafts.draft_of(rule), "on": on})

    assert on == parse_rule(made).on


@given(rules())
def test_a_row_that_is_added_and_taken_away_changes_nothing(rule: dict[str, Any]) -> None:
    """Hours and actions come and go; what stood there before stays as it was."""
    draft = drafts.draft_of(rule)
    hours, actions = len(draft["when"]["hours"]), len(draft["actions"])

    assert draft == drafts.changed(drafts.changed(draft, "add-hours"), f"remove-hours:{hours}")
    assert draft == drafts.changed(drafts.changed(draft, "add-action"), f"remove-action:{actions}")


@given(rules(), st.integers(0, 9))
def test_an_action_moves_up_and_none_is_lost(rule: dict[str, Any], place: int) -> None:
    """Raised and raised back is as before; the first cannot be raised, nor one that is not there."""
    draft = drafts.draft_of(rule)
    raised = drafts.changed(draft, f"raise-action:{place}")

    assert draft == drafts.changed(raised, f"raise-action:{place}")
    assert (raised != draft) <= (0 < place < len(draft["actions"]))


def test_there_is_always_an_action() -> None:
    """The last one cannot be taken away, and no more are added than a rule may have."""
    draft = drafts.draft_of(BLANK)
    many = draft
    for _ in range(20):
        many = drafts.changed(drafts.changed(many, "add-action"), "add-hours")

    assert draft == drafts.changed(draft, "remove-action:0")
    assert drafts.MOST_ACTIONS == len(many["actions"])
    assert drafts.MOST_HOURS == len(many["when"]["hours"])


@given(st.text(max_size=30))
def test_a_button_that_there_is_not_changes_nothing(what: str) -> None:
    """Whatever a form says was pressed."""
    draft = drafts.draft_of(BLANK)

    assert what.startswith(("add-hours", "add-action")) or draft == drafts.changed(draft, what)


@given(st.dictionaries(st.sampled_from(sorted(typed(drafts.draft_of(BLANK)))), st.text(max_size=12)))
def test_whatever_is_typed_is_shown_again(form: dict[str, str]) -> None:
    """No text makes the editor fail: it is put into words as far as it goes; the desk says what is wrong."""
    draft = drafts.read(MultiDict(form))
    when = draft["when"]
    told = [
        words.event(draft),
        words.things(when),
        words.who(when, NAMES),
        words.where(when),
        words.time(when),
        words.often(when),
        *(words.action(each, NAMES) for each in draft["actions"]),
    ]

    assert all(isinstance(each, str) for each in told)
    assert drafts.rule_of(draft)["name"] == draft["name"]


def test_a_number_that_is_none_stays_as_typed() -> None:
    """It comes back to whoever typed it, and the desk refuses it; nothing is guessed."""
    assert [1.5, 1.5, 0.0, "many", "inf", "-inf", "nan"] == [
        drafts.number(each) for each in ("1.5", "1,5", "", "many", "inf", "-inf", "nan")
    ]


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ({"people": ["a"]}, "Ann Archer"),
        ({"people": ["a", "b"], "groups": ["g"]}, "Ann Archer, Ben Bauer or somebody of Night shift"),
        ({"people": ["gone"]}, "somebody who is no longer enrolled"),
        ({"people": ["a"] * 9}, "Ann Archer, Ann Archer, Ann Archer or 6 more"),
        ({"doors": ["main", "back"]}, "at main or back"),
        ({"doors": ["main"], "cameras": ["hall"]}, "at main by camera hall"),
        ({"first_of_day": True, "cool_down_s": 300}, "for the first time that day, not again within 5 min"),
        ({"labels": ["apple", "dog"], "least_score": 0.6}, "an apple or a dog, at least 60% certain"),
        ({}, ""),
    ],
)
def test_conditions_in_words(when: dict[str, Any], told: str) -> None:
    """Each part as it stands in the sentence; what asks nothing says nothing."""
    whole = drafts.draft_of({"name": "x", "on": "subject_identified", "when": when, "actions": []})["when"]
    whole["cool_down_s"] = float(whole["cool_down_s"])
    parts = (words.who(whole, NAMES), words.where(whole), words.often(whole), words.things(whole))

    assert [told] == ([each for each in parts if each] or [""])


def test_an_action_that_is_not_filled_in_yet_has_words() -> None:
    """A topic that is missing is no reason to say nothing."""
    assert "publish it by MQTT" == words.action({"kind": "mqtt", "topic": ""}, NAMES)
    assert "play “Chime” on the box" == words.action({"kind": "song", "song": "s", "output": "box"}, NAMES)


def test_the_rules_to_begin_with_are_rules() -> None:
    """Each is one once its webhook is chosen; an address that names none begins with a blank one."""
    chosen = {"webhook": ["chat"]}
    made = [
        parse_rule({**each.rule, "actions": drafts.chosen(each.rule["actions"], chosen)}) for each in EXAMPLES
    ]

    assert ["subject_identified", "coffee_taken", "stranger_seen", "object_seen"] == [
        each.on for each in made
    ]
    assert BLANK == example("<script>")


def test_every_event_and_kind_can_be_chosen() -> None:
    """What a rule may be about and may do is offered here, all of it, and nothing else."""
    kinds = {each["kind"] for each in drafts_of_every_kind()}

    assert set(TRIGGERS) == set(words.TRIGGERS)
    assert kinds == set(words.KINDS) == set(drafts.FIRST)
    assert all(words.FIELDS[name] for first in drafts.FIRST.values() for name in first)


def drafts_of_every_kind() -> list[dict[str, Any]]:
    """An action of each kind as it is first shown, its empty fields filled in: the desk takes each."""
    found = []
    for kind, first in drafts.FIRST.items():
        filled = {name: value if value != "" else "front" for name, value in first.items()}
        rule = {"name": "x", "on": "subject_identified", "actions": [{"kind": kind, **filled}]}
        found.append(parse_rule(rule).model_dump(mode="json")["actions"][0])
    return found


def test_what_would_have_happened_is_told_by_the_boxs_days() -> None:
    """Newest first, a day each, with whom it was about: a person, a thing, or a door."""
    at = ("2026-03-03T09:00:00+00:00", "2026-03-03T08:00:00+00:00", "2026-03-02T08:00:00+00:00")
    about = ({"subject": "a", "name": "Ann"}, {"subject": "b", "name": None}, {"door": "main"})
    none = dict.fromkeys(("subject", "name", "door", "camera", "label"))
    told = by_day(
        {"firings": [{**none, "at": when, **who} for when, who in zip(at, about, strict=True)], "near": []}
    )

    assert 3 == told["shown"]
    assert [["Ann", "Somebody who is no longer enrolled"], ["main"]] == [
        [each["whom"] for each in day["entries"]] for day in told["firings"]
    ]
    assert ["Tuesday", "Monday"] == [day["weekday"] for day in told["firings"]]


def test_what_a_rule_does_in_a_few_words() -> None:
    """For a line of a timeline."""
    actions = [{"kind": "song"}, {"kind": "mqtt"}, {"kind": "webhook", "webhook": "chat"}]

    assert "song, MQTT, webhook chat" == does(actions)
