"""The rules' pages: the list, on and off, dry runs, trying one on somebody; where they are found."""

from datetime import timedelta

from rule_bodies import HOOK, LINE, SONG, UNLOCK, body
from ruled import FAULT, Ruled, a_failure, shown

from appliance.events import SongSkipped
from appliance.store import OutboxState
from web.rules.examples import EXAMPLES

_NOBODY = "0190a5c2-0000-7000-8000-000000000000"


def test_an_empty_list_offers_rules_to_begin_with(ruled: Ruled) -> None:
    """Each of the three opens filled in, and saved as it stands it is a rule that is switched on."""
    admin = ruled.site.client("admin")
    empty = admin.get("/rules").text
    for each in EXAMPLES:
        page = admin.get(f"/rules/new?like={each.key}").text
        answer = admin.post("/rules/new", shown(page, do="save"))

        assert each.title in empty
        assert 303 == answer.status_code

    assert [(each.rule["name"], each.rule["on"], True) for each in EXAMPLES] == [
        (each["name"], each["on"], each["enabled"]) for each in ruled.rules
    ]


def test_the_list_says_what_each_rule_does_and_did(ruled: Ruled) -> None:
    """In a sentence, with how often it fired this week; one that is switched off does nothing."""
    admin = ruled.site.client("admin")
    rule = ruled.kept({**body("subject_identified", LINE, people=[ruled.ann]), "name": "Hello"})
    ruled.came(ruled.ann)
    ruled.came(ruled.ann)
    page = admin.get("/rules").text
    off = admin.post(f"/rules/{rule}/switch", {})
    ruled.came(ruled.ann)
    after = admin.get("/rules").text
    admin.post(f"/rules/{rule}/switch", {"enabled": "1"})

    assert "When Ann Archer is recognised:" in page
    assert "show “hello {alias}” on the office screens" in page
    assert "Fired twice in the last 7 days" in page
    assert 'aria-checked="true"' in page
    assert f"/rules#rule-{rule}" == off.headers["Location"]
    assert 'aria-checked="false"' in after
    assert "Fired twice" in after
    assert [True] == [each["enabled"] for each in ruled.rules]


def test_a_rule_that_cannot_be_read_is_told_as_such(ruled: Ruled) -> None:
    """A newer program wrote it: the list goes on, its page says what to do, and it can be removed."""
    rule = ruled.site.services.store.add_rule('{"name":"Later","on":"moon_risen","actions":[]}').id
    admin = ruled.site.client("admin")
    listed, page = admin.get("/rules"), admin.get(f"/rules/{rule}")
    others = [admin.get(f"/rules/{rule}/{path}") for path in ("dry-run", "try")]
    admin.post(f"/rules/{rule}/remove")

    assert (200, 200) == (listed.status_code, page.status_code)
    assert "written by a newer version" in listed.text
    assert "It does nothing; the others go on" in page.text
    assert [f"/rules/{rule}"] * 2 == [each.headers.get("Location") for each in others]
    assert 404 == admin.get(f"/rules/{rule}").status_code
    assert [] == ruled.rules


def test_rules_are_put_in_order(ruled: Ruled) -> None:
    """Up and down by a place; what is no place is the first."""
    ids = [ruled.kept({**body("door_opened", LINE), "name": name}) for name in "abc"]
    admin = ruled.site.client("admin")
    admin.post(f"/rules/{ids[0]}/move", {"place": "1"})
    down = [each["name"] for each in ruled.rules]
    admin.post(f"/rules/{ids[2]}/move", {"place": "-7"})

    assert ["b", "a", "c"] == down
    assert ["c", "b", "a"] == [each["name"] for each in ruled.rules]


def test_a_dry_run_is_a_timeline_with_reasons(ruled: Ruled) -> None:
    """When it would have fired and for whom; where it would not, why not, in words; nothing is done."""
    before = ruled.asked_for
    for days in (3.0, 2.0):
        ruled.came(ruled.ben, days=days)
        ruled.came(ruled.ann, days=days)
    ruled.came(ruled.ben, days=1.5, repeated=True)
    rule = ruled.kept(body("subject_identified", LINE, SONG, people=[ruled.ben]))
    admin = ruled.site.client("admin")
    page = admin.get(f"/rules/{rule}/dry-run").text
    lately = admin.get(f"/rules/{rule}/dry-run?days=1").text

    assert "It would have fired twice" in page
    assert "Ben Bauer" in page
    assert "screen, song" in page
    assert "It was somebody else." in page
    assert "They had been here a moment before." in page
    assert "It would not have fired" in lately
    assert before == ruled.asked_for


