"""The action `song`: which song an event asks for, whether it may be heard now, and where.

Everything that becomes of a song is an event: it began, or it was not played and why. None is ever repeated:
who calls promises at most once, and a song that nobody heard is gone.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final, Literal, Protocol

import structlog

from appliance.actions.audio_output import AudioOutput
from appliance.actions.song_decoding import decoded
from appliance.actions.song_hours import is_quiet
from appliance.actions.song_player import NowPlaying, Outcome, Play, SongPlayer
from appliance.actions.song_queue import QueuePolicy
from appliance.clock import Clock
from appliance.deliveries import Delivery
from appliance.errors import ActionError, ApplianceError, NoAudioError, UnknownSongError
from appliance.events import Event, SongSkipped, SongStarted, SongStopped
from appliance.settings import AudioSettings

_log = structlog.get_logger()

THEME: Final = "theme"
BOX: Final = "box"
SCREEN: Final = "screen"
_POLL_S: Final = 0.1

_Reason = Literal["quiet_hours", "queue", "stopped", "no_device", "no_song", "muted"]
_WORDS: Final[Mapping[_Reason, str]] = {
    "quiet_hours": "it is quiet hours",
    "queue": "other songs are played or waiting",
    "stopped": "it was stopped",
    "no_device": "there is no audio device",
    "no_song": "there is no such song",
    "muted": "the volume is 0",
}


@dataclass(frozen=True, slots=True)
class SongInfo:
    """A song without its audio.

    Attributes:
        seconds: How long it lasts.
        sha256: Of the audio.
    """

    id: str
    title: str
    seconds: float
    media_type: str
    sha256: str


class Library(Protocol):
    """The songs there are, and whose they are."""

    def info(self, song: str) -> SongInfo:
        """A song. Raises UnknownSongError."""

    def audio(self, song: str) -> bytes:
        """What is played of it. Raises UnknownSongError."""

    def theme(self, subject: str) -> str | None:
        """The song of somebody who agreed to have one played; None: they have none, or did not agree."""

    def agreed(self, subject: str) -> bool:
        """Whether somebody agreed to have a song played."""


Tell = Callable[[str, bytes], None]
"""Sends a message to another device: what follows the colon of the output, and JSON. Raises ActionError."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A song that is due."""

    song: SongInfo
    output: str
    subject: str | None = None
    cause: str | None = None


