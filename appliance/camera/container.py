"""Video through libav: files, RTSP, HTTP (MJPEG and the rest) and V4L2 devices.

Packets are handed on as they come; MJPEG and YUYV are not decoded here at all, other codecs
only as far as the decoder's own frame. V4L2 has not been run on hardware. Addresses with
passwords stay inside: libav's errors carry them, so they are never chained.
"""

import os
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias

import av
import av.container
import av.error
import av.logging
import structlog

from appliance.camera.pictures import DecodedPicture, JpegPicture, Picture, YuyvPicture
from appliance.camera.ring import CodecParameters, RingPacket
from appliance.camera.source import OnPacket, Shot
from appliance.clock import Clock
from appliance.errors import CameraError, CameraLostError, CameraRefusedError
from appliance.logs import redact
from appliance.values import MAX_PIXELS

VideoPacket: TypeAlias = "av.Packet[av.VideoStream]"
"""Generic for the type checker only, hence the quotes."""

_FALLBACK_RATE = Fraction(25)
"""Frames a second assumed of a recording that does not say; libav's own assumption."""

_UNTIMED = frozenset({"mpjpeg", "mjpeg"})
"""Formats without timestamps; libav makes them up at 25 a second, which for a live source is untrue."""

_NEVER_WORKS = (
    av.error.HTTPUnauthorizedError,
    av.error.HTTPForbiddenError,
    av.error.ProtocolNotFoundError,
    av.error.DecoderNotFoundError,
    av.error.OptionNotFoundError,
    av.error.PermissionError,
)

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ContainerAddress:
    """Where libav shall read from, and how.

    Attributes:
        url: Handed to libav; may carry a password and is therefore left out of `repr`.
        live: Pictures come in their own time.
        format: Name of libav's demuxer where it cannot be guessed (`v4l2`).
        options: libav's options, tried in turn until one set works.
        hint: What to check when it cannot be opened.
    """

    url: str = field(repr=False)
    live: bool
    format: str | None = None
    options: tuple[Mapping[str, str], ...] = ({},)
    hint: str = ""

    @property
    def shown(self) -> str:
        """Scheme, host and port of the address: nothing that may hold a password."""
        return redact(self.url)


