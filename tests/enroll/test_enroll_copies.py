"""A copy of a picture is told from another picture of the same person, and a face from those beside it."""

import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from appliance.app.embedding import open_photo_reader
from appliance.app.enrolled_faces import COPY_LIMIT, EnrolledFaces
from appliance.app.error_tables import read_tables
from appliance.faces import FaceReader, decode_photo
from appliance.settings import RecognitionSettings, Settings
from appliance.values import SubjectId, Templates

CONSENT = ("--consent", "signed form 2026-01-05")


def encoded(picture: Image.Image, kind: str = "JPEG", quality: int = 85) -> bytes:
    """A file of it."""
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, kind, quality=quality)
    return buffer.getvalue()


def cropped(picture: Image.Image, share: float) -> Image.Image:
    """Without so much of each edge."""
    wide, high = picture.size
    return picture.crop(
        (int(wide * share), int(high * share), int(wide * (1 - share)), int(high * (1 - share)))
    )


COPIES: Mapping[str, Callable[[Image.Image], bytes]] = {
    "encoded again": lambda p: encoded(p, quality=70),
    "as WebP": lambda p: encoded(p, "WEBP", 70),
    "as PNG": lambda p: encoded(p, "PNG"),
    "smaller": lambda p: encoded(p.resize((p.width * 3 // 4, p.height * 3 // 4))),
    "larger": lambda p: encoded(p.resize((p.width * 3 // 2, p.height * 3 // 2))),
    "cropped": lambda p: encoded(cropped(p, 0.1)),
    "brighter": lambda p: encoded(ImageEnhance.Brightness(p).enhance(1.15)),
}


@pytest.fixture(scope="module")
def reader() -> Iterator[FaceReader]:
    """The networks, in this process."""
    with open_photo_reader(Settings()) as opened:
        yield opened


def embedded(reader: FaceReader, content: bytes) -> Templates:
    """The face nearest the middle."""
    bgr = decode_photo(content)
    middle = np.array([bgr.shape[1], bgr.shape[0]]) / 2
    faces = reader.detect(bgr)
    return reader.templates(
        reader.sample(bgr, min(faces, key=lambda f: float(np.hypot(*(np.array(f.box.centre) - middle)))))
    )


def score(one: Templates, other: Templates) -> float:
    """How alike two faces are as pictures."""
    as_pictures = EnrolledFaces(RecognitionSettings(), read_tables()).pairs([one, other])[0]
    return float(as_pictures[0, 1])


@pytest.mark.parametrize("copy", sorted(COPIES))
@pytest.mark.parametrize("who", ["obama", "astronaut"])
def test_a_copy_is_the_same_picture(reader: FaceReader, portraits: Path, who: str, copy: str) -> None:
    """However it was changed on its way."""
    content = (portraits / f"{who}.jpg").read_bytes()
    with Image.open(io.BytesIO(content)) as picture:
        again = COPIES[copy](picture)
    enrolled = EnrolledFaces(RecognitionSettings(), read_tables())
    enrolled.add(SubjectId("ann"), [embedded(reader, content)])

    assert "ann" == enrolled.copy_of(embedded(reader, again))


def test_another_photograph_is_not(reader: FaceReader, portraits: Path) -> None:
    """Of the same person, years apart."""
    scene = portraits.parent / "scene"
    one, other = (
        embedded(reader, path.read_bytes()) for path in (portraits / "obama.jpg", scene / "obama.png")
    )

    assert score(one, other) < COPY_LIMIT


@pytest.mark.material
def test_on_many_people_copies_and_other_photographs_are_told_apart(reader: FaceReader) -> None:
    """A dozen people of LFW: no other photograph is called a copy, and nine copies in ten are."""
    path = Path(os.environ.get("APPLIANCE_TEST_MATERIAL", "none")) / "testdata/faces/lfw_subset_100x4.tar"
    if not path.is_file():
        pytest.skip("APPLIANCE_TEST_MATERIAL does not name a folder with testdata/faces/lfw_subset_100x4.tar")
    people: dict[str, list[bytes]] = {}
    with tarfile.open(path) as tar:
        for member in sorted(tar.getmembers(), key=lambda each: each.name):
            file = tar.extractfile(member)
            if file is not None:
                people.setdefault(Path(member.name).parent.name, []).append(file.read())
    copies, others = [], []
    for photos in [people[name] for name in sorted(people)[:12]]:
        first, *rest = (embedded(reader, content) for content in photos)
        others += [score(first, other) for other in rest]
        with Image.open(io.BytesIO(photos[0])) as picture:
            copies += [
                score(first, embedded(reader, COPIES[kind](picture)))
                for kind in ("encoded again", "smaller", "cropped")
            ]

    assert (36, 36) == (len(copies), len(others))
    assert max(others) < COPY_LIMIT
    assert 32 <= sum(each >= COPY_LIMIT for each in copies)


@pytest.fixture
def together(tmp_path: Path, portraits: Path) -> Path:
    """Three people beside each other: Obama, small; Collins; Biden, large."""
    scene = portraits.parent / "scene"
    pictures = []
    for path, size in (
        (portraits / "obama.jpg", 350),
        (portraits / "astronaut.jpg", 450),
        (scene / "biden.png", 700),
    ):
        picture = Image.open(path).convert("RGB")
        picture.thumbnail((size, size))
        pictures.append(picture)
    both = Image.new("RGB", (sum(p.width for p in pictures), max(p.height for p in pictures)), "white")
    left = 0
    for picture in pictures:
        both.paste(picture, (left, 0))
        left += picture.width
    path = tmp_path / "party.jpg"
    both.save(path, quality=95)
    return path


def test_of_several_faces_one_is_chosen(enrol: Any, together: Path, portraits: Path) -> None:
    """They are listed from the left, with place, box and quality; the one of the number is taken."""
    asked = enrol("add", "Eileen", together, *CONSENT, "--json")
    words = enrol("add", "Eileen", together, *CONSENT)
    wrong = enrol("add", "Eileen", together, *CONSENT, "--face", "4", "--json")
    done = enrol("add", "Eileen", together, *CONSENT, "--face", "2")
    listed = json.loads(enrol("list", "--json").out)
    again = enrol("add", "Eileen", portraits / "astronaut.jpg", "--to", listed[0]["id"], *CONSENT, "--json")
    (photo,) = json.loads(asked.out)["photos"]

    assert (11, ["SEVERAL_FACES"], None) == (asked.code, photo["reasons"], json.loads(asked.out)["subject"])
    assert [(1, "leftmost"), (2, "2nd from the left"), (3, "rightmost")] == [
        (face["face"], face["place"]) for face in photo["faces"]
    ]
    boxes = [face["box"] for face in photo["faces"]]
    assert sorted(boxes) == boxes
    assert all(4 == len(box) for box in boxes)
    assert "face 2: 2nd from the left, " in words.out
    assert "--face N or --face largest" in words.out
    assert ["NO_SUCH_FACE"] == json.loads(wrong.out)["photos"][0]["reasons"]
    assert (0, 1) == (done.code, len(listed))
    assert ["SAME_PHOTO"] == json.loads(again.out)["photos"][0]["reasons"]
    assert "Eileen" == json.loads(again.out)["photos"][0]["same_as"]["name"]


def test_the_largest_face_is_taken_if_asked_for(enrol: Any, together: Path, portraits: Path) -> None:
    """Biden's: another picture of him looks like whoever that is."""
    enrol("add", "Joe", together, *CONSENT, "--face", "largest")
    done = enrol("add", "Somebody", portraits.parent / "scene" / "biden.png", *CONSENT, "--json")
    (photo,) = json.loads(done.out)["photos"]

    assert (11, "Joe") == (done.code, (photo["same_as"] or photo["alike"][0])["name"])


@pytest.mark.parametrize("face", ["0", "-1", "two", "1.5", "\u0662", ""])
def test_a_face_is_a_number_or_the_largest(enrol: Any, together: Path, face: str) -> None:
    """Nothing else; nothing is looked at."""
    assert 2 == enrol("add", "Ann", together, *CONSENT, "--face", face).refusal[0]


def test_a_number_is_for_one_picture(enrol: Any, together: Path, portraits: Path) -> None:
    """The second face of one is somebody else than the second of another."""
    done = enrol("add", "Ann", together, portraits / "obama.jpg", *CONSENT, "--face", "2")

    assert 11 == done.refusal[0]
    assert "one by one" in done.hints[0]


def test_who_looks_like_somebody_enrolled_is_asked_about_by_name(enrol: Any, portraits: Path) -> None:
    """On standard output, with id, score and threshold; the error names nobody. Knowingly, it goes on."""
    scene = portraits.parent / "scene"
    enrol("add", "Barack", portraits / "obama.jpg", *CONSENT)
    asked = enrol("add", "Somebody", scene / "obama.png", *CONSENT)
    told = json.loads(enrol("add", "Somebody", scene / "obama.png", *CONSENT, "--json").out)
    knowingly = enrol("add", "Somebody", scene / "obama.png", *CONSENT, "--although-alike")
    (alike,) = told["photos"][0]["alike"]

    assert 11 == asked.code
    assert "looks like Barack (" in asked.out
    assert "Barack" not in asked.err
    assert ("Barack", True) == (alike["name"], alike["score"] >= alike["threshold"])
    assert 0 == knowingly.code
    assert "could be taken for" in knowingly.out


def test_a_picture_of_somebody_else_is_not_added(enrol: Any, portraits: Path) -> None:
    """With the score it reached and the threshold; knowingly, it goes on."""
    enrol("add", "Barack", portraits / "obama.jpg", *CONSENT)
    to = ("--to", json.loads(enrol("list", "--json").out)[0]["id"])
    asked = enrol("add", "Barack", portraits / "astronaut.jpg", *CONSENT, *to, "--json")
    (photo,) = json.loads(asked.out)["photos"]
    knowingly = enrol("add", "Barack", portraits / "astronaut.jpg", *CONSENT, *to, "--although-different")

    assert (11, ["DOES_NOT_MATCH"]) == (asked.code, photo["reasons"])
    assert photo["own"]["score"] < photo["own"]["threshold"]
    assert 0 == knowingly.code


def test_a_first_set_of_two_people_is_asked_about(enrol: Any, portraits: Path) -> None:
    """Nobody is enrolled until it is known whose pictures they are."""
    two = (portraits / "obama.jpg", portraits / "astronaut.jpg")
    asked = enrol("add", "Ann", *two, *CONSENT, "--json")

    assert [["DOES_NOT_MATCH"]] * 2 == [photo["reasons"] for photo in json.loads(asked.out)["photos"]]
    assert (11, "") == (asked.code, enrol("list", "--json").out.strip().strip("[]"))
    assert 0 == enrol("add", "Ann", *two, *CONSENT, "--although-different").code
