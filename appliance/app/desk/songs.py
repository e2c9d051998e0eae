"""Operations of songs: the library, whose song is which, hearing one, the volume, and silence.

Files are read by the models process and played by dispatch; here it is settled who may, and what is kept.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import Field

from appliance.app.desk.applying import Applying, Source
from appliance.app.desk.operations import Answer, Arguments, Asked, Nothing, Operation
from appliance.app.desk.times import moment
from appliance.app.playing import PURPOSE
from appliance.app.shipped_sounds import choose_sound, shipped_sounds, sound_audio
from appliance.app.song_making import prepared_by
from appliance.errors import FormError, PeerGoneError, SongError, WireError
from appliance.permissions import Permission
from appliance.services import Services
from appliance.settings import QuietHours, Settings
from appliance.settings.audio import WEEKDAYS
from appliance.store import Song, Subject, SubjectState
from appliance.wire import Client
from appliance.wire.messages import AskSongs, Done, Ping, PlaySong, SongsNow, SongsStopped, StopSongs

_ID: Final = Field(max_length=36)
_PLAY_S: Final = 60.0
"""A song that was asked for by hand may have to wait its turn."""
_STOP_S: Final = 5.0
_DAYS: Final = dict(
    zip(
        WEEKDAYS,
        ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"),
        strict=True,
    )
)
_WEEKEND: Final = 5


class NewSong(Arguments):
    """Attributes: title; licence: or whence it is; start_s: where in the file; seconds: how long."""

    title: str = Field(max_length=200)
    licence: str = Field(default="", max_length=200)
    start_s: float = Field(default=0.0, ge=0, le=3600)
    seconds: float = Field(default=20.0, ge=1, le=60)


class WhichSong(Arguments):
    """Attributes: song: id."""

    song: str = _ID


class WhichSound(Arguments):
    """Attributes: sound: name of one that ships with the appliance."""

    sound: str = Field(max_length=64)


class Titled(Arguments):
    """Attributes: song: id; title: the new one."""

    song: str = _ID
    title: str = Field(max_length=200)


class Given(Arguments):
    """Attributes: person: id; song: id, None: no theme song."""

    person: str = _ID
    song: str | None = Field(default=None, max_length=36)


class Played(Arguments):
    """Attributes: song: id; output: `box`, `screen`, or another device."""

    song: str = _ID
    output: str = Field(default="box", max_length=200)


class Volume(Arguments):
    """Attributes: volume: 0 to 100."""

    volume: int = Field(ge=0, le=100)


class Default(Arguments):
    """Attributes: song: for whoever has none of their own; None: none."""

    song: str | None = Field(default=None, max_length=36)


class Songs:
    """Carries out what is asked about songs.

    Args:
        services: Library, people, and where the other processes listen.
        source: The settings.
        applying: Puts a volume in force.
    """

    def __init__(self, services: Services, source: Source, applying: Applying) -> None:
        self._store = services.store
        self._source = source
        self._applying = applying
        self._models = Client(services.layout.socket("models"))
        self._dispatch = Dispatched(services.layout.socket("dispatch"))

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        see, change = Permission.PEOPLE, Permission.ENROL
        return [
            Operation("songs.list", Nothing, see, self.list_songs),
            Operation("songs.audio", WhichSong, see, self.audio),
            Operation("songs.sounds", Nothing, see, self.sounds),
            Operation("songs.sound_audio", WhichSound, see, self.sound_audio),
            Operation("songs.now", Nothing, see, self.now),
            Operation("songs.add", NewSong, change, self.add, waits=True),
            Operation("songs.choose", WhichSound, change, self.choose),
            Operation("songs.rename", Titled, change, self.rename),
            Operation("songs.remove", WhichSong, change, self.remove),
            Operation("songs.give", Given, change, self.give),
            Operation("songs.play", Played, change, self.play, waits=True),
            Operation("songs.stop", Nothing, see, self.stop),
            Operation("songs.volume", Volume, Permission.SETTINGS, self.volume),
            Operation("songs.default", Default, Permission.SETTINGS, self.default),
            Operation("screen.stop_songs", Nothing, Permission.SCREEN, self.stop),
        ]

    def list_songs(self, asked: Asked[Nothing]) -> Answer:
        """The library, and who has which.

        `{songs: [{id, title, licence, seconds, created_at, people: [{id, name}]}], people: [{id, name, song,
        agreed}], default, volume, output, quiet}`.
        """
        del asked
        settings, themes = self._source.running(), self._store.theme_songs()
        people = sorted(
            (each for each in self._store.subjects() if each.state is not SubjectState.REMOVED),
            key=lambda each: ((each.name or "").casefold(), each.id),
        )
        return Answer(
            {
                "songs": [_told(song, people, themes) for song in self._store.songs()],
                "people": [
                    {
                        "id": each.id,
                        "name": each.name,
                        "song": themes.get(each.id),
                        "agreed": PURPOSE in each.purposes,
                        "paused": each.state is SubjectState.PAUSED,
                    }
                    for each in people
                ],
                "default": settings.audio.default_song or None,
                "volume": settings.audio.volume,
                "output": settings.audio.output,
                "quiet": [quiet_words(each) for each in settings.audio.quiet],
            }
        )

    def audio(self, asked: Asked[WhichSong]) -> Answer:
        """A song to be heard, in the blob.

        Raises:
            UnknownSongError: There is none.
        """
        song = self._store.song(asked.arguments.song)
        return Answer({"media_type": song.media_type}, self._store.song_audio(song.id))

    def sounds(self, asked: Asked[Nothing]) -> Answer:
        """The sounds that ship with the appliance: `[{id, title, seconds, licence, song}]`."""
        del asked
        there = {each.sha256: each.id for each in self._store.songs()}
        return Answer(
            [
                {
                    "id": each.id,
                    "title": each.title,
                    "seconds": each.seconds,
                    "licence": each.licence,
                    "song": there.get(each.sha256),
                }
                for each in shipped_sounds()
            ]
        )

    def sound_audio(self, asked: Asked[WhichSound]) -> Answer:
        """One of them to be heard, in the blob.

        Raises:
            UnknownSongError: There is none of that name.
            SongError: Its file is not the one that was shipped.
        """
        return Answer({"media_type": "audio/mpeg"}, sound_audio(asked.arguments.sound)[1])

    def now(self, asked: Asked[Nothing]) -> Answer:
        """What the box plays: `{there, song, waiting, trouble}`; not `there`: nobody can say."""
        del asked
        try:
            told = self._dispatch.now()
        except WireError:
            return Answer({"there": False, "song": None, "waiting": [], "trouble": ""})
        waiting = list(told.waiting)
        return Answer({"there": True, "song": told.song, "waiting": waiting, "trouble": told.trouble})

    def add(self, asked: Asked[NewSong]) -> Answer:
        """Make a song of a part of the sound file in the blob, and keep it.

        Raises:
            SongError: It cannot be made.
            FormError: A title that cannot be, or the library is full.
            PeerGoneError: The process that reads files is not there.
        """
        given = asked.arguments
        if not given.title.strip():
            raise FormError("title: a song has one", fields={"title": "this is needed"})
        try:
            made = prepared_by(self._models, asked.blob, given.start_s, given.seconds)
        except PeerGoneError as error:
            if asked.blob and self._gone():
                raise
            raise SongError("this file cannot be read", hint="save it as MP3 with another program") from error
        song = self._store.add_song(given.title, given.licence, made.seconds, made.media_type, made.audio)
        return Answer({"id": song.id, "title": song.title, "seconds": song.seconds, "lufs": made.lufs})

    def choose(self, asked: Asked[WhichSound]) -> Answer:
        """Put a sound that ships with the appliance into the library.

        Raises:
            UnknownSongError: There is none of that name.
            SongError: Its file is not the one that was shipped.
            FormError: The library is full.
        """
        song = choose_sound(self._store, asked.arguments.sound)
        return Answer({"id": song.id, "title": song.title})

    def rename(self, asked: Asked[Titled]) -> Answer:
        """Another title.

        Raises:
            UnknownSongError: There is none.
            FormError: A title that cannot be.
        """
        self._store.rename_song(asked.arguments.song, asked.arguments.title)
        return Answer()

    def remove(self, asked: Asked[WhichSong]) -> Answer:
        """Delete a song; whoever had it has none.

        Raises:
            UnknownSongError: There is none.
        """
        song = asked.arguments.song
        self._store.song(song)
        if self._source.running().audio.default_song == song:
            self._save({"audio.default_song": ""})
        self._store.remove_song(song)
        return Answer()

    def give(self, asked: Asked[Given]) -> Answer:
        """Make a song somebody's theme song, or let them have none.

        Raises:
            UnknownSubjectError: Nobody, or removed.
            UnknownSongError: There is no such song.
        """
        self._store.give_song(asked.arguments.person, asked.arguments.song)
        return Answer()

    def play(self, asked: Asked[Played]) -> Answer:
        """Play a song now, in quiet hours too; answered once it began.

        Raises:
            UnknownSongError: There is none.
            ActionError: It was not played, and why.
            PeerGoneError: The process that plays is not there.
        """
        self._store.song(asked.arguments.song)
        self._dispatch.play(asked.arguments.song, asked.arguments.output)
        return Answer()

    def stop(self, asked: Asked[Nothing]) -> Answer:
        """End what plays and what waits: `{songs, there}`, how many; not `there`: nothing plays any."""
        del asked
        try:
            return Answer({"songs": self._dispatch.stop(), "there": True})
        except WireError:
            return Answer({"songs": 0, "there": False})

    def volume(self, asked: Asked[Volume]) -> Answer:
        """How loud; taken up while a song plays.

        Raises:
            SettingsError: The files of settings are wrong.
        """
        return Answer(self._save({"audio.volume": asked.arguments.volume}))

    def default(self, asked: Asked[Default]) -> Answer:
        """The song of whoever has none.

        Raises:
            UnknownSongError: There is none.
        """
        song = asked.arguments.song
        if song is not None:
            self._store.song(song)
        return Answer(self._save({"audio.default_song": song or ""}))

    def _save(self, changes: dict[str, Any]) -> dict[str, Any]:
        now: Settings = self._source.running()
        if all(getattr(now.audio, key.removeprefix("audio.")) == value for key, value in changes.items()):
            return {}
        return self._applying.save(changes).told()

    def _gone(self) -> bool:
        """Whether the process that reads files is away, and not only died of this one."""
        try:
            self._models.call(Ping(), timeout_s=_STOP_S)
        except WireError:
            return True
        return False


class Dispatched:
    """The process that plays.

    Args:
        socket: Where it listens.
    """

    def __init__(self, socket: Path) -> None:
        self._client = Client(socket)

    def play(self, song: str, output: str) -> None:
        """Play a song; returns once it began. Raises ActionError, UnknownSongError, PeerGoneError."""
        self._client.call(PlaySong(song=song, output=output), Done, timeout_s=_PLAY_S)

    def stop(self) -> int:
        """End what plays and waits; how many songs. Raises PeerGoneError."""
        return self._client.call(StopSongs(), SongsStopped, timeout_s=_STOP_S).message.songs

    def now(self) -> SongsNow:
        """What plays. Raises WireError."""
        return self._client.call(AskSongs(), SongsNow, timeout_s=_STOP_S).message


def quiet_words(span: QuietHours) -> str:
    """A span as people say it: `20:00 to 07:00, every day`."""
    if span.start == span.end:
        hours = "all day" if span.start == "00:00" else f"from {span.start} for a day"
    else:
        hours = f"{span.start} to {span.end}"
    return f"{hours}, {_days(sorted({WEEKDAYS.index(day) for day in span.days}))}"


def _days(numbers: Sequence[int]) -> str:
    if len(numbers) == len(WEEKDAYS):
        return "every day"
    if list(numbers) == list(range(_WEEKEND)):
        return "Monday to Friday"
    if list(numbers) == list(range(_WEEKEND, len(WEEKDAYS))):
        return "at weekends"
    words = [_DAYS[WEEKDAYS[each]] for each in numbers]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _told(song: Song, people: Sequence[Subject], themes: Any) -> dict[str, Any]:
    return {
        "id": song.id,
        "title": song.title,
        "licence": song.licence,
        "seconds": song.seconds,
        "created_at": moment(song.created_at),
        "people": [{"id": each.id, "name": each.name} for each in people if themes.get(each.id) == song.id],
    }
