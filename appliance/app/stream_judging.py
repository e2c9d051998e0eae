"""What the account of a camera's stream means for whoever wants clips of it, in words, and what to set in it.

The account is `camera_streams`', and comes from the loop. Nothing is looked at here but that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.video.faults import Fault, trouble

_LONG_GROUP_S = 4.5
"""Twice what is recommended and a little: longer than that is worth a note."""
_LARGEST_KBIT_S = 13_000
"""Above it a minute is more than the 100 MB that Kinesis Video Streams gives out as one clip."""
_PICTURES = {"mjpeg": "pictures (JPEG)", "rawvideo": "raw pictures"}


@dataclass(frozen=True, slots=True)
class JudgedStream:
    """How well what a camera sends can be recorded.

    Attributes:
        well: Nothing is to be set in it.
        words: What it sends, and what is done with it.
        hint: What to set.
    """

    well: bool
    words: str
    hint: str = ""


def judged_stream(video: Mapping[str, Any], pre_trigger_s: float) -> JudgedStream | None:
    """What an account of a camera's stream means, in words; None if nothing came yet.

    Args:
        video: As `stream_details` gives it; it may have come over a socket.
        pre_trigger_s: Seconds wanted of what was before a trigger.
    """
    if not (video.get("codec") or video.get("fault")):
        return None
    if video["fault"]:
        said = trouble(Fault(video["fault"]))
        never = said.fault in {Fault.NO_PARAMETERS, Fault.NO_KEYFRAME}
        cost = "it cannot be recorded" if never else "it is encoded anew while it is recorded"
        return JudgedStream(well=False, words=f"{said.words}; {cost}", hint=said.hint)
    codec = str(video["codec"])
    rate = f", {int(video['kbit_s']) / 1000:.1f} Mbit/s"
    words = _PICTURES.get(codec) or ("H.264" if codec == "h264" else codec) + rate
    if video["crowded"] and video["seconds"] < pre_trigger_s:
        kept = f"only {video['seconds']:.1f} s before a trigger fit into the memory kept for them"
        hint = "raise ring_mib of this camera, or lower its resolution"
        return JudgedStream(well=False, words=f"{words}: {kept}", hint=hint)
    if codec != "h264":
        hint = "" if codec in _PICTURES else "choose H.264 in the camera's settings: it is copied"
        return JudgedStream(well=True, words=f"{words}: encoded while it is recorded", hint=hint)
    return _copied(words, float(video["group_s"]), int(video["kbit_s"]))


def _copied(words: str, group_s: float, kbit_s: int) -> JudgedStream:
    """Of a stream that is copied."""
    words += f", a picture to begin with every {group_s:.1f} s"
    if group_s > _LONG_GROUP_S:
        late = "a clip begins that much too early, and is seen that much later"
        return JudgedStream(well=False, words=f"{words}: {late}", hint=trouble(Fault.LONG_GROUP).hint)
    if kbit_s > _LARGEST_KBIT_S:
        large = "a minute of it is larger than the 100 MB that are given out as one clip"
        hint = "lower the bit rate in the camera's settings if clips go to Kinesis Video Streams"
        return JudgedStream(well=False, words=f"{words}: {large}", hint=hint)
    return JudgedStream(well=True, words=f"{words}: copied")
