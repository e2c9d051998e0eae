"""Accounts on the pages: signing in, the first admin, links, operators, setting up, the first page."""

import re

import pytest
import stores
from web_site import PASSWORD, Browser, Site

from appliance.app.desk.passwords import LONGEST
from appliance.events import StrangerSeen
from appliance.permissions import Role
from appliance.store import NewEvent
from appliance.values import Grade
from web import cookies

LONGER = "five even quieter words here"


def signed_in(browser: Browser) -> str | None:
    """The name on the account page; None: sent to sign in."""
    page = browser.get("/account")
    found = re.search(r"<h1>\s*([^<]+?)\s*</h1>", page.text)
    return found.group(1) if page.status_code == 200 and found else None


def test_somebody_signs_in(site: Site) -> None:
    """With name and password; the session is theirs."""
    browser = site.client()
    response = browser.post("/sign-in", {"name": "Ada", "password": PASSWORD})

    assert (303, "/") == (response.status_code, response.headers["Location"])
    assert "Ada" == signed_in(browser)


@pytest.mark.parametrize("who", [("Ada", "a wrong password"), ("Nobody", PASSWORD), ("", "")])
def test_a_wrong_name_or_password_is_told_alike(site: Site, who: tuple[str, str]) -> None:
    """Whether the name exists is not said; what was typed as a name stays, the password does not."""
    page = site.client().post("/sign-in", {"name": who[0], "password": who[1]})

    assert 422 == page.status_code
    assert "The name or the password is wrong" in page.text
    assert who[1] not in page.text or who[1] == ""


def test_trying_too_often_has_to_wait(site: Site) -> None:
    """After a few wrong ones even the right one waits, and the answer says for how long."""
    browser = site.client()
    for _ in range(7):
        page = browser.post("/sign-in", {"name": "Ada", "password": "a wrong password"})
    page = browser.post("/sign-in", {"name": "Ada", "password": PASSWORD})

    assert 429 == page.status_code
    assert int(page.headers["Retry-After"]) >= 1
    assert "0 seconds" not in page.text
    assert signed_in(browser) is None


def test_without_an_account_one_is_made_first(new_site: Site) -> None:
    """The sign-in page leads there, and the code of the link makes the first admin, once."""
    code = new_site.services.store.first_run_code()
    form = {"code": code, "name": "Ada", "password": PASSWORD, "again": PASSWORD}
    browser = new_site.client()
    first = browser.get("/sign-in")
    made = browser.post("/first-run", form)
    again = new_site.client().post("/first-run", form)

    assert "/first-run" == first.headers["Location"]
    assert (303, "/set-up") == (made.status_code, made.headers["Location"])
    assert "Ada" == signed_in(browser)
    assert 422 == again.status_code
    assert "There is an admin already" in again.text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"code": "made up"}, "no good"),
        ({"again": "something else"}, "Not the same as above"),
        ({"password": "short", "again": "short"}, "12"),
        ({"name": ""}, "name"),
    ],
)
def test_a_first_account_that_cannot_be_is_told(new_site: Site, change: dict[str, str], said: str) -> None:
    """What is wrong stands in the page, no password does, and the code stays good."""
    code = new_site.services.store.first_run_code()
    form = {"code": code, "name": "Ada", "password": PASSWORD, "again": PASSWORD}
    page = new_site.client().post("/first-run", form | change)
    then = new_site.client().post("/first-run", form)

    assert 422 == page.status_code
    assert said in page.text
    assert PASSWORD not in page.text
    assert 303 == then.status_code


def asks_for_code(page: str) -> bool:
    """Whether a form shows the field of its one-time code, which is in it in any case."""
    found = re.search(r"<div data-code( hidden)?>", page)

    assert found
    return found.group(1) is None


def test_a_good_code_is_not_asked_for_again(new_site: Site) -> None:
    """A password that is too short is no reason to show what came with the link; a wrong code is."""
    code = new_site.services.store.first_run_code()
    form = {"code": code, "name": "Ada", "password": "short", "again": "short"}
    short = new_site.client().post("/first-run", form).text
    wrong = new_site.client().post(
        "/first-run", {**form, "code": "x", "password": PASSWORD, "again": PASSWORD}
    )
    chosen = (
        new_site.client().post("/password", {"code": "of a link", "password": PASSWORD, "again": "x"}).text
    )

    assert (False, True) == (asks_for_code(short), asks_for_code(wrong.text))
    assert f'value="{code}"' in short
    assert not asks_for_code(chosen)


def test_a_password_is_changed(site: Site) -> None:
    """Other sessions of that operator end, this one goes on, and the new one is what signs in."""
    here, elsewhere = site.client(), site.client()
    for each in (here, elsewhere):
        each.post("/sign-in", {"name": "Vera", "password": PASSWORD})
    changed = here.post("/account/password", {"old": PASSWORD, "new": LONGER, "again": LONGER})
    after = site.client().post("/sign-in", {"name": "Vera", "password": LONGER})

    assert (303, 303) == (changed.status_code, after.status_code)
    assert ("Vera", None) == (signed_in(here), signed_in(elsewhere))


