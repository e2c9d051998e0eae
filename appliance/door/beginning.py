"""Which picture is taken for the shut door's at the start, and how far it is trusted.

Where somebody vouched for a picture of the shut door, it is that. Else a plain fill decides by what the
settings say of the shut door, and a first picture that fitted badly gives way to one that fits better. What
the door is in any frame is for `followed`.
"""

import cv2
import numpy as np

from appliance.door.evidence import COVERED, NEARLY_SHUT, PERHAPS_OPEN, Look
from appliance.door.fill import fill_fraction
from appliance.door.reference import shrink
from appliance.door.shut_picture import ShutPicture
from appliance.settings import DoorSettings
from appliance.values import FloatArray, ImageArray

_LEAK_S = 0.4
"""A first picture that fills more than it should (door and wall are alike) is taken for the shut door's after
this, seconds."""
_NEARLY, _DOUBT_S = 0.12, 6.0
"""A first picture whose fill is off by more than the first is not called shut for so many seconds: a door
that stands open at the start is likely to be shut by then."""
_UNSEEN_START_S = 10.0
"""A first picture that fills less than it should, but not so little as an open door, after this."""
_SURELY, _BADLY = 0.03, 0.06
"""Share by which a fill may be off and is surely the shut door's; and from which on a first picture may have
been an open door."""
_STOOD_S = 0.5
"""A first picture whose fill is not quite as it should be has to stand for so long; a leaf swings on."""
_BETTER_S, _DISOWNED_S = 1.0, 60.0
"""What fits the settings better than the first picture has to stand still for the first; better than one that
was vouched for, for the second: a door that was painted since, or a camera that hangs elsewhere."""


class Beginning:
    """The first picture of the shut door, and the doubts about it.

    Args:
        settings: Tolerance and fractions.
        seed: (x, y) in fractions of the region.
        vouched: A picture of the shut door; None: nobody kept one.
    """

    def __init__(
        self, settings: DoorSettings, seed: tuple[float, float], vouched: ShutPicture | None
    ) -> None:
        self._settings = settings
        self._seed = seed
        self._vouched = vouched
        self._first_since_s: float | None = None
        self._better_since_s: float | None = None
        self._off = 0.0
        self._doubted_until_s = 0.0

    def forget(self) -> None:
        """Begin anew."""
        self.pause()
        self._off = self._doubted_until_s = 0.0

    def pause(self) -> None:
        """Note that for a while nothing was seen."""
        self._first_since_s = self._better_since_s = None

    def confirm(self) -> None:
        """The door was seen to come back to what was taken for shut: that it was."""
        self._off = 0.0

    @property
    def unconfirmed(self) -> bool:
        """A picture was vouched for, and the door has not looked like it yet."""
        return self._vouched is not None and self._off >= 1.0

    def doubts(self, now: float) -> bool:
        """Whether what was taken for the shut door is not to be called shut yet."""
        return now < self._doubted_until_s

    def given(self, shape: tuple[int, ...]) -> FloatArray | None:
        """The picture somebody vouched for, as a small picture of this shape; None if there is none.

        It may have been taken before the door was painted: until the door looks like it, what fits the
        settings takes its place.
        """
        if self._vouched is None:
            return None
        self._off = 1.0
        picture = shrink(self._vouched.gray)
        if picture.shape != shape:
            height, width = shape
            picture = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR))
        return picture

    def look(self, gray: ImageArray, now: float, *, moving: bool) -> tuple[Look, float, bool]:
        """What a plain fill says of a frame while nothing is known, its share, and whether to learn it."""
        fraction = fill_fraction(gray, self._seed, self._settings.tolerance)
        share = self._share(fraction)
        if share < self._settings.open_below or moving:
            self._first_since_s = None
            return (PERHAPS_OPEN if share < self._settings.open_below else COVERED), fraction, False
        if self._first_since_s is None:
            self._first_since_s = now
        off, lasted = abs(share - 1), now - self._first_since_s
        near = off < 1 - self._settings.shut_above and (off < _SURELY or lasted >= _STOOD_S)
        if not (near or lasted >= (_LEAK_S if share > 1 else _UNSEEN_START_S)):
            return COVERED, fraction, False
        self._off, self._doubted_until_s = off, now + (_DOUBT_S if off > _NEARLY else 0.0)
        return NEARLY_SHUT, fraction, True

    def fits_better(self, gray: ImageArray, now: float, *, moving: bool) -> bool:
        """Whether this frame is to take the place of a first picture that fitted the settings worse."""
        if self._off < _BADLY:
            return False
        off = abs(self._share(fill_fraction(gray, self._seed, self._settings.tolerance)) - 1)
        if moving or off >= min(_SURELY, self._off / 2):
            self._better_since_s = None
            return False
        if self._better_since_s is None:
            self._better_since_s = now
        if now - self._better_since_s < (_DISOWNED_S if self.unconfirmed else _BETTER_S):
            return False
        self._off, self._doubted_until_s = off, 0.0
        return True

    def _share(self, fraction: float) -> float:
        """A fill's share of the shut door's."""
        return fraction / max(self._settings.shut_fraction, 1e-3)
