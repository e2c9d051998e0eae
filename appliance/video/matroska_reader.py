"""Reads Matroska back into fragments: what `matroska` wrote, and what the service gives.

How long a frame is shown is not in a SimpleBlock: it is shown until the next one, and the last one until the
document ends, or as long as the one before it. What cannot be read is refused, never guessed.
"""

from collections.abc import Sequence
from itertools import pairwise

from appliance.errors import UnusableVideoError
from appliance.video import matroska_elements as mkv
from appliance.video.fragment import Fragment, Frame, Track
from appliance.video.matroska_events import READING, BlockRead, Fault, FragmentEnded, Rules
from appliance.video.strict_matroska import StrictChecker


def read_document(data: bytes, *, last: bool = False) -> Fragment:
    """The fragment in a document that `matroska.document` wrote.

    Args:
        data: The document, whole.
        last: Whether it is its clip's last one; that is not in the bytes.

    Raises:
        UnusableVideoError: It is damaged, cut short, or holds something else than one fragment (`damaged`).
    """
    found = read_fragments(data)
    if len(found) != 1:
        raise UnusableVideoError("a piece of a clip does not hold one fragment", fault="damaged")
    return to_fragment(found[0], last=last)


def read_fragments(data: bytes, rules: Rules = READING, *, keep_bytes: bool = False) -> list[FragmentEnded]:
    """The fragments of a stream, or of documents one behind the other.

    Args:
        data: All of it.
        rules: What is refused.
        keep_bytes: Hand each fragment out as it was sent, too.

    Raises:
        UnusableVideoError: It cannot be read to its end (`damaged`).
    """
    checker = StrictChecker(rules, keep_bytes=keep_bytes)
    found: list[FragmentEnded] = []
    for events in (checker.feed(data), checker.close()):
        for event in events:
            if isinstance(event, Fault):
                raise UnusableVideoError(f"the video cannot be read: {event.message}", fault="damaged")
            if isinstance(event, FragmentEnded):
                found.append(event)
    return found


def to_fragment(
    read: FragmentEnded, *, begin_ms: int = 0, end_ms: int | None = None, last: bool = False
) -> Fragment:
    """The H.264 of a fragment that was read.

    Args:
        read: What a checker told.
        begin_ms: What its times count from, milliseconds since the epoch; 0 if they are absolute.
        end_ms: When it ends, likewise; None takes what its header says, or supposes that its last frame is
            shown as long as the one before.
        last: Whether no other fragment follows.

    Raises:
        UnusableVideoError: It holds no H.264 that can be played (`no_parameters`), or is not as it
            has to be (`damaged`).
    """
    entry = next((track for track in read.header.tracks if track.kind == mkv.VIDEO_TRACK), None)
    if entry is None or entry.codec_id != mkv.H264_CODEC:
        raise UnusableVideoError("there is no H.264 in it", fault="no_parameters")
    blocks = [block for block in read.blocks if block.track == entry.number]
    if end_ms is None and read.header.duration_ms is not None:
        end_ms = begin_ms + blocks[0].timecode_ms + round(read.header.duration_ms)
    try:
        track = Track("h264", entry.width, entry.height, entry.codec_private)
    except ValueError as error:
        raise UnusableVideoError(f"it cannot be played: {error}", fault="no_parameters") from error
    shown = _durations(blocks, None if end_ms is None else end_ms - begin_ms)
    frames = tuple(
        Frame(begin_ms + block.timecode_ms, lasts, block.key, block.data)
        for block, lasts in zip(blocks, shown, strict=True)
    )
    tags = tuple(pair for pair in read.tags if not pair[0].startswith("AWS"))
    try:
        return Fragment(frames[0].timecode_ms, frames, track, tags, last)
    except ValueError as error:
        raise UnusableVideoError(f"a fragment is not as it has to be: {error}", fault="damaged") from error


def _durations(blocks: Sequence[BlockRead], end_ms: int | None) -> list[int]:
    """Until when each frame is shown, in the order of decoding, as milliseconds from its own time."""
    order = sorted(range(len(blocks)), key=lambda index: blocks[index].timecode_ms)
    lasts = [0] * len(blocks)
    between = 0
    for index, following in pairwise(order):
        between = lasts[index] = blocks[following].timecode_ms - blocks[index].timecode_ms
    final = order[-1]
    lasts[final] = between if end_ms is None else max(0, end_ms - blocks[final].timecode_ms)
    return lasts
