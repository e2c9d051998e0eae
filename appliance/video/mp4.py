"""Fragments as MP4: pieces for a browser's player, and a whole clip as one file.

Frames are copied, nothing is decoded. A piece is the same whichever pieces were made before it, so any of
them can be asked for at any time, also while the clip is being recorded. Frames are decoded in the order in
which they stand, at the times at which frames are shown in theirs; how far the two differ is an offset of the
frame (version 1 of `trun` and `ctts`, which may be negative).
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from appliance.errors import UnusableVideoError
from appliance.video import mp4_boxes as boxes
from appliance.video.fragment import Fragment, Track

INIT_TYPE = "video/mp4"
"""Media type of all that is made here."""

_LONGEST_HOLE_MS = 86_400_000
"""A day: a clip whose times leap further is none, and 32 bits hold no more than seven weeks."""


def init_segment(track: Track) -> bytes:
    """What a player reads before the first piece of a track."""
    movie = boxes.movie(track, boxes.empty_table(), duration=0, began_ms=None, fragmented=True)
    return boxes.file_type() + movie


def media_segment(fragment: Fragment, *, origin_ms: int, sequence: int, end_ms: int | None = None) -> bytes:
    """A fragment as a piece for a player.

    Args:
        fragment: What it shows.
        origin_ms: What the player's time counts from, milliseconds since the epoch: the clip's begin.
        sequence: Its number in the clip, from 0.
        end_ms: When the next fragment begins, if that is known: the last frame is shown until then.

    Raises:
        ValueError: It begins before the origin.
    """
    begin = fragment.timecode_ms - origin_ms
    if begin < 0:
        raise ValueError("a fragment begins before its clip")
    samples = _samples(fragment, end_ms)
    return b"".join(
        (
            boxes.box(b"styp", b"msdh\x00\x00\x00\x00msdhiso6"),
            boxes.movie_fragment(samples, sequence=sequence + 1, decode_time=begin),
            boxes.media_data_head(fragment.size_bytes),
            *(frame.data for frame in fragment.frames),
        )
    )


def whole_clip(fragments: Iterable[Fragment]) -> bytes:
    """Fragments as one file, which begins with the first; see `clip_pieces`.

    Raises:
        UnusableVideoError: There are none, they are not of one track, or their times do not grow.
    """
    kept = tuple(fragments)
    return b"".join(clip_pieces(lambda: kept))


def clip_pieces(read: Callable[[], Iterable[Fragment]]) -> Iterator[bytes]:
    """Fragments as one file, in pieces, never holding more than two fragments.

    Its index comes first, so that a player can begin while it is still being fetched. Where fragments are
    missing, the frame before is shown until the next.

    Args:
        read: Gives the fragments, in their order; is called twice: for the index, then for the frames.

    Raises:
        UnusableVideoError: There are none (`empty`), they are not of one track (`size_changed`), or their
            times do not grow, or leap by more than a day (`damaged`).
    """
    yield clip_head(read())
    for fragment in read():
        yield clip_frames(fragment)


def clip_head(fragments: Iterable[Fragment]) -> bytes:
    """All of a whole clip's file that stands before its frames.

    Args:
        fragments: In their order; at most two are held.

    Raises:
        UnusableVideoError: As `clip_pieces`.
    """
    samples: list[boxes.Sample] = []
    counts: list[tuple[int, int]] = []  # of each fragment: bytes, samples
    track: Track | None = None
    begin_ms = 0
    for fragment, following in _with_next(fragments):
        if track is None:
            track, begin_ms = fragment.track, fragment.timecode_ms
        if fragment.track != track:
            raise UnusableVideoError(
                "the size or coding of the picture changes within the clip", fault="size_changed"
            )
        samples += _samples(fragment, None if following is None else following.timecode_ms)
        counts.append((fragment.size_bytes, len(fragment.frames)))
    if track is None:
        raise UnusableVideoError("there is no video in this clip", fault="empty")
    return b"".join(_head(track, samples, counts, begin_ms))


def clip_frames(fragment: Fragment) -> bytes:
    """What stands of a fragment behind that head, the next fragment's behind it."""
    return b"".join(frame.data for frame in fragment.frames)


def _head(
    track: Track, samples: list[boxes.Sample], counts: list[tuple[int, int]], begin_ms: int
) -> Iterator[bytes]:
    """All that stands before the frames: it has the same length wherever they begin."""
    file_type = boxes.file_type()
    data_head = boxes.media_data_head(sum(size for size, _ in counts))
    duration = sum(sample.duration for sample in samples)

    def movie(begin: int) -> bytes:
        chunks = []
        for size, count in counts:
            chunks.append((begin, count))
            begin += size
        table = boxes.sample_table(samples, chunks)
        return boxes.movie(track, table, duration=duration, began_ms=begin_ms, fragmented=False)

    yield file_type
    yield movie(len(file_type) + len(movie(0)) + len(data_head))
    yield data_head


def _samples(fragment: Fragment, end_ms: int | None) -> list[boxes.Sample]:
    """Frames with the times at which they are decoded."""
    shown = [frame.timecode_ms for frame in fragment.frames]
    decoded = sorted(shown)
    end = max(decoded[-1], fragment.end_ms) if end_ms is None else end_ms
    if not 0 <= end - decoded[-1] <= _LONGEST_HOLE_MS:
        raise UnusableVideoError("the times of a clip's pieces do not grow, or leap", fault="damaged")
    durations = [after - before for before, after in pairwise((*decoded, end))]
    return [
        boxes.Sample(duration, len(frame.data), frame.key, frame.timecode_ms - at)
        for frame, at, duration in zip(fragment.frames, decoded, durations, strict=True)
    ]


def _with_next(fragments: Iterable[Fragment]) -> Iterator[tuple[Fragment, Fragment | None]]:
    """Each with the one behind it."""
    before: Fragment | None = None
    for fragment in fragments:
        if before is not None:
            yield before, fragment
        before = fragment
    if before is not None:
        yield before, None
