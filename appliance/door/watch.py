"""One door over time: frames in, a believed state out.

The rule says what each frame shows; this believes it: clear evidence with the second frame
that says so, weak evidence after the debounce time. Knows nothing of cameras or faces;
frames bring their own time.
"""

from typing import Protocol

from appliance.door.evidence import Look
from appliance.door.fill import fill_fraction
from appliance.door.followed import FollowedRule
from appliance.door.shut_picture import ShutPicture
from appliance.settings import DoorSettings
from appliance.values import DoorReading, DoorState, Frame, ImageArray, Region

_CLEAR_S = 0.09
"""Clear evidence has to last at least this long, and two frames: a single broken frame changes nothing."""


class _Rule(Protocol):
    """Says what frames show."""

    def look(self, gray: ImageArray, now: float, believed: DoorState) -> tuple[Look, float]:
        """What a frame says, and the fraction filled."""


class DoorWatch:
    """State of one door.

    Args:
        settings: Region, seed, fractions, rule, debounce.
        vouched: A picture of the shut door, kept when the door was set up; without one, or with one of
            another region, the first that fits the settings is taken for it.
    """

    def __init__(self, settings: DoorSettings, vouched: ShutPicture | None = None) -> None:
        left, top, right, bottom = settings.region
        self._region = Region(left, top, right, bottom)
        seed = (settings.seed[0] - left) / (right - left), (settings.seed[1] - top) / (bottom - top)
        self._rule: _Rule = (
            PlainRule(settings, seed)
            if settings.rule == "plain"
            else FollowedRule(settings, seed, vouched if vouched and vouched.is_of(settings) else None)
        )
        self._belief = _Belief(settings.debounce_s)

    @property
    def state(self) -> DoorState:
        """The debounced state; unsure before the first frame."""
        return self._belief.state

    def observe(self, frame: Frame) -> DoorReading:
        """Look at the door in one frame; frames come in order of their monotonic time."""
        now = frame.stamp.monotonic_s
        look, fraction = self._rule.look(frame.gray(self._region), now, self._belief.state)
        changed = self._belief.hear(look, now)
        return DoorReading(self._belief.state, fraction, changed)


class PlainRule:
    """The rule of the original: one fill from the seed pixel's own brightness; a small area is an open door.

    Args:
        settings: Tolerance and fractions.
        seed: (x, y) in fractions of the region.
    """

    def __init__(self, settings: DoorSettings, seed: tuple[float, float]) -> None:
        self._settings = settings
        self._seed = seed

    def look(self, gray: ImageArray, now: float, believed: DoorState) -> tuple[Look, float]:
        """Open below the share `open_below` of `shut_fraction`, else shut."""
        del now, believed
        fraction = fill_fraction(gray, self._seed, self._settings.tolerance)
        small = fraction < self._settings.open_below * self._settings.shut_fraction
        return Look(DoorState.OPEN if small else DoorState.SHUT, strong=False), fraction


class _Belief:
    """Believes what lasts; what is clear sooner than what is weak."""

    def __init__(self, debounce_s: float) -> None:
        self.state = DoorState.UNSURE
        self._debounce_s = debounce_s
        self._candidate = DoorState.UNSURE
        self._since_s = 0.0
        self._clear_since_s: float | None = None

    def hear(self, look: Look, now: float) -> bool:
        """Take in what a frame says; true when the believed state changed just now."""
        if look.state is not self._candidate:
            self._candidate, self._since_s, self._clear_since_s = look.state, now, None
        before = self._clear_since_s
        if not look.strong:
            self._clear_since_s = None
        elif before is None:
            self._clear_since_s = now
        if self._candidate is self.state:
            return False
        clear = before is not None and look.strong and now - before >= min(_CLEAR_S, self._debounce_s)
        if not (clear or look.awaited) and now - self._since_s < self._debounce_s:
            return False
        self.state = self._candidate
        return True
