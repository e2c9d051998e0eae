"""What the door's fine lines say of a frame: only the light has changed, or it opened behind a shadow.

Brightness alone takes the edge of a shadow for that of a leaf. What a frame says by its brightness is handed
in; what comes before and after it is for `followed`.
"""

from appliance.door.evidence import NEARLY_SHUT, PERHAPS_OPEN, Look, Signs
from appliance.door.lines import compare_lines, compare_upright_lines, lit_apart, steps_at
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
"""The same for a leaf whose movement need not be awaited: even a crack costs more lines."""
_FRAME_PX, _APART = 4, 0.6
"""What lies this near to the outline are lines of the frame. They do not speak for an even leaf where the
light at its edge changed on one side by that much more than on the other, as a share of the change."""
_MOST_OPENED, _LOST, _BESIDE = 0.6, 0.8, 0.8
"""Where so much of the door's width differs, no more of its lines is left, and so much of those beside it,
the door is open, and what came over the wall is light."""


def weigh_lines(
    look: Look, signs: Signs, shut: FloatArray, small: FloatArray, outline: Outline, *, believed: DoorState
) -> Look:
    """What a frame says when its lines are looked at as well as its brightness.

    Args:
        look: What its brightness says.
        signs: Of its brightness.
        shut: Small picture of the shut door.
        small: Of this frame.
        outline: Of the door.
        believed: What the door is thought to be.
    """
    if look.state is DoorState.SHUT:
        return look
    lines, upright = compare_lines(shut, small), compare_upright_lines(shut, small)
    if not lines.telling:
        return look
    edges = outline.left, outline.right
    if lit_apart(shut, small, edges) > _APART and not _has_lines(shut, outline):
        return look
    kept, step = lines.kept, steps_at(shut, small, edges)
    # Of a slanting shadow the one tells more, of blinds the other.
    same = step <= _NO_STEP and (kept >= _KEPT or (upright.telling and upright.kept >= _UPRIGHT_KEPT))
    if believed is DoorState.OPEN:
        return NEARLY_SHUT if same else look
    if look.state is DoorState.OPEN:
        shadow = kept >= _NEARLY_KEPT and step <= _SHADOW_STEP
        return NEARLY_SHUT if same or shadow else look
    lost = signs.opened >= _MOST_OPENED and min(kept, upright.kept if upright.telling else 1.0) <= _LOST
    beside = max(lines.kept_beside(*edges), upright.kept_beside(*edges))
    return PERHAPS_OPEN if lost and beside >= _BESIDE else look


def _has_lines(shut: FloatArray, outline: Outline) -> bool:
    """Whether the leaf itself has lines; those of its frame stay where they are when it opens."""
    leaf = shut[outline.top + _FRAME_PX :, outline.left + _FRAME_PX : outline.right - _FRAME_PX]
    return min(leaf.shape) >= _FRAME_PX and compare_lines(leaf, leaf).telling


def is_home(shut: FloatArray, small: FloatArray, outline: Outline) -> bool:
    """Whether every line of the shut door is where it was, so that whatever still moves is no leaf.

    Args:
        shut: Small picture of the shut door.
        small: Of a frame that looks shut.
        outline: Of the door.
    """
    lines, upright = compare_lines(shut, small), compare_upright_lines(shut, small)
    return (
        lines.all_kept(_HOME)
        and (upright.kept >= _HOME or not upright.telling)
        and steps_at(shut, small, (outline.left, outline.right)) <= _HOME_STEP
    )
