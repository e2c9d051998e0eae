"""Pages about people, without a browser: what is shown to whom, what forms do, which uploads are refused."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile_pictures import HOSTILE, PORTRAIT
from models_process import lend
from people_vectors import looks
from web_site import PASSWORD, Browser, Site, open_site

from appliance.permissions import Role
from appliance.services import Layout
from appliance.store import Consent, NewReference
from enroll.consent import TEXT, TEXT_VERSION
from web.requests import UPLOAD_BYTES

CONSENT = {"purposes": ["identify", "greet"], "text_version": TEXT_VERSION, "given_by": "signed form"}


@pytest.fixture
def seeing_site(tmp_path: Path, models_socket: Path) -> Iterator[Site]:
    """A site whose desk can have pictures looked at."""
    layout = Layout(tmp_path / "state")
    lend(models_socket, layout)
    with open_site(layout) as opened:
        yield opened


@pytest.fixture
def admin(site: Site) -> Browser:
    """Ada's browser."""
    return site.client(Role.ADMIN)


@pytest.fixture
def ann(site: Site) -> str:
    """Ann, with three pictures; her id."""
    return enrolled(site, "Ann Example", 0, 30, 60)


def enrolled(
    site: Site, name: str, *degrees: float, purposes: tuple[str, ...] = ("identify", "greet")
) -> str:
    """Somebody on the box."""
    references = [NewReference(looks(each), 80.0, {"origin": "photo"}) for each in degrees]
    consent = Consent(purposes, TEXT_VERSION, "signed form")
    return str(site.services.store.add_subject(name, consent=consent, references=references).id)


def begun(browser: Browser, **more: Any) -> str:
    """A draft's id."""
    said = send(browser, "/people/enrol", {"name": "Ben", "consent": CONSENT, **more})
    return str(said.json["draft"])


