"""The values that rooms hand to each other: frozen, typed, checked when made. A module per subject.

No behaviour beyond checking and small geometry; no I/O; no library but numpy. Pixel
coordinates are those of the full frame, x to the right, y down. A score is a similarity:
higher is more alike, everywhere.
"""

from appliance.values.copies import CopyState, RemoteCopy
from appliance.values.faces import (
    EMBEDDING_SIZE,
    DetectedFace,
    EmbeddedPhoto,
    FaceSample,
    FaceTemplate,
    PhotoFace,
    Quality,
    Templates,
)
from appliance.values.frames import (
    MAX_PHOTO_BYTES,
    MAX_PIXELS,
    UNIT_WITHIN,
    WHOLE_FRAME,
    Box,
    FloatArray,
    Frame,
    FrameStamp,
    ImageArray,
    Region,
)
from appliance.values.ids import DLIB, DLIB_MIRROR, SFACE, CameraId, EventId, ModelId, ReferenceId, SubjectId
from appliance.values.likeness import Grade, Likeness, SubjectScores, Verdict
from appliance.values.parts import PARTS
from appliance.values.readings import CameraReading, Disturbance, DoorReading, DoorState
from appliance.values.things import DetectedObject, ObjectAlarm, ObjectsReading, TrackedObject

__all__ = [
    "DLIB",
    "DLIB_MIRROR",
    "EMBEDDING_SIZE",
    "MAX_PHOTO_BYTES",
    "MAX_PIXELS",
    "PARTS",
    "SFACE",
    "UNIT_WITHIN",
    "WHOLE_FRAME",
    "Box",
    "CameraId",
    "CameraReading",
    "CopyState",
    "DetectedFace",
    "DetectedObject",
    "Disturbance",
    "DoorReading",
    "DoorState",
    "EmbeddedPhoto",
    "EventId",
    "FaceSample",
    "FaceTemplate",
    "FloatArray",
    "Frame",
    "FrameStamp",
    "Grade",
    "ImageArray",
    "Likeness",
    "ModelId",
    "ObjectAlarm",
    "ObjectsReading",
    "PhotoFace",
    "Quality",
    "ReferenceId",
    "Region",
    "RemoteCopy",
    "SubjectId",
    "SubjectScores",
    "Templates",
    "TrackedObject",
    "Verdict",
]
