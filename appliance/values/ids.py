"""Ids, and by which model a template was made."""

from typing import NewType

SubjectId = NewType("SubjectId", str)
"""An enrolled person, by opaque id (UUIDv7 text)."""
ReferenceId = NewType("ReferenceId", str)
EventId = NewType("EventId", str)
CameraId = NewType("CameraId", str)
ModelId = NewType("ModelId", str)
"""What a template was made by: `dlib`, `dlib-mirror`, `sface`."""

DLIB = ModelId("dlib")
"""dlib ResNet v1 on one chip: interchangeable with `face_recognition`'s encodings."""
DLIB_MIRROR = ModelId("dlib-mirror")
"""The mean of the dlib vectors of a chip and its mirror image."""
SFACE = ModelId("sface")
"""SFace 2021dec, scaled to unit length."""