def test_a_rule_that_is_not_kept_yet_runs_dry(ruled: Ruled) -> None:
    """What is being written is held against last week before it is saved; faults stand at their fields."""
    ruled.came(ruled.ann, days=6)
    admin = ruled.site.client("admin")
    page = admin.get("/rules/new").text
    unnamed = admin.post("/rules/new", shown(page, do="dry-run"))
    named = admin.post("/rules/new", shown(page, name="Mine", do="dry-run"))

    assert 422 == unnamed.status_code
    assert 'href="#f-name"' in unnamed.text
    assert "It would have fired" in named.text
    assert "Mine" == shown(named.text)["name"][0]
    assert [] == ruled.rules


def test_a_rule_is_tried_on_somebody_who_is_chosen(ruled: Ruled) -> None:
    """Nobody is chosen beforehand; then each action's outcome is told, and a lock is left out."""
    rule = ruled.kept(body("subject_identified", LINE, HOOK, UNLOCK))
    admin, store = ruled.site.client("admin"), ruled.site.services.store
    nobody = admin.post(f"/rules/{rule}/try", {"subject": ""})
    begun = admin.post(f"/rules/{rule}/try", {"subject": ruled.ann})
    event = begun.headers["Location"].partition("event=")[2]
    waiting = admin.get(begun.headers["Location"]).text
    soon = ruled.site.services.clock.wall() + timedelta(seconds=1)
    line, hook = (row for row in store.claim(soon) if row.event.id == event)
    store.finish(line, OutboxState.DELIVERED.value)
    store.finish(hook, OutboxState.DEAD.value, error=FAULT)
    told = admin.get(f"/rules/{rule}/try/{event}").json
    after = admin.get(begun.headers["Location"]).text

    assert 422 == nobody.status_code
    assert '<option value="" selected>Nobody yet' in nobody.text
    assert 303 == begun.status_code
    assert 2 == waiting.count(">Waiting<")
    assert 1 == waiting.count(">Left out<")
    assert "A lock is never tried from here" in waiting
    assert told["done"]
    assert all(each in told["html"] for each in (">Done<", ">Failed<", "503 Service Unavailable"))
    assert ">Failed<" in after


def test_a_trial_that_was_silent_says_so(ruled: Ruled) -> None:
    """A song that was not played is not told as done: there is no song of theirs."""
    rule = ruled.kept(body("subject_identified", SONG))
    admin, store = ruled.site.client("admin"), ruled.site.services.store
    begun = admin.post(f"/rules/{rule}/try", {"subject": ruled.ann})
    event = begun.headers["Location"].partition("event=")[2]
    soon = ruled.site.services.clock.wall() + timedelta(seconds=1)
    song = next(row for row in store.claim(soon) if row.event.id == event)
    store.append(SongSkipped(reason="no_song", subject=ruled.ann, cause=event))
    store.finish(song, OutboxState.DELIVERED.value)
    page = admin.get(begun.headers["Location"]).text

    assert ">Not played<" in page
    assert ">Done<" not in page
    assert "No song was played: there is none." in page


def test_a_rule_that_only_opens_a_lock_cannot_be_tried(ruled: Ruled) -> None:
    """It is said, and nothing is asked for; nor on somebody whom there is not."""
    before = ruled.asked_for
    rule = ruled.kept(body("subject_identified", UNLOCK))
    admin = ruled.site.client("admin")
    answer = admin.post(f"/rules/{rule}/try", {"subject": ruled.ann})
    gone = admin.post(f"/rules/{rule}/try", {"subject": _NOBODY})

    assert (422, 422) == (answer.status_code, gone.status_code)
    assert "never tried from here" in answer.text
    assert before == ruled.asked_for


def test_what_became_of_another_event_is_not_told_here(ruled: Ruled) -> None:
    """An address that names an event that was no trial says that nothing was tried."""
    rule = ruled.kept(body("subject_identified", LINE))
    ruled.came(ruled.ann)
    event = ruled.site.ask("outbox.list")["rows"][0]["event"]
    told = ruled.site.client("admin").get(f"/rules/{rule}/try/{event}").json

    assert told["done"]
    assert ">Waiting<" not in told["html"]


def test_a_failure_is_told_on_home_and_at_the_rules(ruled: Ruled) -> None:
    """What could not be done is news for whoever looks after it, and for nobody else."""
    a_failure(ruled.site.services)
    admin, viewer = ruled.site.client("admin"), ruled.site.client("viewer")

    assert "could not be done" in admin.get("/rules").text
    assert "/outbox?show=failed" in admin.get("/").text
    assert "/outbox" not in viewer.get("/").text


def test_the_office_has_its_places(ruled: Ruled) -> None:
    """Under a heading of their own, and on a page for phones; for those who may."""
    admin, viewer = ruled.site.client("admin").get("/office"), ruled.site.client("viewer").get("/office")

    assert 'href="/rules"' in admin.text
    assert 'id="office-title"' in admin.text
    assert 200 == viewer.status_code
    assert 'href="/rules"' not in viewer.text
