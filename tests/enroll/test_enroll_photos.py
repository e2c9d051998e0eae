"""Which pictures become references, and why the others do not."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stores import face

from appliance.errors import EnrolmentError, PhotoError
from appliance.faces.quality import Reason
from appliance.values import DLIB, Box, EmbeddedPhoto, PhotoFace, SubjectId
from enroll.photos import REASONS, FaceChoice, Photo, candidates, judge, need_accepted
from enroll.photos import told as told_of

GOOD = EmbeddedPhoto(faces=1, reasons=(), quality=87.6, templates=face())
PHOTO_FAULTS = (
    "not_a_picture",
    "truncated",
    "too_many_pixels",
    "too_many_bytes",
    "unsupported_format",
    "unreadable",
)


class Told:
    """Somebody who embeds, to whom it was told what each picture shows.

    Attributes:
        asked: What was handed over, in order.
    """

    def __init__(self, shows: Mapping[bytes, EmbeddedPhoto | str] | None = None) -> None:
        self._shows = dict(shows or {})
        self.asked: list[bytes] = []

    def embed(self, content: bytes) -> EmbeddedPhoto:
        """What was told; a word is the reason of a PhotoError."""
        self.asked.append(content)
        found = self._shows.get(content, GOOD)
        if isinstance(found, str):
            raise PhotoError("it cannot be used", reason=found)
        return found


def photo(content: bytes, label: str = "ann.jpg") -> Photo:
    """A picture."""
    return Photo(label, content)


def test_a_good_picture_is_accepted() -> None:
    """With its templates, its quality, and the digest by which it is known again."""
    (verdict,) = judge([photo(b"a")], Told())

    assert verdict.accepted
    assert ("ann.jpg", (), 87.6) == (verdict.label, verdict.reasons, verdict.quality)
    assert GOOD.templates == verdict.templates
    assert hashlib.sha256(b"a").hexdigest() == verdict.sha256
    assert "accepted, quality 88" == verdict.words


@pytest.mark.parametrize("reason", PHOTO_FAULTS)
def test_what_cannot_be_decoded_is_refused_with_its_reason(reason: str) -> None:
    """Each code of a PhotoError becomes the verdict's, with words of its own."""
    (verdict,) = judge([photo(b"a")], Told({b"a": reason}))

    assert (False, (reason,), {}) == (verdict.accepted, verdict.reasons, dict(verdict.templates))
    assert (REASONS[reason].words, REASONS[reason].advice) == (verdict.words, verdict.advice)


@pytest.mark.parametrize("reason", [reason.value for reason in Reason])
def test_what_is_wrong_with_a_face_is_told_in_words(reason: str) -> None:
    """Every code that the faces room has is known here, and refuses."""
    told = Told({b"a": EmbeddedPhoto(1, (reason,), 12.0, face())})
    (verdict,) = judge([photo(b"a")], told)

    assert (False, (reason,)) == (verdict.accepted, verdict.reasons)
    assert (REASONS[reason].words, REASONS[reason].advice) == (verdict.words, verdict.advice)


def test_several_reasons_are_all_told() -> None:
    """In the order they came in."""
    told = Told({b"a": EmbeddedPhoto(1, ("LOW_SHARPNESS", "EXTREME_POSE"), 12.0, face())})
    (verdict,) = judge([photo(b"a")], told)

    assert f"{REASONS['LOW_SHARPNESS'].words}; {REASONS['EXTREME_POSE'].words}" == verdict.words


def test_a_picture_without_a_face() -> None:
    """It is a picture, but of nobody."""
    (verdict,) = judge([photo(b"a")], Told({b"a": EmbeddedPhoto(0, (), 0.0, {})}))

    assert ("NO_FACE",) == verdict.reasons


def at(
    x: float, y: float = 0.0, *, wide: float = 80.0, quality: float = 90.0, value: float = 0.5
) -> PhotoFace:
    """A face at a place of a picture."""
    return PhotoFace(Box(x, y, wide, wide), (), quality, face(value))


THREE = EmbeddedPhoto.of([at(300, wide=120, value=0.3), at(10, quality=71, value=0.1), at(150, value=0.2)])
"""The largest is the rightmost."""


def test_of_several_faces_one_is_to_be_chosen() -> None:
    """They are listed from the left with box, place and quality; nobody guesses, nothing is handed on."""
    (verdict,) = judge([photo(b"a")], Told({b"a": THREE}))

    assert (("SEVERAL_FACES",), {}) == (verdict.reasons, dict(verdict.templates))
    assert [(1, 10.0, 71, "leftmost"), (2, 150.0, 90, "2nd from the left"), (3, 300.0, 90, "rightmost")] == [
        (each.number, each.face.box.x, each.face.quality, each.place) for each in verdict.faces
    ]


@pytest.mark.parametrize(("choice", "value"), [(1, 0.1), (2, 0.2), (3, 0.3), ("largest", 0.3)])
def test_the_chosen_face_is_taken(choice: FaceChoice, value: float) -> None:
    """By its number from the left, or the largest; its own quality and its own reasons count."""
    (verdict,) = judge([photo(b"a")], Told({b"a": THREE}), choice=choice)

    assert verdict.accepted
    assert pytest.approx(value) == float(verdict.templates[DLIB].embedding[0])


def test_a_chosen_face_may_be_a_bad_one() -> None:
    """Being chosen does not make it sharp."""
    blurred = replace(at(10), reasons=("LOW_SHARPNESS",), quality=12.0)
    (verdict,) = judge([photo(b"a")], Told({b"a": EmbeddedPhoto.of([at(200), blurred])}), choice=1)

    assert (("LOW_SHARPNESS",), 12.0) == (verdict.reasons, verdict.quality)


