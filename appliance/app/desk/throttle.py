"""Slowing down who tries passwords or codes: by name and by address, ever longer, forgotten after a while.

Kept in memory: the desk's restart forgets it, which an attacker cannot bring about and argon2 makes of
little use. Which keys a try is counted under, and who is spared, is for `guarding`.
"""

import math
import threading
from dataclasses import dataclass
from typing import Final

from appliance.addresses import network_of
from appliance.clock import Clock
from appliance.errors import ThrottledError

FREE: Final = 5
"""Failures that cost nothing: people mistype."""
LONGEST_S: Final = {"login": 30.0, "login from": 300.0, "operator": 30.0, "address": 300.0, "keypad": 60.0}
FAMILIAR_S: Final = 30 * 86_400.0
_FORGOTTEN_S: Final = 900.0
_MOST_KEPT: Final = 10_000

Key = tuple[str, str]
"""What is counted: `("login", …)`, `("login from", …)`, `("operator", …)`, `("address", …)` or
`("keypad", …)`."""


@dataclass(slots=True)
class _Tries:
    failures: int = 0
    last_s: float = 0.0
    until_s: float = 0.0
    told: bool = False


class Throttle:
    """Counts failures and says who has to wait.

    Args:
        clock: The monotonic one is used.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tries: dict[Key, _Tries] = {}

    def admit(self, *keys: Key) -> None:
        """See that none of these has to wait; the try counts as failed until it is taken back.

        Counted before the work, so that many tries at once are not all let through.

        Raises:
            ThrottledError: One has to; nothing was counted.
        """
        now = self._clock.monotonic()
        with self._lock:
            waits = [self._known(key, now).until_s - now for key in keys]
            wait_s = max(waits, default=0.0)
            if wait_s > 0:
                seconds = math.ceil(wait_s)
                hint = f"try again in {seconds} second{'s' * (seconds > 1)}"
                raise ThrottledError("tried too often", wait_s=wait_s, hint=hint)
            for key in keys:
                self._count(key, now)

    def begun(self, *keys: Key) -> list[Key]:
        """Of these, which have to wait from now on: each is told once, until it is forgotten or forgiven."""
        found = []
        with self._lock:
            for key in keys:
                tries = self._tries.get(key)
                if tries is not None and tries.failures > FREE and not tries.told:
                    tries.told = True
                    found.append(key)
        return found

    def forgive(self, *keys: Key) -> None:
        """It was right: forget the failures of these."""
        with self._lock:
            for key in keys:
                self._tries.pop(key, None)

    def take_back(self, *keys: Key) -> None:
        """It was right: uncount this one try, and leave the failures before."""
        with self._lock:
            for key in keys:
                tries = self._tries.get(key)
                if tries is not None:
                    tries.failures = max(0, tries.failures - 1)
                    tries.until_s = min(tries.until_s, self._clock.monotonic())

    def _known(self, key: Key, now: float) -> _Tries:
        tries = self._tries.get(key)
        if tries is None or now - tries.last_s > _FORGOTTEN_S:
            return _Tries()
        return tries

    def _count(self, key: Key, now: float) -> None:
        tries = self._known(key, now)
        tries.failures += 1
        tries.last_s = now
        over = tries.failures - FREE
        if over > 0:
            tries.until_s = now + min(LONGEST_S[key[0]], 2.0 ** min(over - 1, 16))
        self._tries.pop(key, None)  # to the end: the oldest go first
        self._tries[key] = tries
        if len(self._tries) > _MOST_KEPT:
            del self._tries[next(iter(self._tries))]


class Familiar:
    """From where each name was signed in with its right password lately.

    Args:
        clock: The monotonic one is used.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._since: dict[tuple[str, str], float] = {}

    def note(self, login: str, place: str) -> None:
        """The password was right; a place that is not known is none."""
        if not place:
            return
        with self._lock:
            self._since.pop((login, place), None)  # to the end: the oldest go first
            self._since[login, place] = self._clock.monotonic()
            if len(self._since) > _MOST_KEPT:
                del self._since[next(iter(self._since))]

    def knows(self, login: str, place: str) -> bool:
        """Whether it was right from there within `FAMILIAR_S`."""
        with self._lock:
            since = self._since.get((login, place))
        return since is not None and self._clock.monotonic() - since <= FAMILIAR_S


def address_key(client: str) -> Key:
    """What a client's address is counted as: of IPv6 the network, for a household has 2^64 of them."""
    return "address", network_of(client)
