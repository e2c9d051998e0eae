"""Whether a thing counts: its label is asked for, it is certain enough, and it is where things are watched.

A thing is where the middle of its box is. Pure; knows nothing of other frames.
"""

from appliance.settings import ObjectsSettings
from appliance.settings.objects import ObjectRegionSettings, Rectangle
from appliance.values import Box, DetectedObject

_TWIN = 0.8
"""Two boxes that share more than this are one thing with two names: networks call a puppy a cat, too."""


def inside(box: Box, region: Rectangle, size: tuple[int, int]) -> bool:
    """Whether the middle of a box is in a region.

    Args:
        box: In pixels of the frame.
        region: Left, top, right, bottom in fractions of it; its own edges belong to it.
        size: Width and height of the frame.
    """
    x, y = box.centre
    left, top, right, bottom = region
    return left * size[0] <= x <= right * size[0] and top * size[1] <= y <= bottom * size[1]


def counting(
    things: list[DetectedObject], settings: ObjectsSettings, size: tuple[int, int]
) -> list[DetectedObject]:
    """The things of a frame that count, in the same order.

    Args:
        things: All that was found, most certain first, also of labels that nobody asked for: of what shares a
            place with something more certain, the name is wrong.
        settings: What counts.
        size: Width and height of the frame.
    """
    names: list[DetectedObject] = []
    for thing in things:
        if not any(thing.box.overlap(other.box) > _TWIN for other in names):
            names.append(thing)
    return [thing for thing in names if _counts(thing, settings, size)]


def _counts(thing: DetectedObject, settings: ObjectsSettings, size: tuple[int, int]) -> bool:
    if settings.labels and thing.label not in settings.labels:
        return False
    if thing.score < settings.thresholds.get(thing.label, settings.threshold):
        return False
    regions = [each for each in settings.regions if not each.labels or thing.label in each.labels]
    if any(_within(thing, each, size) for each in regions if each.kind == "ignore"):
        return False
    included = [each for each in regions if each.kind == "include"]
    return not included or any(_within(thing, each, size) for each in included)


def _within(thing: DetectedObject, region: ObjectRegionSettings, size: tuple[int, int]) -> bool:
    return inside(thing.box, region.region, size)
