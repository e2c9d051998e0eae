"""A folder of people's photos: what is looked at, what is left out, and why."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from appliance.app.embedded_folder import MAX_PHOTOS, embed_folder, photo_files
from appliance.errors import InputError, PhotoError
from appliance.values import DLIB, SFACE, EmbeddedPhoto, FaceTemplate, ModelId

MODELS: tuple[ModelId, ...] = (DLIB, SFACE)


class WordsAsPhotos:
    """An embedder of files that say in words what they show: implements `Embeds`."""

    def __init__(self, shows: Mapping[bytes, EmbeddedPhoto]) -> None:
        self._shows = shows
        self.asked: list[bytes] = []

    def embed(self, content: bytes) -> EmbeddedPhoto:
        """What the file says.

        Raises:
            PhotoError: It says nothing.
        """
        self.asked.append(content)
        if content not in self._shows:
            raise PhotoError("no picture", reason="not_a_picture")
        return self._shows[content]


def photo(number: int, *, faces: int = 1, reasons: tuple[str, ...] = ()) -> EmbeddedPhoto:
    """A photo whose embeddings begin with its number."""
    vector = np.zeros(128, np.float32)
    vector[0] = number
    return EmbeddedPhoto(faces, reasons, 70.0 + number, {m: FaceTemplate(m, vector) for m in MODELS})


SHOWS = {
    b"one": photo(1),
    b"two": photo(2),
    b"three": photo(3),
    b"crowd": photo(4, faces=3),
    b"blurred": photo(5, reasons=("LOW_SHARPNESS", "LOW_BRIGHTNESS")),
    b"wall": EmbeddedPhoto(0, (), 0.0, {}),
}


def album(folder: Path, **people: tuple[bytes, ...]) -> Path:
    """A folder with people, whose photos say what they show."""
    for person, photos in people.items():
        (folder / person).mkdir()
        for number, content in enumerate(photos):
            (folder / person / f"{number}.jpg").write_bytes(content)
    return folder


def test_photos_keep_their_people_in_order(tmp_path: Path) -> None:
    """People and photos in order of name; embeddings, qualities and owners are parallel."""
    folder = album(tmp_path, b=(b"two",), a=(b"one", b"crowd"), empty=())
    found = embed_folder(photo_files(folder), WordsAsPhotos(SHOWS))

    assert (3, 3, 1) == (found.people, found.files, found.several_faces)
    assert [0, 0, 1] == found.owner.tolist()
    assert [71.0, 74.0, 72.0] == found.quality.tolist()
    assert [1.0, 4.0, 2.0] == found.embeddings[SFACE][:, 0].tolist()
    assert [[0, 1], [2]] == [each.tolist() for each in found.photos()]
    assert () == found.refused


def test_what_is_left_out_is_told_by_file_and_by_reason(tmp_path: Path) -> None:
    """No face, a poor one, no picture, the same file again, whoever's folder it is in."""
    folder = album(tmp_path, a=(b"one", b"wall", b"blurred"), b=(b"two", b"junk", b"one"))
    models = WordsAsPhotos(SHOWS)
    found = embed_folder(photo_files(folder), models)

    assert (
        ("a/1.jpg", "NO_FACE"),
        ("a/2.jpg", "LOW_SHARPNESS"),
        ("b/1.jpg", "not_a_picture"),
        ("b/2.jpg", "SAME_PHOTO"),
    ) == found.refused
    assert {"LOW_SHARPNESS": 1, "NO_FACE": 1, "SAME_PHOTO": 1, "not_a_picture": 1} == found.reasons
    assert 1 == models.asked.count(b"one")


def test_poor_faces_are_used_when_asked_for(tmp_path: Path) -> None:
    """Those that enrolment would refuse; where there is no face, there is still none."""
    folder = album(tmp_path, a=(b"blurred", b"wall"))
    found = embed_folder(photo_files(folder), WordsAsPhotos(SHOWS), every_face=True)

    assert [75.0] == found.quality.tolist()
    assert {"NO_FACE": 1} == found.reasons