class SongAction:
    """Plays songs, or has other devices play them.

    Args:
        library: The songs.
        settings: Asked every time, since they change while the box runs.
        output: The box's own, by the settings' word for it.
        tell: How to send messages, by the kind of output: `mqtt`, `webhook`, `home_assistant`.
        log: Puts an event on record.
        clock: Of which the wall time is read.
        zone: Of the clock on the wall; None: this machine's.
        sleep: Waits.
    """

    def __init__(
        self,
        library: Library,
        settings: Callable[[], AudioSettings],
        output: Callable[[str], AudioOutput],
        tell: Mapping[str, Tell],
        log: Callable[[Event], object],
        *,
        clock: Clock,
        zone: tzinfo | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._library = library
        self._settings = settings
        self._output = output
        self._tell = dict(tell)
        self._log = log
        self._clock = clock
        self._zone = zone
        self._sleep = sleep
        self._players = {
            BOX: SongPlayer(seconds=clock.monotonic),
            SCREEN: SongPlayer(seconds=clock.monotonic),
        }

    def perform(self, delivery: Delivery) -> None:
        """Play the song that an event asks for; returns when it began, or was skipped, which is on record.

        Raises:
            ActionError: It cannot be played: no such output, or a device that was told and did not answer.
        """
        subject = getattr(delivery.event, "subject", None)
        try:
            song = self._which(str(delivery.parameters.get("song", THEME)), subject)
        except UnknownSongError:
            song = None
        if song is None:
            self._skipped("no_song", None, subject, delivery.event_id)
            return
        output = str(delivery.parameters.get("output", BOX))
        wanted = _Wanted(song, output, subject, delivery.event_id)
        if is_quiet(self._settings().quiet, self._clock.wall(), self._zone):
            self._skipped("quiet_hours", song.id, subject, delivery.event_id)
            return
        reason = self._play(wanted)
        if reason is not None:
            self._skipped(reason, song.id, subject, delivery.event_id)

    def play_now(self, song: str, output: str = BOX) -> None:
        """Play a song because somebody wants to hear it, quiet hours or not; returns when it began.

        Raises:
            UnknownSongError: There is none.
            ActionError: It was not played; says why.
        """
        reason = self._play(_Wanted(self._library.info(song), output))
        if reason == "no_device":
            raise NoAudioError(
                f"not played: {self.now().trouble or _WORDS[reason]}",
                hint="plug loudspeakers in, or choose another output in the settings",
            )
        if reason is not None:
            raise ActionError(f"not played: {_WORDS[reason]}")

    def stop(self) -> int:
        """End what plays and what waits, here and on the screens; how many songs that were."""
        stopped = [song for player in self._players.values() for song in player.stop()]
        if stopped:
            self._put(SongStopped(song=stopped[0]))
        return len(stopped)

    def now(self) -> NowPlaying:
        """What the box's own audio does at this moment."""
        return self._players[BOX].now()

    def close(self) -> None:
        """End what plays, and refuse what waits."""
        for each in self._players.values():
            each.close()

    def _which(self, song: str, subject: str | None) -> SongInfo | None:
        """The song that is meant; None: there is none for them, or they did not agree to have one played."""
        if subject is not None and not self._library.agreed(subject):
            return None
        if song != THEME:
            return self._library.info(song)
        found = None if subject is None else self._library.theme(subject)
        found = found or self._settings().default_song
        return self._library.info(found) if found else None

    def _play(self, wanted: _Wanted) -> _Reason | None:
        """Play it, and put on record that it began; why it was not played, if so."""
        settings = self._settings()
        kind, _, target = wanted.output.partition(":")
        if kind in self._tell:
            self._tell[kind](target, self._message(wanted, settings))
            self._put(self._began(wanted))
            return None
        if wanted.output not in self._players:
            raise ActionError(
                f"there is nothing to play songs with called {kind!r}",
                permanent=True,
                hint="a broker or a webhook is named in the settings first",
            )
        if settings.volume == 0:
            return "muted"
        if wanted.output == BOX and settings.output == "off":
            return "no_device"
        policy = QueuePolicy(settings.queue, settings.max_waiting, settings.wait_s)
        play = self._on_box(wanted) if wanted.output == BOX else self._on_screens(wanted)
        outcome: Outcome = self._players[wanted.output].play(wanted.song.id, play, policy)
        if outcome != "started":
            return outcome
        if wanted.output == BOX:
            self._put(self._began(wanted))
        return None

    def _on_box(self, wanted: _Wanted) -> Play:
        """Plays samples."""

        def play(stopped: Callable[[], bool], began: Callable[[], None]) -> None:
            pieces = decoded(self._library.audio(wanted.song.id), lambda: self._settings().volume)
            self._output(self._settings().output).play(pieces, stopped, began)

        return play

    def _on_screens(self, wanted: _Wanted) -> Play:
        """Lets the screens play, which learn of it from the log; meanwhile the place is taken."""

        def play(stopped: Callable[[], bool], began: Callable[[], None]) -> None:
            self._log(self._began(wanted))
            began()
            until = self._clock.monotonic() + wanted.song.seconds
            while not stopped() and (left := until - self._clock.monotonic()) > 0:
                self._sleep(min(left, _POLL_S))

        return play

    def _message(self, wanted: _Wanted, settings: AudioSettings) -> bytes:
        """What another device is told: ids only. A title may be somebody's name."""
        song = wanted.song
        told = {
            "type": "song",
            "song": song.id,
            "seconds": song.seconds,
            "sha256": song.sha256,
            "subject": wanted.subject,
            "cause": wanted.cause,
            "at": self._clock.wall().isoformat(),
            "volume_level": round(settings.volume / 100, 2),
            "media_content_id": f"{settings.media_base.rstrip('/')}/{song.id}.mp3",
            "media_content_type": "music",
        }
        kind, _, target = wanted.output.partition(":")
        if kind == "home_assistant":
            told["entity_id"] = target
        return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()

    def _began(self, wanted: _Wanted) -> SongStarted:
        return SongStarted(
            song=wanted.song.id, output=wanted.output, subject=wanted.subject, cause=wanted.cause
        )

    def _skipped(self, reason: _Reason, song: str | None, subject: str | None, cause: str) -> None:
        self._put(SongSkipped(reason=reason, song=song, subject=subject, cause=cause))

    def _put(self, event: Event) -> None:
        """On record, if the log can be written; what was heard was heard anyway."""
        try:
            self._log(event)
        except ApplianceError as error:
            _log.warning("song_not_logged", reason=error.message)
