"""Who may sign in, tokens and screens."""

from typing import Literal

from appliance.events.event import Event


class OperatorChanged(Event):
    """Somebody was admitted to the admin pages, changed or removed."""

    type: Literal["operator_added", "operator_changed", "operator_removed"]
    operator: str
    role: str
    """As it is now."""
    disabled: bool = False


class SignInLinkMade(Event):
    """A link was made with which an operator sets a password, once."""

    type: Literal["sign_in_link_made"] = "sign_in_link_made"
    operator: str


class PasswordChanged(Event):
    """An operator has another password, and every other session of theirs ended."""

    type: Literal["password_changed"] = "password_changed"
    operator: str


class SignInThrottled(Event):
    """Wrong passwords or codes came too often; said once when it begins. Addresses are not kept."""

    type: Literal["sign_in_throttled"] = "sign_in_throttled"
    scope: Literal["login", "address"]
    """`login`: for one name, whoever tries; `address`: from one place, whatever name."""
    operator: str | None = None
    """Whose name it was; None: nobody's, or not about a name."""


class TokenChanged(Event):
    """A token of the API was made or revoked."""

    type: Literal["token_created", "token_revoked"]
    token: str
    operator: str
    """In whose name it acts."""
    scopes: tuple[str, ...]


class ScreenChanged(Event):
    """An office screen was paired, or its link revoked."""

    type: Literal["screen_paired", "screen_revoked"]
    screen: str
