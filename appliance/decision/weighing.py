"""How much each frame of an encounter counts, and how many independent photographs they are worth.

Knows qualities and times only; scores and thresholds are for `rule`.
"""

import math
from collections.abc import Sequence

from appliance.events import FrameScore

INDEPENDENT_S = 1.0
"""Frames closer together than this count as one probe when the threshold is chosen: the tables'
probes are photographs of different days, and frames 0.1 s apart are nearly one photograph."""

_LEAST_WEIGHT = 1.0
"""Of a frame whose quality is 0, so that there is always a mean."""


def frame_weight(quality: float) -> float:
    """How much a frame counts in the mean: its quality, so that a good frame outweighs a poor one."""
    return max(quality, _LEAST_WEIGHT)


def effective_probes(frames: Sequence[FrameScore]) -> int:
    """How many independent probes of equal weight the frames are worth, rounded down; at least 1.

    Frames nearer than `INDEPENDENT_S` to the first of their group are one probe with the sum of
    their weights; of groups with weights w it is (sum w)^2 / sum w^2 (Kish's effective sample
    size), which is the number of groups when all weigh the same and less otherwise. Rounded down, the
    threshold is never laxer than the one measured for as many probes.
    """
    groups: list[float] = []
    begun = -math.inf
    for at_s, weight in sorted((frame.at_s, frame_weight(frame.quality)) for frame in frames):
        if at_s - begun >= INDEPENDENT_S:
            groups.append(weight)
            begun = at_s
        else:
            groups[-1] += weight
    # Equal weights must give the whole number whatever the last bit of the division is.
    return max(1, math.floor(math.fsum(groups) ** 2 / math.fsum(w * w for w in groups) + 1e-9))
