"""Packets that cannot be copied → fragments: decoded and encoded as H.264, a picture to begin with every 2 s.

For cameras that send MJPEG or another codec, for pictures that came without packets, and for H.264 that
cannot be cut. It costs a good part of a core while it lasts, so it is done of what is recorded, and of
nothing else. Nobody looks at the pictures here.
"""

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from types import MappingProxyType
from typing import TypeAlias

import av
import av.error
import av.logging
from av.video.frame import PictureType

from appliance.values import MAX_PIXELS
from appliance.video.cutting import Cut, framed, lasting
from appliance.video.faults import Fault, trouble, unusable
from appliance.video.fragment import MIN_FRAGMENT_MS, Fragment, Track
from appliance.video.h264 import AccessUnit, Layout, ParameterSets, access_unit, track_of
from appliance.video.packets import Packet, Stream
from appliance.video.timeline import FRAME_MS, Timeline

GROUP_MS = 2_000
"""After so long a picture is coded that needs no other."""
MAX_SIDE = 1_920
"""Pixels; larger pictures are made smaller."""

_TIME_BASE = Fraction(1, 1000)
_LAYOUT = Layout(0, ParameterSets())
_LONGEST_FRAME_MS = 1_000
_RAW, _PACKED_YUYV = "rawvideo", b"YUY2"
_ASPECT = 0.02
"""By so much of itself the shape of the picture may change before it is another one."""
_MAX_BIT_RATE = 6_000_000
"""Bits a second: a minute stays below the 100 MB that the service gives out as one clip."""

_VideoDecoder: TypeAlias = av.VideoCodecContext

_ENCODERS = MappingProxyType(
    {
        "libx264": {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "crf": "23",
            "maxrate": str(_MAX_BIT_RATE),
            "bufsize": str(2 * _MAX_BIT_RATE),
            "forced-idr": "1",
            "sc_threshold": "0",
        },
        "libopenh264": {"rc_mode": "quality"},
        "h264_v4l2m2m": {},
    }
)
"""In the order in which they are tried; only the first one has been run. Its fastest way takes 8 ms for a
picture of 1080p on a core that takes 31 for `veryfast`, and gives pictures 2 dB worse at the same size."""


