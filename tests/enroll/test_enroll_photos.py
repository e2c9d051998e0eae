"""Which pictures become references, and why the others do not."""

import hashlib
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stores import face

from appliance.errors import EnrolmentError, PhotoError
from appliance.faces.quality import Reason
from appliance.values import EmbeddedPhoto
from enroll.photos import REASONS, Photo, judge, need_accepted

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
    assert REASONS[reason] == verdict.words


@pytest.mark.parametrize("reason", [reason.value for reason in Reason])
def test_what_is_wrong_with_a_face_is_told_in_words(reason: str) -> None:
    """Every code that the faces room has is known here, and refuses."""
    told = Told({b"a": EmbeddedPhoto(1, (reason,), 12.0, face())})
    (verdict,) = judge([photo(b"a")], told)

    assert (False, (reason,)) == (verdict.accepted, verdict.reasons)
    assert REASONS[reason] == verdict.words


def test_several_reasons_are_all_told() -> None:
    """In the order they came in."""
    told = Told({b"a": EmbeddedPhoto(1, ("LOW_SHARPNESS", "EXTREME_POSE"), 12.0, face())})
    (verdict,) = judge([photo(b"a")], told)

    assert f"{REASONS['LOW_SHARPNESS']}; {REASONS['EXTREME_POSE']}" == verdict.words


def test_a_picture_without_a_face() -> None:
    """It is a picture, but of nobody."""
    (verdict,) = judge([photo(b"a")], Told({b"a": EmbeddedPhoto(0, (), 0.0, {})}))

    assert ("NO_FACE",) == verdict.reasons


@pytest.mark.parametrize("faces", [2, 3, 40])
def test_a_picture_of_several_people(faces: int) -> None:
    """Whose templates would be taken is left to nobody's guess; none are handed on."""
    (verdict,) = judge([photo(b"a")], Told({b"a": EmbeddedPhoto(faces, (), 90.0, face())}))

    assert (("SEVERAL_FACES",), {}) == (verdict.reasons, dict(verdict.templates))


def test_the_same_picture_counts_once() -> None:
    """Under whatever name; the second is not even looked at."""
    told = Told()
    first, second = judge([photo(b"a"), photo(b"a", "copy.jpg")], told)

    assert (True, ("SAME_PHOTO",)) == (first.accepted, second.reasons)
    assert [b"a"] == told.asked


def test_a_picture_given_earlier_counts_no_more() -> None:
    """What was enrolled before is known by its digest."""
    (verdict,) = judge([photo(b"a")], Told(), known={hashlib.sha256(b"a").hexdigest(): None})

    assert ("SAME_PHOTO",) == verdict.reasons


@given(st.lists(st.binary(max_size=2), max_size=8))
def test_each_content_is_embedded_once_and_verdicts_stay_in_order(contents: list[bytes]) -> None:
    """However pictures repeat: as many accepted as there are different ones, parallel to what was given."""
    told = Told()
    verdicts = judge([photo(content, str(place)) for place, content in enumerate(contents)], told)

    assert [str(place) for place in range(len(contents))] == [verdict.label for verdict in verdicts]
    assert list(dict.fromkeys(contents)) == told.asked
    assert len(set(contents)) == sum(verdict.accepted for verdict in verdicts)


def test_somebody_is_enrolled_with_what_was_usable() -> None:
    """One good picture is enough."""
    verdicts = judge([photo(b"a"), photo(b"b"), photo(b"c")], Told({b"a": "truncated", b"c": "unreadable"}))

    assert [verdicts[1]] == need_accepted(verdicts)


def test_nobody_is_enrolled_with_nothing() -> None:
    """The message lists every picture with what is wrong with it."""
    verdicts = judge(
        [photo(b"a", "one.jpg"), photo(b"b", "two.jpg")],
        Told({b"a": "truncated", b"b": EmbeddedPhoto(0, (), 0, {})}),
    )

    with pytest.raises(EnrolmentError) as caught:
        need_accepted(verdicts)
    assert f"one.jpg: {REASONS['truncated']}" in caught.value.message
    assert f"two.jpg: {REASONS['NO_FACE']}" in caught.value.message


def test_another_error_is_no_verdict() -> None:
    """A models process that is gone is not the picture's fault."""

    class Gone:
        def embed(self, content: bytes) -> EmbeddedPhoto:
            raise EnrolmentError("gone")

    with pytest.raises(EnrolmentError, match="gone"):
        judge([photo(b"a")], Gone())