def test_only_pictures_are_looked_at(tmp_path: Path) -> None:
    """Neither hidden files nor other endings, nor folders in a person's folder, nor files beside people."""
    folder = album(tmp_path, a=(b"one",))
    for name in (".hidden.jpg", "notes.txt"):
        (folder / "a" / name).write_bytes(b"two")
    (folder / "a" / "folder.jpg").mkdir()
    (folder / ".cache").mkdir()
    (folder / ".cache" / "x.jpg").write_bytes(b"three")
    (folder / "beside.jpg").write_bytes(b"three")
    (folder / "a" / "UPPER.PNG").write_bytes(b"two")

    assert [["0.jpg", "UPPER.PNG"]] == [[path.name for path in each] for each in photo_files(folder).people]


def test_a_file_too_large_is_not_even_read(tmp_path: Path) -> None:
    """It is counted as too large; the file here has no content on the disk."""
    folder = album(tmp_path, a=(b"one", b""))
    os.truncate(folder / "a" / "1.jpg", 10**9)
    found = embed_folder(photo_files(folder), WordsAsPhotos(SHOWS))

    assert (("a/1.jpg", "too_many_bytes"),) == found.refused


def test_a_file_that_vanished_is_no_file(tmp_path: Path) -> None:
    """It is counted, and the others go on."""
    folder = album(tmp_path, a=(b"one", b"two"))
    files = photo_files(folder)
    (folder / "a" / "0.jpg").unlink()
    found = embed_folder(files, WordsAsPhotos(SHOWS))

    assert (("a/0.jpg", "no_file"),) == found.refused
    assert 1 == len(found.owner)


def test_each_picture_is_told(tmp_path: Path) -> None:
    """For the bar: used or not."""
    folder = album(tmp_path, a=(b"one", b"wall"), b=(b"junk",))
    told: list[None] = []
    embed_folder(photo_files(folder), WordsAsPhotos(SHOWS), tell=lambda: told.append(None))

    assert 3 == len(told)


def test_without_a_usable_face_there_is_nothing_to_measure(tmp_path: Path) -> None:
    """It is refused, with what to try."""
    folder = album(tmp_path, a=(b"wall", b"blurred"))
    with pytest.raises(InputError, match="no picture shows a face") as refused:
        embed_folder(photo_files(folder), WordsAsPhotos(SHOWS))

    assert "whole faces" in refused.value.hint
    with pytest.raises(InputError) as told:
        embed_folder(photo_files(folder), WordsAsPhotos(SHOWS), hint="what this command can do")
    assert "what this command can do" == told.value.hint


@contextmanager
def nobody_s_eyes() -> Iterator[Path]:
    """A folder of ours, while this process sees as somebody without rights; root may read everything."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        os.seteuid(os.getuid())


def test_one_folder_that_cannot_be_read_costs_its_person_only() -> None:
    """It is counted, among the people, without blaming the folder of all or saying whose it is."""
    with nobody_s_eyes() as folder:
        album(folder, ann=(b"one",), ben=(b"two",), cem=(b"three",))
        (folder / "ben").chmod(0)
        if os.getuid() == 0:
            os.seteuid(65534)
        files = photo_files(folder)
        found = embed_folder(files, WordsAsPhotos(SHOWS))
        os.seteuid(os.getuid())
        for person in ("ann", "cem"):
            shutil.rmtree(folder / person)
        if os.getuid() == 0:
            os.seteuid(65534)
        with pytest.raises(InputError, match="1 of 1 folders in it cannot be read") as refused:
            photo_files(folder)

    assert (3, 1, 2, 2) == (found.people, found.unreadable, found.files, len(found.owner))
    assert [0, 2] == found.owner.tolist()
    assert "ben" not in refused.value.message


def test_more_pictures_than_are_compared_are_refused(tmp_path: Path) -> None:
    """Each is held against each in memory: how many there are, how many may be, what to do."""
    folder = album(tmp_path, a=(), b=())
    for number in range(MAX_PHOTOS + 1):
        (folder / "ab"[number % 2] / f"{number}.jpg").touch()
    with pytest.raises(InputError, match="5,001 pictures; at most 5,000") as refused:
        photo_files(folder)

    assert "fewer people" in refused.value.hint
    (folder / "a" / "0.jpg").unlink()
    assert MAX_PHOTOS == photo_files(folder).count


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    """In one of our sentences."""
    with pytest.raises(InputError, match="cannot be read"):
        photo_files(tmp_path / "none")
