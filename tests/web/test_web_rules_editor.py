"""The editor of a rule: what it shows it sends back, what is wrong stands at its field, rows come and go."""

from typing import Any

import pytest
from html_forms import buttons, sent
from rule_bodies import COMMAND, HOOK, LINE, SONG, UNLOCK, body
from ruled import Ruled, shown
from web_site import Site

from appliance.rules import TRIGGERS
from appliance.settings.locks import POLICIES

SCREEN = {**LINE, "seconds": 8}
_NOBODY = "0190a5c2-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    "said",
    [
        body("subject_identified", SONG, {**SONG, "output": "home_assistant:media_player.hall"}, UNLOCK),
        body("subject_identified", HOOK, first_of_day=True, repetitions=True, grade="final"),
        body("stranger_seen", HOOK, COMMAND, doors=["main"], cameras=["entrance"], cool_down_s=77),
        body("object_seen", SCREEN, labels=["dog"], least_score=0.55),
        body(
            "coffee_taken",
            {"kind": "mqtt", "topic": "coffee/taken"},
            labels=["cup"],
            hours=[{"days": [0, 4], "start": "22:00", "end": "06:00"}, {"days": [6], "start": "00:00"}],
        ),
        *(body(on, LINE) for on in TRIGGERS),
    ],
)
def test_the_editor_sends_back_what_it_shows(ruled: Ruled, said: dict[str, Any]) -> None:
    """A rule that is opened and saved says what it said, whatever it is about."""
    rule = ruled.kept(said)
    before = ruled.rules[0]
    page = ruled.site.client("admin").get(f"/rules/{rule}").text
    answer = ruled.site.client("admin").post(f"/rules/{rule}", shown(page, do="save"))

    assert (303, "/rules") == (answer.status_code, answer.headers["Location"])
    assert before["body"] == ruled.rules[0]["body"]
    assert before["version"] + 1 == ruled.rules[0]["version"]


def test_who_it_is_for_is_chosen_by_name(ruled: Ruled) -> None:
    """People and groups are ticked; what is kept is who they are, and the sentence says it."""
    group = ruled.site.ask("groups.add", label="Night shift")["id"]
    admin = ruled.site.client("admin")
    page = admin.get("/rules/new").text
    typed = shown(page, name="Hello", when__people=[ruled.ann], when__groups=[group])
    looked = admin.post("/rules/new", {**typed, "do": "look"}).text
    admin.post("/rules/new", {**typed, "do": "save"})

    assert "Ann Archer or somebody of Night shift" in looked
    assert [ruled.ann] == ruled.rules[0]["body"]["when"]["people"]
    assert [group] == ruled.rules[0]["body"]["when"]["groups"]


def test_what_is_wrong_stands_at_its_field(ruled: Ruled) -> None:
    """Everything at once, with what was typed; the parts of the sentence open; nothing is kept."""
    admin = ruled.site.client("admin")
    typed = {
        **shown(admin.get("/rules/new?like=theme-song").text, name="   ", do="save"),
        "when.hours.0.shown": "1",
        "when.hours.0.start": "25:00",
        "when.hours.0.end": "10:00",
        "actions.1.kind": "mqtt",
        "actions.1.topic": "no spaces please",
        "actions.2.kind": "screen",
        "actions.2.text": "hello",
        "actions.2.seconds": "many",
    }
    answer = admin.post("/rules/new", typed)
    page = answer.text
    banner = page[page.index('role="alert"') : page.index("</div>", page.index('role="alert"'))]
    named = ["name", "when.hours.0.days", "when.hours.0.start", "actions.1.topic", "actions.2.seconds"]

    assert 422 == answer.status_code
    assert "One of them at least is needed." in page
    assert f"{len(named)} fields cannot be taken" in banner
    assert [] == [each for each in named if f'href="#f-{each}"' not in banner or f'id="f-{each}"' not in page]
    assert all(f'value="{each}"' in page for each in ("25:00", "no spaces please", "many"))
    assert all(f'id="c-{each}" open' in page for each in ("time", "action-1", "action-2"))
    assert 'id="c-who" open' not in page
    assert [] == ruled.rules


def test_what_there_is_none_of_is_said_beside_where_to_make_one(site: Site) -> None:
    """No webhook, no broker, no lock, no command: it is said, and a rule that needs one is refused."""
    admin = site.client("admin")
    page = admin.get("/rules/new?like=stranger").text
    answer = admin.post("/rules/new", shown(page, do="save"))
    others = {
        kind: admin.post(
            "/rules/new", shown(admin.get("/rules/new").text, actions__0__kind=kind, do="look")
        ).text
        for kind in ("mqtt", "unlock", "command")
    }

    assert 'href="/settings/webhooks"' in page
    assert 422 == answer.status_code
    assert "There is nothing to choose yet." in answer.text
    assert 'href="/settings/mqtt"' in others["mqtt"]
    assert "The settings have no lock yet." in others["unlock"]
    assert "never here" in others["command"]
    assert [] == site.ask("rules.list")["rules"]


def test_one_of_several_that_is_gone_is_told_at_all_of_them(ruled: Ruled) -> None:
    """Somebody was removed while the form stood there: it is said where people are chosen."""
    admin = ruled.site.client("admin")
    page = admin.get("/rules/new").text
    answer = admin.post("/rules/new", shown(page, name="Hello", when__people=[ruled.ann, _NOBODY], do="save"))

    assert 422 == answer.status_code
    assert 'href="#f-when.people"' in answer.text
    assert 'id="c-who" open' in answer.text