def test_a_changed_password_says_which_tokens_go_on(site: Site) -> None:
    """They are not ended with it; who had nobody guess it need do nothing, who did is told what to do."""
    here = site.client(Role.ADMIN)
    here.post("/account/password", {"old": PASSWORD, "new": LONGER, "again": LONGER})
    without = here.get("/account").text
    site.ask("tokens.create", label="wall", scopes=["live"])
    here.post("/account/password", {"old": LONGER, "new": PASSWORD, "again": PASSWORD})

    assert "can still be used" not in without
    assert "One token of yours can still be used" in here.get("/account").text


@pytest.mark.parametrize(
    "form",
    [
        {"old": "wrong", "new": LONGER, "again": LONGER},
        {"old": PASSWORD, "new": LONGER, "again": "another"},
        {"old": PASSWORD, "new": "short", "again": "short"},
    ],
)
def test_a_password_that_cannot_be_is_told(site: Site, form: dict[str, str]) -> None:
    """At its field; nothing is changed."""
    page = site.client(Role.VIEWER).post("/account/password", form)

    assert 422 == page.status_code
    assert 'aria-invalid="true"' in page.text
    assert 303 == site.client().post("/sign-in", {"name": "Vera", "password": PASSWORD}).status_code


def test_another_session_is_ended(site: Site) -> None:
    """From the list of one's own; the one that is looked from has no such button."""
    elsewhere = site.client()
    elsewhere.post("/sign-in", {"name": "Vera", "password": PASSWORD})
    here = site.client(Role.VIEWER)
    ends = re.findall(r"/account/sessions/[^/\"]+/end", here.get("/account").text)
    ended = here.post(ends[0])

    assert (1, 303) == (len(ends), ended.status_code)
    assert (None, "Vera") == (signed_in(elsewhere), signed_in(here))


def test_nobody_ends_the_session_of_another(site: Site) -> None:
    """Its id in the address is not enough: the loaded session is authorised."""
    session = site.ask("session.list")[0]["id"]
    answer = site.client(Role.VIEWER).post(f"/account/sessions/{session}/end")

    assert 404 == answer.status_code
    assert "Ada" == signed_in(site.client(Role.ADMIN))


def test_an_operator_is_admitted_by_a_link(site: Site) -> None:
    """The link is shown once, with its code in the fragment; whoever opens it chooses the password."""
    admin = site.client(Role.ADMIN)
    page = admin.post("/operators", {"name": "Otto", "role": "viewer"})
    found = re.search(r"value=\"https://localhost/password#([^\"]+)\"", page.text)
    assert found is not None
    otto = site.client()
    chosen = otto.post("/password", {"code": found.group(1), "password": PASSWORD, "again": PASSWORD})
    again = site.client().post("/password", {"code": found.group(1), "password": LONGER, "again": LONGER})

    assert (200, 303, 422) == (page.status_code, chosen.status_code, again.status_code)
    assert "Otto" == signed_in(otto)
    assert found.group(1) not in admin.get("/operators").text


def operator(site: Site, name: str) -> str:
    """The id of somebody who may sign in."""
    return str(next(each["id"] for each in site.ask("operators.list") if each["name"] == name))


def test_an_operator_is_shut_out_and_let_in_again(site: Site) -> None:
    """At once, wherever they are signed in."""
    admin, vera = site.client(Role.ADMIN), operator(site, "Vera")
    admin.post(f"/operators/{vera}/shut-out")
    shut_out = signed_in(site.client(Role.VIEWER))
    refused = site.client().post("/sign-in", {"name": "Vera", "password": PASSWORD}).status_code
    admin.post(f"/operators/{vera}/let-in")
    again = site.client().post("/sign-in", {"name": "Vera", "password": PASSWORD}).status_code

    assert (None, 303) == (shut_out, again)
    assert refused in {403, 422}


def test_an_operator_changes_role_and_goes(site: Site) -> None:
    """A viewer becomes an admin and back; removed, their name is forgotten."""
    admin, vera = site.client(Role.ADMIN), operator(site, "Vera")
    admin.post(f"/operators/{vera}/role", {"role": "admin"})
    as_admin = site.client(Role.VIEWER).get("/operators").status_code
    removed = admin.post(f"/operators/{vera}/remove")

    assert (200, 303) == (as_admin, removed.status_code)
    assert "Vera" not in admin.get("/operators").text
    assert signed_in(site.client(Role.VIEWER)) is None


@pytest.mark.parametrize("what", ["remove", "shut-out"])
def test_the_last_admin_stays(site: Site, what: str) -> None:
    """Nobody shuts everybody out; the page says why not."""
    admin, ada = site.client(Role.ADMIN), operator(site, "Ada")
    answer = admin.post(f"/operators/{ada}/{what}")

    assert 303 == answer.status_code
    assert "last admin" in admin.get("/operators").text
    assert "Ada" == signed_in(admin)


