"""The module `DeepLens_Kinesis_Video`: a function's video streams, as it makes, starts and stops them.

Which video goes where is the hosting side's, which records it on the appliance; credentials are taken and not
used, kept or told to anybody.
"""

import threading
from types import ModuleType
from typing import Any, Final, Protocol

from appliance.deeplens.guest.messages import MAX_NAME_BYTES, GuestSaid, Stream

PREFIX: Final = "deeplens-"
"""A stream answers to its name with this before it and without."""
MAX_HOURS: Final = 87_600
"""Ten years: the most that Kinesis keeps a stream."""


class Says(Protocol):
    """Takes what the function says; never waits."""

    def put(self, message: GuestSaid) -> None:
        """Have it sent."""


class VideoStream:
    """A stream; `start` and `stop` may be called in any order and any number of times."""

    def __init__(self, name: str, retention_hours: float, says: Says) -> None:
        """Note what it is called.

        Args:
            name: As the function wrote it.
            retention_hours: How long it keeps what it has.
            says: Takes what is to be said to the hosting side.
        """
        self.name = name
        self._retention_hours = retention_hours
        self._says = says
        self._lock = threading.Lock()
        self._active = False

    @property
    def isActive(self) -> bool:  # noqa: N802 - the device's name
        """Whether it is sending."""
        return self._active

    def start(self) -> None:
        """Begin to send; nothing more if it does already. Returns at once."""
        self._turn(active=True)

    def stop(self) -> None:
        """Stop sending; what it has stays. Nothing more if it does not send."""
        self._turn(active=False)

    def _turn(self, *, active: bool) -> None:
        with self._lock:
            if self._active is not active:
                self._active = active
                self._says.put(Stream("start" if active else "stop", self.name, self._retention_hours))


class Producer:
    """Makes streams."""

    def __init__(self, says: Says) -> None:
        """Note who is told."""
        self._says = says
        self._lock = threading.Lock()
        self._streams: dict[str, VideoStream] = {}

    def createStream(self, stream_name: Any, retention: Any = 2) -> VideoStream:  # noqa: N802
        """A stream of this name, made if there is none yet.

        Args:
            stream_name: Its name, with `deeplens-` before it or without.
            retention: Hours that it keeps what it has.

        Raises:
            ValueError: It is no name, or no number of hours.
        """
        name = str(stream_name)
        if not name or len(name.encode(errors="replace")) > MAX_NAME_BYTES - len(PREFIX):
            raise ValueError("a stream needs a name of up to 240 letters")
        hours = float(retention)
        if not 0 <= hours <= MAX_HOURS:
            raise ValueError(f"a stream keeps what it has for 0 to {MAX_HOURS} hours")
        with self._lock:
            stream = self._streams.get(name.removeprefix(PREFIX))
            if stream is None:
                stream = self._streams[name.removeprefix(PREFIX)] = VideoStream(name, hours, self._says)
                self._says.put(Stream("create", name, hours))
            return stream


def modules(says: Says) -> dict[str, ModuleType]:
    """The module a function may import for this, by name.

    Args:
        says: Takes what is to be said to the hosting side.
    """
    producer = Producer(says)

    def createProducer(  # noqa: N802 - the device's name
        access_key: Any = "",  # noqa: ARG001 - taken, and not used
        secret_key: Any = "",  # noqa: ARG001
        session_token: Any = "",  # noqa: ARG001
        region: Any = "us-east-1",  # noqa: ARG001
    ) -> Producer:
        """What makes streams. Keys, token and region are not used: recordings stay on the appliance."""
        return producer

    module = ModuleType("DeepLens_Kinesis_Video", __doc__)
    vars(module).update(createProducer=createProducer, __file__=__file__, __all__=["createProducer"])
    return {"DeepLens_Kinesis_Video": module}
