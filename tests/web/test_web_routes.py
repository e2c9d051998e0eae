"""Every route as every role, drawn from the URL map: what a view declares is what happens.

A new view is tried here without a word being written about it. Views are called with made-up ids, so one
that lets somebody through may answer anything but a refusal or a fault.
"""

import ipaddress
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hosting_at_hand import hosting_at_hand
from recorded import recording_at_hand
from searching_at_hand import searching_at_hand
from web_site import Browser, Site, open_site
from werkzeug.routing import Rule

from appliance.permissions import GRANTED, Permission, Role
from appliance.services import Layout
from web import cookies
from web.access import PUBLIC, Declared, declared, for_tokens, permission
from web.application import check_declared, create_app
from web.desk import DeskClient

_UNSAFE = ("DELETE", "PATCH", "POST", "PUT")


@dataclass(frozen=True)
class Route:
    """A method of a rule, with an address that fits it."""

    method: str
    rule: Rule
    path: str
    needs: Declared

    def __str__(self) -> str:
        """As it stands in a failure."""
        return f"{self.method} {self.rule.rule}"


def routes(app: Flask) -> list[Route]:
    """All there are."""
    found = []
    for rule in app.url_map.iter_rules():
        needs = declared(app, rule)
        assert needs is not None
        path = re.sub(r"<(?:(\w+)(?:\([^)]*\))?:)?\w+>", _made_up, rule.rule)
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        found += [Route(method, rule, path, needs) for method in sorted(methods)]
    return found


def _made_up(match: re.Match[str]) -> str:
    kind = match.group(1) or "string"
    return {"int": "1", "float": "1.0", "uuid": "01890a5d-ac96-774b-bcce-b302099a8057"}.get(kind, "x1")


@dataclass(frozen=True)
class Somebody:
    """Who tries a route, and what they may do."""

    name: str
    browser: Browser
    permissions: frozenset[Permission]
    headers: dict[str, str]
    device: Permission | None = None
    is_token: bool = False


@pytest.fixture(scope="module")
def everybody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, list[Somebody]]]:
    """One site for all routes; and nobody, a screen, a viewer, an admin, tokens, and what is no good."""
    layout = Layout(Path(tmp_path_factory.mktemp("routes")) / "state")
    with (
        open_site(layout) as site,
        hosting_at_hand(layout),
        recording_at_hand(site.services),
        searching_at_hand(layout, site.services.store),
    ):
        narrow = site.ask("tokens.create", label="narrow", scopes=["people"])["secret"]
        revoked = site.ask("tokens.create", label="revoked", scopes=["people", "log"])
        site.ask("tokens.revoke", token=revoked["token"]["id"])
        none: frozenset[Permission] = frozenset()
        yield (
            site,
            [
                Somebody("nobody", site.client(), none, {}),
                Somebody("somebody unknown", site.client(Role.ADMIN, secret="x" * 43), none, {}),
                Somebody(
                    "a screen",
                    site.client(Role.SCREEN),
                    GRANTED[Role.SCREEN],
                    {},
                    device=Permission.SCREEN,
                ),
                Somebody("a viewer", site.client(Role.VIEWER), GRANTED[Role.VIEWER], {}),
                Somebody("an admin", site.client(Role.ADMIN), GRANTED[Role.ADMIN], {}),
                Somebody(
                    "a token without the scope",
                    site.client(),
                    frozenset({Permission.PEOPLE}),
                    {"Authorization": f"Bearer {narrow}"},
                    is_token=True,
                ),
                Somebody(
                    "a keypad",
                    site.client(Role.KEYPAD),
                    GRANTED[Role.KEYPAD],
                    {},
                    device=Permission.KEYPAD,
                ),
                Somebody(
                    "a revoked token",
                    site.client(Role.ADMIN),
                    none,
                    {"Authorization": f"Bearer {revoked['secret']}"},
                    is_token=True,
                ),
            ],
        )


def outcome(site: Site, who: Somebody, route: Route) -> str:
    """Whether a route let somebody through, refused them, sent them to sign in, or failed."""
    headers = {"Accept": "application/json", **who.headers}
    # Each from an address of its own: who presents bad tokens over and over is slowed down.
    place = {"REMOTE_ADDR": str(ipaddress.IPv4Address(zlib.crc32(str(route).encode())))}
    # Answers that never end are closed at their head.
    response = who.browser.send(route.method, route.path, headers=headers, buffered=False, environ_base=place)
    try:
        code = str(response.status_code)
        if code == "401":
            return "sign in"
        if code == "403":
            return "refused"
        return f"fault {code}" if code.startswith("5") else "through"
    finally:
        response.close()


