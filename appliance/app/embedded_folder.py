"""A folder of people's photos, embedded by the models process: FOLDER/person/photo.

Reads files and hands their bytes on; decodes nothing and writes nothing. A folder's name tells
people apart here and goes no further; what was left out is told by reason and number, and by file
name only to whoever asks for it.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.errors import InputError, PhotoError
from appliance.picture_files import PICTURES, Embeds, pictures_in, read_picture
from appliance.values import EmbeddedPhoto, FloatArray, ModelId, Templates

MAX_PHOTOS = 5_000
"""Each is compared with each, which `appliance evaluate` holds in memory: 0.5 GB for so many."""


@dataclass(frozen=True, slots=True)
class EmbeddedFolder:
    """The usable photos of a folder.

    Attributes:
        people: Folders of people found, with or without photos, those that cannot be read included.
        files: Pictures found.
        owner: Number of the person on each usable photo, int64, (p,).
        quality: Of each, 0 to 100, (p,).
        embeddings: Model → float32 (p, 128).
        several_faces: Usable photos that show more than one face; the largest was taken.
        refused: Files left out, as person/file, with the reason's code, in order.
        unreadable: How many of the people's folders cannot be read.
    """

    people: int
    files: int
    owner: NDArray[np.int64]
    quality: NDArray[np.float64]
    embeddings: Mapping[ModelId, FloatArray]
    several_faces: int
    refused: tuple[tuple[str, str], ...]
    unreadable: int = 0

    @property
    def reasons(self) -> Mapping[str, int]:
        """Reason code → number of files left out, in order of the code."""
        return dict(sorted(Counter(reason for _, reason in self.refused).items()))

    def photos(self) -> list[NDArray[np.int64]]:
        """The photo numbers of each person that has one."""
        return [np.flatnonzero(self.owner == person) for person in np.unique(self.owner)]


@dataclass(frozen=True, slots=True)
class PhotoFiles:
    """The pictures of a folder, not yet read.

    Attributes:
        people: The pictures of each person, people and pictures in order of name.
        unreadable: People whose folder cannot be read; they are among `people`, without pictures.
    """

    people: tuple[tuple[Path, ...], ...]
    unreadable: int

    @property
    def count(self) -> int:
        """How many pictures."""
        return sum(map(len, self.people))


def photo_files(folder: Path) -> PhotoFiles:
    """The pictures of each person. Whose folder cannot be read is left out, and counted.

    Raises:
        InputError: No folder of a person, no picture, too many, or the folder itself cannot be read.
    """
    try:
        folders = [each for each in sorted(folder.iterdir()) if _shown(each) and each.is_dir()]
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}") from error
    hint = "wanted is FOLDER/person/photo.jpg, a folder for each person; pictures end in " + ", ".join(
        PICTURES
    )
    if not folders:
        raise InputError(f"{folder} holds no folder of a person", hint=hint)
    people: list[tuple[Path, ...]] = []
    unreadable = 0
    for each in folders:
        try:
            people.append(tuple(pictures_in(each)))
        except InputError:
            people.append(())
            unreadable += 1
    found = PhotoFiles(tuple(people), unreadable)
    if not found.count:
        blamed = f"; {unreadable} of {len(people)} folders in it cannot be read" if unreadable else ""
        raise InputError(f"{folder} holds no pictures{blamed}", hint=hint)
    if found.count > MAX_PHOTOS:
        raise InputError(
            f"{folder} holds {found.count:,} pictures; at most {MAX_PHOTOS:,} are compared with each other",
            hint="take fewer people, or fewer photos of each",
        )
    return found


def embed_folder(
    files: PhotoFiles,
    models: Embeds,
    *,
    every_face: bool = False,
    hint: str = "give sharp, bright pictures of whole faces, seen from the front",
    tell: Callable[[], object] = lambda: None,
) -> EmbeddedFolder:
    """Embed the pictures, one after the other.

    A file that was there before, byte for byte, is left out: a person is trivially like themselves
    on the same photo.

    Args:
        files: As `photo_files` finds them.
        models: Who embeds.
        every_face: Also take faces that enrolment would refuse (blurred, turned away, small).
        hint: What to try when no picture shows a face that can be used.
        tell: Called after each picture.

    Raises:
        InputError: No picture shows a face that can be used.
        WireError: The models process is gone; see `appliance.app.reopening`.
    """
    owner: list[int] = []
    quality: list[float] = []
    templates: list[Templates] = []
    refused: list[tuple[str, str]] = []
    several = 0
    seen: set[str] = set()
    for person, path in _numbered(files.people):
        found = _embedded(path, models, seen, every_face=every_face)
        if isinstance(found, str):
            refused.append((f"{path.parent.name}/{path.name}", found))
        else:
            owner.append(person)
            quality.append(found.quality)
            templates.append(found.templates)
            several += found.faces > 1
        tell()
    if not owner:
        raise InputError("no picture shows a face that can be used", hint=hint)
    return EmbeddedFolder(
        len(files.people),
        files.count,
        np.array(owner, np.int64),
        np.array(quality, np.float64),
        {model: np.stack([each[model].embedding for each in templates]) for model in templates[0]},
        several,
        tuple(refused),
        files.unreadable,
    )


def _embedded(path: Path, models: Embeds, seen: set[str], *, every_face: bool) -> EmbeddedPhoto | str:
    """The photo, or the code of why it is left out."""
    content = read_picture(path)
    if isinstance(content, str):
        return content
    digest = hashlib.sha256(content).hexdigest()
    if digest in seen:
        return "SAME_PHOTO"
    seen.add(digest)
    try:
        found = models.embed(content)
    except PhotoError as error:
        return error.reason
    if not found.templates:
        return "NO_FACE"
    return found.reasons[0] if found.reasons and not every_face else found


def _numbered(people: Sequence[Sequence[Path]]) -> Iterator[tuple[int, Path]]:
    for number, files in enumerate(people):
        for path in files:
            yield number, path


def _shown(path: Path) -> bool:
    return not path.name.startswith(".")
