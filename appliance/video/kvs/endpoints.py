"""Where each thing is asked of a stream, kept in mind for a while.

The service wants to be asked anew now and then, and hands out another place when one fails.
"""

import threading
from typing import Final

from appliance.clock import Clock
from appliance.video.kvs.control import Api, ControlPlane

GOOD_FOR_S: Final = 45 * 60.0
"""The documentation's advice; also the age at which the service ends a connection."""


class Endpoints:
    """Endpoints by stream and purpose; may be used by several threads.

    Args:
        control: Whom to ask.
        clock: For their age.
    """

    def __init__(self, control: ControlPlane, clock: Clock) -> None:
        self._control = control
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[tuple[str, Api], tuple[str, float]] = {}

    def get(self, stream: str, api: Api) -> str:
        """Where to ask.

        Raises:
            StreamError: The service cannot be asked, or refuses.
        """
        now = self._clock.monotonic()
        with self._lock:
            known = self._known.get((stream, api))
        if known is not None and now - known[1] < GOOD_FOR_S:
            return known[0]
        found = self._control.endpoint(stream, api)
        with self._lock:
            self._known[stream, api] = (found, now)
        return found

    def forget(self, stream: str) -> None:
        """Ask anew for all of a stream's: one of them failed."""
        with self._lock:
            self._known = {key: each for key, each in self._known.items() if key[0] != stream}
