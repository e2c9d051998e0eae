"""The sounds that ship with the appliance, ready to be chosen: `data/sounds`, prepared, free of rights.

They are in the library only once somebody chose them. Every byte is hashed before use.
"""

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from appliance.actions.song_preparing import MEDIA_TYPE
from appliance.errors import SongError, UnknownSongError
from appliance.store import Song, Store

FOLDER: Final = Path(__file__).resolve().parents[2] / "data" / "sounds"


@dataclass(frozen=True, slots=True)
class ShippedSound:
    """One of them.

    Attributes:
        id: Its name, also of its file.
        licence: An SPDX expression.
    """

    id: str
    title: str
    seconds: float
    sha256: str
    licence: str


@cache
def shipped_sounds() -> tuple[ShippedSound, ...]:
    """All of them; none where only the program was installed, without its data."""
    listed = FOLDER / "sounds.toml"
    if not listed.exists():
        return ()
    told = tomllib.loads(listed.read_text(encoding="utf-8"))
    return tuple(
        ShippedSound(each["id"], each["title"], each["seconds"], each["sha256"], told["licence"])
        for each in told["sounds"]
    )


def sound_audio(sound: str) -> tuple[ShippedSound, bytes]:
    """One of them with its audio.

    Raises:
        UnknownSongError: There is none of that name.
        SongError: Its file is not the one that was shipped.
    """
    found = next((each for each in shipped_sounds() if each.id == sound), None)
    if found is None:
        raise UnknownSongError("there is no such sound", hint="see the list of sounds")
    try:
        audio = (FOLDER / f"{found.id}.mp3").read_bytes()
    except OSError as error:
        raise SongError("the file of this sound is missing", hint="install the appliance anew") from error
    if hashlib.sha256(audio).hexdigest() != found.sha256:
        raise SongError("the file of this sound is not the one that was shipped")
    return found, audio


def choose_sound(store: Store, sound: str) -> Song:
    """Put one of them into the library; one that is there already stays as it is.

    Raises:
        UnknownSongError: There is none of that name.
        SongError: Its file is not the one that was shipped.
        FormError: The library is full.
    """
    found, audio = sound_audio(sound)
    return store.add_song(found.title, found.licence, found.seconds, MEDIA_TYPE, audio)
