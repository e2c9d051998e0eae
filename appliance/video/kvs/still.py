"""Two seconds of a gray picture, 64 by 64, to try a stream with: nothing of any camera is in it.

H.264 (constrained baseline), one IDR and three pictures that change nothing; made once with x264.
"""

import base64
from typing import Final

from appliance.video.fragment import Fragment, Frame, Track

STILL_MS: Final = 2000
"""How long it lasts."""

_CONFIGURATION: Final = base64.b64decode("AULACv/hABdnQsAKphEQmhAAAAMAEAAAAwBA8SJhGAEABmjIQgRLIP36+AA=")
_PICTURES: Final = tuple(
    base64.b64decode(each)
    for each in ("AAAAFWWIgh+TFAAECO+++uuuuuuuuuuuvA==", "AAAABUGaHPCM", "AAAABUGaKjwj", "AAAABUGaOzwj")
)
_EACH_MS: Final = STILL_MS // len(_PICTURES)

TRACK: Final = Track("h264", 64, 64, _CONFIGURATION)


def still(timecode_ms: int, *, tags: tuple[tuple[str, str], ...] = (), last: bool = True) -> Fragment:
    """The picture as a fragment.

    Args:
        timecode_ms: When it begins, milliseconds since the epoch.
        tags: What goes with it.
        last: Whether nothing follows.
    """
    frames = tuple(
        Frame(timecode_ms + place * _EACH_MS, _EACH_MS, key=place == 0, data=data)
        for place, data in enumerate(_PICTURES)
    )
    return Fragment(timecode_ms, frames, TRACK, tags, last)
