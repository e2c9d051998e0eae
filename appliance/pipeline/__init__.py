"""The loop: from frames to logged decisions, knowing its rooms by protocol only.

`loop` follows one camera, `galleries` holds what is searched, `records` puts on record
what was decided: at once in a replay, on a thread of its own in the running appliance, so
that a slow disk never holds up a frame.
"""

from appliance.pipeline.galleries import GalleryHolder
from appliance.pipeline.loop import CameraPipeline, FaceReading
from appliance.pipeline.records import EventLog, Records, Seals
from appliance.pipeline.records_thread import RecordsThread

__all__ = [
    "CameraPipeline",
    "EventLog",
    "FaceReading",
    "GalleryHolder",
    "Records",
    "RecordsThread",
    "Seals",
]
