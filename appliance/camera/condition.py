"""Whether a camera still sees what it used to: not dark, covered, frozen or moved.

Looks at a small gray copy of a frame once a second (five times while something is wrong), and believes what
lasts. Pure: no clock, no thread, no file; frames bring their time. What a single look says, `sight` tells.
It does not say that a source sends nothing (`capture` does), nor what stands before the door.

dark     Next to nothing in the picture is brighter than black.
frozen   The pictures are the same to the last bit, from a source whose pictures never were. A file without
         noise, a still picture or a rendered scene repeats itself by nature and is never called frozen.
covered  There is light, but of what used to be visible nearly nothing is: a hand, tape, fog, no focus.
moved    There is as much to see as ever, but it is shifted, or something else. Said once; from then on
         the new view is the remembered one, so there is no end to it, and moving it back is moving it again.

Of what is to be seen nothing is remembered across a restart; of what was wrong, what the watch is told.
"""

from appliance.camera.sight import Seen, Sight, small_copy
from appliance.settings import CameraSettings
from appliance.values import WHOLE_FRAME, CameraReading, Disturbance, Frame

_LOOK_S = 1.0
_LOOK_BLIND_S = 0.2
"""Seconds between two looks, and while the camera sees nothing: a light switched on counts at once."""

_MOVED_TIMES = 3.0
"""A move is believed if the new view has been there, at rest, for so many times `disturbed_after_s`: people
may stand before half the picture."""
_RESTLESS_TIMES = 12.0
"""And if the new view never comes to rest, after so many."""

_CLEAR_S = 2.0
"""Seconds of sight after which a disturbance is over."""


class ConditionWatch:
    """The condition of one camera.

    Args:
        settings: `disturbed_after_s` is how long something must be wrong before it is said; 0: never looked.
        said: What was said of the camera last, and is not over as far as anybody knows: dark, covered or
            frozen. It is not said again; `lasted_s` of its end counts from this watch's first look.
    """

    def __init__(self, settings: CameraSettings, said: Disturbance | None = None) -> None:
        self._after_s = settings.disturbed_after_s
        self._looked_s: float | None = None
        self._shape: tuple[int, ...] | None = None
        self._said = None if said is Disturbance.MOVED else said
        self._since_s: float | None = None
        self._suspect: Disturbance | None = None
        self._suspect_s = 0.0
        self._blind_s: float | None = None
        self._clear_s: float | None = None
        self._blind = False
        self._sight = Sight(self._said)

    def observe(self, frame: Frame) -> CameraReading:
        """Look, if it is time to; frames come in order of their monotonic time.

        Raises:
            CameraLostError: The frame cannot be decoded after all.
        """
        now = frame.stamp.monotonic_s
        pause = _LOOK_BLIND_S if self._blind else _LOOK_S
        if not self._after_s or (self._looked_s is not None and now - self._looked_s < pause - 1e-6):
            return CameraReading(blind=self._blind)
        small = small_copy(frame.gray(WHOLE_FRAME))
        if self._shape not in {None, small.shape}:
            # Another format is another view; nothing of it is known.
            self._sight = Sight(self._said)
        gap_s = 0.0 if self._looked_s is None else now - self._looked_s
        self._looked_s, self._shape = now, small.shape
        if self._since_s is None:
            self._since_s = now
        return self._judge(self._sight.look(small, now, gap_s), now)

    def _judge(self, seen: Seen, now: float) -> CameraReading:
        """Believe what has lasted."""
        if seen.wrong is not self._suspect:
            self._suspect, self._suspect_s = seen.wrong, seen.since_s
        blinds = seen.wrong not in {None, Disturbance.MOVED}
        if not blinds:
            self._blind_s = None
        elif self._blind_s is None:
            self._blind_s = seen.since_s
        begun = seen.wrong if self._is_news(seen, now) else None
        lasted = self._lasted(seen, now)
        if begun is Disturbance.MOVED:
            self._sight.accept()
            self._suspect = None
        elif begun is not None:
            if self._said is None:
                self._since_s = self._blind_s
            self._said = begun
        self._blind = self._said is not None and blinds
        return CameraReading(begun=begun, lasted_s=lasted, blind=self._blind)

    def _is_news(self, seen: Seen, now: float) -> bool:
        """Whether what is wrong has lasted long enough to be said, and has not been."""
        if seen.wrong is None or seen.wrong is self._said:
            return False
        if seen.wrong is Disturbance.MOVED:
            times = _MOVED_TIMES if seen.at_rest else _RESTLESS_TIMES
            return now - self._suspect_s >= self._after_s * times
        # Blind is blind: around a limit the reason flickers, and the first to be believed is the one said.
        since_s = self._blind_s if self._said is None and self._blind_s is not None else self._suspect_s
        return now - since_s >= self._after_s

    def _lasted(self, seen: Seen, now: float) -> float | None:
        """Seconds that a disturbance lasted which is over now."""
        if seen.wrong is not None:
            self._clear_s = None
            return None
        if self._clear_s is None:
            self._clear_s = now
        if self._said is None or self._since_s is None or now - self._clear_s < _CLEAR_S:
            return None
        self._said = None
        return self._clear_s - self._since_s
