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
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from appliance.errors import InputError, PhotoError
from appliance.values import MAX_PHOTO_BYTES, EmbeddedPhoto, FloatArray, ModelId, Templates

PICTURES = (".jpg", ".jpeg", ".png", ".webp")
"""Endings of what is looked at; the rest of a folder is passed over."""
MAX_PHOTOS = 10_000
"""Compared with each other, these take 400 MB per model."""


class Embeds(Protocol):
    """Whoever decodes and embeds pictures."""

    def embed(self, content: bytes) -> EmbeddedPhoto:
        """Find and embed the largest face of a picture file.

        Raises:
            PhotoError: The file cannot be used as a picture.
        """


@dataclass(frozen=True, slots=True)
class EmbeddedFolder:
    """The usable photos of a folder.

    Attributes:
        people: Folders of people found, with or without photos.
        files: Pictures found.
        owner: Number of the person on each usable photo, int64, (p,).
        quality: Of each, 0 to 100, (p,).
        embeddings: Model → float32 (p, 128).
        several_faces: Usable photos that show more than one face; the largest was taken.
        refused: Files left out, as person/file, with the reason's code, in order.
    """

    people: int
    files: int
    owner: NDArray[np.int64]
    quality: NDArray[np.float64]
    embeddings: Mapping[ModelId, FloatArray]
    several_faces: int
    refused: tuple[tuple[str, str], ...]

    @property
    def reasons(self) -> Mapping[str, int]:
        """Reason code → number of files left out, in order of the code."""
        return dict(sorted(Counter(reason for _, reason in self.refused).items()))

    def photos(self) -> list[NDArray[np.int64]]:
        """The photo numbers of each person that has one."""
        return [np.flatnonzero(self.owner == person) for person in np.unique(self.owner)]


def photo_files(folder: Path) -> list[list[Path]]:
    """The pictures of each person, people and pictures in order of name.

    Raises:
        InputError: No folder of a person, no picture, too many, or it cannot be read.
    """
    try:
        people = [_pictures(each) for each in sorted(folder.iterdir()) if _shown(each) and each.is_dir()]
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}") from error
    hint = "wanted is FOLDER/person/photo.jpg, a folder for each person; pictures end in " + ", ".join(
        PICTURES
    )
    if not people:
        raise InputError(f"{folder} holds no folder of a person", hint=hint)
    count = sum(map(len, people))
    if not count:
        raise InputError(f"{folder} holds no pictures", hint=hint)
    if count > MAX_PHOTOS:
        raise InputError(
            f"{folder} holds {count} pictures; at most {MAX_PHOTOS} are compared",
            hint="take fewer people, or fewer photos of each",
        )
    return people


def embed_folder(
    people: Sequence[Sequence[Path]],
    models: Embeds,
    *,
    every_face: bool = False,
    tell: Callable[[], object] = lambda: None,
) -> EmbeddedFolder:
    """Embed the pictures, one after the other.

    A file that was there before, byte for byte, is left out: a person is trivially like themselves
    on the same photo.

    Args:
        people: As `photo_files` gives them.
        models: Who embeds.
        every_face: Also take faces that enrolment would refuse (blurred, turned away, small).
        tell: Called after each picture.

    Raises:
        InputError: No picture shows a face that can be used.
        WireError: The models process is gone.
    """
    owner: list[int] = []
    quality: list[float] = []
    templates: list[Templates] = []
    refused: list[tuple[str, str]] = []
    several = 0
    seen: set[str] = set()
    for person, path in _numbered(people):
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
        raise InputError(
            "no picture shows a face that can be used",
            hint="appliance evaluate --every-face also takes faces that enrolment would refuse",
        )
    return EmbeddedFolder(
        len(people),
        sum(map(len, people)),
        np.array(owner, np.int64),
        np.array(quality, np.float64),
        {model: np.stack([each[model].embedding for each in templates]) for model in templates[0]},
        several,
        tuple(refused),
    )


def _embedded(path: Path, models: Embeds, seen: set[str], *, every_face: bool) -> EmbeddedPhoto | str:
    """The photo, or the code of why it is left out."""
    try:
        if path.stat().st_size > MAX_PHOTO_BYTES:
            return "too_many_bytes"
        content = path.read_bytes()
    except OSError:
        return "unreadable"
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


def _pictures(person: Path) -> list[Path]:
    found = (each for each in person.iterdir() if _shown(each) and each.suffix.lower() in PICTURES)
    return sorted(each for each in found if each.is_file())


def _shown(path: Path) -> bool:
    return not path.name.startswith(".")
