"""What can be guessed at, guarded: passwords and codes, slowed down after failures, and the log told of it.

A name is slowed down for each address by itself, and, from wherever it was not signed in lately, for all of
them together: many addresses guess no faster than one, and whoever's name it is gets in from where they
did before. How long who waits is the throttle's business.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from appliance.app.desk.throttle import Familiar, Key, Throttle, address_key
from appliance.clock import Clock
from appliance.errors import NotSignedInError
from appliance.events import SignInThrottled
from appliance.store import NewEvent, Store
from appliance.store.operators import folded


class Guard:
    """Guards tries.

    Args:
        store: Its log is told when somebody begins to be slowed down.
        clock: The monotonic one is used.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._throttle = Throttle(clock)
        self._familiar = Familiar(clock)

    @contextmanager
    def sign_in(self, login: str, client: str) -> Iterator[None]:
        """Let somebody try a name's password once in the block; see `tried`.

        Being right forgives the failures with that name, and makes the address one that it is spared from
        waiting for other addresses' failures.

        Raises:
            ThrottledError: That name has to wait, or that address; the block was not begun.
        """
        name, place = folded(login), address_key(client)
        keys: list[Key] = [("login from", f"{place[1]} {name}")]
        if not self._familiar.knows(name, place[1]):
            keys.append(("login", name))
        with self._once(keys, [place]):
            yield
        self._familiar.note(name, place[1])

    @contextmanager
    def tried(self, client: str) -> Iterator[None]:
        """Let somebody try a code once in the block.

        A NotSignedInError out of it is a failure, all else is none. Being right leaves the failures before.

        Raises:
            ThrottledError: That address has to wait; the block was not begun.
        """
        with self._once([], [address_key(client)]):
            yield

    @contextmanager
    def own(self, operator: str) -> Iterator[None]:
        """Let somebody who is signed in try their own password once in the block; see `tried`.

        Counted apart from signing in, so that nobody outside is in the way of another password.

        Raises:
            ThrottledError: They have to wait; the block was not begun.
        """
        with self._once([("operator", operator)], []):
            yield

    def chosen(self, login: str, client: str) -> None:
        """Whose password was replaced need not wait for the failures with the old one."""
        name, place = folded(login), address_key(client)[1]
        self._throttle.forgive(("login", name), ("login from", f"{place} {name}"))
        self._familiar.note(name, place)

    @contextmanager
    def _once(self, forgiven: list[Key], uncounted: list[Key]) -> Iterator[None]:
        """A try under these keys; being right forgives the first and uncounts the others."""
        self._throttle.admit(*forgiven, *uncounted)
        try:
            yield
        except NotSignedInError:
            self._tell(*forgiven, *uncounted)
            raise
        except BaseException:
            self._throttle.take_back(*forgiven, *uncounted)
            raise
        self._throttle.forgive(*forgiven)
        self._throttle.take_back(*uncounted)

    def _tell(self, *keys: Key) -> None:
        """Log who is slowed down from now on; of a name at one address, its address tells."""
        for kind, name in self._throttle.begun(*keys):
            if kind != "login from":
                self._store.append_all([NewEvent(self._said(kind, name))])

    def _said(self, kind: str, name: str) -> SignInThrottled:
        if kind == "address":
            return SignInThrottled(scope="address")
        if kind == "operator":
            return SignInThrottled(scope="login", operator=name)
        kept = self._store.kept_password(name)
        return SignInThrottled(scope="login", operator=None if kept is None else kept.operator.id)
