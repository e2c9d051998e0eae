"""The action `record`: what a rule asks of the process that records video. At most once.

It asks and has its answer at once; recording goes on elsewhere.
"""

import threading
from typing import Final

from appliance.clock import Clock
from appliance.deliveries import Delivery
from appliance.dispatch import Plan
from appliance.errors import ActionError, PeerGoneError, VideoError, WireError
from appliance.events import CoffeeTaken, Event, ObjectSeen
from appliance.settings import Settings
from appliance.wire import Client
from appliance.wire.messages import Record, RecordTaken

RECORD: Final = "record"
"""Its name in the outbox."""
_PATIENCE_S: Final = 10.0
"""For so long somebody who records is waited for: it may be being started again."""
_CALL_S: Final = 3.0
_PAUSE_S: Final = 0.5
_TOGETHER: Final = 8


class RecordAction:
    """Asks for video of an event's camera, or of the one that the rule names.

    Args:
        video: Of the socket of the process that records.
        clip_s: Seconds of a clip where the rule does not say.
        clock: For patience.
        patience_s: For so long it is asked again while nobody answers, which does no harm: whoever records
            knows the events that it was told.
    """

    def __init__(
        self, video: Client, clip_s: float, clock: Clock, *, patience_s: float = _PATIENCE_S
    ) -> None:
        self._video = video
        self._clip_s = clip_s
        self._clock = clock
        self._patience_s = patience_s
        self._closed = threading.Event()

    def perform(self, delivery: Delivery) -> None:
        """Ask for it.

        Raises:
            ActionError: Permanent: a moment that is gone cannot be filmed later.
        """
        camera = str(delivery.parameters.get("camera") or delivery.event.camera or "")
        if not camera:
            raise ActionError(
                "this event is of no camera", permanent=True, hint="let the rule say which camera is recorded"
            )
        seconds = delivery.parameters.get("seconds")
        asked = Record(
            camera=camera,
            seconds=self._clip_s if seconds is None else float(seconds),
            cause=delivery.event_id,
            at_ms=round(delivery.at.timestamp() * 1000),
            labels=labels_of(delivery.event),
        )
        until = self._clock.monotonic() + self._patience_s
        while True:
            try:
                self._video.call(asked, RecordTaken, timeout_s=_CALL_S)
            except PeerGoneError as error:
                if self._clock.monotonic() >= until or self._closed.wait(_PAUSE_S):
                    raise ActionError(
                        "no video was recorded: the part that records it did not answer", permanent=True
                    ) from error
            except (VideoError, WireError) as error:
                raise ActionError(error.message, permanent=True, hint=error.hint) from error
            else:
                return

    def close(self) -> None:
        """Give up what is being asked."""
        self._closed.set()


def record_plans(settings: Settings, video: Client, clock: Clock) -> dict[str, Plan]:
    """Who records for rules; nobody does where the settings switch video off."""
    if not settings.video.enabled:
        return {}
    action = RecordAction(video, settings.video.clip_s, clock)
    return {RECORD: Plan(action, attempts=1, together=_TOGETHER)}


def labels_of(event: Event) -> tuple[tuple[str, float], ...]:
    """What was seen, for what is recorded to be found by."""
    if isinstance(event, ObjectSeen | CoffeeTaken) and event.label:
        return ((event.label[:64], round(min(1.0, max(0.0, event.score)), 3)),)
    return ()
