"""What frames showed, on its way to the process that keeps moments: handed over in batches, never waited for.

What cannot be handed over is kept for a while and tried again; when there is too much of it the oldest goes,
and that is counted. It is no event: what must not be lost is a trigger's.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from appliance.app.inferring import Calling
from appliance.errors import WireError
from appliance.settings import ObjectsSettings
from appliance.values import FrameStamp, ObjectsReading
from appliance.wire.messages import Done, NoteSeen, SeenInFrame
from appliance.wire.messages.index import MOST_SEEN

KEPT: Final = 2000
"""Frames that may wait: some minutes of a camera."""
EVERY_S: Final = 1.0
"""Seconds in which frames are gathered before they are handed over."""
_MOST_LABELS: Final = 32
_LABEL_CHARS: Final = 64
_TIMEOUT_S: Final = 2.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


PublishSeen = Callable[[ObjectsSettings, ObjectsReading, FrameStamp], None]
"""As of `appliance.app.parts`."""


def told_to(tells: Sequence[PublishSeen]) -> PublishSeen | None:
    """Tell all of them what was seen in a frame; None: there is nobody to be told."""
    if not tells:
        return None

    def tell(watch: ObjectsSettings, reading: ObjectsReading, stamp: FrameStamp) -> None:
        for each in tells:
            each(watch, reading, stamp)

    return tell


class Sightings:
    """The frames that wait to be handed over.

    Args:
        client: Reaches who keeps moments.
        sender: Names this run of this process.
        kept: Frames that may wait.
    """

    def __init__(self, client: Calling, sender: str, *, kept: int = KEPT) -> None:
        self._client = client
        self._sender = sender
        self._kept = kept
        self._waiting: deque[SeenInFrame] = deque()
        self._first = 1
        self._dropped = 0
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @property
    def dropped(self) -> int:
        """How many were given up since something was last handed over."""
        return self._dropped

    def add(self, at: datetime, camera: str, labels: Mapping[str, float], source: str = "") -> None:
        """Take what a frame showed, if it showed anything; returns at once.

        Args:
            at: When it was taken, aware.
            camera: Whose; empty: not known.
            labels: Label → score; scores beyond 0 to 1 are the nearest of these.
            source: Name of the hosted function that saw it.
        """
        named = {label: score for label, score in labels.items() if 0 < len(label) <= _LABEL_CHARS}
        best = sorted(named.items(), key=lambda each: (-each[1], each[0]))[:_MOST_LABELS]
        if not best:
            return
        seen = SeenInFrame(
            at_ms=max((at - _EPOCH) // _MS, 0),
            camera=camera,
            labels={label: min(max(score, 0.0), 1.0) for label, score in best},
            source=source,
        )
        with self._lock:
            self._waiting.append(seen)
            if len(self._waiting) > self._kept:
                self._waiting.popleft()
                self._first += 1
                self._dropped += 1

    def watched(self, watch: ObjectsSettings, reading: ObjectsReading, stamp: FrameStamp) -> None:
        """Take what the loop saw in a frame; returns at once."""
        labels: dict[str, float] = {}
        for each in reading.things:
            labels[each.thing.label] = max(each.thing.score, labels.get(each.thing.label, 0.0))
        self.add(stamp.wall, watch.camera, labels)

    def hand_over(self) -> bool:
        """Hand over one batch; whether there is more, and it is worth while to go on."""
        with self._lock:
            batch = tuple(self._waiting[i] for i in range(min(len(self._waiting), MOST_SEEN)))
            first, dropped = self._first, self._dropped
        if not batch:
            return False
        message = NoteSeen(sender=self._sender, first=first, dropped=dropped, seen=batch)
        try:
            self._client.call(message, Done, timeout_s=_TIMEOUT_S)
        except WireError:
            return False  # whoever keeps moments is away: they wait, and the oldest go when they are too many
        with self._lock:
            # Some of these may have been given up for newer ones meanwhile, though they arrived.
            overtaken = min(self._first - first, len(batch))
            self._dropped -= dropped + overtaken
            for _ in range(len(batch) - overtaken):
                self._waiting.popleft()
                self._first += 1
            return bool(self._waiting)

    def run(self, stop: threading.Event) -> None:
        """Hand over what comes until `stop` is set, and then what is left, once."""
        while not stop.wait(EVERY_S):
            while self.hand_over() and not stop.is_set():
                pass
        self.hand_over()
