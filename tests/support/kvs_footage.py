"""Real H.264 for servers and readers of video: a white square that moves over gray, one fragment a group."""

import io
from functools import lru_cache
from itertools import pairwise

import av
import numpy as np

from appliance.video.fragment import Fragment, Frame, Track

BEGIN_MS = 1_772_355_600_000
"""2026-03-01 09:00 UTC."""
WIDTH, HEIGHT, FPS = 160, 90, 5
STEP_PX = 2


@lru_cache(maxsize=8)
def footage(count: int, *, begin_ms: int = BEGIN_MS, each_s: int = 2, size: int = 1) -> tuple[Fragment, ...]:
    """Fragments that follow each other.

    Args:
        count: How many.
        begin_ms: When the first begins.
        each_s: Seconds that each lasts.
        size: Times the usual width and height.
    """
    held = io.BytesIO()
    with av.open(held, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH * size, HEIGHT * size, "yuv420p"
        stream.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "30"}
        stream.gop_size = FPS * each_s
        for index in range(count * each_s * FPS):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture(index, size), format="gray")))
        out.mux(stream.encode(None))
    held.seek(0)
    with av.open(held) as back:
        video = back.streams.video[0]
        track = Track("h264", video.width, video.height, bytes(video.codec_context.extradata or b""))
        packets = [each for each in back.demux(video) if each.size]
    frames = [
        Frame(begin_ms + index * 1000 // FPS, 1000 // FPS, each.is_keyframe, bytes(each))
        for index, each in enumerate(packets)
    ]
    starts = [*(index for index, each in enumerate(frames) if each.key), len(frames)]
    return tuple(
        Fragment(frames[begin].timecode_ms, tuple(frames[begin:end]), track, (("label", "dog"),))
        for begin, end in pairwise(starts)
    )


def picture(index: int, size: int = 1) -> np.ndarray:
    """The frame of that number: where its square stands tells which it is."""
    found = np.full((HEIGHT * size, WIDTH * size), 90, np.uint8)
    at = (index * STEP_PX) % (WIDTH - 20)
    found[30 * size : 50 * size, at * size : (at + 20) * size] = 250
    return found


def where(gray: np.ndarray) -> int:
    """The number of a frame, by where its square stands."""
    columns = np.flatnonzero(gray[30:50].mean(axis=0) > 170)
    return round(float(columns.min()) / STEP_PX) if columns.size else -1
