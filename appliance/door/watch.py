"""One door over time: fill fractions in, a debounced state out.

Knows nothing of cameras or faces; frames bring their own time. The brightness of the shut
door is followed slowly, so that daylight may drift; a fraction between "open" and "shut",
or a fill larger than a shut door's, is unsure.
"""

from appliance.door.fill import fill_fraction
from appliance.settings import DoorSettings
from appliance.values import DoorReading, DoorState, Frame, ImageArray, Region

_DRIFT_S = 20.0
"""Time constant with which the shut door's brightness is followed, seconds: slower than a person, faster than
dusk."""

_RELEARN_S = 20.0
"""The plain rule must say "shut" for this long before a new brightness is taken for the shut door's:
a lamp was switched. Longer than anybody stands in a doorway filling the region evenly."""

_OVERFLOW = 1.25
"""A fill this many times the shut door's has leaked into the wall: the region's light is unusual."""


class DoorWatch:
    """State of one door.

    Args:
        settings: Region, seed, fractions, debounce.
    """

    def __init__(self, settings: DoorSettings) -> None:
        self._settings = settings
        left, top, right, bottom = settings.region
        self._region = Region(left, top, right, bottom)
        self._seed = (settings.seed[0] - left) / (right - left), (settings.seed[1] - top) / (bottom - top)
        self._state = DoorState.UNSURE
        self._candidate = DoorState.UNSURE
        self._candidate_since_s = 0.0
        self._reference: float | None = None
        self._seen_s: float | None = None
        self._other_light_since_s: float | None = None

    @property
    def state(self) -> DoorState:
        """The debounced state; unsure before the first frame."""
        return self._state

    def observe(self, frame: Frame) -> DoorReading:
        """Look at the door in one frame; frames come in order of their monotonic time."""
        gray = frame.gray(self._region)
        now = frame.stamp.monotonic_s
        tolerance = self._settings.tolerance
        reference = None if self._reference is None else round(self._reference)
        fraction = fill_fraction(gray, self._seed, tolerance, reference)
        seen = self._classify(fraction)
        if seen is DoorState.SHUT:
            self._follow(gray, now)
            self._other_light_since_s = None
        elif reference is not None:
            self._relearn(gray, now)
        self._seen_s = now
        changed = self._debounce(seen, now)
        return DoorReading(self._state, fraction, changed)

    def _classify(self, fraction: float) -> DoorState:
        """What this fraction alone says."""
        share = fraction / self._settings.shut_fraction
        if share < self._settings.open_below:
            return DoorState.OPEN
        if self._settings.shut_above < share < _OVERFLOW:
            return DoorState.SHUT
        return DoorState.UNSURE

    def _relearn(self, gray: ImageArray, now: float) -> None:
        """Forget the reference when, by the seed's own brightness, the door has long looked shut."""
        plain = fill_fraction(gray, self._seed, self._settings.tolerance)
        if self._classify(plain) is not DoorState.SHUT:
            self._other_light_since_s = None
        elif self._other_light_since_s is None:
            self._other_light_since_s = now
        elif now - self._other_light_since_s >= _RELEARN_S:
            self._reference = None

    def _follow(self, gray: ImageArray, now: float) -> None:
        """Move the reference brightness towards what the shut door shows now."""
        height, width = gray.shape
        at = min(int(self._seed[0] * width), width - 1), min(int(self._seed[1] * height), height - 1)
        patch = gray[max(0, at[1] - 2) : at[1] + 3, max(0, at[0] - 2) : at[0] + 3]
        value = float(patch.mean())
        if self._reference is None or self._seen_s is None:
            self._reference = value
            return
        share = min(1.0, max(0.0, now - self._seen_s) / _DRIFT_S)
        self._reference += (value - self._reference) * share

    def _debounce(self, seen: DoorState, now: float) -> bool:
        """Believe a new state once it has lasted; true when the believed state changed just now."""
        if seen is not self._candidate:
            self._candidate, self._candidate_since_s = seen, now
        if self._candidate is self._state or now - self._candidate_since_s < self._settings.debounce_s:
            return False
        self._state = self._candidate
        return True