class ContainerSource:
    """One video stream read through libav."""

    def __init__(self, address: ContainerAddress, clock: Clock, *, timeout_s: float | None) -> None:
        """Note where to read.

        Args:
            address: Where and how.
            clock: Stamps the packets.
            timeout_s: Longest wait for the opening and for each packet, seconds; None for files.
        """
        self._address = address
        self._clock = clock
        self._timeout_s = timeout_s
        self._container: av.container.InputContainer | None = None
        self._packets: Iterator[VideoPacket] = iter(())
        self._on_packet: OnPacket | None = None
        self._parameters: CodecParameters | None = None
        self._kind = ""
        self._intra = False
        self._raw = False
        self._decoded: deque[Shot] = deque()
        self._damaged = 0
        self._demuxed = 0
        self._announced = 0
        self._rate = _FALLBACK_RATE
        self._timed = True
        self._first_s: float | None = None
        self._last_s = 0.0
        self._given = 0

    @property
    def address(self) -> str:
        """Scheme, host and port of the address: nothing that may hold a password."""
        return self._address.shown

    @property
    def live(self) -> bool:
        """False for files."""
        return self._address.live

    @property
    def damaged(self) -> int:
        """Packets that could not be used, plus one if the recording is cut off."""
        return self._damaged

    def open(self, on_packet: OnPacket | None = None) -> None:
        """Open the container and find its first video stream.

        Raises:
            CameraLostError: A live source does not answer.
            CameraRefusedError: Not a video, no such file, wrong password, too large.
        """
        self.close()
        # libav prints addresses with their passwords; what matters of its messages is in its errors.
        av.logging.set_level(None)
        container = self._open_container()
        self._container = container
        if not container.streams.video:
            self.close()
            raise CameraRefusedError(f"{self.address} holds no video", hint=self._address.hint)
        stream = container.streams.video[0]
        context = stream.codec_context
        if context.width * context.height > MAX_PIXELS:
            size = f"{context.width} x {context.height}"
            self.close()
            raise CameraRefusedError(f"{self.address} has pictures of {size} pixels, more than 40 megapixels")
        if not self.live and not context.width:
            self.close()
            raise CameraRefusedError(f"{self.address} is empty or holds no picture")
        # The size may change on the way; the decoder refuses what is too large then.
        context.options = {"max_pixels": str(MAX_PIXELS)}
        context.thread_count = 1
        self._kind = _kind(context.codec.name, context.pix_fmt)
        self._intra = bool(context.codec.intra_only)
        # Raw video is not kept in the ring, which it would fill within a second.
        self._raw = context.codec.name == "rawvideo"
        time_base = stream.time_base or Fraction(1, 90_000)
        self._parameters = CodecParameters(
            context.codec.name, bytes(context.extradata or b""), context.width, context.height, time_base
        )
        self._timed = not (self.live and container.format.name in _UNTIMED)
        self._rate = stream.average_rate or stream.guessed_rate or _FALLBACK_RATE
        self._announced = 0 if self.live else stream.frames
        self._on_packet = on_packet
        self._decoded.clear()
        self._damaged = self._demuxed = self._given = 0
        self._first_s, self._last_s = None, 0.0
        self._packets = container.demux(stream)

    def read(self) -> Shot | None:
        """The next picture; None at the end of a file.

        Raises:
            CameraLostError: A live source ended, failed or was silent for too long.
        """
        if self._container is None:
            raise CameraLostError(f"{self.address} is not open")
        while not self._decoded:
            packet = self._next_packet()
            if packet is None:
                self._end()
                return None
            self._take(packet)
        return self._decoded.popleft()

    def close(self) -> None:
        """Close the container."""
        container, self._container = self._container, None
        self._packets = iter(())
        self._decoded.clear()
        if container is not None:
            container.close()

    def _open_container(self) -> av.container.InputContainer:
        """Open with the first set of options that works."""
        failure: CameraError | None = None
        for options in self._address.options:
            began = self._clock.monotonic()
            try:
                return av.open(
                    self._address.url,
                    format=self._address.format,
                    options=dict(options),
                    timeout=self._timeout_s,
                    metadata_errors="replace",
                )
            except (av.error.FFmpegError, OSError, ValueError) as error:
                failure = self._explain(error, began)
        if failure is None:
            raise AssertionError("an address needs at least one set of options")
        raise failure

    def _next_packet(self) -> "VideoPacket | None":
        """The next packet of the stream; None at the end, be it regular or not."""
        began = self._clock.monotonic()
        try:
            return next(self._packets, None)
        except av.error.EOFError:
            return None
        except (av.error.FFmpegError, OSError) as error:
            if self.live:
                raise self._explain(error, began) from None
            self._damaged += 1
            _log.warning("recording_damaged", source=self.address, reason=_reason(error))
            return None

    def _end(self) -> None:
        """What the end of the packets means."""
        if self.live:
            raise CameraLostError(f"{self.address} ended the stream")
        if self._demuxed < self._announced:
            self._damaged += 1
            _log.warning(
                "recording_cut_off", source=self.address, frames=self._demuxed, announced=self._announced
            )

    def _take(self, packet: VideoPacket) -> None:
        """Note a packet and make pictures of it, as many as it gives."""
        size = packet.size
        if size:
            self._demuxed += 1
            self._damaged += packet.is_corrupt
        try:
            if self._kind == "video":
                if size and not self._raw:
                    self._keep(packet)
                for frame in packet.decode():
                    if isinstance(frame, av.VideoFrame):
                        self._damaged += frame.is_corrupt and not packet.is_corrupt
                        self._give(DecodedPicture(frame), frame.pts, frame.time_base)
            elif size:
                self._give(self._make(packet), packet.pts, packet.time_base)
        except (av.error.FFmpegError, ValueError) as error:
            self._damaged += 1
            _log.debug("frame_damaged", source=self.address, reason=_reason(error))

    def _make(self, packet: VideoPacket) -> Picture:
        """A picture straight from the packet's bytes.

        Raises:
            ValueError: The bytes are not a whole picture.
        """
        if self._kind == "yuyv" and self._parameters is not None:
            # A view: the packet stays alive with it.
            return YuyvPicture(memoryview(packet), self._parameters.width, self._parameters.height)
        data = bytes(packet)
        picture = JpegPicture(data)
        self._keep(packet, data)
        return picture

    def _keep(self, packet: VideoPacket, data: bytes | None = None) -> None:
        """Hand a packet to whoever keeps them."""
        if self._on_packet is None or self._parameters is None:
            return
        self._on_packet(
            RingPacket(
                data=bytes(packet) if data is None else data,
                keyframe=self._intra or packet.is_keyframe,
                pts=packet.pts if self._timed else None,
                dts=packet.dts if self._timed else None,
                monotonic_s=self._clock.monotonic(),
                wall=self._clock.wall(),
                parameters=self._parameters,
            )
        )

    def _give(self, picture: Picture, pts: int | None, time_base: Fraction | None) -> None:
        """Put a picture at its time in line."""
        at = None if pts is None or time_base is None or not self._timed else float(pts * time_base)
        if at is None and not self.live:
            at = float(self._given / self._rate)
        if at is not None:
            if self._first_s is None:
                self._first_s = at
            at = self._last_s = max(self._last_s, at - self._first_s)
        self._given += 1
        self._decoded.append(Shot(picture, at))

    def _explain(self, error: Exception, began: float) -> CameraError:
        """One of our errors for one of libav's, without the address it carries."""
        reason = _reason(error)
        # Only some of libav's readers say that they were interrupted because the time was up.
        if self._timeout_s is not None and self._clock.monotonic() - began >= self._timeout_s:
            reason = f"nothing came for {self._timeout_s:g} s"
        message = f"{self.address}: {reason}"
        hint = self._address.hint
        if not self.live:
            hint = hint or "give a video file that libav (ffmpeg) can read, whole and not cut off"
            return CameraRefusedError(message, hint=hint)
        if isinstance(error, _NEVER_WORKS):
            return CameraRefusedError(message, hint=hint)
        return CameraLostError(message, hint=hint)


def _kind(codec: str, pixel_format: str | None) -> str:
    """How pictures are made: `jpeg` and `yuyv` from packets, `video` by the decoder."""
    if codec == "mjpeg":
        return "jpeg"
    if codec == "rawvideo" and pixel_format == "yuyv422":
        return "yuyv"
    return "video"


def _reason(error: Exception) -> str:
    """What went wrong in words, without file name or address."""
    number = getattr(error, "errno", None)
    words = getattr(error, "strerror", None)
    if words:
        return str(words)
    if isinstance(number, int) and number > 0:
        return os.strerror(number)
    return str(error) if isinstance(error, ValueError) else type(error).__name__
