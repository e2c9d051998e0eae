"""The library of songs, and whose theme song is which; each change with its event in one transaction.

The audio comes prepared and is kept as it is. Whose song is which is a pair of opaque ids, gone with the
person or the song; titles are of songs, not of people. Playing is for others.
"""

import hashlib
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from appliance.errors import FormError, UnknownSongError, UnknownSubjectError
from appliance.events import SongChanged
from appliance.store.database import reading
from appliance.store.log import EventLog
from appliance.store.records import NewEvent, Song, SubjectState
from appliance.store.tables import songs, subject_songs, subjects
from appliance.values import SubjectId
from appliance.writing import writable

MOST_SONGS: Final = 500
TITLE_CHARS: Final = 64
MOST_AUDIO_BYTES: Final = 4 << 20
"""More than a minute of what is prepared takes."""

_DESCRIBED: Final = [column for column in songs.c if column.name != "audio"]


class Songs(EventLog):
    """Songs and whose they are, on top of the log that changes go to."""

    def songs(self) -> list[Song]:
        """All, by title."""
        with reading(self._engine) as connection:
            found = connection.execute(select(*_DESCRIBED)).mappings().all()
            return sorted(map(_song, found), key=lambda each: (each.title.casefold(), each.id))

    def song(self, song: str) -> Song:
        """One of them.

        Raises:
            UnknownSongError: There is none.
        """
        with reading(self._engine) as connection:
            return _found(connection, song)

    def song_audio(self, song: str) -> bytes:
        """What is played of it.

        Raises:
            UnknownSongError: There is none.
        """
        with reading(self._engine) as connection:
            audio = connection.execute(select(songs.c.audio).where(songs.c.id == song)).scalar()
        if audio is None:
            raise _unknown()
        return bytes(audio)

    def add_song(self, title: str, licence: str, seconds: float, media_type: str, audio: bytes) -> Song:
        """Keep a song; the same audio again is the song that is there already, as it is.

        Args:
            title: 1 to 64 characters.
            licence: Under which it may be played, or whence it is; up to 64 characters, may be empty.
            seconds: How long it lasts.
            media_type: Of the audio.
            audio: Prepared.

        Raises:
            FormError: A title or licence that cannot be, or there are too many songs.
        """
        now, digest = self._clock.wall(), hashlib.sha256(audio).hexdigest()
        fresh: dict[str, Any] = {
            "id": self._ids(now),
            "title": _text("title", title, least=1),
            "licence": _text("licence", licence, least=0),
            "seconds": seconds,
            "media_type": media_type,
            "sha256": digest,
            "audio": audio,
            "created_at": now,
        }
        if len(audio) > MOST_AUDIO_BYTES:
            raise FormError("the song is too long", fields={"seconds": "a minute at most"})
        with self._writing() as connection:
            self._lock_head(connection)
            wanted = select(*_DESCRIBED).where(songs.c.sha256 == digest)
            there = connection.execute(wanted).mappings().first()
            if there is not None:
                return _song(there)
            if connection.execute(select(func.count()).select_from(songs)).scalar_one() >= MOST_SONGS:
                raise FormError(f"there are {MOST_SONGS} songs already", fields={"title": "remove one first"})
            connection.execute(insert(songs).values(fresh))
            self._append(connection, [NewEvent(SongChanged(type="song_added", song=fresh["id"]), at=now)])
        return _song(fresh)

    def rename_song(self, song: str, title: str) -> Song:
        """Another title.

        Raises:
            UnknownSongError: There is none.
            FormError: A title that cannot be.
        """
        checked = _text("title", title, least=1)
        with self._writing() as connection:
            self._lock_head(connection)
            _found(connection, song)
            moved = connection.execute(
                update(songs).where(songs.c.id == song, songs.c.title != checked).values(title=checked)
            )
            if moved.rowcount:
                self._append(connection, [NewEvent(SongChanged(type="song_changed", song=song))])
        return self.song(song)

    def remove_song(self, song: str) -> None:
        """Delete a song; whoever had it has none.

        Raises:
            UnknownSongError: There is none.
        """
        with self._writing() as connection:
            self._lock_head(connection)
            _found(connection, song)
            connection.execute(delete(subject_songs).where(subject_songs.c.song == song))
            connection.execute(delete(songs).where(songs.c.id == song))
            self._append(connection, [NewEvent(SongChanged(type="song_removed", song=song))])

    def give_song(self, subject: str, song: str | None) -> None:
        """Make a song somebody's theme song, instead of the one they had; None: they have none.

        Raises:
            UnknownSubjectError: Nobody, or removed.
            UnknownSongError: There is no such song.
        """
        now = self._clock.wall()
        with self._writing() as connection:
            self._lock_head(connection)
            state = connection.execute(select(subjects.c.state).where(subjects.c.id == subject)).scalar()
            if state is None or state == SubjectState.REMOVED.value:
                raise UnknownSubjectError("no subject with that id", hint="see the list of subjects")
            had = _theme(connection, subject)
            if had == song:
                return
            if song is None:
                self._take_back(connection, subject)
                return
            _found(connection, song)
            dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
            values = {"subject": subject, "song": song, "given_at": now}
            connection.execute(
                dialect.insert(subject_songs)
                .values(values)
                .on_conflict_do_update(index_elements=["subject"], set_={"song": song, "given_at": now})
            )
            given = SongChanged(type="song_given", song=song, subject=subject)
            self._append(connection, [NewEvent(given, at=now)])

    def theme_song(self, subject: str) -> str | None:
        """Id of somebody's theme song; None: they have none."""
        with reading(self._engine) as connection:
            return _theme(connection, subject)

    def theme_songs(self) -> Mapping[SubjectId, str]:
        """Whose theme song is which, by opaque ids."""
        with reading(self._engine) as connection:
            found = connection.execute(select(subject_songs.c.subject, subject_songs.c.song))
            return {SubjectId(subject): song for subject, song in found}

    def _take_back(self, connection: Connection, subject: str) -> None:
        """Let somebody have no theme song, in the caller's transaction."""
        had = _theme(connection, subject)
        if had is None:
            return
        connection.execute(delete(subject_songs).where(subject_songs.c.subject == subject))
        taken = SongChanged(type="song_taken_back", song=had, subject=subject)
        self._append(connection, [NewEvent(taken)])