class Encoder:
    """Fragments out of one camera's packets, whatever their codec.

    Args:
        timeline: Gives the times.
        after_s: Monotonic time; pictures that came by then are decoded if they have to be, and left out.
        max_fps: Pictures a second, at most.

    Attributes:
        covered_s: When the last packet came that is in a fragment, or soon will be; monotonic.
    """

    def __init__(self, timeline: Timeline, *, after_s: float = float("-inf"), max_fps: float = 15.0) -> None:
        self.covered_s = float("-inf")
        self._timeline = timeline
        self._after_s = after_s
        self._least_ms = 1000.0 / max_fps
        self._max_fps = max_fps
        self._stream: Stream | None = None
        self._decoder: _VideoDecoder | None = None
        self._intra = False
        self._picture: _PictureEncoder | None = None
        self._due_ms: float | None = None
        self._newest_ms = -1
        self._left_out: set[int] = set()
        self._since_ms: int | None = None
        self._latest_ms = 0
        self._clock_set = False

    def take(self, packet: Packet) -> Iterator[Cut]:
        """The next packet of the camera.

        Raises:
            UnusableVideoError: Nothing decodes its codec, or nothing here encodes.
        """
        if packet.stream is not self._stream:
            yield from self._join(packet.stream)
        if self._timeline.was_set(packet):
            yield from self._begin_anew()
        placed = self._timeline.follow(packet)
        if placed.back:
            yield trouble(Fault.TIMES_BACK)
        (time_ms,) = placed.times_ms
        if self._clock_set and self._since_ms is None:
            self._since_ms = self._latest_ms = time_ms
        self._latest_ms = max(self._latest_ms, time_ms)
        if not packet.data:
            return  # to a decoder nothing means the end
        wanted = packet.monotonic_s > self._after_s
        if self._intra and not (wanted and self._admits(time_ms)):
            return
        if not wanted:
            self._left_out.add(time_ms)
        for frame in self._decode(packet.data, time_ms):
            yield from self._encode(frame)
        self.covered_s = packet.monotonic_s

    def gap(self) -> Iterator[Cut]:
        """Packets are missing from here on; the decoder begins anew with the keyframe that follows."""
        if self._stream is not None and self._decoder is not None:
            self._decoder = _decoder(self._stream)
        yield from ()

    def finish(self) -> Iterator[Cut]:
        """Nothing more comes: what is left, however short."""
        for frame in self._decode(None, 0):
            yield from self._encode(frame)
        if self._picture is not None:
            yield from self._picture.finish(last=True)
            self._picture = None

    def _begin_anew(self) -> Iterator[Cut]:
        """The clock was set: what was taken before is whole, and what comes has the new time."""
        if self._picture is not None:
            yield from self._picture.finish(last=False)
            self._picture = None
        self._timeline.begin_anew()
        self._due_ms, self._newest_ms, self._since_ms = None, -1, None
        self._left_out.clear()
        self._clock_set = True
        yield trouble(Fault.CLOCK_SET)

    def _join(self, stream: Stream) -> Iterator[Cut]:
        """Packets of a stream that was opened anew begin.

        Raises:
            UnusableVideoError: Nothing here decodes it.
        """
        for frame in self._decode(None, 0):
            yield from self._encode(frame)
        self._stream = stream
        self._decoder = _decoder(stream)
        self._intra = bool(self._decoder.codec.intra_only)
        self._left_out.clear()

    def _decode(self, data: bytes | None, time_ms: int) -> list[av.VideoFrame]:
        """The pictures that a packet makes whole; none if it is damaged. None: what the decoder has left."""
        if self._decoder is None:
            return []
        packet = None
        if data is not None:
            packet = av.Packet(data)
            packet.pts, packet.dts, packet.time_base = time_ms, None, _TIME_BASE
        with suppress(av.error.FFmpegError):
            return list(self._decoder.decode(packet))
        return []

    def _admits(self, time_ms: float) -> bool:
        """Whether a picture of that time is wanted, at so many a second."""
        if self._due_ms is not None and time_ms < self._due_ms - self._least_ms / 4:
            return False
        due_ms = time_ms if self._due_ms is None else self._due_ms
        self._due_ms = max(due_ms + self._least_ms, time_ms + self._least_ms / 2)
        return True

    def _encode(self, frame: av.VideoFrame) -> Iterator[Cut]:
        """One decoded picture.

        Raises:
            UnusableVideoError: Nothing here encodes.
        """
        if frame.pts is None and self._newest_ms < 0:
            return  # nobody knows when it was taken
        said_ms = self._newest_ms + round(FRAME_MS) if frame.pts is None else frame.pts
        if self._since_ms is not None and not self._since_ms <= said_ms <= self._latest_ms:
            return  # the decoder had it still when the clock was set: it has the old time
        if said_ms in self._left_out:
            self._left_out.discard(said_ms)
            return
        if not self._intra and not self._admits(said_ms):
            return
        time_ms = max(said_ms, self._newest_ms + 1, self._timeline.end_ms if self._newest_ms < 0 else 0)
        self._newest_ms = time_ms
        size = self._size(frame)
        if self._picture is not None and not _alike(self._picture.size, size):
            yield from self._picture.finish(last=False)
            words = f"the camera's picture is {size[0]} x {size[1]} from here on"
            yield trouble(Fault.SIZE_CHANGED, words)
            self._picture = None
        if self._picture is None:
            self._picture = _PictureEncoder(size, self._timeline, self._max_fps, clock_set=self._clock_set)
            self._clock_set = False
        yield from self._picture.encode(frame, time_ms)

    def _size(self, frame: av.VideoFrame) -> tuple[int, int]:
        """What the picture becomes: even sides, no larger than it may be.

        Pictures that were kept smaller than the source has them become as large as it says.
        """
        stream = self._stream
        width, height = frame.width, frame.height
        if stream is not None and stream.width and _alike((stream.width, stream.height), (width, height)):
            width, height = stream.width, stream.height
        by = min(1.0, MAX_SIDE / max(width, height))
        return max(2, round(width * by / 2) * 2), max(2, round(height * by / 2) * 2)


