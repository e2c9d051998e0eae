"""Songs: in the library, given to people, played or not."""

from typing import Literal

from appliance.events.event import Event


class SongChanged(Event):
    """The library of songs changed, or who has which."""

    type: Literal["song_added", "song_changed", "song_removed", "song_given", "song_taken_back"]
    song: str
    subject: str | None = None
    """Who was given it, or has it no more."""


class SongStarted(Event):
    """A song began: its first samples were taken by the box's audio, or a screen or a device was told."""

    type: Literal["song_started"] = "song_started"
    song: str
    output: str
    """`box`, `screen`, or what was told: `mqtt`, `webhook:ID`, `home_assistant:ENTITY`."""
    subject: str | None = None
    cause: str | None = None
    """Id of the event that triggered it."""


class SongSkipped(Event):
    """A song that was due was not played."""

    type: Literal["song_skipped"] = "song_skipped"
    reason: Literal["quiet_hours", "queue", "stopped", "no_device", "no_song", "muted"]
    song: str | None = None
    subject: str | None = None
    cause: str | None = None


class SongStopped(Event):
    """Somebody stopped the music."""

    type: Literal["song_stopped"] = "song_stopped"
    song: str | None = None
