"""The first page's list of who came by: one line for each coming by, and what was set right in it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stores
from hypothesis import given
from hypothesis import strategies as st
from web_site import Site

from appliance.events import DoorCalibrated, ProcessChanged
from web.home import together

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDgFkHCwVRpIlq33M2d/yN3CINXqpw8bwDSfeGHoSQAP"


class Viewer:
    """Somebody who may look."""

    @staticmethod
    def may(_: str) -> bool:
        """Whatever it is."""
        return True


def stay(position: int, who: str | None, *, repeated: bool = False, wrong: bool = False) -> dict[str, Any]:
    """An entry of the log."""
    person = None if who is None else {"id": who, "name": who, "called": who}
    return {"position": position, "wrong": wrong, "decision": {"person": person, "repeated": repeated}}


def shown(*entries: dict[str, Any]) -> list[int]:
    """Positions of the lines that are left, of entries with the newest first."""
    return [entry["position"] for entry in together(entries)]


def test_a_stay_that_goes_on_is_one_line() -> None:
    """However often it was begun again; the line is that of the coming in, and others keep theirs."""
    ann = [stay(9, "ann", repeated=True), stay(7, "ann", repeated=True), stay(5, "ann")]

    assert [5] == shown(*ann)
    assert [5, 8, 6] == shown(ann[0], stay(8, "ben"), ann[1], stay(6, None), ann[2])


def test_what_is_another_coming_by_stays() -> None:
    """Later the same day, what was set right, and whoever may not be told of."""
    assert [9, 5] == shown(stay(9, "ann"), stay(5, "ann"))
    assert [9, 5] == shown(stay(9, "ann", repeated=True, wrong=True), stay(5, "ann"))
    assert [9, 5] == shown(stay(9, None, repeated=True), stay(5, None))


@given(st.lists(st.tuples(st.sampled_from(["ann", "ben", None]), st.booleans()), max_size=12))
def test_nothing_is_made_up(stays: list[tuple[str | None, bool]]) -> None:
    """Lines are entries, each once; everybody who came by is in one of them; twice put together is once."""
    entries = [stay(99 - i, who, repeated=repeated) for i, (who, repeated) in enumerate(stays)]
    left = together(entries)

    assert len({entry["position"] for entry in left}) == len(left)
    assert {who for who, _ in stays} == {(each["decision"]["person"] or {}).get("id") for each in left}
    assert len(left) <= len(entries)


@pytest.mark.parametrize(("repeated", "times"), [(True, 1), (False, 2)])
def test_one_coming_by_is_told_once(site: Site, repeated: bool, times: int) -> None:  # noqa: FBT001 - pytest's
    """On the page: a visit that was split by a gap in the pictures names nobody twice."""
    store = site.services.store
    ann = store.add_subject("Ann Archer", consent=stores.AGREED)
    at = datetime.now(UTC) - timedelta(minutes=5)
    place = {"door": "main", "camera": "entrance", "visit": "v1"}
    for i, again in enumerate((False, repeated)):
        seen = stores.identified(ann.id, encounter=f"e{i}", repeated=again).model_copy(update=place)
        store.append(seen, at=at + timedelta(seconds=9 * i))
    html = site.client("admin").get("/").get_data(as_text=True)

    assert times == html.count("Ann Archer")


def test_a_door_that_was_never_shown_leaves_its_step_open(site: Site) -> None:
    """It is saved, and the first page and the steps of setting up still ask for it."""
    site.ask("cameras.save", camera="entrance", fresh=True, source="scene:door")
    door = {"region": [0.3, 0.0, 0.7, 0.4], "seed": [0.5, 0.2], "tolerance": 12}
    door |= {"shut_fraction": 0.75, "open_below": 0.5, "shut_above": 0.8}
    given = {"door": "front", "camera": "entrance", "fresh": True, **door}
    admin = site.client("admin")
    refused = admin.post("/doors/save", json={**given, "sure": False}, headers={"Accept": "application/json"})
    saved = admin.post("/doors/save", json={**given, "sure": True})
    steps, home = (admin.get(path).get_data(as_text=True) for path in ("/set-up", "/"))

    assert (422, ["sure"]) == (refused.status_code, list(refused.json["error"]["fields"]))
    assert 200 == saved.status_code
    assert "Next: the door" in steps
    assert 'href="/doors/front?next=/set-up"' in steps
    assert "Door front: it was not shown shut and open" in home
    assert "Next: the door" in home


def test_setting_up_leads_on_from_step_to_step(site: Site) -> None:
    """Every first step knows the way back; whoever saved a camera, a door or a key is led to the next."""
    admin = site.client("admin")
    steps = admin.get("/set-up").text
    new = {"camera": "entrance", "source": "scene:door", "next": "/set-up"}
    camera = admin.post("/cameras/new", new).headers["Location"]
    after_camera = admin.get(camera).text
    door = {"region": [0.3, 0.0, 0.7, 0.4], "seed": [0.5, 0.2], "tolerance": 12}
    door |= {"shut_fraction": 0.75, "open_below": 0.5, "shut_above": 0.8}
    given = {"door": "front", "camera": "entrance", "fresh": True, "next": "/set-up", **door}
    after_door = admin.post("/doors/save", json=given).json["there"]
    key = admin.post("/recipients", {"key": KEY, "next": "/set-up"}).headers["Location"]
    after_key = admin.get(key).text
    by_itself = admin.get("/cameras/entrance").text

    firsts = ("/cameras/new", "/doors/new", "/recipients", "/people/enrol")
    assert [] == [first for first in firsts if f'href="{first}?next=/set-up"' not in steps]
    assert '<a class="button primary" href="/doors/new?next=/set-up">Next: the door</a>' in after_camera
    assert "/set-up" == after_door
    assert 'href="/doors/front?next=/set-up">Next: the door</a>' in after_key
    assert "Next: the door" not in by_itself


def test_the_first_page_shows_the_picture_as_it_is(site: Site) -> None:
    """Figures drawn into it are explained on the live page, and nowhere else shown."""
    template = site.app.jinja_env.get_template("home/now.html")
    with site.app.test_request_context("/"):
        seen = {"state": "ok", "id": "entrance"}
        html = template.render(
            cameras=[seen], doors=[], visits=None, warnings=[], caller=Viewer(), there=lambda _: True
        )

    assert 'data-picture="/live/entrance/device.jpg"' in html


def test_reading_the_finished_steps_does_not_begin_setting_up(site: Site) -> None:
    """The way back to the steps stands on other pages only while some are left."""
    admin = site.client("admin")
    admin.get("/set-up")
    begun = "Setting up: all steps" in admin.get("/account").text
    site.ask("cameras.save", camera="entrance", fresh=True, source="scene:door")
    door = {"region": [0.3, 0.0, 0.7, 0.4], "seed": [0.5, 0.2], "tolerance": 12}
    door |= {"shut_fraction": 0.75, "open_below": 0.5, "shut_above": 0.8}
    site.ask("doors.save", door="front", camera="entrance", fresh=True, **door)
    site.services.store.append(DoorCalibrated(door="front", separation=0.9, usable=True))
    site.ask("recipients.add", key=KEY)
    site.services.store.add_subject("Ann Archer", consent=stores.AGREED)
    done = admin.get("/set-up").text
    after = admin.get("/account").text

    assert begun
    assert "Everything is in place" in done
    assert "Setting up: all steps" not in after


def test_what_was_set_right_is_told_so(site: Site) -> None:
    """The name on the first page is that of who it really was."""
    store = site.services.store
    ann, ben = (store.add_subject(name, consent=stores.AGREED) for name in ("Ann Archer", "Ben Bauer"))
    seen = store.append(stores.identified(ann.id))
    site.ask("log.correct", event=seen.id, verdict="identified", person=ben.id)
    html = site.client("admin").get("/").get_data(as_text=True)

    assert "Ben Bauer" in html
    assert "Ann Archer" not in html


def test_each_line_leads_to_why(site: Site) -> None:
    """Who came by is a link to the account of it, with the name in it."""
    store = site.services.store
    ann = store.add_subject("Ann Archer", consent=stores.AGREED)
    seen = store.append(stores.identified(ann.id))
    html = site.client("admin").get("/").get_data(as_text=True)
    link = html.partition(f'href="/log/{seen.id}"')[2].partition("</a>")[0]

    assert "Ann Archer" in link
    assert 200 == site.client("admin").get(f"/log/{seen.id}").status_code


@pytest.mark.parametrize(
    ("path", "label"), [("/people", "People the door knows"), ("/captures", "Sealed pictures of strangers")]
)
def test_a_figure_is_told_by_its_link(site: Site, path: str, label: str) -> None:
    """Whoever tabs from link to link hears what the number is of."""
    html = site.client("admin").get("/").get_data(as_text=True)
    links = re.findall(rf'<a class="fact" href="{path}">(.*?)</a>', html)

    assert [f"{label} 0"] == [re.sub("<[^>]*>", "", each) for each in links]


def test_the_first_page_says_of_the_door_what_the_screen_says(site: Site) -> None:
    """As it moves, and that nobody watches it once the loop was ended: what it did since is not known."""
    site.ask("cameras.save", camera="entrance", fresh=True, source="scene:door")
    door = {"region": [0.3, 0.0, 0.7, 0.4], "seed": [0.5, 0.2], "tolerance": 12}
    door |= {"shut_fraction": 0.75, "open_below": 0.5, "shut_above": 0.8}
    site.ask("doors.save", door="main", camera="entrance", fresh=True, sure=True, **door)
    store, admin = site.services.store, site.client("admin")
    told = []
    for event in (
        stores.OPENED,
        ProcessChanged(type="process_restarted", process="desk"),
        ProcessChanged(type="process_stopped", process="loop", reason="it hung"),
        ProcessChanged(type="process_restarted", process="loop"),
        stores.SHUT,
    ):
        store.append(event)
        html = admin.get("/now").get_data(as_text=True)
        told += re.findall(r"The door is <em>([^<]*)</em>", html)

    assert ["open", "open", "not watched", "not watched", "shut"] == told


def test_the_first_page_asks_for_nothing_twice(site: Site) -> None:
    """Its parts ask by themselves; what two of them want to know is asked once, and asked anew next time."""
    admin = site.client("admin")
    admin.get("/")
    both = []
    for _ in range(2):
        site.desk.asked.clear()
        admin.get("/")
        both.append(list(site.desk.asked))

    for asked in both:
        assert {"people.list", "doors.list"} <= set(asked)
        assert 2 == sum(asked.count(each) for each in ("people.list", "doors.list"))
