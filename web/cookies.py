"""The cookies of this site: who is signed in, which screen this is, and what a form is bound to.

Each is `__Host-`: only over TLS, for this host alone; and out of reach of scripts, but for the one of the
theme, which a script sets. What is in them is the desk's to judge; here they are only read, set and taken
back.
"""

import secrets
from typing import Final

from flask import g, request
from werkzeug.wrappers import Response

SESSION: Final = "__Host-session"
"""The secret of somebody signed in."""
SCREEN: Final = "__Host-screen"
"""The secret of a paired office screen."""
KEYPAD: Final = "__Host-keypad"
"""The secret of a lock's paired keypad."""
FORM: Final = "__Host-form"
"""Random; what forms are bound to before anybody has signed in."""

THEME: Final = "__Host-theme"
"""`light` or `dark`, where the reader chose one; set by `js/site.js`."""

_SCREEN_S = 400 * 86400
"""Seconds a screen's cookie is kept: what browsers allow at most. It is renewed at each visit."""


def bearer() -> str:
    """The token of an `Authorization: Bearer` header; empty where there is none."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def theme() -> str:
    """The theme that the reader chose; empty: the system's."""
    chosen = request.cookies.get(THEME, "")
    return chosen if chosen in {"light", "dark"} else ""


def set_session(response: Response, secret: str) -> None:
    """Sign this browser in until it is closed; the desk ends the session sooner."""
    _set(response, SESSION, secret)


def set_screen(response: Response, secret: str) -> None:
    """Make this browser a paired screen, for as long as browsers keep cookies."""
    _set(response, SCREEN, secret, max_age=_SCREEN_S)


def set_keypad(response: Response, secret: str) -> None:
    """Make this browser the paired keypad of a lock, likewise."""
    _set(response, KEYPAD, secret, max_age=_SCREEN_S)


def end(response: Response, name: str) -> None:
    """Take a cookie back."""
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="Strict")


def form_anchor() -> str:
    """What this browser's forms are bound to: its session, or a cookie that is made for that."""
    session = request.cookies.get(SESSION, "")
    if session:
        return session
    anchor: str = g.get("form_anchor") or request.cookies.get(FORM, "")
    if not anchor:
        anchor = secrets.token_urlsafe(24)
    g.form_anchor = anchor
    return anchor


def keep_form_anchor(response: Response) -> None:
    """Set the cookie that a form on this page was bound to, if there was one."""
    anchor = g.get("form_anchor", "")
    if anchor and request.cookies.get(FORM) != anchor:
        _set(response, FORM, anchor)


def _set(response: Response, name: str, value: str, *, max_age: int | None = None) -> None:
    response.set_cookie(name, value, max_age=max_age, path="/", secure=True, httponly=True, samesite="Strict")