def test_rows_come_and_go_without_a_script(ruled: Ruled) -> None:
    """Every button of the form shows it again with what was typed; nothing is kept before it is saved."""
    admin = ruled.site.client("admin")
    page = admin.get("/rules/new").text
    pressed = ("add-hours", "add-hours", "remove-hours:0", "add-action", "raise-action:1", "look:who")
    for what in pressed:
        assert what in buttons(page, "rule")
        page = admin.post("/rules/new", shown(page, name="Mine", do=what)).text
    now = sent(page, "rule")

    assert "Mine" == now["name"]
    assert ["screen", "song"] == [now[f"actions.{place}.kind"] for place in range(2)]
    assert ("1", None) == (now.get("when.hours.0.shown"), now.get("when.hours.1.shown"))
    assert 'id="c-who" open' in page
    assert [] == ruled.rules


def test_another_kind_of_action_brings_its_fields(ruled: Ruled) -> None:
    """A webhook, a lock or a command is one of those that there are; the first until another is chosen."""
    admin = ruled.site.client("admin")
    page = admin.get("/rules/new").text
    found = {
        kind: admin.post("/rules/new", shown(page, actions__0__kind=kind, do="look")).text
        for kind in ("webhook", "unlock", "command", "mqtt", "screen", "record")
    }

    assert ("", "60") == tuple(
        sent(found["record"], "rule")[f"actions.0.{name}"] for name in ("camera", "seconds")
    )
    assert "chat" == sent(found["webhook"], "rule")["actions.0.webhook"]
    assert "chime" == sent(found["command"], "rule")["actions.0.command"]
    assert "front" == sent(found["unlock"], "rule")["actions.0.lock"]
    assert POLICIES["face_alone"] in found["unlock"]
    assert {"actions.0.text", "actions.0.seconds"} <= set(sent(found["screen"], "rule"))
    assert "actions.0.topic" in sent(found["mqtt"], "rule")
    assert [] == [kind for kind, text in found.items() if "swordfish" in text or "0123456789abcdef" in text]


def test_a_player_of_home_assistant_is_named(ruled: Ruled) -> None:
    """Its name is asked for once it is chosen, and is a part of where the song is played."""
    admin = ruled.site.client("admin")
    page = admin.get("/rules/new").text
    chosen = admin.post("/rules/new", shown(page, actions__0__output="home_assistant", do="look")).text
    typed = shown(chosen, name="Hall", actions__0__entity="media_player.hall", do="save")
    unnamed = admin.post("/rules/new", shown(chosen, name="Hall", do="save"))
    admin.post("/rules/new", typed)

    assert 422 == unnamed.status_code
    assert 'href="#f-actions.0.output"' in unnamed.text
    assert ["home_assistant:media_player.hall"] == [
        each["body"]["actions"][0]["output"] for each in ruled.rules
    ]


def test_a_lock_is_offered_where_somebody_is_recognised(ruled: Ruled) -> None:
    """Nothing else opens one; a form that says so anyhow is refused in words."""
    admin = ruled.site.client("admin")
    page = admin.get("/rules/new").text
    offered = admin.post("/rules/new", shown(page, on="stranger_seen", do="look")).text
    typed = shown(page, name="Open", on="stranger_seen", actions__0__kind="unlock", actions__0__lock="front")
    answer = admin.post("/rules/new", {**typed, "do": "save"})

    assert '<option value="unlock"' in page
    assert '<option value="unlock"' not in offered
    assert 422 == answer.status_code
    assert "a lock opens for somebody who was recognised" in answer.text.lower()
    assert [] == ruled.rules


def test_what_somebody_changed_meanwhile_is_not_overwritten(ruled: Ruled) -> None:
    """The version that was looked at goes with the form, however often it is sent."""
    rule = ruled.kept(body("stranger_seen", SCREEN))
    admin = ruled.site.client("admin")
    page = admin.get(f"/rules/{rule}").text
    theirs = {**body("stranger_seen", SCREEN), "name": "Theirs"}
    ruled.site.ask("rules.change", rule=rule, body=theirs)
    answer = admin.post(f"/rules/{rule}", shown(page, name="Mine", do="save"))
    again = admin.post(f"/rules/{rule}", shown(answer.text, do="save"))

    assert (422, 422) == (answer.status_code, again.status_code)
    assert "Somebody changed this rule meanwhile" in answer.text
    assert "Theirs" == ruled.rules[0]["name"]


def test_what_is_gone_is_told_and_stays(ruled: Ruled) -> None:
    """A rule whose door, song and webhook went is shown with them, and may be changed in everything else."""
    said = body("subject_identified", {**SONG, "song": "s-1"}, {**HOOK, "webhook": "old"}, doors=["back"])
    rule = ruled.kept(said)
    page = ruled.site.client("admin").get(f"/rules/{rule}").text
    ruled.site.client("admin").post(f"/rules/{rule}", shown(page, name="New name", do="save"))

    assert "back (no longer there)" in page
    assert "A song that is gone" in page
    assert "old (no longer there)" in page
    assert ("New name", ["back"]) == (ruled.rules[0]["name"], ruled.rules[0]["body"]["when"]["doors"])
