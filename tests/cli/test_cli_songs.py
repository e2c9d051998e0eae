"""`appliance songs`: the library from the terminal, whose song is which, playing one, silence."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import Ended, call
from song_sounds import as_wav, music, song_processes

from appliance.services import Layout, Services, open_services
from appliance.settings import AudioSettings, Settings
from appliance.store import Consent

SETTINGS = Settings(audio=AudioSettings(output="file:played.wav"))
ANN = Consent(purposes=("identify", "song"), text_version="1", given_by="paper")
BEN = Consent(purposes=("identify",), text_version="1", given_by="paper")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A box with Ann, who agreed to a song, and Ben, who did not."""
    state = tmp_path / "state"
    with open_services(SETTINGS, Layout(state), create=True) as services:
        services.store.add_subject("Ann Archer", consent=ANN)
        services.store.add_subject("Ben Bauer", consent=BEN)
    return state


@pytest.fixture
def running(state: Path) -> Iterator[Services]:
    """What reads files and what plays songs runs on it."""
    with open_services(SETTINGS, Layout(state)) as services, song_processes(SETTINGS, services):
        yield services


def songs(state: Path, *words: object) -> Ended:
    """The command on that box."""
    return call("--state", state, "songs", *words)


def test_a_file_is_added_given_played_and_stopped(state: Path, running: Services, tmp_path: Path) -> None:
    """By its title and by a person's name; what plays is heard in the file, and stops."""
    (tmp_path / "fanfare.wav").write_bytes(as_wav(music(8)))
    added = songs(state, "add", tmp_path / "fanfare.wav", "--licence", "CC0", "--start", 1, "--seconds", 5)
    given = songs(state, "give", "ann archer", "Fanfare")
    listed = [json.loads(line) for line in songs(state, "list", "--json").out.splitlines()]
    played, stopped, again = (songs(state, *words) for words in (("play", "fanfare"), ("stop",), ("stop",)))

    assert [0] * 5 == [each.code for each in (added, given, played, stopped, again)]
    assert [("fanfare", "CC0", 5.0, 1)] == [
        (each["title"], each["licence"], each["seconds"], len(each["people"])) for each in listed
    ]
    assert "Ann Archer" in songs(state, "list").out
    assert ("stopped: 1", "nothing was playing") == (stopped.out.strip(), again.out.strip())
    assert (state / "audio" / "played.wav").stat().st_size > 1000
    assert ["song_started", "song_stopped"] == [
        each.type for each in running.store.events(types=["song_started", "song_stopped"])
    ]


def test_a_sound_that_ships_is_chosen_and_taken_back(state: Path, tmp_path: Path) -> None:
    """Without any process; who did not agree is told of; removed, it is nobody's; exported, it is a file."""
    listed, chosen = songs(state, "sounds"), songs(state, "choose", "three-bells")
    given = songs(state, "give", "Ben Bauer", "Three bells")
    (tmp_path / "out").mkdir()
    exported = songs(state, "export", tmp_path / "out")
    files = list((tmp_path / "out").iterdir())
    none = songs(state, "give", "Ben Bauer", "--none")
    removed = songs(state, "remove", chosen.out.split()[0])

    assert 7 == len(listed.out.splitlines())
    assert [0] * 5 == [each.code for each in (chosen, given, exported, none, removed)]
    assert "before they agree" in given.err
    assert [".mp3"] == [each.suffix for each in files]
    assert "no songs" in songs(state, "list").out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("play", "Nothing"), "no song"),
        (("choose", "nothing"), "no such sound"),
        (("give", "Nobody", "x"), "nobody"),
        (("give", "Anne Archer", "x"), "nearest: Ann Archer"),
        (("give", "Ann Archer", "Three bels"), "nearest: Three bells"),
        (("play", "Three"), "nearest: Three bells"),
        (("give", "Ann Archer"), "--none"),
        (("stop",), "start the appliance"),
    ],
)
def test_what_is_not_there_is_said_with_what_to_do(state: Path, words: tuple[str, ...], told: str) -> None:
    """Songs, sounds, people, and the process that plays; what was nearly right is named."""
    songs(state, "choose", "three-bells")
    ended = songs(state, *words)

    assert 0 != ended.code
    assert told in ended.err


def test_what_is_no_song_is_refused(state: Path, running: Services, tmp_path: Path) -> None:
    """In words, with the exit code of what comes from outside."""
    (tmp_path / "song.mp3").write_bytes(b"PK\x03\x04 an archive")
    ended = songs(state, "add", tmp_path / "song.mp3")

    assert 3 == ended.code
    assert "ZIP archive" in ended.err
    assert [] == running.store.songs()
