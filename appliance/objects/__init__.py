"""Things in frames: found by a network, followed, and told of when they stay.

`ObjectWatch` is one camera's; `NetworkDetector` runs one of the converted networks. What a thing means (a
coffee, a dog on the sofa) is not known here; see `README.md` for what the networks find, measured.
"""

from appliance.objects.detector import NetworkDetector, NetworkKind, ObjectDetector
from appliance.objects.messages import inference
from appliance.objects.watch import ObjectWatch, least_score

__all__ = ["NetworkDetector", "NetworkKind", "ObjectDetector", "ObjectWatch", "inference", "least_score"]
