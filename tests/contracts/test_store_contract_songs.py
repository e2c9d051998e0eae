"""Songs in the store, the same on SQLite and on PostgreSQL: the library, and whose song is which."""

from collections.abc import Callable

import pytest
from stores import AGREED, sql

from appliance.errors import FormError, UnknownSongError, UnknownSubjectError
from appliance.events import SongChanged
from appliance.store import Song, Store
from appliance.store.songs import MOST_AUDIO_BYTES

MakeStore = Callable[..., Store]


@pytest.fixture
def log(make_store: MakeStore) -> Store:
    """An open store."""
    return make_store()


def add(log: Store, title: str = "Fanfare", audio: bytes = b"one") -> Song:
    """A song in the library."""
    return log.add_song(title, "CC0-1.0", 12.5, "audio/mpeg", audio)


def changes(log: Store) -> list[tuple[str, str | None]]:
    """What was logged about songs: type and person."""
    found = [each.event for each in log.events()]
    return [(each.type, each.subject) for each in found if isinstance(each, SongChanged)]


def test_a_song_comes_back_as_it_was_kept(log: Store) -> None:
    """Title, licence, length and audio to the byte; by title; and logged."""
    waltz, fanfare = add(log, "waltz", b"\0\xff" * 999), add(log)

    assert [fanfare, waltz] == log.songs()
    assert waltz == log.song(waltz.id)
    assert b"\0\xff" * 999 == log.song_audio(waltz.id)
    assert {waltz.id: "waltz", fanfare.id: "Fanfare"} == log.song_titles()
    assert [("song_added", None)] * 2 == changes(log)


def test_the_same_audio_is_one_song(log: Store) -> None:
    """Added again under another title it is the one that is there, as it is, and nothing is logged."""
    first = add(log)
    again = add(log, "Another title")

    assert first == again
    assert [first] == log.songs()
    assert 1 == len(changes(log))


@pytest.mark.parametrize("title", ["", "   ", "x" * 65, "two\nlines", "\u202egnos"])
def test_a_title_is_visible_writing(log: Store, title: str) -> None:
    """1 to 64 characters that act on nothing; nothing is kept otherwise."""
    with pytest.raises(FormError):
        add(log, title)

    assert [] == log.songs()


def test_audio_has_a_bound(log: Store) -> None:
    """What is longer than any song is refused."""
    with pytest.raises(FormError):
        add(log, audio=bytes(MOST_AUDIO_BYTES + 1))


def test_a_song_is_renamed_once(log: Store) -> None:
    """The same title again changes nothing."""
    song = add(log)
    for _ in range(2):
        renamed = log.rename_song(song.id, " Waltz ")

    assert "Waltz" == renamed.title
    assert ["song_added", "song_changed"] == [each for each, _ in changes(log)]


def test_somebody_has_one_theme_song(log: Store) -> None:
    """Another takes its place; giving the same twice, or taking back none, changes nothing."""
    fanfare, waltz = add(log), add(log, "Waltz", b"two")
    ann = log.add_subject("Ann", consent=AGREED).id
    given = []
    for song in (fanfare.id, fanfare.id, waltz.id, None, None):
        log.give_song(ann, song)
        given.append(log.theme_song(ann))

    assert [fanfare.id, fanfare.id, waltz.id, None, None] == given
    assert [("song_given", ann), ("song_given", ann), ("song_taken_back", ann)] == changes(log)[2:]


def test_who_or_what_is_not_there_is_refused(log: Store) -> None:
    """A person, a song; and nothing is changed by it."""
    song = add(log)
    ann = log.add_subject("Ann", consent=AGREED).id

    with pytest.raises(UnknownSubjectError):
        log.give_song("nobody", song.id)
    for ask in (
        lambda: log.give_song(ann, "none"),
        lambda: log.song("none"),
        lambda: log.song_audio("none"),
        lambda: log.rename_song("none", "Waltz"),
        lambda: log.remove_song("none"),
    ):
        with pytest.raises(UnknownSongError):
            ask()
    assert {} == log.theme_songs()


def test_a_song_that_is_removed_is_nobodys(log: Store) -> None:
    """Its audio is gone from the database, and whoever had it has none."""
    song, other = add(log), add(log, "Waltz", b"two")
    ann, ben = (log.add_subject(name, consent=AGREED).id for name in ("Ann", "Ben"))
    log.give_song(ann, song.id)
    log.give_song(ben, other.id)
    log.remove_song(song.id)

    assert {ben: other.id} == log.theme_songs()
    assert [other] == log.songs()


def test_removing_a_person_removes_whose_song_it_was(log: Store, address: str) -> None:
    """The pair is gone, the song stays; who is removed can be given none."""
    song = add(log)
    ann = log.add_subject("Ann", consent=AGREED).id
    log.give_song(ann, song.id)
    log.remove_subject(ann)

    assert {} == log.theme_songs()
    assert [] == sql(address, "SELECT subject FROM subject_songs")
    assert [song] == log.songs()
    with pytest.raises(UnknownSubjectError):
        log.give_song(ann, song.id)


@pytest.mark.parametrize("kept_has_one", [True, False])
def test_two_who_are_one_have_one_song(log: Store, kept_has_one: bool) -> None:  # noqa: FBT001 - a column
    """Who is kept keeps theirs, and has the other's if they had none."""
    theirs, others = add(log), add(log, "Waltz", b"two")
    ann, annie = (log.add_subject(name, consent=AGREED).id for name in ("Ann", "Annie"))
    if kept_has_one:
        log.give_song(ann, theirs.id)
    log.give_song(annie, others.id)
    log.merge(ann, annie)

    assert {ann: theirs.id if kept_has_one else others.id} == log.theme_songs()
