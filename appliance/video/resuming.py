"""What an earlier run of the recorder left behind: up to when a camera is recorded, and what it owes still.

A run ends in the middle of a clip when the process is killed, the power fails, or the appliance is stopped.
What was wanted of the camera then is wanted still, if its time is not over. Pure; nobody is asked here.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from appliance.video.clip import Clip
from appliance.video.wishes import OURS, Wish

_CUT_SHORT: Final = frozenset({"interrupted", "stopped"})
_AHEAD_MS: Final = 2_000
"""A clip that ends later than this from now was recorded by a clock that has been set since."""
_MOST_BACK_MS: Final = 120_000


def recorded_until(clips: Iterable[Clip], now_ms: int) -> int:
    """Up to when a camera is recorded; 0: it is not, or that cannot be told, for the clock was set since.

    Args:
        clips: The camera's.
        now_ms: Milliseconds since the epoch.
    """
    end_ms = max((clip.end_ms for clip in clips), default=0)
    return end_ms if end_ms <= now_ms + _AHEAD_MS else 0


def owed(clips: Iterable[Clip], now_ms: int) -> Iterator[tuple[str, Wish]]:
    """Cameras, and what is wanted of each still, from where its newest clip was cut short.

    Args:
        clips: All there are.
        now_ms: Milliseconds since the epoch.
    """
    newest: dict[str, Clip] = {}
    for clip in clips:
        if clip.camera not in newest or clip.end_ms > newest[clip.camera].end_ms:
            newest[clip.camera] = clip
    for camera, clip in newest.items():
        if clip.ended in _CUT_SHORT and recorded_until([clip], now_ms):
            for wish in _of(clip, now_ms):
                yield camera, wish


def _of(clip: Clip, now_ms: int) -> Iterator[Wish]:
    about = clip.about
    for stream, until_ms in clip.wanted:
        if until_ms <= now_ms:
            continue
        # Each event that set it off is known again, so that one that is told twice changes nothing still.
        for number, cause in enumerate((about.causes if stream == OURS else ()) or (None,)):
            yield Wish(
                seconds=(until_ms - now_ms) / 1000,
                at_ms=now_ms,
                back_ms=min(max(0, now_ms - clip.end_ms), _MOST_BACK_MS),
                cause=cause,
                stream=stream,
                retention_hours=None if stream == OURS else about.retention_hours,
                labels=() if number else about.labels,
            )
