"""GetImages: single pictures of a span of time, decoded and coded anew as JPEG or PNG.

The only place of this server that decodes. A picture of a moment is the one that is shown then; where there
is no video, the answer says so for that moment.
"""

import asyncio
import base64
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, Literal

import av
from av.error import FFmpegError

from appliance.errors import VideoError
from appliance.video.fragment import Fragment
from appliance.video.kvs_server import fields
from appliance.video.kvs_server.archive import FragmentMedia
from appliance.video.kvs_server.fields import Fields
from appliance.video.kvs_server.playable import playable
from appliance.video.kvs_server.reading import Shelf
from appliance.video.kvs_server.requests import RefusedError
from appliance.video.kvs_server.selecting import BY, Selection, page_token, token_of
from appliance.video.kvs_server.streams import StreamRow

_LONGEST_MS: Final = 300_000
_LEAST_INTERVAL_MS, _USUAL_INTERVAL_MS = 200, 3_000
_PAGE, _MOST = 25, 100
_QUALITY: Final = 80
_MAX_WIDTH, _MAX_HEIGHT = 3_840, 2_160
_CODECS: Final = {"JPEG": ("mjpeg", "yuvj420p"), "PNG": ("png", "rgb24")}
_WORST, _BEST = 31, 2
"""Of ffmpeg's scale for JPEG."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How pictures are to be.

    Attributes:
        form: `JPEG` or `PNG`.
        quality: Of JPEG, 1..100.
        width: Pixels; None: as filmed.
        height: Pixels; None: as filmed.
    """

    form: str
    quality: int
    width: int | None
    height: int | None

    @classmethod
    def read(cls, given: Fields) -> "Wanted":
        """What is asked for.

        Raises:
            RefusedError: It is wrong.
        """
        form = given.need_choice("Format", _CODECS)
        config = given.within("FormatConfig")
        written = config.text("JPEGQuality", fields.QUALITY) if config is not None else None
        width = given.number("WidthPixels", least=1, most=_MAX_WIDTH)
        height = given.number("HeightPixels", least=1, most=_MAX_HEIGHT)
        if width is not None and height is None:
            raise RefusedError("InvalidArgumentException", "WidthPixels needs HeightPixels.")
        return cls(form, int(written or _QUALITY), width, height)


class Images:
    """Pictures of a stream.

    Args:
        shelf: What may be read.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def images(self, given: Fields, stream: StreamRow) -> Mapping[str, Any]:
        """A page of pictures.

        Raises:
            RefusedError: The input is wrong, or the stream keeps nothing.
        """
        by = BY[given.need_choice("ImageSelectorType", BY)]
        begin, end = given.need_moment("StartTimestamp"), given.need_moment("EndTimestamp")
        begin_ms, end_ms = (round(each.timestamp() * 1000) for each in (begin, end))
        if not 0 <= end_ms - begin_ms <= _LONGEST_MS:
            raise RefusedError("InvalidArgumentException", "A span of images lasts 300 seconds at most.")
        interval = given.number("SamplingInterval", least=_LEAST_INTERVAL_MS) or _USUAL_INTERVAL_MS
        most = min(_PAGE, given.number("MaxResults", least=1, most=_MOST) or _PAGE)
        after = given.text("NextToken", fields.TOKEN)
        wanted = Wanted.read(given)
        if not stream.retention_hours:
            raise RefusedError("NoDataRetentionException", f"{stream.name} does not retain data.")
        first = begin_ms if after is None else token_of(after)
        if not begin_ms <= first <= end_ms:
            raise RefusedError("InvalidArgumentException", "NextToken is of another span.")
        moments = list(range(first, end_ms + 1, interval))
        selection = Selection(by)
        media = [
            (selection.when(row), selection.when(row) + row.duration_ms, self._shelf.media(stream, row))
            for row in selection.deduplicated(self._shelf.rows(stream))
            if selection.when(row) <= moments[-1] and selection.when(row) + row.duration_ms > first
        ]
        found = await asyncio.to_thread(_pictures, media, moments[:most], wanted)
        told: dict[str, Any] = {"Images": found}
        return told if len(moments) <= most else {**told, "NextToken": page_token(moments[most])}


def _pictures(
    media: Sequence[tuple[int, int, FragmentMedia]], moments: Sequence[int], wanted: Wanted
) -> list[dict[str, Any]]:
    """What is told of each moment.

    Args:
        media: When each fragment begins and ends, milliseconds since the epoch, and its bytes.
        moments: Likewise.
        wanted: How pictures are to be.
    """
    told: dict[int, dict[str, Any]] = {at: {"TimeStamp": at / 1000, "Error": "NO_MEDIA"} for at in moments}
    for begin_ms, end_ms, each in media:
        due = [at for at in moments if begin_ms <= at < end_ms]
        told |= {at: {"TimeStamp": at / 1000, "Error": "MEDIA_ERROR"} for at in due}
        with contextlib.suppress(RefusedError, FFmpegError):
            shown = _decoded(playable(each, begin_ms=begin_ms)) if due else []
            for at in due:
                frame = next((frame for when, frame in reversed(shown) if when <= at), None)
                if frame is not None:
                    content = base64.b64encode(_picture(frame, wanted)).decode()
                    told[at] = {"TimeStamp": at / 1000, "ImageContent": content}
    return list(told.values())


def _decoded(fragment: Fragment) -> list[tuple[int, av.VideoFrame]]:
    """Every frame with its time, milliseconds since the epoch, by time."""
    decoder = _coder("h264", "r")
    decoder.extradata = fragment.track.codec_private
    found = []
    for each in (*fragment.frames, None):
        packet = None
        if each is not None:
            packet = av.Packet(each.data)
            packet.pts = packet.dts = each.timecode_ms - fragment.timecode_ms
            packet.time_base = Fraction(1, 1000)
        found += [(fragment.timecode_ms + (frame.pts or 0), frame) for frame in decoder.decode(packet)]
    return sorted(found, key=lambda pair: pair[0])


def _picture(frame: av.VideoFrame, wanted: Wanted) -> bytes:
    name, pixels = _CODECS[wanted.form]
    height = wanted.height or frame.height
    width = wanted.width or max(1, round(frame.width * height / frame.height))
    sized = frame.reformat(width=width, height=height, format=pixels)
    encoder = _coder(name, "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, pixels
    encoder.time_base = Fraction(1, 1000)
    if wanted.form == "JPEG":
        scale = round(_WORST - (wanted.quality - 1) * (_WORST - _BEST) / 99)
        encoder.qmin = encoder.qmax = scale
    sized.pts = 0
    return b"".join(bytes(packet) for packet in (*encoder.encode(sized), *encoder.encode(None)))


def _coder(name: str, mode: Literal["r", "w"]) -> av.VideoCodecContext:
    found = av.CodecContext.create(name, mode)
    if not isinstance(found, av.VideoCodecContext):
        raise VideoError(f"{name} is no codec of video")
    return found