def expected(app: Flask, who: Somebody, route: Route) -> str:
    """What the declared permission says must happen."""
    if route.needs == PUBLIC:
        return "through"
    if for_tokens(app, route.rule) and not who.is_token:
        return "sign in"
    # Each cookie counts only where it is asked for: a screen's for screens, a session elsewhere.
    devices = route.needs if route.needs in {Permission.SCREEN, Permission.KEYPAD} else None
    known = bool(who.permissions) and (who.is_token or who.device == devices)
    if not known:
        return "sign in"
    return "through" if route.needs in who.permissions else "refused"


def test_every_route_as_every_role(everybody: tuple[Site, list[Somebody]]) -> None:
    """Who has the permission that a route declares gets through; nobody else does."""
    site, all_of_them = everybody
    wrong = []
    for route in routes(site.app):
        for who in all_of_them:
            if route.path == "/sign-out" and who.name in {"a viewer", "an admin"}:
                continue  # would end the session that the others are tried with; tried by itself below
            found = outcome(site, who, route)
            if found != expected(site.app, who, route):
                wrong.append(f"{route} as {who.name}: {found}, not {expected(site.app, who, route)}")

    assert [] == wrong


def test_the_tester_finds_a_view_that_lets_everybody_through(everybody: tuple[Site, list[Somebody]]) -> None:
    """The table above can fail: a view whose gate is missing is found by the same comparison."""
    site, all_of_them = everybody
    nobody, admin = all_of_them[0], all_of_them[4]
    public_page = next(
        each for each in routes(site.app) if each.rule.rule == "/sign-in" and each.method == "GET"
    )
    as_if_declared = Route("GET", public_page.rule, public_page.path, Permission.PEOPLE)

    assert outcome(site, nobody, as_if_declared) != expected(site.app, nobody, as_if_declared)
    assert outcome(site, admin, as_if_declared) == expected(site.app, admin, as_if_declared)


def test_the_tester_finds_a_view_that_fails(site: Site) -> None:
    """A fault is no way through: a view that answers 500 to everybody permitted is found as well."""
    view = permission(Permission.PEOPLE)(lambda: 1 // 0)
    site.add_url_rule("/failing", "failing", view)
    route = next(each for each in routes(site.app) if each.path == "/failing")
    viewer = Somebody("a viewer", site.client(Role.VIEWER), GRANTED[Role.VIEWER], {})

    assert "through" == expected(site.app, viewer, route)
    assert "fault 500" == outcome(site, viewer, route)


def test_an_undeclared_route_is_refused(site: Site) -> None:
    """A view without a permission, forgotten by whoever wrote it, keeps the application from starting."""

    def forgotten() -> str:
        return "everything"

    site.add_url_rule("/forgotten", view_func=forgotten)

    with pytest.raises(ValueError, match="/forgotten"):
        check_declared(site.app)


def test_the_application_checks_itself(tmp_path: Path) -> None:
    """The check is made when the application is put together: nothing that fails it is ever served."""
    app = create_app(DeskClient(tmp_path / "desk.sock"))

    check_declared(app)
    assert all(route.needs for route in routes(app))


def test_a_view_may_be_declared_with_any_permission(site: Site) -> None:
    """A view declared for one permission is for those who have it, whatever it is."""
    for each in Permission:
        view = permission(each)(lambda: "here")
        site.add_url_rule(f"/needs-{each.value}", f"needs_{each.value}", view)
    wrong: list[Any] = []
    for role in Role:
        for each in Permission:
            browser = site.client(role)
            found = browser.get(f"/needs-{each.value}", headers={"Accept": "application/json"}).status_code
            if (found == 200) != (each in GRANTED[role]):
                wrong.append((role, each, found))

    assert [] == wrong


def test_signing_out_ends_the_session(site: Site) -> None:
    """Whoever signed out is nobody, in the browser and with the old cookie too."""
    browser = site.client(Role.VIEWER)
    response = browser.post("/sign-out")

    assert 303 == response.status_code
    assert browser.cookie(cookies.SESSION) is None
    assert "/sign-in" in site.client(Role.VIEWER).get("/account").headers["Location"]


def test_signing_out_is_for_those_signed_in(site: Site) -> None:
    """Nobody is sent to sign in; a screen is nobody here."""
    found = [site.client(role).post("/sign-out").headers["Location"] for role in (None, Role.SCREEN)]

    assert ["/sign-in", "/sign-in"] == found
