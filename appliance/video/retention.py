"""Which clips go, and why: by age, by the size of all together, and to leave room on the disk. Pure.

A clip that is being recorded never goes. By age nothing goes while the clock is not to be believed; the
oldest goes first otherwise, and none goes for a limit that would not hold without all of them either: a disk
that something else has filled takes no clip along. Deleting is done elsewhere.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from appliance.video.clip import Clip

Why = Literal["age", "size", "room"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept.

    Attributes:
        retention_hours: Of a clip that nothing says otherwise about; None: by age none goes.
        max_bytes: What all clips may take.
        min_free_bytes: What is left free on the disk.
    """

    retention_hours: float | None
    max_bytes: int
    min_free_bytes: int


@dataclass(frozen=True, slots=True)
class DueClip:
    """A clip that is due to go.

    Attributes:
        id: Which.
        reason: As `clip_deleted` has it.
    """

    id: str
    reason: Why


def due(
    clips: Iterable[Clip], limits: Limits, *, now_ms: int | None, free_bytes: int, coming_bytes: int = 0
) -> list[DueClip]:
    """The clips that go, in this order.

    Args:
        clips: All there are.
        limits: How much is kept.
        now_ms: What time it is, milliseconds since the epoch; None: the clock is not to be believed.
        free_bytes: What is free on the disk.
        coming_bytes: What is about to be written.
    """
    found: list[DueClip] = []
    kept: deque[Clip] = deque()
    total = coming_bytes
    free = free_bytes - coming_bytes
    for clip in sorted(clips, key=lambda clip: (clip.begin_ms, clip.id)):
        total += clip.size_bytes
        until = clip.keep_until_ms(limits.retention_hours)
        if clip.ended is None:
            continue
        if now_ms is not None and until is not None and until <= now_ms:
            found.append(DueClip(clip.id, "age"))
            total -= clip.size_bytes
            free += clip.size_bytes
        else:
            kept.append(clip)
    may_go = sum(clip.size_bytes for clip in kept)
    fits = total - may_go <= limits.max_bytes
    leaves_room = free + may_go >= limits.min_free_bytes
    if coming_bytes and not (fits and leaves_room):
        return found  # it is refused whatever goes
    while kept:
        if fits and total > limits.max_bytes:
            reason: Why = "size"
        elif leaves_room and free < limits.min_free_bytes:
            reason = "room"
        else:
            break
        clip = kept.popleft()
        found.append(DueClip(clip.id, reason))
        total -= clip.size_bytes
        free += clip.size_bytes
    return found
