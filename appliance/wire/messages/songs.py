"""Songs: what the models process is asked of sound files, and dispatch of playing.

A file travels in the blob beside `PrepareSong`, the song made of it beside the answer; nothing of either is
kept there.
"""

from typing import Literal

from pydantic import Field

from appliance.wire.messages.message import Message


class PrepareSong(Message):
    """Make a song of a part of the sound file in the blob. Answered by `SongPrepared`.

    Attributes:
        start_s: Where the part begins.
        seconds: How long it is.
    """

    type: Literal["prepare_song"] = "prepare_song"
    version: Literal[1] = 1
    start_s: float = Field(default=0.0, ge=0)
    seconds: float = Field(default=20.0, gt=0)


class SongPrepared(Message):
    """The song is in the blob.

    Attributes:
        media_type: Of the blob.
        seconds: How long it lasts.
        lufs: Its integrated loudness.
        peak_dbtp: Its true peak.
    """

    type: Literal["song_prepared"] = "song_prepared"
    version: Literal[1] = 1
    media_type: str
    seconds: float = Field(gt=0)
    lufs: float
    peak_dbtp: float


class PlaySong(Message):
    """Play a song now, because somebody wants to hear it. Answered by `Done` once it began.

    Attributes:
        song: Its id.
        output: `box` or `screen`, or another device.
    """

    type: Literal["play_song"] = "play_song"
    version: Literal[1] = 1
    song: str = Field(max_length=64)
    output: str = Field(default="box", max_length=200)


class StopSongs(Message):
    """End what plays and what waits. Answered by `SongsStopped`."""

    type: Literal["stop_songs"] = "stop_songs"
    version: Literal[1] = 1


class SongsStopped(Message):
    """How many songs were ended."""

    type: Literal["songs_stopped"] = "songs_stopped"
    version: Literal[1] = 1
    songs: int = Field(ge=0)


class AskSongs(Message):
    """What plays and what waits? Answered by `SongsNow`."""

    type: Literal["ask_songs"] = "ask_songs"
    version: Literal[1] = 1


class SongsNow(Message):
    """What the box's own audio does.

    Attributes:
        song: Id of what plays; None: nothing.
        waiting: Ids of what waits, the next first.
        trouble: Why the last song was not heard; empty: it was.
    """

    type: Literal["songs_now"] = "songs_now"
    version: Literal[1] = 1
    song: str | None = None
    waiting: tuple[str, ...] = ()
    trouble: str = ""