def test_names_of_operators_are_text(site: Site) -> None:
    """Whatever somebody is called, it is no markup."""
    page = site.client(Role.ADMIN).post("/operators", {"name": "<b>Otto</b>", "role": "viewer"})

    assert "<b>Otto" not in page.text


def test_setting_up_says_what_is_next(site: Site) -> None:
    """Done steps are marked, the first that is left is offered, and other pages show the way back."""
    admin = site.client(Role.ADMIN)
    before = admin.get("/set-up").text
    bar = "Setting up: all steps"
    during = admin.get("/account").text
    admin.post("/set-up/done")
    after = admin.get("/account").text

    assert "Next: the camera" in before
    assert bar not in before
    assert bar in during
    assert bar not in after


def test_setting_up_sees_what_is_done(site: Site) -> None:
    """A step is done when there is something of its kind, however it came there."""
    site.services.store.add_subject("Ann", consent=stores.AGREED)
    page = site.client(Role.ADMIN).get("/set-up").text

    assert '<a href="/people">' in page


def happen(site: Site) -> None:
    """Ann comes in, and a stranger; the door is shut again."""
    subject = site.services.store.add_subject("Ann Example", consent=stores.AGREED)
    facts = stores.identified().facts
    site.services.store.append_all(
        [
            NewEvent(stores.OPENED),
            NewEvent(stores.identified(subject.id, grade=Grade.CONFIRMED)),
            NewEvent(StrangerSeen(encounter="another", grade=Grade.CONFIRMED, facts=facts)),
            NewEvent(stores.SHUT),
        ]
    )


def test_the_first_page_tells_who_came(site: Site) -> None:
    """The people the door knows, by name to admins, to viewers as somebody; a stranger as that."""
    happen(site)
    admin, viewer = site.client(Role.ADMIN).get("/").text, site.client(Role.VIEWER).get("/").text

    assert [True, False] == ["Ann Example" in each for each in (admin, viewer)]
    assert [False, True] == ["Somebody enrolled" in each for each in (admin, viewer)]
    assert [True, True] == ["A stranger" in each for each in (admin, viewer)]


def test_the_first_page_is_calm_where_there_is_nothing(site: Site) -> None:
    """And offers the admin, not the viewer, the next step."""
    admin, viewer = site.client(Role.ADMIN).get("/").text, site.client(Role.VIEWER).get("/").text

    assert "Nobody yet" in admin
    assert "of setting up are left" in admin
    assert "of setting up are left" not in viewer


def test_the_fresh_part_of_the_first_page_is_the_same(site: Site) -> None:
    """What the script fetches is what stood there."""
    happen(site)
    admin = site.client(Role.ADMIN)

    assert admin.get("/now").text.strip() in admin.get("/").text


def test_what_is_not_for_a_viewer_is_said_in_words(site: Site) -> None:
    """On a page no permission is named; to a program it is."""
    viewer = site.client(Role.VIEWER)
    page, script = viewer.get("/settings"), viewer.get("/settings", headers={"Accept": "application/json"})

    assert (403, 403) == (page.status_code, script.status_code)
    assert "this needs an admin" in page.text
    assert "permission" not in page.text
    assert "'settings'" in script.get_data(as_text=True)


def passwords_in(page: str) -> list[str]:
    """The fields for a password on a page."""
    return re.findall(r'<input[^>]*type="password"[^>]*>', page)


def test_a_password_may_be_as_long_wherever_it_is_typed(site: Site) -> None:
    """A browser cuts what is pasted without a word: no form takes less than another."""
    forms = [
        site.client().get("/sign-in"),
        site.client().get("/password"),
        site.client(Role.ADMIN).get("/account"),
    ]
    found = [passwords_in(form.text) for form in forms]

    assert [1, 2, 3] == [len(fields) for fields in found]
    assert [] == [field for fields in found for field in fields if f'maxlength="{LONGEST}"' not in field]


def test_the_first_password_may_be_as_long_as_any(new_site: Site) -> None:
    """Else whoever pastes a long one is locked out by the next form."""
    fields = passwords_in(new_site.client().get("/first-run").text)

    assert [True, True] == [f'maxlength="{LONGEST}"' in field for field in fields]


def test_navigation_is_for_who_looks(site: Site) -> None:
    """A viewer sees no way to where they may not go."""
    paths = set(re.findall(r'<a class="place" href="([^"]+)"', site.client(Role.VIEWER).get("/account").text))

    assert "/" in paths
    assert "/settings" not in paths


def test_the_form_cookie_is_only_for_strangers(site: Site) -> None:
    """A visitor's form is bound to a cookie of its own, which goes when they sign in."""
    browser = site.client()
    browser.get("/sign-in")
    before = browser.cookie(cookies.FORM)
    browser.post("/sign-in", {"name": "Ada", "password": PASSWORD})

    assert before
    assert browser.cookie(cookies.FORM) is None