def send(browser: Browser, path: str, said: dict[str, Any], *, method: str = "POST") -> Any:
    """As the page's script sends it."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    return browser.send(method, path, json.dumps(said).encode(), headers=headers)


def upload(browser: Browser, draft: str, content: bytes, *, origin: str = "photo") -> Any:
    """Likewise, a picture."""
    data = {"photo": (io.BytesIO(content), "../../etc/Ann Example.jpg"), "origin": origin}
    return browser.send("POST", f"/people/enrol/{draft}/photos", data, headers={"Accept": "application/json"})


def test_an_empty_box_offers_the_next_step(admin: Browser, site: Site) -> None:
    """To who may take it; a viewer is told whom to ask."""
    page, viewers = admin.get("/people").text, site.client(Role.VIEWER).get("/people").text

    assert "Nobody is enrolled yet" in page
    assert 'href="/people/enrol"' in page
    assert "Nobody is enrolled yet" in viewers
    assert "/people/enrol" not in viewers


def test_everybody_is_a_card(admin: Browser, site: Site, ann: str) -> None:
    """With name, initials, pictures, and what would help; names are written as text, whatever they are."""
    enrolled(site, "<script>alert(1)</script>", 180)
    page = admin.get("/people").text

    assert f'href="/people/{ann}"' in page
    assert "Ann Example" in page
    assert "3 pictures, good" in page
    assert "One picture only" in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_long_list_comes_in_parts(site: Site, admin: Browser) -> None:
    """Each part says where the next begins, and is small on the wire."""
    for number in range(201):
        enrolled(site, f"Person {number:03}")
    first = admin.get("/people", headers={"Accept-Encoding": "gzip"})
    page = admin.get("/people").text
    begin = page.index("data-more") - 200
    address = page[page.index("/people?after=", begin) :].partition('"')[0]
    second = admin.get(address).text

    assert len(first.data) < 150_000
    assert "201 people" in page
    assert "Person 200" not in page
    assert "Person 200" in second
    assert "data-more" not in second


def test_a_profile_shows_what_is_kept_and_what_remains(admin: Browser, ann: str) -> None:
    """References with their quality, consents with text and day, and what a removal leaves behind."""
    page = admin.get(f"/people/{ann}").text

    assert 3 == page.count("Delete picture ")
    assert TEXT.split("\n")[0] in page
    assert TEXT_VERSION in page
    assert "signed form" in page
    assert "What remains, and for how long" in page
    assert "Backups made before" in page


def test_a_viewer_may_look_and_finds_no_button(site: Site, ann: str) -> None:
    """What needs another role is not offered, and is refused when it is tried all the same."""
    viewer = site.client(Role.VIEWER)
    page = viewer.get(f"/people/{ann}").text

    assert "Ann Example" in page
    assert "<form" not in page
    assert 403 == viewer.get("/people/enrol").status_code
    assert 403 == viewer.post(f"/people/{ann}/remove").status_code
    assert 1 == len(site.services.store.subjects())


def test_nobody_is_not_found(admin: Browser) -> None:
    """Neither by an id that nobody has, nor by a name."""
    for key in ("0190a5c2-0000-7000-8000-000000000000", "Ann%20Example", "x" * 80):
        assert 404 == admin.get(f"/people/{key}").status_code


def test_names_are_changed(admin: Browser, site: Site, ann: str) -> None:
    """Name, initials and alias by one form; only what was changed is logged."""
    path = f"/people/{ann}/name"
    first = admin.post(path, {"name": "Ann Example", "initials": "AE", "alias": "Captain"})
    admin.post(path, {"name": "Ann Other", "initials": "AX", "alias": "Captain"})
    admin.post(path, {"name": "Ann Other", "initials": "AX", "alias": ""})
    admin.post(path, {"name": "Ann Other", "initials": "AX", "alias": ""})
    subject = site.services.store.subject(ann)

    assert (303, f"/people/{ann}") == (first.status_code, first.headers["Location"])
    assert ("Ann Other", "AX", None) == (subject.name, subject.initials, subject.alias)
    assert 3 == len(site.services.store.events(types=("subject_renamed",)))


@pytest.mark.parametrize(
    ("path", "form", "words"),
    [
        ("name", {"name": " ", "initials": "A"}, "a name is 1 to 120 visible characters"),
        ("name", {"name": "Ann Example", "initials": "AE", "alias": "x" * 30}, "at most 24 visible"),
        ("strictness", {"factor": "a lot"}, "not a number"),
        ("strictness", {"factor": "0"}, "number from 1"),
        ("consent", {"purposes": "song", "text_version": "1-0", "given_by": "x"}, "the text has changed"),
        ("withdraw", {"purposes": "unlock"}, "not agreed to that"),
        ("merge", {"other": "ANN"}, "that is one person already"),
    ],
)
def test_what_cannot_be_is_said_on_the_page(
    site: Site, ann: str, path: str, form: dict[str, str], words: str
) -> None:
    """With 422, the person's page, and what was entered; nothing is changed."""
    before = site.ask("people.show", person=ann)
    data = {key: ann if value == "ANN" else value for key, value in form.items()}
    answer = site.client(Role.ADMIN).post(f"/people/{ann}/{path}", data)

    assert 422 == answer.status_code
    assert words in answer.text.lower()
    assert "Ann Example" in answer.text
    assert before == site.ask("people.show", person=ann)


def test_somebody_is_paused_resumed_made_stricter(admin: Browser, site: Site, ann: str) -> None:
    """Each says what it did, on the page it leads back to."""
    admin.post(f"/people/{ann}/pause")
    paused = admin.get(f"/people/{ann}").text
    admin.post(f"/people/{ann}/resume")
    admin.post(f"/people/{ann}/strictness", {"factor": "10"})
    stricter = admin.get(f"/people/{ann}").text

    assert "The door knows them no more" in paused
    assert "Resume" in paused
    assert "10 times more rarely than usual" in stricter
    assert 10 == site.services.store.subject(ann).strictness


def test_consents_are_given_and_taken_back(admin: Browser, site: Site, ann: str) -> None:
    """One by one; with the last to being recognised, everything ends, and what remains is said."""
    admin.post(
        f"/people/{ann}/consent",
        {"purposes": "song", "text_version": TEXT_VERSION, "given_by": "by mail"},
    )
    given = site.services.store.subject(ann).purposes
    admin.post(f"/people/{ann}/withdraw", {"purposes": "greet"})
    left = site.services.store.subject(ann).purposes
    ended = admin.post(f"/people/{ann}/withdraw", {"purposes": "identify"})
    page = admin.get("/people").text

    assert (("greet", "identify", "song"), ("identify", "song")) == (given, left)
    assert "/people" == ended.headers["Location"]
    assert "Their key, their name and all that was measured of their face are destroyed." in page
    assert "Backups made before" in page
    assert [] == site.services.store.subjects()


def test_somebody_is_removed(admin: Browser, site: Site, ann: str) -> None:
    """And their page is gone."""
    admin.post(f"/people/{ann}/remove")

    assert [] == site.services.store.subjects()
    assert 404 == admin.get(f"/people/{ann}").status_code
    assert 404 == admin.post(f"/people/{ann}/remove").status_code


