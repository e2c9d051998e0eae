"""What is done: what waits, what was done, what failed and why; trying it again. And groups of people."""

from datetime import timedelta

from rule_bodies import LINE, body
from ruled import FAULT, Ruled, a_failure

from appliance.store import OutboxState


def test_what_failed_is_told_and_tried_again(ruled: Ruled) -> None:
    """With the rule, the reason and a button; afterwards it waits, and a second press says so."""
    rule, row = a_failure(ruled.site.services)
    admin = ruled.site.client("admin")
    failed = admin.get("/outbox?show=failed").text
    again = admin.post(f"/outbox/{row}/retry", {"show": "failed"})
    told = admin.get(again.headers["Location"]).text
    admin.post(f"/outbox/{row}/retry")
    twice = admin.get("/outbox").text
    state = {each["row"]: each["state"] for each in ruled.site.ask("outbox.list")["rows"]}

    assert f"{FAULT}." in failed.replace("The webhook", "the webhook")
    assert f'href="/rules/{rule}"' in failed
    assert f'action="/outbox/{row}/retry"' in failed
    assert "/outbox?show=failed" == again.headers["Location"]
    assert "It is tried again now." in told
    assert "is not a dead letter" in twice
    assert "pending" == state[row]


def test_what_is_promised_once_is_not_offered_again(ruled: Ruled) -> None:
    """A line on the screen that was interrupted may have been shown: it says so, and has no button."""
    ruled.kept(body("subject_identified", LINE))
    ruled.came(ruled.ann)
    store = ruled.site.services.store
    row = store.claim(ruled.site.services.clock.wall() + timedelta(seconds=1))[-1]
    store.finish(row, OutboxState.UNKNOWN.value, error="interrupted by a restart")
    admin = ruled.site.client("admin")
    page = admin.get("/outbox?show=undone").text
    forged = admin.post(f"/outbox/{row.id}/retry")

    assert "It may have been done; it is never done twice." in page
    assert f'action="/outbox/{row.id}/retry"' not in page
    assert 303 == forged.status_code
    assert "unknown" == next(
        each["state"] for each in ruled.site.ask("outbox.list")["rows"] if each["row"] == row.id
    )


def test_the_tabs_show_what_they_say(ruled: Ruled) -> None:
    """Each only its own; what the address asks for besides is the first."""
    a_failure(ruled.site.services)
    admin = ruled.site.client("admin")
    shown = {tab: admin.get(f"/outbox?show={tab}").text for tab in ("", "failed", "done", "nonsense")}

    assert ">Failed<" in shown["failed"]
    assert ">Failed<" not in shown["done"]
    assert ">Done<" not in shown["failed"]
    assert shown[""].count('class="card delivery"') == shown["nonsense"].count('class="card delivery"')


def test_pages_of_it_lead_on(ruled: Ruled) -> None:
    """More than a page leads to what is older; an address that is none leads to the newest."""
    ruled.kept(body("subject_identified", LINE))
    for _ in range(51):
        ruled.came(ruled.ann)
    admin = ruled.site.client("admin")
    newest = admin.get("/outbox").text
    before = newest.partition("/outbox?before=")[2].partition('"')[0]
    older = admin.get(f"/outbox?before={before}").text
    others = [admin.get(f"/outbox?before={each}").status_code for each in ("x", "-1", "9" * 30, "٣")]

    assert before.isdecimal()
    assert f'id="row-{before}"' in newest
    assert f'id="row-{before}"' not in older
    assert 'class="card delivery"' in older
    assert [200] * 4 == others
    assert [404, 404] == [admin.post(f"/outbox/{each}/retry").status_code for each in ("x", "9" * 30)]


def test_a_group_is_made_filled_renamed_and_removed(ruled: Ruled) -> None:
    """Who is in it is ticked; what rules ask for it is said; nobody in it is removed with it."""
    admin = ruled.site.client("admin")
    made = admin.post("/groups", {"label": "Night shift"})
    address = made.headers["Location"]
    group = address.rpartition("/")[2]
    rule = ruled.kept({**body("subject_identified", LINE, groups=[group]), "name": "Greet the night"})
    saved = admin.post(address, {"label": "Late shift", "members": [ruled.ann, ruled.ben, ruled.ann]})
    listed, page = admin.get("/groups").text, admin.get(address).text
    admin.post(address, {"label": "Late shift", "members": [ruled.ben]})
    left = ruled.site.ask("groups.list")["groups"]
    admin.post(f"{address}/remove")

    assert (303, 303) == (made.status_code, saved.status_code)
    assert "Late shift" in listed
    assert "Ann Archer, Ben Bauer" in listed
    assert f'href="/rules/{rule}"' in listed
    assert "Greet the night" in page
    assert [["Ben Bauer"]] == [[each["name"] for each in group["members"]] for group in left]
    assert [] == ruled.site.ask("groups.list")["groups"]
    assert 404 == admin.get(address).status_code
    assert 2 == len(ruled.site.services.store.subjects())


def test_a_group_s_name_is_its_own(ruled: Ruled) -> None:
    """Taken or none: told at the field with what was typed, on both pages; who was ticked stays ticked."""
    admin = ruled.site.client("admin")
    ruled.site.ask("groups.add", label="Day")
    night = ruled.site.ask("groups.add", label="Night")["id"]
    again = admin.post("/groups", {"label": "Day"})
    blank = admin.post("/groups", {"label": "   "})
    renamed = admin.post(f"/groups/{night}", {"label": "Day", "members": [ruled.ann]})

    assert [422, 422, 422] == [each.status_code for each in (again, blank, renamed)]
    assert 'value="Day"' in again.text
    assert "Choose another name." in again.text
    assert f'value="{ruled.ann}" checked' in renamed.text
    assert {"Day", "Night"} == {each["label"] for each in ruled.site.ask("groups.list")["groups"]}


def test_somebody_who_is_gone_is_put_into_no_group(ruled: Ruled) -> None:
    """They were removed while the page stood there: it is said, and the group stays as it was."""
    admin = ruled.site.client("admin")
    group = ruled.site.ask("groups.add", label="Day")["id"]
    answer = admin.post(
        f"/groups/{group}", {"label": "Day", "members": ["0190a5c2-0000-7000-8000-000000000000"]}
    )

    assert f"/groups/{group}" == answer.headers["Location"]
    assert "was removed meanwhile" in admin.get(answer.headers["Location"]).text
    assert [] == ruled.site.ask("groups.list")["groups"][0]["members"]


def test_everybody_fits_into_a_group(ruled: Ruled) -> None:
    """A form in which thousands are ticked is not too large, as others would be."""
    group = ruled.site.ask("groups.add", label="Everybody")["id"]
    many = [f"0190a5c2-0000-7000-8000-{number:012d}" for number in range(4_900)]
    answer = ruled.site.client("admin").post(f"/groups/{group}", {"label": "Everybody", "members": many})
    elsewhere = ruled.site.client("admin").post("/groups", {"label": "x" * (65 << 10)})

    assert f"/groups/{group}" == answer.headers["Location"]
    assert 413 == elsewhere.status_code
