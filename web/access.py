"""Who may call which view: each declares a permission, or that it is public; without one nothing starts.

The view is shown to who has the permission; what it asks of the desk is authorised there a second time,
by the credential and by the object, so a mistake here opens a page and not what is on it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from flask import Flask, current_app, g, request
from werkzeug.routing import Rule

from appliance.errors import DeniedError, NotSignedInError
from appliance.permissions import Permission, Role
from web import cookies
from web.desk import DeskCalls
from web.surroundings import surroundings

View = TypeVar("View", bound=Callable[..., Any])
Declared = Permission | Literal["public"]

PUBLIC: Final = "public"
_DECLARED: Final = "appliance_permission"
_TOKENS: Final = "appliance_tokens_only"


_DEVICES: Final[Mapping[Declared | None, str]] = {
    Permission.SCREEN: cookies.SCREEN,
    Permission.KEYPAD: cookies.KEYPAD,
}
"""What a view is for → the cookie of such devices."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks, as the desk knows them by what they presented.

    Attributes:
        kind: `operator`, `token`, `screen` or `keypad`.
        id: Theirs; opaque.
        name: How they are called on their own pages; empty for a screen.
        role: Theirs.
        permissions: What they may do.
        session: Names the session; empty where there is none.
    """

    kind: str
    id: str
    name: str
    role: Role
    permissions: frozenset[Permission]
    session: str = ""

    def may(self, permission: Permission | str) -> bool:
        """Whether they are allowed; by name too, for templates."""
        return permission in self.permissions


def permission(needed: Permission) -> Callable[[View], View]:
    """Declare what a caller of this view must be allowed to do.

    @blueprint.get("/people")
    @permission(Permission.PEOPLE)
    def listing() -> str: ...
    """

    def declare(view: View) -> View:
        setattr(view, _DECLARED, needed)
        return view

    return declare


def tokens_only(view: View) -> View:
    """Declare that a view is for programs: cookies count for nothing there, so no browser can be tricked."""
    setattr(view, _TOKENS, True)
    return view


def public(view: View) -> View:
    """Declare that anybody may call this view."""
    setattr(view, _DECLARED, PUBLIC)
    return view


def declared(app: Flask, rule: Rule) -> Declared | None:
    """What the view behind a rule declares; None: nothing."""
    found: Declared | None = getattr(app.view_functions[rule.endpoint], _DECLARED, None)
    return found


def for_tokens(app: Flask, rule: Rule) -> bool:
    """Whether the view behind a rule is for programs alone."""
    return getattr(app.view_functions[rule.endpoint], _TOKENS, False)


def undeclared(app: Flask) -> list[str]:
    """The rules whose views declare nothing; an application with one does not start."""
    return sorted(
        f"{rule.rule} ({rule.endpoint})" for rule in app.url_map.iter_rules() if not declared(app, rule)
    )


def credential() -> str:
    """What the caller presents: a token if they send one, else the screen's or the session's cookie.

    A view for screens looks at the screen's cookie alone, one for keypads at the keypad's, and no other view
    does, so an admin who pairs either in their own browser stays an admin.
    """
    token = cookies.bearer()
    if token:
        return token
    if request.url_rule is not None and for_tokens(current_app, request.url_rule):
        return ""
    return request.cookies.get(_DEVICES.get(_wanted(), cookies.SESSION), "")


def who() -> Who | None:
    """Who asks; None: nobody who is known. The desk is asked once per request.

    Raises:
        PeerGoneError: The desk is away.
    """
    if "who" not in g:
        secret = credential()
        g.who = check(secret) if secret else None
    found: Who | None = g.who
    return found


def check(secret: str) -> Who | None:
    """Who it is that presents this; None: nobody.

    Raises:
        PeerGoneError: The desk is away.
    """
    return check_with(surroundings().desk, secret)


def check_with(desk: DeskCalls, secret: str) -> Who | None:
    """The same outside of a request, for streams, which outlive the first look.

    Raises:
        PeerGoneError: The desk is away.
    """
    found = desk.ask("session.check", {}, credential=secret).result
    return None if found is None else _who(found)


def admit() -> None:
    """Before each request: go on only for who may.

    Raises:
        NotSignedInError: Nobody is known, and the view is not public.
        DeniedError: The caller may not.
    """
    wanted = _wanted()
    if wanted is None or wanted == PUBLIC:
        return
    caller = who()
    if caller is None:
        raise NotSignedInError("nobody is signed in", hint="sign in first")
    if not caller.may(wanted):
        g.not_for_role = True  # a page says that in its own words
        raise DeniedError(
            f"this needs the permission {wanted.value!r}",
            hint="an admin may, or a token that was given this scope",
        )


def _wanted() -> Declared | None:
    """What the view of this request declares; None where no view fits the address."""
    if request.url_rule is None:
        return None
    return declared(current_app, request.url_rule)


def _who(found: Mapping[str, Any]) -> Who:
    return Who(
        kind=str(found["kind"]),
        id=str(found["id"]),
        name=str(found.get("name") or ""),
        role=Role(found["role"]),
        permissions=frozenset(Permission(each) for each in found["permissions"]),
        session=str(found.get("session") or ""),
    )