def test_a_picture_is_deleted_only_as_theirs(admin: Browser, site: Site, ann: str) -> None:
    """The address names both, and the desk holds them together."""
    ben = enrolled(site, "Ben", 180)
    (of_ben,) = site.services.store.references(ben)
    wrong = admin.post(f"/people/{ann}/references/{of_ben.id}/remove")
    admin.post(f"/people/{ben}/references/{of_ben.id}/remove")

    assert 404 == wrong.status_code
    assert [] == site.services.store.references(ben)


def test_a_merge_is_shown_before_it_is_done(admin: Browser, site: Site, ann: str) -> None:
    """Who stays, how alike they look, what it does; then it is done."""
    same, other = enrolled(site, "Anne", 20), enrolled(site, "Ben", 180)
    choosing = admin.get(f"/people/{ann}/merge").text
    alike = admin.get(f"/people/{ann}/merge?other={same}").text
    different = admin.get(f"/people/{ann}/merge?other={other}").text
    done = admin.post(f"/people/{ann}/merge", {"other": same})

    assert f'value="{same}"' in choosing
    assert f'value="{ann}"' not in choosing
    assert "They look like one person" in alike
    assert "Ann Example has 4 pictures then, 1 of them taken over" in alike
    assert "They do not look like one person" in different
    assert 303 == done.status_code
    assert 4 == site.services.store.subject(ann).references


def test_the_safety_page_is_in_words(admin: Browser, site: Site, ann: str) -> None:
    """The promise, who could be taken for whom, and what would help; without a word of the trade."""
    alone = admin.get("/people/safety").text
    enrolled(site, "Anna Alike", 20)
    page = admin.get("/people/safety").text

    assert "1 in 1,000 strangers would pass as the one person enrolled" in alone
    assert "could be taken for" not in alone
    assert "could be taken for" in page
    assert f'href="/people/{ann}"' in page
    for word in ("FPIR", "FNIR", "FMR", "embedding", "subject"):
        assert word not in page


def test_only_the_page_that_enrols_may_use_a_webcam(admin: Browser, ann: str) -> None:
    """No other page may ask for it, whatever gets onto it."""
    allowed = {
        path: "camera=(self)" in admin.get(path).headers["Permissions-Policy"]
        for path in (
            "/people/enrol",
            f"/people/enrol?to={ann}",
            "/people",
            f"/people/{ann}",
            "/people/safety",
        )
    }

    assert ["/people/enrol", f"/people/enrol?to={ann}"] == [path for path, may in allowed.items() if may]


@pytest.mark.parametrize(
    ("next_", "leads"),
    [("/set-up", True), ("https://elsewhere.example/", False), ("//elsewhere.example", False)],
)
def test_enrolling_leads_on_within_the_site_only(admin: Browser, next_: str, *, leads: bool) -> None:
    """The first run's wizard has it lead back to itself; an address from elsewhere is none."""
    page = admin.get("/people/enrol", query_string={"next": next_}).text

    assert leads == (f'data-next="{next_}"' in page)
    assert "elsewhere.example" not in page


def test_nothing_begins_without_a_consent(admin: Browser) -> None:
    """Its faults are told by field, for the page to show where they belong."""
    answer = send(admin, "/people/enrol", {"name": "Ben"})

    assert (422, ["consent"]) == (answer.status_code, list(answer.json["error"]["fields"]))


@pytest.mark.parametrize("said", [b"", b"[]", b"nonsense", b'{"name": 7}', b'{"name": "Ben", "admin": true}'])
def test_what_the_script_never_sends_is_refused(admin: Browser, said: bytes) -> None:
    """With 422, and not with a fault of ours."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}

    assert 422 == admin.send("POST", "/people/enrol", said, headers=headers).status_code


def test_somebody_is_enrolled_by_upload(seeing_site: Site) -> None:
    """A draft, a picture, the verdict with the face's place, and the person."""
    admin = seeing_site.client(Role.ADMIN)
    draft = begun(admin)
    (photo,) = upload(admin, draft, PORTRAIT.read_bytes(), origin="webcam").json["photos"]
    shown = admin.get(f"/people/enrol/{draft}").json
    done = send(admin, f"/people/enrol/{draft}/commit", {}).json
    (ben,) = seeing_site.services.store.subjects()

    assert ("accepted", [682, 853], "webcam") == (photo["verdict"], photo["size"], photo["origin"])
    assert 1 == shown["accepted"]
    assert ("Ben", 1, True) == (done["person"]["name"], done["added"], done["new"])
    assert ("Ben", 1) == (ben.name, ben.references)
    assert done["safety"]["promise"].startswith("with 1 person and 1 picture")