class _PictureEncoder:
    """Pictures of one size → fragments of one track."""

    def __init__(self, size: tuple[int, int], timeline: Timeline, max_fps: float, *, clock_set: bool) -> None:
        self.size = size
        self._clock_set = clock_set
        self._timeline = timeline
        self._context = _open_encoder(size, max_fps)
        self._track: Track | None = None
        self._times: list[int] = []
        self._units: list[AccessUnit] = []
        self._begun_ms: int | None = None

    def encode(self, frame: av.VideoFrame, time_ms: int) -> Iterator[Fragment]:
        """One picture more; the fragment before it, if it begins another."""
        key = self._begun_ms is None or time_ms - self._begun_ms >= GROUP_MS
        made = frame.reformat(*self.size, format="yuv420p", dst_color_range="MPEG")
        made.pts, made.time_base = time_ms, _TIME_BASE
        made.pict_type = PictureType.I if key else PictureType.NONE
        if key:
            yield from self._whole(time_ms)
            self._begun_ms = time_ms
        for packet in self._context.encode(made):
            self._keep(packet)

    def finish(self, *, last: bool) -> Iterator[Fragment]:
        """What is left."""
        for packet in self._context.encode(None):
            self._keep(packet)
        yield from self._whole(None, last=last)

    def _keep(self, packet: "av.Packet[av.VideoStream]") -> None:
        unit = access_unit(bytes(packet), _LAYOUT)
        if not unit.data or packet.pts is None:
            return
        if unit.idr and unit.parameters.complete and self._track is None:
            self._track = track_of(unit.parameters)
        self._units.append(unit)
        self._times.append(packet.pts)

    def _whole(self, until_ms: int | None, *, last: bool = False) -> Iterator[Fragment]:
        """The fragment up to that time."""
        units, times = self._units, self._times
        self._units, self._times = [], []
        if not units or self._track is None or not units[0].idr:
            return
        steps = sorted(later - time for time, later in pairwise(times))
        usual_ms = steps[len(steps) // 2] if steps else round(FRAME_MS)
        end_ms = times[-1] + min(usual_ms, _LONGEST_FRAME_MS)
        if until_ms is not None and until_ms - times[-1] <= _LONGEST_FRAME_MS:
            end_ms = until_ms
        frames = framed(units, times, end_ms)
        frames = frames if until_ms is not None else lasting(frames, MIN_FRAGMENT_MS)
        made = Fragment(times[0], frames, self._track, last=last, clock_set=self._clock_set)
        self._clock_set = False
        self._timeline.hold(made.end_ms)
        yield made


def _decoder(stream: Stream) -> _VideoDecoder:
    """What decodes a stream.

    Raises:
        UnusableVideoError: Nothing does.
    """
    # libav prints what it thinks of damaged pictures.
    av.logging.set_level(None)
    try:
        context = av.CodecContext.create(stream.codec, "r")
    except (av.error.FFmpegError, ValueError) as error:
        raise unusable(Fault.OTHER_CODEC, f"nothing here decodes {stream.codec[:16]!r}") from error
    if not isinstance(context, av.VideoCodecContext):
        raise unusable(Fault.OTHER_CODEC, f"{stream.codec[:16]!r} is no video")
    if stream.codec == _RAW:
        if stream.extradata != _PACKED_YUYV or not stream.width or not stream.height:
            raise unusable(Fault.OTHER_CODEC, "the camera's raw pictures are packed in an unknown way")
        context.width, context.height, context.pix_fmt = stream.width, stream.height, "yuyv422"
    elif stream.extradata:
        context.extradata = stream.extradata
    context.options = {"max_pixels": str(MAX_PIXELS)}
    context.thread_count = 1
    return context


def _open_encoder(size: tuple[int, int], max_fps: float) -> av.VideoCodecContext:
    """The first encoder for H.264 that works here.

    Raises:
        UnusableVideoError: None does.
    """
    for name, options in _ENCODERS.items():
        try:
            context = av.CodecContext.create(name, "w")
            if not isinstance(context, av.VideoCodecContext):
                continue
            context.width, context.height = size
            context.pix_fmt = "yuv420p"
            context.time_base = _TIME_BASE
            context.framerate = Fraction(max_fps).limit_denominator(1000)
            context.thread_count = 1
            context.max_b_frames = 0
            # By time it is sooner; this holds for encoders that do not do as they are told.
            context.gop_size = max(1, round(GROUP_MS * max_fps / 1000))
            context.options = dict(options)
            context.open()
        except (av.error.FFmpegError, ValueError):
            continue
        return context
    raise unusable(Fault.NO_ENCODER)


def _alike(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two sizes are of one shape."""
    shapes = one[0] / one[1], other[0] / other[1]
    return abs(shapes[0] - shapes[1]) <= _ASPECT * shapes[0]
