"""Do the frames of one track still show one person? The new face is held against those kept.

Boxes alone cannot tell who steps into another's place; faces can. Templates in, an answer out: it names
nobody, knows no gallery and no threshold of recognition, and moves no track. What follows from the answer is
for `encounter`.
"""

import math
from collections.abc import Mapping, Sequence

from appliance.values import DLIB, DLIB_MIRROR, SFACE, ModelId, Templates

UNLIKE: Mapping[ModelId, float] = {SFACE: 0.3, DLIB_MIRROR: -0.55, DLIB: -0.6}
"""Model → similarity below which it finds a face unlike another: SFace's cosine, dlib's negative distance.

Measured on 3,638 good frames of 400 made-up encounters (`tests/benchmarks/measure_continuity.py`), each
against what an encounter knows of a face: SFace and the mirrored dlib together find 97.9 % of other people's
frames unlike (of 12,864), and 0.15 % of the same person's (of 3,255; faces behind hands, or behind faces). On
a filmed crowd (162 good frames, six people) they find none unlike, and either alone finds one. A limit of the
fused score at which as many others are told apart (0.1) takes a boy there who bows his head for another.
"""

_EUCLIDEAN = frozenset({DLIB, DLIB_MIRROR})
"""Models compared by distance, the others by cosine: their vectors have length 1."""


def same_face(new: Templates, known: Sequence[Templates], models: Sequence[ModelId]) -> bool:
    """Whether a face may be the one of the frames before: not every model finds it unlike all of them.

    One model alone errs more often: SFace, for one, of somebody who bows their head.

    Args:
        new: Templates of a face, of all those models.
        known: Of frames before; where there is none, nothing speaks against it.
        models: Those that the composition compares.
    """
    return not known or any(
        max(_similarity(model, new, each) for each in known) >= UNLIKE[model] for model in models
    )


def _similarity(model: ModelId, one: Templates, other: Templates) -> float:
    """Of two faces under one model; higher is more alike."""
    a, b = one[model].embedding, other[model].embedding
    return -float(math.dist(a, b)) if model in _EUCLIDEAN else float(a @ b)