def test_each_step_of_a_draft_has_an_address(seeing_site: Site) -> None:
    """Choosing, answering, leaving out, adding to somebody, discarding; what is not there is not found."""
    ann = enrolled(seeing_site, "Ann", 0)
    admin = seeing_site.client(Role.ADMIN)
    draft = begun(admin)
    photo = upload(admin, draft, PORTRAIT.read_bytes()).json["added"]
    below = f"/people/enrol/{draft}"
    chosen = send(admin, f"{below}/photos/{photo}/face", {"face": 1})
    wrong = send(admin, f"{below}/photos/{photo}/face", {"face": 9})
    known = send(admin, f"{below}/photos/{photo}/answer", {"although": "alike"})
    moved = send(admin, f"{below}/add-to", {"person": ann})
    without = send(admin, f"{below}/photos/{photo}", {}, method="DELETE")
    gone = send(admin, f"{below}/photos/{photo}", {}, method="DELETE")
    over = send(admin, below, {}, method="DELETE")
    after = admin.get(below, headers={"Accept": "application/json"})

    assert [200, 422, 200, 200, 200, 422, 200, 422] == [
        each.status_code for each in (chosen, wrong, known, moved, without, gone, over, after)
    ]
    assert ("Ann", []) == (moved.json["name"], without.json["photos"])


@pytest.mark.parametrize("name", ["empty", "png bomb", "svg", "page behind a gif", "cut off"])
def test_a_hostile_upload_is_a_verdict(seeing_site: Site, name: str) -> None:
    """With words for the tile; the server goes on."""
    content, expected = HOSTILE[name]
    admin = seeing_site.client(Role.ADMIN)
    draft = begun(admin)
    answer = upload(admin, draft, content())
    (photo,) = answer.json["photos"]

    assert (200, "refused") == (answer.status_code, photo["verdict"])
    assert {each["code"] for each in photo["reasons"]} <= expected


def test_an_upload_that_is_too_large_is_not_read(admin: Browser, site: Site) -> None:
    """50 MB are refused by what the request says of itself, before the desk hears of it."""
    draft = begun(admin)
    site.desk.asked.clear()
    headers = {"Accept": "application/json", "Content-Type": "multipart/form-data; boundary=x"}
    answer = admin.send("POST", f"/people/enrol/{draft}/photos", bytes(50_000_000), headers=headers)

    assert 413 == answer.status_code
    assert "enrol.judge" not in site.desk.asked
    assert UPLOAD_BYTES < 50_000_000


def test_an_upload_without_a_file_says_so(admin: Browser) -> None:
    """Instead of looking at nothing."""
    draft = begun(admin)
    answer = admin.send(
        "POST", f"/people/enrol/{draft}/photos", {"origin": "photo"}, headers={"Accept": "application/json"}
    )

    assert (422, ["photo"]) == (answer.status_code, list(answer.json["error"]["fields"]))


def test_a_draft_is_for_one_session(site: Site, admin: Browser) -> None:
    """The same admin, signed in elsewhere, does not reach it: 422, as if it had never been."""
    draft = begun(admin)
    secret = site.ask("session.open", as_=None, name="Ada", password=PASSWORD)["secret"]
    other = site.client(Role.ADMIN, secret=secret)
    answer = other.get(f"/people/enrol/{draft}", headers={"Accept": "application/json"})

    assert 422 == answer.status_code
    assert 200 == admin.get(f"/people/enrol/{draft}").status_code


def test_the_pages_are_light(admin: Browser, site: Site, ann: str) -> None:
    """At most 150 kB on the wire before pictures, with everything that a page loads."""
    for number in range(60):
        enrolled(site, f"Person {number}", 6 * number)
    for path in ("/people", f"/people/{ann}", "/people/enrol", "/people/safety"):
        page = admin.get(path, headers={"Accept-Encoding": "gzip"})
        scripts = ["people.js", "people-enrol.js", "people-tiles.js", "people-measures.js", "webcam.js"]
        files = [Path(__file__).parents[2] / "web" / "static" / "js" / each for each in scripts]

        assert len(page.data) + sum(each.stat().st_size for each in files) < 100_000
