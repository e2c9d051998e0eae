"""One door over time: fill fractions in, a debounced state out.

Knows nothing of cameras or faces; frames bring their own time. The brightness of the shut
door is followed slowly, so that daylight may drift; a fraction between "open" and "shut",
or a fill larger than a shut door's, is unsure.
"""

import numpy as np
from numpy.typing import NDArray

from appliance.door.fill import fill, fill_fraction
from appliance.settings import DoorSettings
from appliance.values import DoorReading, DoorState, Frame, ImageArray, Region

_DRIFT_S = 20.0
"""Time constant with which the shut door's brightness is followed, seconds: slower than a person, faster than
dusk."""

_RELEARN_S = 20.0
"""A new brightness is taken for the shut door's when by it the door has looked shut for this long, and
what surrounds the door has changed as well: a lamp was switched. A door propped open before an evenly
lit wall looks shut by itself, but leaves its surroundings as they were."""

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
        self._around: NDArray[np.bool_] | None = None
        self._around_level = 0.0

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
        filled = fill(gray, self._seed, tolerance, reference)
        fraction = float(np.count_nonzero(filled)) / gray.size
        seen = self._classify(fraction)
        if seen is DoorState.SHUT:
            self._follow(gray, filled, now)
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
        """Forget the reference once the door has long looked shut in another light."""
        plain = fill_fraction(gray, self._seed, self._settings.tolerance)
        if self._classify(plain) is not DoorState.SHUT or not self._surroundings_changed(gray):
            self._other_light_since_s = None
        elif self._other_light_since_s is None:
            self._other_light_since_s = now
        elif now - self._other_light_since_s >= _RELEARN_S:
            self._reference = None

    def _surroundings_changed(self, gray: ImageArray) -> bool:
        """Whether what lies around the shut door in the region is brighter or darker than it was."""
        if self._around is None or self._around.shape != gray.shape or not self._around.any():
            return False
        now = float(gray[self._around].mean())
        return abs(now - self._around_level) > self._settings.tolerance / 2

    def _follow(self, gray: ImageArray, filled: NDArray[np.bool_], now: float) -> None:
        """Move the reference brightness towards what the shut door shows now, and note its surroundings."""
        height, width = gray.shape
        at = min(int(self._seed[0] * width), width - 1), min(int(self._seed[1] * height), height - 1)
        patch = gray[max(0, at[1] - 2) : at[1] + 3, max(0, at[0] - 2) : at[0] + 3]
        value = float(patch.mean())
        self._around = ~filled
        if self._around.any():
            self._around_level = float(gray[self._around].mean())
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
