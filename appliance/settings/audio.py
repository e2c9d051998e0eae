"""The settings of sound: where songs are played, how loud, and when they are not.

All of them are taken up while the box runs. Whose song is which lives in the database, and when one is
played is for the rules.
"""

import re
from typing import Annotated, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from appliance.settings.room import Room, field

_SCOPE: Final = "live"
_CLOCK = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$")

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""As `date.weekday` counts them."""


class QuietHours(Room):
    """A time of some days of the week in which no song is played."""

    days: tuple[Weekday, ...] = field(
        WEEKDAYS,
        "Days of the week on which it begins: mon, tue, wed, thu, fri, sat, sun.",
        scope=_SCOPE,
        min_length=1,
    )
    start: str = field("20:00", "When it begins, HH:MM by the box's own clock.", scope=_SCOPE)
    end: str = field(
        "07:00",
        "When it is over, HH:MM; on the next day if that is not after the beginning; the same: a whole day.",
        scope=_SCOPE,
    )

    @field_validator("start", "end")
    @classmethod
    def _clock(cls, text: str) -> str:
        if not _CLOCK.match(text):
            raise ValueError("a time is written HH:MM, from 00:00 to 23:59")
        return text


class AudioSettings(Room):
    """Songs played."""

    output: str = field(
        "device:default",
        "Where the box plays: device:default, device: and part of a device's name, file: and the name of a "
        "WAV file that is kept in the state directory instead of being heard, or off.",
        scope=_SCOPE,
        pattern=r"^(off|device:[^\x00-\x1f]{1,100}|file:[A-Za-z0-9][A-Za-z0-9._-]{0,63})$",
    )
    volume: int = field(
        60, "How loud the box and the screens play, 0 (silent) to 100.", scope=_SCOPE, ge=0, le=100
    )
    default_song: str = field(
        "",
        "Id of the song for whoever has none of their own; empty: nothing is played for them.",
        scope=_SCOPE,
        pattern=r"^([0-9a-f-]{36})?$",
    )
    queue: Literal["one_after_another", "latest", "skip"] = field(
        "one_after_another",
        "When a song is due while another is played: one_after_another (it waits its turn), latest (it takes "
        "the place of the other), or skip (it is not played).",
        scope=_SCOPE,
    )
    max_waiting: int = field(
        3, "Songs that may wait for their turn; one more is not played.", scope=_SCOPE, ge=0, le=20
    )
    wait_s: float = field(
        45.0,
        "Seconds that a song waits for its turn, at most; then it is not played.",
        scope=_SCOPE,
        ge=1,
        le=600,
    )
    quiet: Annotated[tuple[QuietHours, ...], Field(max_length=14)] = field(
        (), "Times in which nothing is played.", scope=_SCOPE
    )
    media_base: str = field(
        "media-source://media_source/local/songs",
        "For players of Home Assistant: what the address of a song begins with; its id and .mp3 follow.",
        scope=_SCOPE,
        command="appliance songs export FOLDER",
        pattern=r"^[a-z][a-z0-9+.-]{1,20}://[^\s?#]{1,200}$",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.output.startswith("file:") and ".." in self.output:
            raise ValueError("the name of a file must not hold ..")
        return self
