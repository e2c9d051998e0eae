"""One clip on the disk: a folder with its wrapped key, a note about it, and a sealed file for each fragment.

    <clip id>/key                                  the key that seals the fragments, wrapped by the device key
    <clip id>/clip.json                            camera, size of the picture, what it is for, why it ended
    <clip id>/000000-1767225600123-2000.sealed     a fragment: number, begin and duration in milliseconds

A fragment is written beside its place, flushed and then renamed, so that a power cut costs the one that was
being written and no other. Its number, begin and duration are sealed to it: a file that is renamed does not
open. When a clip is deleted its key goes first, overwritten, and what is left of the folder is noise.
Which clips there are, and when one goes, is decided elsewhere; how sealing works is handed in.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from appliance import private_files
from appliance.errors import ApplianceError, UnknownClipError, VideoError, VideoFullError
from appliance.events import ClipEnd
from appliance.video.clip import About, Clip, FragmentNote

KEY = "key"
NOTE = "clip.json"
_FORMAT = 1
_FRAGMENT = re.compile(r"(\d{6})-(\d{1,15})-(\d{1,6})\.sealed")
_CLIP = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOST_NOTE_BYTES = 64 * 1024


class ClipKeys(Protocol):
    """What seals: a key for each clip, which only the holder of the device key can use."""

    def new_subject_key(self, subject: str) -> bytes:
        """A new key for a clip, wrapped for it alone."""

    def seal(self, wrapped_key: bytes, subject: str, plaintext: bytes, *, row: str) -> bytes:
        """Seal something of a clip, bound to its place in it. Raises VaultError."""

    def open(self, wrapped_key: bytes, subject: str, sealed: bytes, *, row: str) -> bytes:
        """Open it. Raises VaultError."""


class ClipFolder:
    """One clip's folder.

    Args:
        folder: All clips'.
        clip: Its id, a UUID.
        keys: What seals.

    Raises:
        UnknownClipError: That is no id of a clip.
    """

    def __init__(self, folder: Path, clip: str, keys: ClipKeys) -> None:
        if not _CLIP.fullmatch(clip):
            raise UnknownClipError("there is no such clip")
        self.id = clip
        self._path = folder / clip
        self._keys = keys

    def create(self, clip: Clip) -> None:
        """Make the folder with its key and its note.

        Raises:
            VideoFullError: The disk is full, or cannot be written.
            VaultError: The vault is locked.
        """
        key = self._keys.new_subject_key(self.id)
        with _writing():
            self._path.mkdir(mode=0o700, parents=True)
            private_files.replace(self._path / KEY, key)
        self.note(clip)

    def note(self, clip: Clip) -> None:
        """Write down what is known of the clip now; its fragments tell of themselves.

        Raises:
            VideoFullError: The disk is full, or cannot be written.
        """
        about = clip.about
        note = _Note(
            format=_FORMAT,
            camera=clip.camera,
            width=clip.width,
            height=clip.height,
            causes=about.causes,
            labels=about.labels,
            streams=about.streams,
            ours=about.ours,
            retention_hours=about.retention_hours,
            ended=clip.ended,
            wanted=clip.wanted,
        )
        with _writing():
            private_files.replace(self._path / NOTE, note.model_dump_json(indent=1).encode() + b"\n")

    def add(self, number: int, begin_ms: int, duration_ms: int, content: bytes) -> FragmentNote:
        """Seal a fragment and write it, whole or not at all.

        Raises:
            VideoFullError: The disk is full, or cannot be written.
            VaultError: The vault is locked, or the clip's key is another box's.
            UnknownClipError: The clip was deleted meanwhile.
        """
        name = f"{number:06d}-{begin_ms}-{duration_ms}.sealed"
        sealed = self._keys.seal(self._key(), self.id, content, row=self._row(name))
        with _writing():
            private_files.replace(self._path / name, sealed)
        return FragmentNote(number, begin_ms, duration_ms, len(sealed))

    def read(self, fragment: FragmentNote) -> bytes:
        """A fragment in clear.

        Raises:
            UnknownClipError: It is gone.
            VideoError: It does not open: it is damaged, cut short, or not where it was.
        """
        name, key, sealed = self._sealed(fragment)
        try:
            return self._keys.open(key, self.id, sealed, row=self._row(name))
        except ApplianceError as error:
            raise VideoError(
                f"fragment {fragment.number} of this clip does not open: it is damaged, or was sealed on "
                "another box",
                hint="the other fragments of the clip play without it",
            ) from error

    def is_damaged(self, fragment: FragmentNote) -> bool:
        """Whether a fragment was read and does not open, although the clip's key does: it never will.

        Raises:
            VideoError: That cannot be told: it is gone, the disk does not read it now, or the key is another
                box's.
        """
        name, key, sealed = self._sealed(fragment)
        try:
            self._keys.seal(key, self.id, b"", row=self._row(name))
        except ApplianceError as error:
            raise VideoError(f"a clip's key does not open: {error.message}", hint=error.hint) from error
        try:
            self._keys.open(key, self.id, sealed, row=self._row(name))
        except ApplianceError:
            return True
        return False

    def load(self) -> Clip | None:
        """The clip as it lies on the disk; None: it has no key or no note, so that nothing of it can be read.

        Raises:
            VideoError: It cannot be read now, is damaged, or a newer program wrote it.
        """
        try:
            key, raw = (_beginning(self._path / name) for name in (KEY, NOTE))
            fragments = tuple(sorted(self._fragments(), key=lambda each: each.number))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise VideoError(f"a clip cannot be read: {error.strerror}") from error
        if not any(key):
            return None
        try:
            note = _Note.model_validate_json(raw)
        except ValidationError as error:
            raise VideoError("the note of a clip is damaged, or a newer appliance wrote it") from error
        about = About(note.causes, note.labels, note.streams, note.ours, note.retention_hours)
        return Clip(self.id, note.camera, note.width, note.height, about, fragments, note.ended, note.wanted)

    def tidy(self) -> None:
        """Delete what a writer that was killed left half-written.

        Raises:
            OSError: It cannot be deleted.
        """
        for path in self._path.glob(".*"):
            path.unlink(missing_ok=True)

    def drop(self, fragment: FragmentNote) -> None:
        """Delete a fragment that does not open.

        Raises:
            OSError: It cannot be deleted.
        """
        name = f"{fragment.number:06d}-{fragment.begin_ms}-{fragment.duration_ms}.sealed"
        private_files.remove(self._path / name)

    def rewrap(self, rewrapped: Callable[[str, bytes], bytes | None]) -> bool:
        """Put the clip's key, wrapped anew, in the place of the old one; whether that was needed.

        Args:
            rewrapped: The clip's id and its key → the key under another device key; None: it is already.

        Raises:
            VaultError: It opens with no key that is known.
            OSError: It cannot be written.
        """
        try:
            key = self._key()
        except UnknownClipError:
            return False
        new = rewrapped(self.id, key) if key else None
        if new is None:
            return False
        private_files.replace(self._path / KEY, new)
        return True

    def delete(self) -> None:
        """Destroy the key, then delete everything; again is fine.

        Raises:
            OSError: Something cannot be deleted.
        """
        key = self._path / KEY
        try:
            with key.open("r+b", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size
                file.write(bytes(size))
                os.fsync(file.fileno())
        except FileNotFoundError:
            pass
        key.unlink(missing_ok=True)
        if self._path.exists():
            shutil.rmtree(self._path)

    def _sealed(self, fragment: FragmentNote) -> tuple[str, bytes, bytes]:
        """A fragment's name, the clip's key, and the fragment as it lies on the disk.

        Raises:
            UnknownClipError: It is gone.
            VideoError: It cannot be read.
        """
        name = f"{fragment.number:06d}-{fragment.begin_ms}-{fragment.duration_ms}.sealed"
        key = self._key()
        try:
            return name, key, (self._path / name).read_bytes()
        except FileNotFoundError as error:
            raise UnknownClipError("there is no such fragment of this clip any more") from error
        except OSError as error:
            raise VideoError(f"a fragment cannot be read: {error.strerror}") from error

    def _key(self) -> bytes:
        try:
            return _beginning(self._path / KEY)
        except FileNotFoundError as error:
            raise UnknownClipError("there is no such clip any more") from error
        except OSError as error:
            raise VideoError(f"a clip's key cannot be read: {error.strerror}") from error

    def _row(self, name: str) -> str:
        return f"clips/{self.id}/{name}"

    def _fragments(self) -> Iterator[FragmentNote]:
        for entry in os.scandir(self._path):
            found = _FRAGMENT.fullmatch(entry.name)
            if found is not None and entry.is_file(follow_symlinks=False):
                number, begin, duration = (int(each) for each in found.groups())
                yield FragmentNote(number, begin, duration, entry.stat(follow_symlinks=False).st_size)


def clip_ids(folder: Path) -> list[str]:
    """Ids of the clips that have a folder, the oldest first; files and folders of other names are none.

    Raises:
        VideoError: The folder cannot be read.
    """
    try:
        names = [entry.name for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise VideoError(f"the folder of clips cannot be read: {error.strerror}") from error
    return sorted(name for name in names if _CLIP.fullmatch(name))


class _Note(BaseModel):
    """`clip.json`."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    format: int = Field(ge=1, le=_FORMAT)
    camera: str = Field(max_length=64)
    width: int = Field(ge=0)
    height: int = Field(ge=0)
    causes: tuple[str, ...] = ()
    labels: tuple[tuple[str, float], ...] = ()
    streams: tuple[str, ...] = ()
    ours: bool = True
    retention_hours: float | None = None
    ended: ClipEnd | None = None
    wanted: tuple[tuple[str, int], ...] = ()


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    """Turns what the system says of a disk into our error."""
    try:
        yield
    except OSError as error:
        raise VideoFullError(
            f"video cannot be written to the disk: {error.strerror}",
            hint="make room on the disk that holds the state directory",
        ) from error


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MOST_NOTE_BYTES)