@pytest.mark.parametrize("choice", [2, 4, 0, 10**9])
def test_there_is_no_face_of_that_number(choice: int) -> None:
    """In a picture of one as in a picture of three; those there are are listed."""
    shows = {b"one": EmbeddedPhoto.of([at(5)]), b"three": THREE}
    for content, faces in ((b"one", 1), (b"three", 3)):
        if choice <= faces and choice > 0:
            continue
        (verdict,) = judge([photo(content)], Told(shows), choice=choice)
        assert (("NO_SUCH_FACE",), faces) == (verdict.reasons, len(verdict.faces))


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=30))
def test_faces_are_numbered_from_the_left(places: list[tuple[int, int]]) -> None:
    """Every face once, from 1, and each place in words is another one's only if there is one face."""
    found = candidates([at(x, y) for x, y in places])

    assert list(range(1, len(places) + 1)) == [each.number for each in found]
    assert sorted(x for x, _ in places) == [each.face.box.x for each in found]
    assert len(places) == len({each.place for each in found})


@pytest.mark.parametrize(
    ("number", "words"),
    [(2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th"), (22, "22nd")],
)
def test_places_are_counted_as_people_count(number: int, words: str) -> None:
    """1st, 2nd, 3rd, and 11th to 13th, too."""
    found = candidates([at(x) for x in range(0, 1000, 40)])

    assert f"{words} from the left" == found[number - 1].place


def test_of_a_crowd_those_embedded_can_be_chosen() -> None:
    """Forty faces are several, however few of them were embedded."""
    (verdict,) = judge([photo(b"a")], Told({b"a": EmbeddedPhoto.of([at(1), at(200)], faces=40)}))

    assert (("SEVERAL_FACES",), 2) == (verdict.reasons, len(verdict.faces))


def test_a_file_that_could_not_be_read_is_a_verdict() -> None:
    """It is not embedded, and has no digest by which another unreadable one would be the same."""
    told = Told()
    verdicts = list(judge([Photo("a", b"", "no_file"), Photo("b", b"", "no_file")], told))

    assert [("no_file",)] * 2 == [verdict.reasons for verdict in verdicts]
    assert ([], {""}) == (told.asked, {verdict.sha256 for verdict in verdicts})


def test_pictures_are_read_when_they_are_due() -> None:
    """However many are given, one is held: the next is asked for after the verdict on this one."""
    asked: list[int] = []

    def pictures() -> Iterator[Photo]:
        for number in range(3):
            asked.append(number)
            yield photo(str(number).encode())

    verdicts = judge(pictures(), Told())
    next(verdicts)

    assert [0] == asked


def test_every_reason_says_what_to_do() -> None:
    """Words and advice, each a phrase of its own without a full stop; an unknown code is passed on."""
    for reason, words in REASONS.items():
        assert words.words, reason
        assert words.advice, reason
        assert not (words.words + words.advice).endswith("."), reason
    assert len(REASONS) == len({each.words for each in REASONS.values()})
    assert "odd" == told_of("odd").words


def test_the_same_picture_counts_once() -> None:
    """Under whatever name; the second is not even looked at."""
    told = Told()
    first, second = judge([photo(b"a"), photo(b"a", "copy.jpg")], told)

    assert (True, ("SAME_PHOTO",)) == (first.accepted, second.reasons)
    assert [b"a"] == told.asked


def test_a_picture_given_earlier_counts_no_more() -> None:
    """What was enrolled before is known by its digest."""
    (verdict,) = judge([photo(b"a")], Told(), known={hashlib.sha256(b"a").hexdigest(): SubjectId("ann")})

    assert (("SAME_PHOTO",), "ann") == (verdict.reasons, verdict.same_as)


@given(st.lists(st.binary(max_size=2), max_size=8))
def test_each_content_is_embedded_once_and_verdicts_stay_in_order(contents: list[bytes]) -> None:
    """However pictures repeat: as many accepted as there are different ones, parallel to what was given."""
    told = Told()
    verdicts = list(judge([photo(content, str(place)) for place, content in enumerate(contents)], told))

    assert [str(place) for place in range(len(contents))] == [verdict.label for verdict in verdicts]
    assert list(dict.fromkeys(contents)) == told.asked
    assert len(set(contents)) == sum(verdict.accepted for verdict in verdicts)


def test_somebody_is_enrolled_with_what_was_usable() -> None:
    """One good picture is enough."""
    told = Told({b"a": "truncated", b"c": "unreadable"})
    verdicts = list(judge([photo(b"a"), photo(b"b"), photo(b"c")], told))

    assert [verdicts[1]] == need_accepted(verdicts)


def test_nobody_is_enrolled_with_nothing() -> None:
    """The message counts what is wrong and names no file: it may be logged, and files have people's names."""
    told = Told({b"a": "truncated", b"b": EmbeddedPhoto(0, (), 0, {}), b"c": "truncated"})
    verdicts = list(judge([photo(each, "Ann Example.jpg") for each in (b"a", b"b", b"c")], told))

    with pytest.raises(EnrolmentError) as caught:
        need_accepted(verdicts)
    assert (
        f"no picture can be used: {REASONS['truncated'].words} (2); {REASONS['NO_FACE'].words} (1)"
        == caught.value.message
    )
    assert REASONS["truncated"].advice == caught.value.hint
    assert "Ann" not in str(caught.value)


def test_another_error_is_no_verdict() -> None:
    """A models process that is gone is not the picture's fault."""

    class Gone:
        def embed(self, content: bytes) -> EmbeddedPhoto:
            raise EnrolmentError("gone")

    with pytest.raises(EnrolmentError, match="gone"):
        list(judge([photo(b"a")], Gone()))
