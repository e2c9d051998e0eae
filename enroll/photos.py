"""Each picture by itself: which face of it may become a reference, and why another may not.

Reasons are codes in the manner of Rekognition's UnindexedFaces, with plain words and what to do. Whether
a face fits whoever is enrolled is `enroll.likeness`.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, NamedTuple

from appliance.errors import EnrolmentError, PhotoError
from appliance.picture_files import Embeds
from appliance.values import EmbeddedPhoto, Likeness, PhotoFace, SubjectId, Templates


class Told(NamedTuple):
    """A reason in plain words, and what to do about it."""

    words: str
    advice: str


REASONS: Mapping[str, Told] = {
    "NO_FACE": Told("no face was found", "give a picture of the whole face, seen from the front"),
    "SEVERAL_FACES": Told("more than one face", "say which one is meant, or crop the picture to it"),
    "NO_SUCH_FACE": Told("there is no face of that number", "count from the left, beginning with 1"),
    "SAME_PHOTO": Told(
        "the same picture was given before, as it is or as a copy",
        "give another picture, best of another day and in other light",
    ),
    "LOOKS_LIKE": Told(
        "the face looks like somebody who is enrolled already",
        "if it is the same person, add the picture to them; if it is another, say so to go on",
    ),
    "DOES_NOT_MATCH": Told(
        "the face does not look like the other pictures of this person",
        "check whose picture it is; if it is theirs all the same, say so to go on",
    ),
    "SMALL_BOUNDING_BOX": Told("the face is too small", "go closer, or give a larger picture"),
    "LOW_SHARPNESS": Told("the face is blurred", "hold still, and let the camera focus"),
    "LOW_BRIGHTNESS": Told("the face is too dark", "face a window or a lamp"),
    "HIGH_BRIGHTNESS": Told("the face is too bright", "step out of the glare, and turn the flash off"),
    "EXTREME_POSE": Told("the face is turned away", "look straight into the camera"),
    "LOW_CONFIDENCE": Told("hardly to be made out as a face", "show the whole face, with nothing before it"),
    "not_a_picture": Told("the file is not a picture", "give a JPEG, PNG or WebP file"),
    "truncated": Told("the picture is cut off", "copy the file again, it is incomplete"),
    "too_many_pixels": Told(
        "the picture has too many pixels",
        "give a smaller copy; 2,000 pixels along the longer side are plenty",
    ),
    "too_many_bytes": Told(
        "the file is too large", "give a smaller copy; 2,000 pixels along the longer side are plenty"
    ),
    "unsupported_format": Told("only JPEG, PNG and WebP are read", "export it as JPEG or PNG"),
    "unreadable": Told("the picture cannot be read", "export it once more as JPEG or PNG"),
    "no_file": Told(
        "the file cannot be opened", "check that it is there, an ordinary file, and yours to read"
    ),
}
"""Why a picture is no reference."""

FaceChoice = int | Literal["largest"] | None
"""Which face of several is meant: its number from the left, from 1; the largest; None: nobody has said."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture as it was handed over.

    Attributes:
        label: How to speak of it to whoever gave it (a file name); never stored.
        content: The file's bytes.
        fault: Why there are none, by code; empty if there are.
    """

    label: str
    content: bytes
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A face to choose from.

    Attributes:
        number: From the left, from 1.
        face: Where it is and how good.
        place: Where it is in words, e.g. `2nd from the left`.
    """

    number: int
    face: PhotoFace
    place: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one picture.

    Attributes:
        label: Which.
        reasons: Why it was refused, by code; empty when it was accepted.
        quality: 0 to 100.
        templates: To be stored when accepted.
        sha256: Of the file; empty if it could not be read.
        faces: Those to choose from, when nobody has said which is meant.
        same_as: Whose picture this is once more; None: nobody's, or one given just now.
        alike: Whom enrolled it looks like, most alike first.
        own: How much it looks like the person it is for, and what that was held against.
        origin: Where the picture came from: `photo` (a file), `webcam`, or `camera`, the box's own.
    """

    label: str
    reasons: tuple[str, ...]
    quality: float
    templates: Templates
    sha256: str
    faces: tuple[Candidate, ...] = ()
    same_as: SubjectId | None = None
    alike: tuple[Likeness, ...] = ()
    own: tuple[float, float] | None = None
    origin: str = "photo"

    @property
    def accepted(self) -> bool:
        """Whether it becomes a reference."""
        return not self.reasons

    @property
    def words(self) -> str:
        """The verdict for people; it names nobody."""
        if self.accepted:
            return f"accepted, quality {self.quality:.0f}"
        return "; ".join(told(reason).words for reason in self.reasons)

    @property
    def advice(self) -> str:
        """What to do about the first reason; empty when it was accepted."""
        return told(self.reasons[0]).advice if self.reasons else ""


def told(reason: str) -> Told:
    """A code in words; one that is not known stands for itself."""
    return REASONS.get(reason, Told(reason, "give another picture"))


@dataclass(frozen=True, slots=True)
class Looked:
    """A picture that can be looked at, now or again, and what was said of it.

    Attributes:
        label: How to speak of it.
        sha256: Of the file; empty if there is none.
        look: What the models make of it; raises PhotoError where it cannot be used.
        fault: Why there is nothing to look at, by code; empty if there is.
        choice: Which face is meant where there are several.
        origin: Where it came from, as in `Verdict`.
    """

    label: str
    sha256: str
    look: Callable[[], EmbeddedPhoto]
    fault: str = ""
    choice: FaceChoice = None
    origin: str = "photo"


def judge(
    photos: Iterable[Photo],
    models: Embeds,
    *,
    known: Mapping[str, SubjectId] | None = None,
    choice: FaceChoice = None,
) -> Iterator[Verdict]:
    """Look at one picture after the other; as many verdicts, in the same order, each when it is due.

    No more than one picture is held at a time, if `photos` holds no more.

    Args:
        photos: Read as they are needed.
        models: Who embeds them.
        known: sha256 of every picture given so far → whose.
        choice: Which face is meant where there are several.
    """
    yield from judge_looked(
        (
            Looked(
                photo.label,
                "" if photo.fault else hashlib.sha256(photo.content).hexdigest(),
                partial(models.embed, photo.content),
                photo.fault,
                choice,
            )
            for photo in photos
        ),
        known=known,
    )


def judge_looked(
    pictures: Iterable[Looked], *, known: Mapping[str, SubjectId] | None = None
) -> Iterator[Verdict]:
    """Likewise, of pictures some of which may have been looked at before; the same file twice is one."""
    before, now = dict(known or {}), set[str]()
    for picture in pictures:
        yield replace(_judged(picture, before, now), origin=picture.origin)


def _judged(picture: Looked, before: Mapping[str, SubjectId], now: set[str]) -> Verdict:
    label, sha256 = picture.label, picture.sha256
    if picture.fault:
        return Verdict(label, (picture.fault,), 0.0, {}, sha256)
    if sha256 in now or sha256 in before:
        return Verdict(label, ("SAME_PHOTO",), 0.0, {}, sha256, same_as=before.get(sha256))
    now.add(sha256)
    try:
        found = picture.look()
    except PhotoError as error:
        return Verdict(label, (error.reason,), 0.0, {}, sha256)
    return verdict_of(found, label, sha256, picture.choice)


def verdict_of(found: EmbeddedPhoto, label: str, sha256: str, choice: FaceChoice) -> Verdict:
    """What becomes of a picture in which these faces were found, once this one is meant.

    Args:
        found: What the models made of it.
        label: How to speak of it.
        sha256: Of the file.
        choice: Which face is meant where there are several.
    """
    if found.faces == 0:
        return Verdict(label, ("NO_FACE",), 0.0, {}, sha256)
    faces = candidates(found.found)
    if choice == "largest" or (choice is None and found.faces == 1):
        return Verdict(label, found.reasons, found.quality, found.templates, sha256)
    if choice is None:
        return Verdict(label, ("SEVERAL_FACES",), 0.0, {}, sha256, faces)
    if not 1 <= choice <= len(faces):
        return Verdict(label, ("NO_SUCH_FACE",), 0.0, {}, sha256, faces)
    chosen = faces[choice - 1].face
    return Verdict(label, chosen.reasons, chosen.quality, chosen.templates, sha256)


def candidates(faces: Sequence[PhotoFace]) -> tuple[Candidate, ...]:
    """Faces numbered from the left, with their places in words; of equals the upper one first."""
    ordered = sorted(faces, key=lambda face: (face.box.centre, face.box.width))
    count = len(ordered)
    return tuple(Candidate(number, face, _place(number, count)) for number, face in enumerate(ordered, 1))


_ORDINALS = {1: "st", 2: "nd", 3: "rd"}


def _place(number: int, count: int) -> str:
    """Where a face is, among so many from the left."""
    if count == 1:
        return "the only one"
    if number in {1, count}:
        return "leftmost" if number == 1 else "rightmost"
    teens = 10 < number % 100 < 20  # noqa: PLR2004 - 11th, 12th, 13th
    return f"{number}{'th' if teens else _ORDINALS.get(number % 10, 'th')} from the left"


def need_accepted(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The accepted ones.

    Raises:
        EnrolmentError: There is none. The message counts the reasons; it names no file and nobody, for
            it may end in a log.
    """
    accepted = [verdict for verdict in verdicts if verdict.accepted]
    if not accepted:
        reasons = [reason for verdict in verdicts for reason in verdict.reasons]
        counted = (f"{told(one).words} ({reasons.count(one)})" for one in dict.fromkeys(reasons))
        raise EnrolmentError(
            f"no picture can be used: {'; '.join(counted)}", hint=told(reasons[0]).advice if reasons else ""
        )
    return accepted
