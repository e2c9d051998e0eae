"""Faces: found in a frame, cut out and aligned, judged, and turned into templates.

Says nothing about who somebody is; that is for `appliance.matching` and `appliance.decision`.
Weights come as paths from whoever opens the room.
"""

from appliance.faces.photo import AssessedFace, assess_photo, decode_photo
from appliance.faces.reader import FaceReader

__all__ = ["AssessedFace", "FaceReader", "assess_photo", "decode_photo"]
