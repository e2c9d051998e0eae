"""What is published of a frame, in the form of the DeepLens sample project: labels with their probabilities.

The sample sent `{"dog": 0.97, "sofa": 0.31, "timestamp": "2018-01-05 14:22:01"}` for each frame. So do these,
with three differences that no reader of them notices but in what is right: a label seen twice has the better
score (the sample kept the worse), every message says when (the sample: those with a dog), and the
time is UTC, which is how Elasticsearch reads one without a zone.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from appliance.values import TrackedObject

TIMESTAMP = "timestamp"
_FORM = "%Y-%m-%d %H:%M:%S"


def inference(things: Iterable[TrackedObject], at: datetime) -> bytes:
    """The message of one frame, as JSON in UTF-8.

    Args:
        things: What counts in it.
        at: When it was taken, aware.
    """
    scores: dict[str, float] = {}
    for each in things:
        label, score = each.thing.label, round(each.thing.score, 4)
        scores[label] = max(score, scores.get(label, 0.0))
    message = {**scores, TIMESTAMP: at.astimezone(UTC).strftime(_FORM)}
    return json.dumps(message).encode()
