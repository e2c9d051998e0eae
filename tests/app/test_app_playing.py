"""Songs put together: whose, by what people agreed to; settings that are taken up while the box runs."""

import os
from pathlib import Path

import pytest

from appliance.actions.song_files import read_part
from appliance.actions.song_loudness import TARGET_LUFS, TRUE_PEAK_DBTP, measure
from appliance.app.playing import FreshSettings, StoredSongs
from appliance.app.shipped_sounds import FOLDER, choose_sound, shipped_sounds, sound_audio
from appliance.errors import UnknownSongError
from appliance.services import Layout, open_services
from appliance.settings import AudioSettings, Settings
from appliance.settings.overlay import SettingsFiles
from appliance.store import Consent

AGREED = Consent(purposes=("identify", "song"), text_version="1", given_by="paper")


def test_settings_of_sound_are_taken_up_at_once(tmp_path: Path) -> None:
    """What stands in the files now; a file that is wrong changes nothing, a good one after it counts."""
    files = SettingsFiles(None, tmp_path / "overlay.toml")
    fresh = FreshSettings(AudioSettings(volume=60), files)
    volumes = []
    for text in ("", "[audio]\nvolume = 10\n", "[audio]\nvolume = 999\n", "[audio]\nvolume = 20\n"):
        spare = tmp_path / "spare"
        spare.write_text(text)
        os.replace(spare, files.overlay)  # noqa: PTH105 - as the program puts it there
        volumes.append(fresh().volume)

    assert [60, 10, 10, 20] == volumes


def test_without_files_settings_stay() -> None:
    """Those of the start."""
    assert 35 == FreshSettings(AudioSettings(volume=35), None)().volume


def test_a_song_is_for_who_agreed_and_is_there(tmp_path: Path) -> None:
    """Not for who did not, who is paused, who was removed, nor for nobody."""
    with open_services(Settings(), Layout(tmp_path / "state"), create=True) as services:
        store = services.store
        song = choose_sound(store, "strings").id
        ann, ben, cem, dan = (store.add_subject(name, consent=AGREED).id for name in "ABCD")
        for each in (ann, ben, cem, dan):
            store.give_song(each, song)
        store.pause(ben)
        store.remove_subject(cem)
        store.withdraw_purposes(dan, ["song"])
        songs = StoredSongs(store)
        agreed = [songs.agreed(each) for each in (ann, ben, cem, dan, "nobody")]
        theme = songs.theme(ann)

    assert [True, False, False, False, False] == agreed
    assert song == theme


@pytest.mark.parametrize("sound", [each.id for each in shipped_sounds()])
def test_the_sounds_that_ship_are_prepared(sound: str) -> None:
    """Each is the file that its hash says, as loud as every song, without tags, and free of rights."""
    told, audio = sound_audio(sound)
    heard = measure(read_part(audio, 0, 60).samples)

    assert abs(heard.lufs - TARGET_LUFS) < 1
    assert heard.peak_dbtp <= TRUE_PEAK_DBTP
    assert "CC0-1.0" == told.licence
    assert b"ID3" not in audio[:10]


def test_the_sounds_that_ship_are_few_and_small() -> None:
    """All of them in the list, nothing beside them, less than 400 kB together."""
    files = list(FOLDER.glob("*.mp3"))

    assert {each.stem for each in files} == {each.id for each in shipped_sounds()}
    assert sum(each.stat().st_size for each in files) < 400_000
    with pytest.raises(UnknownSongError):
        sound_audio("../models")
