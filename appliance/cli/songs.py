"""`appliance songs …`: the library of songs, whose song is which, playing one, and silence."""

import json
from pathlib import Path
from typing import Any

import click

from appliance.app.playing import PURPOSE
from appliance.app.shipped_sounds import choose_sound, shipped_sounds
from appliance.cli.called import nearest
from appliance.cli.context import Context
from appliance.cli.files import write_file
from appliance.cli.parameters import Finite
from appliance.errors import InputError, PeerGoneError, UnknownSongError, UnknownSubjectError
from appliance.services import Services
from appliance.store import Song, Subject, SubjectState
from appliance.wire import Client
from appliance.wire.messages import Done, PlaySong, SongsStopped, StopSongs

_LEAST_ID = 4
_SONGS = "appliance songs list"
_PEOPLE = "appliance enroll list"
_PLAY_S = 60.0
_MOST_FILE = 21 << 20
"""Bytes that are read of a file: one more than is taken, so that it is the reading that refuses it."""


@click.group()
def songs() -> None:
    """Theme songs: what is in the library, for whom, and hearing them.

    \b
    Examples:
      appliance songs list
      appliance songs add fanfare.ogg --title Fanfare --start 12 --seconds 20
      appliance songs sounds
      appliance songs choose three-bells
      appliance songs give "Ann Archer" Fanfare
      appliance songs play Fanfare
      appliance songs stop

    A song is called by its title, or by the end or the beginning of its id; a person by name or id.
    """


@songs.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def list_(context: Context, *, as_json: bool) -> None:
    """List the songs, and whose they are."""
    with context.services() as services:
        kept, themes = services.store.songs(), services.store.theme_songs()
        names = {each.id: each.name for each in services.store.subjects()}
    for song in kept:
        whose = [subject for subject, theirs in themes.items() if theirs == song.id]
        if as_json:
            told = {"id": song.id, "title": song.title, "licence": song.licence, "seconds": song.seconds}
            click.echo(json.dumps({**told, "people": whose}, ensure_ascii=False))
        else:
            called = ", ".join(sorted(names.get(each) or each[-6:] for each in whose))
            click.echo(_line(song) + (f"  {called}" if called else ""))
    if not kept and not as_json:
        click.echo("there are no songs; add a file, or take one of: appliance songs sounds")


@songs.command("add")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--title", help="What it is called; the file's name otherwise.")
@click.option("--licence", default="", help="Under which it may be played, or whence it is.")
@click.option("--start", "start_s", type=Finite(), default=0.0, help="Where it begins in the file, seconds.")
@click.option("--seconds", type=Finite(), default=20.0, show_default=True, help="How long it is, 1 to 60.")
@click.pass_obj
def add(
    context: Context, *, file: Path, title: str | None, licence: str, start_s: float, seconds: float
) -> None:
    """Make a song of a part of FILE (WAV, MP3, FLAC or Ogg): trimmed, of even loudness, faded."""
    from appliance.app.embedding import photo_models

    content = _read(file)
    with (
        context.services() as services,
        photo_models(context.layout, context.process_command("models")) as models,
    ):
        made = models.prepare_song(content, start_s, seconds)
        song = services.store.add_song(
            title or file.stem[:64], licence, made.seconds, made.media_type, made.audio
        )
    click.echo(_line(song))


@songs.command("sounds")
def sounds() -> None:
    """List the sounds that ship with the appliance, free to use."""
    for each in shipped_sounds():
        click.echo(f"{each.id:<16} {each.seconds:>4.1f} s  {each.title} ({each.licence})")


@songs.command("choose")
@click.argument("sound")
@click.pass_obj
def choose(context: Context, *, sound: str) -> None:
    """Put SOUND, one that ships with the appliance, into the library."""
    with context.services() as services:
        song = choose_sound(services.store, sound)
    click.echo(_line(song))


