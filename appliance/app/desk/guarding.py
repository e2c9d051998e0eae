"""What can be guessed at, guarded: passwords and codes, slowed down after failures, and the log told of it.

How long who waits is the throttle's business.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from appliance.app.desk.throttle import Key, Throttle, address_key
from appliance.errors import NotSignedInError
from appliance.events import SignInThrottled
from appliance.store import NewEvent, Store
from appliance.store.operators import folded


class Guard:
    """Guards tries.

    Args:
        store: Its log is told when somebody begins to be slowed down.
        throttle: Counts.
    """

    def __init__(self, store: Store, throttle: Throttle) -> None:
        self._store = store
        self._throttle = throttle

    @contextmanager
    def tried(self, *, login: str | None = None, client: str | None = None) -> Iterator[None]:
        """Let somebody try once in the block; a NotSignedInError out of it is a failure, all else is none.

        Args:
            login: The name whose password is tried; being right forgives the failures before.
            client: The address it is tried from; being right leaves the failures before.

        Raises:
            ThrottledError: That name or address has to wait; the block was not begun.
        """
        name: list[Key] = [] if login is None else [("login", folded(login))]
        place = [] if client is None else [address_key(client)]
        self._throttle.admit(*name, *place)
        try:
            yield
        except NotSignedInError:
            self._tell(*name, *place)
            raise
        except BaseException:
            self._throttle.take_back(*name, *place)
            raise
        self._throttle.forgive(*name)
        self._throttle.take_back(*place)

    def forgive(self, login: str) -> None:
        """Whose password was replaced need not wait for the failures with the old one."""
        self._throttle.forgive(("login", folded(login)))

    def _tell(self, *keys: Key) -> None:
        for scope, name in self._throttle.begun(*keys):
            if scope == "address":
                said = SignInThrottled(scope="address")
            else:
                kept = self._store.kept_password(name)
                said = SignInThrottled(scope="login", operator=None if kept is None else kept.operator.id)
            self._store.append_all([NewEvent(said)])
