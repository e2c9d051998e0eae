"""Kept fragments as what players take: read out of Matroska, refused in the service's words where that fails.

H.264 only; sound is left out. A fragment of more than ten seconds, which the service takes, is not played
here.
"""

from appliance.errors import UnusableVideoError
from appliance.video import matroska_elements as mkv
from appliance.video.fragment import Fragment
from appliance.video.kvs_server.archive import FragmentMedia
from appliance.video.kvs_server.requests import RefusedError
from appliance.video.matroska_reader import read_fragments, to_fragment


def playable(media: FragmentMedia, *, begin_ms: int) -> Fragment:
    """A fragment that players can be given.

    Args:
        media: As it is kept.
        begin_ms: When it is to begin, milliseconds since the epoch: one of its two times.

    Raises:
        RefusedError: It is no H.264, lacks what a decoder needs, or its frames cannot be read.
    """
    try:
        read = read_fragments(media.header + media.cluster)[0]
    except (UnusableVideoError, IndexError):
        raise _unreadable() from None
    entry = next((each for each in read.header.tracks if each.kind == mkv.VIDEO_TRACK), None)
    if entry is None or entry.codec_id != mkv.H264_CODEC:
        raise RefusedError(
            "UnsupportedStreamMediaTypeException", f"Only {mkv.H264_CODEC} in track 1 can be played here."
        )
    if not entry.codec_private:
        raise RefusedError("MissingCodecPrivateDataException", "No codec private data was found.")
    try:
        return to_fragment(read, begin_ms=begin_ms - read.timecode_ms)
    except UnusableVideoError as error:
        if error.fault == "no_parameters":
            raise unfit_codec() from None
        raise _unreadable() from None


def unfit_codec() -> RefusedError:
    """What a decoder needs is not as it must be, or changes on the way."""
    return RefusedError(
        "InvalidCodecPrivateDataException",
        "The codec private data in at least one of the tracks of the video stream is not valid for this "
        "operation.",
    )


def _unreadable() -> RefusedError:
    return RefusedError(
        "InvalidMediaFrameException",
        "One or more frames could not be parsed based on the specified codec.",
    )