@songs.command("give")
@click.argument("person")
@click.argument("song", required=False)
@click.option("--none", "none", is_flag=True, help="Let them have no theme song.")
@click.pass_obj
def give(context: Context, *, person: str, song: str | None, none: bool) -> None:
    """Make SONG the theme song of PERSON."""
    if none == (song is not None):
        raise click.UsageError("name a song, or say --none")
    with context.services() as services:
        whom = _person(services, person)
        found = None if song is None else _song(services, song)
        services.store.give_song(whom.id, None if found is None else found.id)
    click.echo(f"{whom.name}: {'no theme song' if found is None else found.title}")
    if found is not None and PURPOSE not in whom.purposes:
        click.echo(
            "it is not played before they agree to it: appliance enroll add --to ID --consent song", err=True
        )


@songs.command("remove")
@click.argument("song")
@click.pass_obj
def remove(context: Context, *, song: str) -> None:
    """Delete SONG; whoever had it has none."""
    with context.services() as services:
        found = _song(services, song)
        services.store.remove_song(found.id)
    click.echo(f"removed: {found.title}")


@songs.command("play")
@click.argument("song")
@click.option("--on", "output", default="box", show_default=True, help="box, screen, or another device.")
@click.pass_obj
def play(context: Context, *, song: str, output: str) -> None:
    """Play SONG now; ends once it began."""
    with context.services() as services:
        found = _song(services, song)
    _asked(context, PlaySong(song=found.id, output=output), Done)
    click.echo(f"playing: {found.title}")


@songs.command("stop")
@click.pass_obj
def stop(context: Context) -> None:
    """End what plays and what waits."""
    ended = _asked(context, StopSongs(), SongsStopped).songs
    click.echo("nothing was playing" if ended == 0 else f"stopped: {ended}")


@songs.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.pass_obj
def export(context: Context, *, folder: Path) -> None:
    """Write every song into FOLDER as ID.mp3, for players that fetch them there (see media_base)."""
    with context.services() as services:
        kept = services.store.songs()
        for song in kept:
            write_file(folder / f"{song.id}.mp3", services.store.song_audio(song.id))
    click.echo(f"{len(kept)} songs in {folder}")


def _asked(context: Context, message: Any, expect: Any) -> Any:
    """What dispatch answers.

    Raises:
        PeerGoneError: It does not run.
    """
    client = Client(context.layout.socket("dispatch"))
    try:
        return client.call(message, expect, timeout_s=_PLAY_S).message
    except PeerGoneError as error:
        raise PeerGoneError("nothing that plays songs runs here", hint="start the appliance first") from error


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST_FILE)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from error


def _song(services: Services, word: str) -> Song:
    """The song that a word means.

    Raises:
        UnknownSongError: None, or several.
    """
    kept = services.store.songs()
    named = [each for each in kept if each.title.casefold() == word.casefold()]
    by_id = [each for each in kept if len(word) >= _LEAST_ID and _is_id(each.id, word)]
    found = named or by_id
    if len(found) != 1:
        if found:
            words = f"there are {len(found)} songs {word!r}"
            raise UnknownSongError(words, hint="give more of its id", command=_SONGS)
        near = nearest(word, (each.title for each in kept))
        raise UnknownSongError(f"there is no song {word!r}", hint=near, command=_SONGS)
    return found[0]


def _person(services: Services, word: str) -> Subject:
    """The person that a word means.

    Raises:
        UnknownSubjectError: Nobody, or several.
    """
    people = [each for each in services.store.subjects() if each.state is not SubjectState.REMOVED]
    named = [each for each in people if (each.name or "").casefold() == word.casefold()]
    found = named or [each for each in people if len(word) >= _LEAST_ID and _is_id(each.id, word)]
    if len(found) != 1:
        if found:
            words = f"there are {len(found)} people called so"
            raise UnknownSubjectError(words, hint="give more of the id", command=_PEOPLE)
        # The hint goes to whoever asked and may name people; the message goes anywhere.
        near = nearest(word, (each.name for each in people))
        raise UnknownSubjectError("there is nobody called so", hint=near, command=_PEOPLE)
    return found[0]


def _is_id(identity: str, word: str) -> bool:
    return identity.startswith(word) or identity.endswith(word)


def _line(song: Song) -> str:
    licence = f" ({song.licence})" if song.licence else ""
    return f"{song.id[-6:]}  {song.seconds:>4.0f} s  {song.title}{licence}"
