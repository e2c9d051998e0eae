"""What the door's fine lines say of a frame: only the light has changed, or it opened behind a shadow.

Brightness alone takes the edge of a shadow for that of a leaf. What a frame says by its brightness is handed
in; what comes before and after it is for `followed`.
"""

from functools import cached_property

from appliance.door.evidence import COVERED, NEARLY_SHUT, PERHAPS_OPEN, Look, Signs
from appliance.door.lines import Lines, compare_lines, compare_upright_lines, lit_apart, steps_at
from appliance.door.outline import Outline
from appliance.values import DoorState, FloatArray

_KEPT, _UPRIGHT_KEPT = 0.9, 0.8
"""Share of the shut door's lines, and of its upright ones, in the band with the fewest, from which on nothing
has opened."""
_NO_STEP = 0.1
"""Most by which the light changes more on one side of the door's edge than on the other where upright lines
alone speak, or a leaf comes home; natural logarithm."""
_NEARLY_KEPT, _SHADOW_STEP = 0.85, 0.2
"""Fewer lines do where a shadow is, but for the second, as dark on one side of the edge as on the other."""
_HOME, _HOME_STEP = 0.95, 0.05
"""The same for a leaf whose movement need not be awaited: even a crack costs more upright lines."""
_FRAME_PX, _APART = 4, 0.6
"""What lies this near to the outline are lines of the frame. They do not speak for an even leaf where the
light at its edge changed on one side by that much more than on the other, as a share of the change."""
_MOST_OPENED, _LOST, _BESIDE = 0.6, 0.8, 0.8
"""Where so much of the door's width differs, no more of its lines is left, and so much of those beside it,
the door is open, and what came over the wall is light."""
_GONE, _LIT = 0.5, 0.85
"""The same while it still opens: fewer lines are left, and more beside it."""
_UPRIGHT_DENY, _DENY, _BESIDE_DENY = 0.3, 0.6, 0.75
"""Shares left of the door's upright lines, of all of them, and beside it, with which it is not shut, though
little else differs: it opened to a room of nearly its gray."""
_WALL_GONE = 0.5
"""Share of a side's lines up to which somebody stands before it, however evenly lit that can be thought; a
leaf hides one side at most."""
_STANDS, _UNTOUCHED, _SEEN = 0.65, 0.85, 0.75
"""Where no more than the first of a side's lines is left and at least the second of the other's, but by
brightness the third of the one is as it was, and less of the other, the light was fitted to who is there."""
_BEHIND_LIGHT = 0.1
"""Share of the door's width from which such an opening counts."""


