"""What must be so before a stream can be sent to: it is there, it is active, and it keeps what it is sent.

Asked at the start, and again when the service says something that makes it doubtful. A stream that keeps
nothing is not sent to: everything would seem to work, and nothing would be stored.
"""

from dataclasses import dataclass
from typing import Final

import structlog

from appliance.clock import Clock
from appliance.errors import StreamError
from appliance.video.kvs.control import ControlPlane, StreamFacts

_log = structlog.get_logger()

GOOD_FOR_S: Final = 45 * 60.0
"""As long as an endpoint is."""


@dataclass(frozen=True, slots=True)
class StreamWish:
    """A stream as it is wanted.

    Attributes:
        name: What it is called.
        retention_hours: For how long it keeps video, 1 or more.
        create: Whether it is made if it is not there.
        raise_retention: Whether its retention is raised if it is less.
    """

    name: str
    retention_hours: int
    create: bool = True
    raise_retention: bool = False


class Preparing:
    """Sees to it that a stream can be sent to. For one thread.

    Args:
        wish: The stream.
        control: Whom to ask.
        clock: For how long an answer is good.
    """

    def __init__(self, wish: StreamWish, control: ControlPlane, clock: Clock) -> None:
        self._wish = wish
        self._control = control
        self._clock = clock
        self._known: tuple[StreamFacts, float] | None = None
        self._told_of_less = False

    @property
    def retention_hours(self) -> int | None:
        """For how long it keeps video; None: not known."""
        return None if self._known is None else self._known[0].retention_hours

    def forget(self) -> None:
        """Ask anew the next time."""
        self._known = None

    def ready(self) -> StreamFacts:
        """The stream, as it is or was made.

        Raises:
            StreamError: It is not there and may not be made, is not active (yet), keeps nothing, or the
                service cannot be asked.
        """
        now = self._clock.monotonic()
        if self._known is not None and now - self._known[1] < GOOD_FOR_S:
            return self._known[0]
        facts = self._active(self._described())
        if facts.retention_hours < self._wish.retention_hours and self._wish.raise_retention:
            facts = self._raised(facts)
        if facts.retention_hours == 0:
            raise keeps_nothing(facts.name)
        if facts.retention_hours < self._wish.retention_hours and not self._told_of_less:
            self._told_of_less = True
            _log.warning(
                "kvs_retention",
                stream=facts.name,
                hours=facts.retention_hours,
                wanted=self._wish.retention_hours,
            )
        self._known = (facts, now)
        return facts

    def _raised(self, facts: StreamFacts) -> StreamFacts:
        """A stream whose retention is raised; as it is, where that fails and it keeps something.

        Raises:
            StreamError: It keeps nothing, and cannot be raised.
        """
        try:
            self._control.raise_retention(facts, self._wish.retention_hours)
        except StreamError as error:
            if facts.retention_hours == 0:
                raise
            _log.warning("kvs_retention_not_raised", stream=facts.name, reason=error.message)
            return facts
        return self._described()

    def _described(self) -> StreamFacts:
        facts = self._control.describe(self._wish.name)
        if facts is None and self._wish.create:
            self._control.create(self._wish.name, self._wish.retention_hours)
            _log.info("kvs_stream_made", stream=self._wish.name, retention_hours=self._wish.retention_hours)
            facts = self._control.describe(self._wish.name)
        if facts is None:
            raise StreamError(
                f"there is no stream {self._wish.name}",
                reason="no_stream",
                hint="make it, or let the box do so (video.kvs.create); look at video.kvs.region, too",
            )
        return facts

    def _active(self, facts: StreamFacts) -> StreamFacts:
        """A stream that is being changed takes video, one that is being made or deleted does not."""
        if facts.status in {"CREATING", "DELETING"}:
            doing = "made" if facts.status == "CREATING" else "deleted"
            raise StreamError(
                f"the stream {facts.name} is being {doing}",
                reason="not_active" if facts.status == "DELETING" else "busy",
                hint="it is tried again by itself",
            )
        return facts


def keeps_nothing(stream: str) -> StreamError:
    """A stream without retention, in words."""
    return StreamError(
        f"the stream {stream} keeps nothing: its retention is 0, which is what the service makes by itself",
        reason="retention",
        hint="raise it, or let the box do so: video.kvs.raise_retention",
        command="appliance kvs check --raise-retention",
    )
