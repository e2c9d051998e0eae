"""Which clips are due to go now, read from the disk, whether or not anybody records. Nothing is changed.

Deleting them is the recorder's, within a minute or so; what goes and why, `appliance.video.retention` says.
"""

from datetime import UTC, datetime

import structlog

from appliance.app.retention import Going
from appliance.app.video_process import limits_of
from appliance.errors import VideoError
from appliance.services import Layout
from appliance.settings import VideoSettings
from appliance.video.clip import Clip
from appliance.video.clip_folder import ClipFolder, ClipKeys, clip_ids
from appliance.video.clips import free_bytes
from appliance.video.retention import due

_log = structlog.get_logger()


def clips_due(settings: VideoSettings, layout: Layout, keys: ClipKeys, now: datetime) -> list[Going]:
    """What the recorder would let go if the clock is right; none where no video is recorded.

    Args:
        settings: How much is kept.
        layout: Where.
        keys: Those of the box; nothing is opened with them.
        now: Aware.

    Raises:
        VideoError: The folder of clips cannot be read.
    """
    if not settings.enabled:
        return []
    clips: dict[str, Clip] = {}
    for clip_id in clip_ids(layout.clips):
        try:
            clip = ClipFolder(layout.clips, clip_id, keys).load()
        except VideoError as error:
            _log.warning("clip_not_read", clip=clip_id, reason=error.message)
            continue
        if clip is not None and clip.fragments:
            clips[clip_id] = clip
    found = due(
        clips.values(),
        limits_of(settings),
        now_ms=round(now.timestamp() * 1000),
        free_bytes=free_bytes(layout.clips),
    )
    return [_going(clips[each.id], each.reason) for each in found]


def _going(clip: Clip, reason: str) -> Going:
    newest = datetime.fromtimestamp(clip.end_ms / 1000, UTC)
    return Going("clips", clip.id, 1, clip.size_bytes, newest, reason)