class DoorLines:
    """The lines of one frame beside those of the shut door; compared when asked for, and once.

    Args:
        shut: Small picture of the shut door.
        small: Of the frame.
        outline: Of the door.
    """

    def __init__(self, shut: FloatArray, small: FloatArray, outline: Outline) -> None:
        self._shut, self._small, self._outline = shut, small, outline

    @cached_property
    def lines(self) -> Lines:
        """All of them."""
        return compare_lines(self._shut, self._small)

    @cached_property
    def upright(self) -> Lines:
        """The upright ones: of a slanting shadow all lines tell more, of blinds these."""
        return compare_upright_lines(self._shut, self._small)

    @cached_property
    def step(self) -> float:
        """By how much more the light changed on one side of the door's edge; see `steps_at`."""
        return steps_at(self._shut, self._small, self._edges)

    @cached_property
    def left(self) -> float:
        """The share of the door's lines that is left, by the measure that sees less of them."""
        return min(self.lines.kept, self.upright.kept if self.upright.telling else 1.0)

    @property
    def left_beside(self) -> float:
        """The share left beside the door, on the side where less is."""
        return max(min(each) for each in self._beside)

    def tell_somebody(self, signs: Signs) -> bool:
        """Somebody stands before the wall: its lines are gone on both sides, or on one that seems bare."""
        return max(self._sides) <= _WALL_GONE or self.belie(signs)

    def show_edge(self, signs: Signs) -> bool:
        """Whether an opening begins where the wall or its lines are seen beside it, or at no edge at all.

        Who comes along a wall of nearly their own gray hides its lines.
        """
        if not (signs.at_left or signs.at_right):
            return True
        left, right = self._sides
        return (signs.clean_left and (left > _WALL_GONE or signs.clear_left)) or (
            signs.clean_right and (right > _WALL_GONE or signs.clear_right)
        )

    def belie(self, signs: Signs) -> bool:
        """Whether the light was fitted to who stands before one side: it seems bare, and the bare one not."""
        if signs.left is None or signs.right is None or not self._outline.certain:
            return False
        (fewer, seen), (more, hidden) = sorted(zip(self._sides, (signs.left, signs.right), strict=True))
        return fewer <= _STANDS and seen >= _SEEN and more >= _UNTOUCHED and hidden < _SEEN

    @property
    def _sides(self) -> tuple[float, float]:
        """Left and right, the share of the lines that is left, by the measure that sees more."""
        (left, right), (upright_left, upright_right) = self._beside
        return max(left, upright_left), max(right, upright_right)

    @cached_property
    def _beside(self) -> tuple[tuple[float, float], ...]:
        """By both measures; the one that sees more counts."""
        return self.lines.kept_beside(*self._edges), self.upright.kept_beside(*self._edges)

    @property
    def are_lit(self) -> bool:
        """What differs beside the door is light: nothing with an outline of its own came over the wall."""
        return self._outline.certain and self.left_beside >= _LIT

    @property
    def have_gone(self) -> bool:
        """The door's own lines are no longer there."""
        return self.lines.telling and self.left <= _GONE

    @property
    def deny_shut(self) -> bool:
        """The door's upright lines have gone, most of the others too, and nothing came over the wall."""
        return (
            self._outline.certain
            and self.upright.telling
            and self.upright.kept <= _UPRIGHT_DENY
            and self.lines.kept <= _DENY
            and self.left_beside >= _BESIDE_DENY
        )

    @property
    def are_home(self) -> bool:
        """Every line of the shut door is where it was, so that whatever still moves is no leaf."""
        upright = self.upright
        if self.step > _HOME_STEP:
            return False
        return upright.kept >= _HOME if upright.telling else self.lines.all_kept(_HOME)

    @property
    def of_the_frame(self) -> bool:
        """Those left are its frame's, which stay where they are when an even leaf opens.

        The light changed on one side of the door's edge alone, and the leaf has no lines.
        """
        return lit_apart(self._shut, self._small, self._edges) > _APART and not self._leaf_has_lines()

    def _leaf_has_lines(self) -> bool:
        outline = self._outline
        leaf = self._shut[outline.top + _FRAME_PX :, outline.left + _FRAME_PX : outline.right - _FRAME_PX]
        return min(leaf.shape) >= _FRAME_PX and compare_lines(leaf, leaf).telling

    @property
    def _edges(self) -> tuple[int, int]:
        return self._outline.left, self._outline.right


def weigh_lines(look: Look, signs: Signs, found: DoorLines, *, believed: DoorState, hidden: bool) -> Look:
    """What a frame says when its lines are looked at as well as its brightness.

    Args:
        look: What its brightness says.
        signs: Of its brightness.
        found: The frame's lines.
        believed: What the door is thought to be.
        hidden: Somebody may stand before the door, or a lamp was switched.
    """
    if look.state is DoorState.SHUT or not found.lines.telling:
        return look
    if look.state is DoorState.UNSURE and not hidden and found.deny_shut:
        return PERHAPS_OPEN
    perhaps = look.state is DoorState.OPEN and believed is not DoorState.OPEN
    somebody = perhaps and hidden and found.tell_somebody(signs)
    if somebody or found.of_the_frame:
        return COVERED if somebody else look
    kept, upright = found.lines.kept, found.upright
    same = found.step <= _NO_STEP and (kept >= _KEPT or (upright.telling and upright.kept >= _UPRIGHT_KEPT))
    if believed is DoorState.OPEN:
        return NEARLY_SHUT if same else look
    if look.state is DoorState.OPEN:
        shadow = kept >= _NEARLY_KEPT and found.step <= _SHADOW_STEP
        return NEARLY_SHUT if same or shadow else look
    wide = signs.opened >= _MOST_OPENED and found.left <= _LOST and found.left_beside >= _BESIDE
    begun = signs.opened >= _BEHIND_LIGHT and found.have_gone and found.are_lit
    return PERHAPS_OPEN if not hidden and (wide or begun) else look
