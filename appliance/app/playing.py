"""Songs, put together for the dispatch process: the library, where they are played, and who may ask for them.

The settings of sound are read anew whenever their files change, so that a volume is taken up while a song
plays. What is asked for at the socket comes from the desk or a command, which have settled who may.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog

from appliance.actions.audio_choosing import chosen
from appliance.actions.song_action import Library, SongAction, SongInfo
from appliance.dispatch import Plan
from appliance.errors import PeerGoneError, SettingsError, UnknownSubjectError, VaultError
from appliance.services import Services
from appliance.settings import AudioSettings, Settings
from appliance.settings.overlay import SettingsFiles
from appliance.store import Store, SubjectState
from appliance.wire import Handler, Message, Reply, Request
from appliance.wire.messages import AskSongs, Done, PlaySong, SongsNow, SongsStopped, StopSongs

_log = structlog.get_logger()

SONG: Final = "song"
"""Their name in the outbox."""
PURPOSE: Final = "song"
"""What somebody has to have agreed to."""
AUDIO_FOLDER: Final = "audio"
"""Of the state directory, for outputs that are files."""
_TOGETHER: Final = 24
"""Songs that may be due at once: those that wait, at most, and some that are refused."""

Tells = Mapping[str, Callable[[str, bytes], None]]


class StoredSongs(Library):
    """The library in the database.

    Args:
        store: It, and the people.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def info(self, song: str) -> SongInfo:
        """A song.

        Raises:
            UnknownSongError: There is none.
        """
        found = self._store.song(song)
        return SongInfo(found.id, found.title, found.seconds, found.media_type, found.sha256)

    def audio(self, song: str) -> bytes:
        """What is played of it.

        Raises:
            UnknownSongError: There is none.
        """
        return self._store.song_audio(song)

    def theme(self, subject: str) -> str | None:
        """Somebody's theme song; None: they have none."""
        return self._store.theme_song(subject)

    def agreed(self, subject: str) -> bool:
        """Whether they are enrolled, not paused, and agreed to have a song played."""
        try:
            person = self._store.subject_by_id(subject)
        except (UnknownSubjectError, VaultError):
            return False
        return person.state is SubjectState.ACTIVE and PURPOSE in person.purposes


class FreshSettings:
    """The settings of sound as they are now; files that are wrong change nothing.

    Args:
        settings: As they were at the start.
        files: Where they come from; None: they stay.
    """

    def __init__(self, settings: AudioSettings, files: SettingsFiles | None) -> None:
        self._settings = settings
        self._files = files
        self._lock = threading.Lock()
        self._seen = self._stamp()

    def __call__(self) -> AudioSettings:
        """Those that hold; costs two looks at the disk."""
        with self._lock:
            stamp = self._stamp()
            if self._files is not None and stamp != self._seen:
                self._seen = stamp
                try:
                    self._settings = self._files.read().settings.audio
                except SettingsError as error:
                    _log.warning("audio_settings_not_read", reason=error.message)
            return self._settings

    def _stamp(self) -> tuple[tuple[int, int, int] | None, ...]:
        if self._files is None:
            return ()
        return tuple(_stamp_of(path) for path in (self._files.file, self._files.overlay))


def _stamp_of(path: Path | None) -> tuple[int, int, int] | None:
    """Tells one content of a file from another; None: there is none."""
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return None if found is None else (found.st_ino, found.st_mtime_ns, found.st_size)


@contextmanager
def playing(
    settings: Settings, services: Services, tells: Tells, files: SettingsFiles | None = None
) -> Iterator[SongAction]:
    """What plays songs, until the end of the block.

    Args:
        settings: As they are at the start.
        services: Library, log and clock.
        tells: How to tell other devices, by the kind of output.
        files: Where the settings come from, if they are to be followed.
    """
    folder = services.layout.state / AUDIO_FOLDER
    action = SongAction(
        StoredSongs(services.store),
        FreshSettings(settings.audio, files),
        lambda word: chosen(word, folder),
        tells,
        services.store.append,
        clock=services.clock,
    )
    try:
        yield action
    finally:
        action.close()


def song_plans(action: SongAction) -> dict[str, Plan]:
    """Who performs songs that rules ask for."""
    return {SONG: Plan(action, attempts=1, together=_TOGETHER)}


class SongHandlers:
    """What dispatch answers about songs.

    Attributes:
        action: Plays them; None: it is not there yet, which it says.
    """

    def __init__(self) -> None:
        self.action: SongAction | None = None

    def handlers(self) -> dict[type[Message], Handler]:
        """By message, for a server."""
        return {PlaySong: self.play, StopSongs: self.stop, AskSongs: self.tell}

    def play(self, request: Request[PlaySong]) -> Reply[Done]:
        """Play one now.

        Raises:
            UnknownSongError: There is none.
            ActionError: It was not played.
        """
        self._there().play_now(request.message.song, request.message.output)
        return Reply(Done())

    def stop(self, request: Request[StopSongs]) -> Reply[SongsStopped]:
        """End what plays and waits."""
        del request
        return Reply(SongsStopped(songs=self._there().stop()))

    def tell(self, request: Request[AskSongs]) -> Reply[SongsNow]:
        """What plays and waits."""
        del request
        now = self._there().now()
        return Reply(SongsNow(song=now.song, waiting=now.waiting, trouble=now.trouble))

    def _there(self) -> SongAction:
        if self.action is None:
            raise PeerGoneError("dispatch is starting", hint="wait a moment")
        return self.action