def take_over_song(connection: Connection, keep: str, other: str) -> None:
    """Of two who turn out to be one, let who is kept have the other's song, if they have none."""
    if _theme(connection, keep) is None:
        moved = update(subject_songs).where(subject_songs.c.subject == other).values(subject=keep)
        connection.execute(moved)


def _theme(connection: Connection, subject: str) -> str | None:
    song: str | None = connection.execute(
        select(subject_songs.c.song).where(subject_songs.c.subject == subject)
    ).scalar()
    return song


def _found(connection: Connection, song: str) -> Song:
    row = connection.execute(select(*_DESCRIBED).where(songs.c.id == song)).mappings().first()
    if row is None:
        raise _unknown()
    return _song(row)


def _unknown() -> UnknownSongError:
    return UnknownSongError("there is no such song", hint="see the list of songs")


def _song(row: Mapping[Any, Any]) -> Song:
    return Song(
        row["id"],
        row["title"],
        row["licence"],
        row["seconds"],
        row["media_type"],
        row["sha256"],
        row["created_at"],
    )


def _text(name: str, text: str, *, least: int) -> str:
    """As it is kept.

    Raises:
        FormError: It cannot be.
    """
    text = unicodedata.normalize("NFC", text).strip()
    if not least <= len(text) <= TITLE_CHARS or (text and not writable(text)):
        words = f"{least} to {TITLE_CHARS} visible characters"
        raise FormError(f"a {name} has {words}", fields={name: words})
    return text
