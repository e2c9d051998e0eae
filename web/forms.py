"""Forms come from our own pages only: a token bound to the browser's session, and the browser's own word.

Every unsafe request carries the token, as the field `csrf` of a form or as the header `X-CSRF-Token`, and
must not say that another site sent it. Who presents an API token needs neither: no browser adds that
by itself.
"""

import base64
import hashlib
import hmac
from urllib.parse import urlsplit

from flask import current_app, g, request
from markupsafe import Markup

from appliance.errors import DeniedError
from web import cookies
from web.access import PUBLIC, declared, for_tokens

FIELD = "csrf"
HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def token() -> str:
    """The token that this browser's next form must carry; it says nothing about the secret it is bound to."""
    return token_for(cookies.form_anchor())


def token_for(anchor: str) -> str:
    """The token of whoever holds this cookie.

    Args:
        anchor: The session's secret, or the form cookie's value.
    """
    digest = hmac.digest(anchor.encode(), b"a form of the office door appliance", hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def hidden_field() -> Markup:
    """The token as a form's hidden field."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token())


def guard() -> None:
    """Before each request: an unsafe one must come from a page of ours.

    Raises:
        DeniedError: It does not.
    """
    if request.method in _SAFE or cookies.bearer() or request.url_rule is None:
        return
    if for_tokens(current_app, request.url_rule) and declared(current_app, request.url_rule) == PUBLIC:
        return  # whoever is signed in there is nobody, so nothing can be done in their name
    said = request.headers.get("Sec-Fetch-Site")
    if said not in {None, "same-origin", "none"}:
        raise _foreign()
    origin = request.headers.get("Origin")
    # `null` is what browsers say to a page with our referrer policy; then the other word counts.
    if origin is not None and urlsplit(origin).netloc != request.host and (origin != "null" or said is None):
        raise _foreign()
    given = request.headers.get(HEADER) or request.form.get(FIELD, "")
    if not hmac.compare_digest(given.encode(), token().encode()):
        raise _foreign()


def redirected_to(path: object, otherwise: str) -> str:
    """A path of this site that somebody may be sent to; anything else becomes `otherwise`.

    What a page is asked to lead on to (`next`) goes through here before it stands in a link or a redirect.
    A path begins with one slash and holds neither a backslash nor a control character, so no browser
    reads another host out of it.
    """
    if not isinstance(path, str) or not path.startswith("/") or path.startswith("//"):
        return otherwise
    if any(letter <= " " or letter == "\\" for letter in path):
        return otherwise
    return path


def _foreign() -> DeniedError:
    g.stale_form = True
    return DeniedError(
        "this form is not from this page, or the page is too old",
        hint="go back, load the page anew, try again",
    )
