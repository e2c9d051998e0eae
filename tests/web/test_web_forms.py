"""Forms are taken from our own pages, other names are not answered, and nobody is sent elsewhere."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_site import PASSWORD, SITE, Site

from appliance.permissions import Permission, Role
from web import cookies, forms, requests
from web.access import PUBLIC, declared, for_tokens, permission
from web.forms import redirected_to, token_for

_UNSAFE = {"DELETE", "PATCH", "POST", "PUT"}
_FOR_NOBODY = {"/api/v1/search/user/auth"}
"""It says whether a secret in the body is a token: no cookie counts there, and nothing changes."""


def test_cookies_are_bound_to_this_host(site: Site) -> None:
    """A session cookie is out of reach of scripts, of plain HTTP, of other sites and of other hosts."""
    response = site.client().post("/sign-in", {"name": "Ada", "password": PASSWORD})
    cookie = next(each for each in response.headers.getlist("Set-Cookie") if cookies.SESSION in each)

    assert 303 == response.status_code
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} == set(cookie.split("; ")[1:])
    assert cookie.startswith("__Host-")


def test_every_unsafe_view_wants_the_form_token(site: Site) -> None:
    """Generated from the map: without the token of this very browser an unsafe request changes nothing."""
    let_through = []
    for rule in site.app.url_map.iter_rules():
        for method in sorted(_UNSAFE & (rule.methods or set())):
            needs = declared(site.app, rule)
            role = {"screen": Role.SCREEN, "keypad": Role.KEYPAD, PUBLIC: None}.get(needs, Role.ADMIN)
            path = re.sub(r"<[^>]+>", "1", rule.rule)
            for token in ("", token_for("of somebody else")):
                headers = {"Accept": "application/json", **({forms.HEADER: token} if token else {})}
                response = site.client(role).send(method, path, form=False, headers=headers)
                # Where cookies count for nothing, a browser is nobody, whatever token its form has.
                refused = 401 if for_tokens(site.app, rule) else 403
                if rule.rule in _FOR_NOBODY:
                    refused = 422
                if response.status_code != refused:
                    let_through.append((method, rule.rule, token, response.status_code))

    assert [] == let_through


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
    ],
)
def test_a_form_of_another_site_is_refused(site: Site, headers: dict[str, str]) -> None:
    """Even with a token that somebody leaked: the browser says where it came from."""
    response = site.client(Role.ADMIN).post("/sign-out", headers=headers)

    assert 403 == response.status_code
    assert 200 == site.client(Role.ADMIN).get("/account").status_code


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
        {"Sec-Fetch-Site": "same-origin", "Origin": SITE},
        {"Origin": SITE},
        {},
    ],
)
def test_a_form_of_our_own_is_taken(site: Site, headers: dict[str, str]) -> None:
    """As browsers send it under our referrer policy, and as older ones do."""
    assert 303 == site.client(Role.ADMIN).post("/sign-out", headers=headers).status_code


def test_an_api_token_needs_no_form_token(site: Site) -> None:
    """No browser adds an Authorization header by itself, so nothing has to be proved."""
    site.add_url_rule("/change", "change", permission(Permission.PEOPLE)(lambda: "done"), methods=["POST"])
    secret = site.ask("tokens.create", label="t", scopes=["people"])["secret"]
    response = site.client().send(
        "POST", "/change", form=False, headers={"Authorization": f"Bearer {secret}"}
    )

    assert "done" == response.text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8443", 200),
        ("192.168.1.20:8443", 200),
        ("[fe80::1]:8443", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
    ],
)
def test_another_name_is_not_answered(site: Site, host: str, status: int) -> None:
    """A name of somebody else's that leads here would let their page read this one (DNS rebinding)."""
    assert status == site.client().get("/sign-in", headers={"Host": host}).status_code


def test_names_of_ours_are_answered() -> None:
    """Whatever the machine is called, and what the admin added; no other."""
    names = {"door.office.example", "localhost"}

    assert requests.is_ours("Door.Office.Example.:443", names)
    assert not requests.is_ours("office.example", names)


@given(st.text())
def test_nobody_is_sent_elsewhere(path: str) -> None:
    """Whatever stands in `next`, the way back stays on this site."""
    target = redirected_to(path, "/")

    assert target.startswith("/")
    assert not target.startswith(("//", "/\\"))
    assert "\\" not in target
    assert target in {"/", path}


@pytest.mark.parametrize(
    "path", ["https://evil.example", "//evil.example", "/\\evil.example", "/a\nb", "x", "", None]
)
def test_other_ways_back_are_not_taken(path: str | None) -> None:
    """Addresses, other hosts, and what browsers read as such."""
    assert "/home" == redirected_to(path, "/home")


def test_a_way_back_is_taken(site: Site) -> None:
    """Who wanted to see a page sees it after signing in."""
    browser = site.client()
    there = browser.get("/account").headers["Location"]
    response = browser.post("/sign-in", {"name": "Ada", "password": PASSWORD, "next": "/account"})

    assert "/sign-in?next=%2Faccount" == there
    assert "/account" == response.headers["Location"]
