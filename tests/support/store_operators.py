"""Who signs in, for the tests of the store: an admin, a viewer, and the id of nobody."""

from appliance.permissions import Role
from appliance.store import Operator, Store

NOBODY = "0190a3f2-0000-7000-8000-00000000000a"


def admin(store: Store, login: str = "ann") -> Operator:
    """An admin with a password."""
    return store.add_operator(login, Role.ADMIN, password_hash="$argon2id$…")  # noqa: S106 - no password


def viewer(store: Store, login: str = "ben") -> Operator:
    """A viewer with a password."""
    return store.add_operator(login, Role.VIEWER, password_hash="$argon2id$…")  # noqa: S106 - no password
