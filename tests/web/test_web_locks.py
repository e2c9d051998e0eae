"""Locks as an admin sees them: each policy in words to be accepted, what is missing, PINs, keypads."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from locked_box import ANNS, RULE, SETTINGS, lock_program
from web_site import Site, open_site

from appliance.events import UnlockDecided
from appliance.permissions import Role
from appliance.rules import parse_rule
from appliance.services import Layout
from appliance.store import Consent
from appliance.store.pins import MOST_WRONG
from web import cookies

AGREED = Consent(purposes=("identify", "unlock"), text_version="2026-01", given_by="on paper")


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Site]:
    """A site with a lock that nobody has chosen a policy for, and Ann, who agreed."""
    layout = Layout(tmp_path / "state")
    layout.state.mkdir(mode=0o700)
    argv = json.dumps(lock_program(tmp_path))
    layout.settings_file.write_text(SETTINGS.format(policy="off", argv=argv), encoding="utf-8")
    with open_site(layout) as site:
        site.services.store.add_subject("Ann Archer", consent=AGREED)
        yield site


def ann(site: Site) -> str:
    """Her id."""
    return str(site.services.store.subjects()[0].id)


def test_without_a_lock_it_says_where_one_is_set_up(site: Site) -> None:
    """Nothing to choose, and a word about where to begin."""
    shown = site.client("admin").get("/locks").text

    assert "[[locks]]" in shown
    assert "Pair a keypad" not in shown


def test_each_policy_is_said_in_words(locked: Site) -> None:
    """What a face alone accepts stands on the page, as the admin has to read it."""
    shown = locked.client("admin").get("/locks").text

    assert "holds up a photo, a screen or a mask" in shown
    assert "Nothing on this page opens one" in shown


@pytest.mark.parametrize("policy", ["face_and_pin", "face_alone"])
def test_a_policy_is_chosen_only_when_it_was_read(locked: Site, policy: str) -> None:
    """Without the tick nothing is changed; that of another policy does not count."""
    admin = locked.client("admin")
    other = {"face_alone": "face_and_pin", "face_and_pin": "face_alone"}[policy]
    unread = admin.post("/locks/front/policy", {"policy": policy})
    wrong = admin.post("/locks/front/policy", {"policy": policy, f"understood-{other}": "1"})
    before = locked.ask("locks.list")["locks"][0]["policy"]
    read = admin.post("/locks/front/policy", {"policy": policy, f"understood-{policy}": "1"})

    assert (422, 422, 303) == (unread.status_code, wrong.status_code, read.status_code)
    assert "that you have" in unread.text
    assert ("off", policy) == (before, locked.ask("locks.list")["locks"][0]["policy"])


def test_switching_off_needs_no_tick(locked: Site) -> None:
    """Whoever wants a door shut is asked nothing."""
    admin = locked.client("admin")
    admin.post("/locks/front/policy", {"policy": "face_alone", "understood-face_alone": "1"})

    assert 303 == admin.post("/locks/front/policy", {"policy": "off"}).status_code
    assert "off" == locked.ask("locks.list")["locks"][0]["policy"]


def test_hours_that_cannot_be_are_marked(locked: Site) -> None:
    """What was written stays in the form, with what is wrong."""
    form = {"policy": "face_and_pin", "understood-face_and_pin": "1", "hours": "whenever"}
    answer = locked.client("admin").post("/locks/front/policy", form)

    assert 422 == answer.status_code
    assert "whenever</textarea>" in answer.text
    assert "mon-fri 07:00-19:00" in answer.text


def test_a_lock_of_another_name_is_refused(locked: Site) -> None:
    """A policy for a lock that the settings do not have makes none."""
    answer = locked.client("admin").post("/locks/cellar/policy", {"policy": "off"})

    assert 422 == answer.status_code
    assert ["front"] == [each["id"] for each in locked.ask("locks.list")["locks"]]


def test_what_is_missing_is_said_until_nothing_is(locked: Site) -> None:
    """A rule, a keypad, a PIN: each sentence goes when it is there."""
    admin = locked.client("admin")
    admin.post("/locks/front/policy", {"policy": "face_and_pin", "understood-face_and_pin": "1"})
    before = locked.ask("locks.list")["locks"][0]["missing"]
    locked.services.store.add_rule(parse_rule(RULE).body())
    code = locked.services.store.keypad_code("Front", "front")
    locked.services.store.pair_keypad(code)
    admin.post(f"/locks/pins/{ann(locked)}", {"pin": ANNS})

    assert 2 == len(before)  # no rule, no PIN; the site's own keypad is of this lock
    assert [] == locked.ask("locks.list")["locks"][0]["missing"]
    assert RULE["name"] in admin.get("/locks").text


@pytest.mark.parametrize("pin", ["1234", "9876", "7777", "12", "12a4", ""])
def test_a_pin_that_others_try_first_is_refused(locked: Site, pin: str) -> None:
    """Said beside the field; nothing is set, and what was typed is not repeated."""
    answer = locked.client("admin").post(f"/locks/pins/{ann(locked)}", {"pin": pin})

    assert 422 == answer.status_code
    assert [] == locked.services.store.pins()
    assert f'value="{pin}"' not in answer.text or not pin


def test_a_pin_is_set_and_shown_nowhere(locked: Site) -> None:
    """That there is one since today is shown; not the digits, nor how many."""
    admin = locked.client("admin")
    admin.post(f"/locks/pins/{ann(locked)}", {"pin": "90817263"})
    shown = admin.get("/locks").text
    told = locked.ask("locks.people")[0]["pin"]
    admin.post(f"/locks/pins/{ann(locked)}/remove")

    assert "90817263" not in shown
    assert {"changed_at", "wrong", "paused_until", "spent"} == set(told)
    assert locked.ask("locks.people")[0]["pin"] is None


def test_a_pin_that_was_wrong_far_too_often_is_said_to_need_another(locked: Site) -> None:
    """Whoever is asked why nothing opens sees what to do; another PIN is good at once."""
    store = locked.services.store
    locked.client("admin").post(f"/locks/pins/{ann(locked)}", {"pin": "90817263"})
    for _ in range(MOST_WRONG):
        store.begin_pin_try(ann(locked), attempts=MOST_WRONG + 1, pause_s=60.0)
    shown = locked.client("admin").get("/locks").text
    locked.client("admin").post(f"/locks/pins/{ann(locked)}", {"pin": "36271809"})

    assert "Refused until set anew" in shown
    assert not locked.ask("locks.people")[0]["pin"]["spent"]
    locked.client("admin").post(f"/locks/pins/{ann(locked)}/remove")


def test_decisions_stand_there_with_their_reasons(locked: Site) -> None:
    """In words; who it was, by name, for admins."""
    said = UnlockDecided(type="unlock_refused", lock="front", subject=ann(locked), reason="outside_hours")
    locked.services.store.append(said)
    shown = locked.client("admin").get("/locks").text

    assert "outside the lock&#39;s hours" in shown or "outside the lock's hours" in shown
    assert "Ann Archer" in shown


def test_a_keypad_is_paired_by_the_link_and_revoked(locked: Site) -> None:
    """Shown once; it becomes a keypad's cookie, once, and nobody's when it is unpaired."""
    admin = locked.client("admin")
    made = admin.post("/locks/keypads", {"label": "Front door", "lock": "front"}, follow_redirects=True).text
    link = re.search(r'value="(https://[^"]+/keypad/pair)#([^"]+)"', made)
    assert link is not None
    tablet = locked.client()
    paired = tablet.post("/keypad/pair", {"code": link.group(2)})
    again = locked.client().post("/keypad/pair", {"code": link.group(2)})
    now = tablet.get("/keypad/now", headers={"Accept": "application/json"})
    keypad = next(each for each in locked.ask("keypads.list") if each["label"] == "Front door")
    admin.post(f"/locks/keypads/{keypad['id']}/revoke")
    after = tablet.get("/keypad/now", headers={"Accept": "application/json"})

    assert (303, "/keypad", 422) == (paired.status_code, paired.headers["Location"], again.status_code)
    assert tablet.cookie(cookies.KEYPAD)
    assert ("Front door", False) == (now.json["label"], now.json["ready"])
    assert 401 == after.status_code


def test_a_keypad_for_a_lock_that_is_not_there_is_refused(locked: Site) -> None:
    """A code is made for locks of the settings only."""
    answer = locked.client("admin").post("/locks/keypads", {"label": "Cellar", "lock": "cellar"})

    assert 422 == answer.status_code


def test_what_a_keypad_gets_wrong_is_told_in_words(locked: Site) -> None:
    """Without a body, with letters, out of use: refused, and nothing of it repeated."""
    keypad = locked.client(Role.KEYPAD)
    headers = {"Accept": "application/json"}
    bare = keypad.post("/keypad/enter", headers=headers)
    turn = keypad.get("/keypad/now", headers=headers).json["turn"]
    letters = keypad.send(
        "POST",
        "/keypad/enter",
        b'{"pin": "hunter2", "turn": "' + turn.encode() + b'"}',
        headers={**headers, "Content-Type": "application/json"},
    )

    assert "again" == bare.json["outcome"]
    assert 422 == letters.status_code
    assert "hunter2" not in letters.text


def test_an_admin_is_no_keypad(locked: Site) -> None:
    """A session does not count at a keypad's address, whatever its owner may do elsewhere."""
    answer = locked.client("admin").get("/keypad/now", headers={"Accept": "application/json"})

    assert 401 == answer.status_code
