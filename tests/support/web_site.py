"""The site on a box of its own: everything real but the sockets, and somebody signed in of each role.

site.client("admin").get("/people")
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from argon2 import PasswordHasher
from desk_calls import NearDesk
from flask import Flask
from flask.testing import FlaskClient

from appliance.app.desk.passwords import Passwords
from appliance.clock import Clock
from appliance.permissions import Role
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings
from enroll.desk.process import open_desk
from web import cookies, forms
from web.application import assemble, create_app

PASSWORD = "four quiet words here"  # noqa: S105 - of accounts that live for one test
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Hashes in no time; what argon2 costs is measured elsewhere."""
SITE = "https://localhost"


@dataclass
class Site:
    """The application with what is behind it.

    Attributes:
        app: The web application.
        desk: Its desk; may be sent away.
        services: The desk's database and keys.
        make: The application of these pages.
        secrets: What each role presents.
    """

    app: Flask
    desk: NearDesk
    services: Services
    make: Callable[[Flask], Flask]
    secrets: dict[Role, str] = field(default_factory=dict)

    def ask(self, operation: str, *, as_: Role | None = Role.ADMIN, **arguments: Any) -> Any:
        """An operation, asked of the desk directly; its result."""
        credential = "" if as_ is None else self.secrets[as_]
        return self.desk.ask(operation, arguments, credential=credential).result

    def client(self, role: Role | str | None = None, *, secret: str = "") -> "Browser":
        """A browser, signed in as one of this role; nobody without one."""
        browser = Browser(self.app.test_client())
        if role is not None:
            role = Role(role)
            devices = {Role.SCREEN: cookies.SCREEN, Role.KEYPAD: cookies.KEYPAD}
            name = devices.get(role, cookies.SESSION)
            browser.sign(name, secret or self.secrets[role])
        return browser

    def add_url_rule(
        self, rule: str, endpoint: str | None = None, view_func: Any = None, **more: Any
    ) -> None:
        """Have a view of the test's own, which other sites do not get."""
        if self.app.url_map is _pages().url_map:
            self.app = self.make(assemble())
        self.app.add_url_rule(rule, endpoint, view_func, **more)

    def admit(self, name: str, role: Role) -> str:
        """Have an operator admitted who chooses a password and signs in; their session's secret."""
        made = self.ask("operators.add", name=name, role=role)
        return str(self.ask("password.redeem", as_=None, code=made["code"], password=PASSWORD)["secret"])


class Browser:
    """A test client that keeps to https, and puts the form token into what it posts unless told not to."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client

    def sign(self, cookie: str, secret: str) -> None:
        """Carry a cookie from now on."""
        self._client.set_cookie(cookie, secret, secure=True)

    def cookie(self, name: str) -> str | None:
        """What the browser carries under a name."""
        found = self._client.get_cookie(name)
        return None if found is None else found.value

    def get(self, path: str, **more: Any) -> Any:
        """Fetch."""
        return self._client.get(path, base_url=SITE, **more)

    def post(
        self, path: str, data: Mapping[str, Any] | None = None, *, form: bool = True, **more: Any
    ) -> Any:
        """Send a form, with its token unless `form` is off."""
        return self.send("POST", path, data, form=form, **more)

    def send(
        self,
        method: str,
        path: str,
        data: Mapping[str, Any] | bytes | None = None,
        *,
        form: bool = True,
        **more: Any,
    ) -> Any:
        """Send an unsafe request."""
        headers = {**({forms.HEADER: self.token()} if form else {}), **more.pop("headers", {})}
        return self._client.open(path, method=method, base_url=SITE, data=data, headers=headers, **more)

    def token(self) -> str:
        """The form token of this browser."""
        if self.cookie(cookies.SESSION) is None and self.cookie(cookies.FORM) is None:
            self._client.set_cookie(cookies.FORM, "of-a-test", secure=True)
        return forms.token_for(self.cookie(cookies.SESSION) or self.cookie(cookies.FORM) or "")


def _assembled() -> Flask:
    """An application of its own without the half second that its pages take: they are put together once."""
    app = copy(_pages())
    app.extensions = dict(app.extensions)
    return app


def _application(desk: NearDesk, around: Mapping[str, Any], pages: Flask) -> Flask:
    return create_app(desk, assembled=pages, **around)


@cache
def _pages() -> Flask:
    return assemble()


@contextmanager
def open_site(
    layout: Layout,
    settings: Settings | None = None,
    *,
    clock: Clock | None = None,
    empty: bool = False,
    secrets: Mapping[Role, str] | None = None,
    **around: Any,
) -> Iterator[Site]:
    """The site on a new box.

    Args:
        layout: Where the box's things will lie.
        settings: Of the box.
        clock: The desk's clocks; the machine's by default.
        empty: Nobody may sign in yet; otherwise there are an admin, a viewer, a screen and a keypad.
        secrets: Theirs, where the box was filled before.
        around: What else the application is told, as `create_app` has it.
    """
    settings = settings or Settings()
    with (
        open_services(settings, layout, create=True, clock=clock) as services,
        open_desk(settings, services, passwords=Passwords(CHEAP)) as desk,
    ):
        near = NearDesk(desk)
        make = partial(_application, near, around)
        site = Site(make(_assembled()), near, services, make)
        if secrets is not None:
            site.secrets.update(secrets)
        elif not empty:
            code = services.store.first_run_code()
            made = near.ask("first_run.create_admin", {"code": code, "name": "Ada", "password": PASSWORD})
            site.secrets[Role.ADMIN] = made.result["secret"]
            site.secrets[Role.VIEWER] = site.admit("Vera", Role.VIEWER)
            pairing = site.ask("screens.begin_pairing", label="Hall")["code"]
            site.secrets[Role.SCREEN] = site.ask("screens.pair", as_=None, code=pairing)["secret"]
            # A keypad of a lock that the settings no longer have, until a test has one.
            typed = services.store.keypad_code("By the door", "front")
            site.secrets[Role.KEYPAD] = site.ask("keypads.pair", as_=None, code=typed)["secret"]
        near.asked.clear()
        yield site
