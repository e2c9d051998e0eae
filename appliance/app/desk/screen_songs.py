"""The song that office screens play just now; pure.

A screen that comes late, or comes back, plays nothing: a song is told while it is young, and then not again.
What it is called is a key of this one playing, so that nobody learns from it whose song it is.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from appliance.events import SongStarted, SongStopped
from appliance.store import StoredEvent

SONGS: Final = ("song_started", "song_stopped")
"""The event types that have to do with it."""
SCREEN: Final = "screen"
YOUNG_S: Final = 10.0
"""Seconds after its beginning in which a screen may still begin; as long as a rule's song is in time."""
KEPT_S: Final = 90.0
"""Seconds for which it can be fetched: longer than any song."""


@dataclass(frozen=True, slots=True)
class _Playing:
    """Attributes: began_s: monotonic seconds at which it was due."""

    key: str
    song: str
    began_s: float


class ScreenSongs:
    """What screens play at this moment."""

    def __init__(self) -> None:
        self._playing: _Playing | None = None

    def take(self, stored: StoredEvent, now: datetime, seconds: float) -> bool:
        """Take an event in; whether something else is to be played now.

        Args:
            stored: It.
            now: Aware time.
            seconds: The same moment on a monotonic clock.
        """
        event = stored.event
        if isinstance(event, SongStopped):
            playing, self._playing = self._playing, None
            return playing is not None
        if not isinstance(event, SongStarted) or event.output != SCREEN:
            return False
        age_s = max((now - stored.at).total_seconds(), 0.0)  # a clock that was set back makes nothing older
        if age_s > YOUNG_S:
            return False
        key = hashlib.sha256(f"song {stored.id}".encode()).hexdigest()[:12]
        self._playing = _Playing(key, event.song, seconds - age_s)
        return True

    def shown(self, seconds: float, volume: int) -> dict[str, Any] | None:
        """What is to be played, as `{key, age_s, volume}`; None: nothing.

        Args:
            seconds: Monotonic.
            volume: Of the settings, 0 to 100.
        """
        playing = self._playing
        if playing is None or seconds - playing.began_s > KEPT_S:
            return None
        return {"key": playing.key, "age_s": round(seconds - playing.began_s, 3), "volume": volume}

    def song(self, key: str, seconds: float) -> str | None:
        """Id of the song that plays under this key; None: none does."""
        playing = self._playing
        if playing is None or playing.key != key or seconds - playing.began_s > KEPT_S:
            return None
        return playing.song
