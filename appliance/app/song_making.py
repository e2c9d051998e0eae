"""Songs made of files from outside: what the models process answers, and how it is asked.

Files come from whoever uploads them, so they are read there: under limits of memory, with no key in reach.
"""

import threading
from dataclasses import dataclass
from typing import Final

from appliance.actions.song_preparing import MEDIA_TYPE, prepare
from appliance.wire import Client, Handler, Message, Reply, Request
from appliance.wire.messages import PrepareSong, SongPrepared

_PATIENCE_S: Final = 60.0
"""Seconds for one file, on a slow box."""


@dataclass(frozen=True, slots=True)
class MadeSong:
    """A song that can be kept in the library.

    Attributes:
        audio: Prepared.
        media_type: Of the audio.
        seconds: How long it lasts.
        lufs: Its integrated loudness.
    """

    audio: bytes
    media_type: str
    seconds: float
    lufs: float


class SongFileHandlers:
    """What the models process answers about sound files; one file at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def handlers(self) -> dict[type[Message], Handler]:
        """By message, for a server."""
        return {PrepareSong: self.prepare}

    def prepare(self, request: Request[PrepareSong]) -> Reply[SongPrepared]:
        """Make a song of the file in the blob.

        Raises:
            SongError: It cannot be made.
        """
        wanted = request.message
        with self._lock:
            made = prepare(request.blob, wanted.start_s, wanted.seconds)
        told = SongPrepared(
            media_type=MEDIA_TYPE, seconds=made.seconds, lufs=made.lufs, peak_dbtp=made.peak_dbtp
        )
        return Reply(told, blob=made.audio)


def prepared_by(models: Client, content: bytes, start_s: float, seconds: float) -> MadeSong:
    """Have the models process make a song.

    Args:
        models: Of its socket.
        content: The file.
        start_s: Where the song begins in it.
        seconds: How long it is to be.

    Raises:
        SongError: It cannot be made.
        PeerGoneError: The models process is not there, or took too long.
    """
    wanted = PrepareSong(start_s=start_s, seconds=seconds)
    reply = models.call(wanted, SongPrepared, blob=content, timeout_s=_PATIENCE_S)
    made = reply.message
    return MadeSong(reply.blob, made.media_type, made.seconds, made.lufs)
