"""Enrolment from given pictures: which of them become references, and why others do not.

Every picture is looked at before anything is stored, so that a person is enrolled with what
was usable or not at all. Reasons are codes in the manner of Rekognition's UnindexedFaces.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from appliance.errors import EnrolmentError, PhotoError
from appliance.values import EmbeddedPhoto, Templates

REASONS = {
    "NO_FACE": "no face was found",
    "SEVERAL_FACES": "more than one face; crop it to the one that is meant",
    "SAME_PHOTO": "the same picture was given before",
    "SMALL_BOUNDING_BOX": "the face is too small; go closer or crop less",
    "LOW_SHARPNESS": "the face is blurred",
    "LOW_BRIGHTNESS": "the face is too dark",
    "HIGH_BRIGHTNESS": "the face is too bright",
    "EXTREME_POSE": "the face is turned away",
    "LOW_CONFIDENCE": "hardly to be made out as a face",
    "not_a_picture": "the file is not a picture",
    "truncated": "the picture is cut off",
    "too_many_pixels": "the picture has too many pixels",
    "too_many_bytes": "the file is too large",
    "unsupported_format": "only JPEG, PNG and WebP are read",
    "unreadable": "the picture cannot be read",
}
"""Why a picture is no reference, in words."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture as it was handed over.

    Attributes:
        label: How to speak of it to whoever gave it (a file name); never stored.
        content: The file's bytes.
    """

    label: str
    content: bytes


class Embeds(Protocol):
    """Whoever decodes and embeds pictures."""

    def embed(self, content: bytes) -> EmbeddedPhoto:
        """Find and embed the largest face of a picture file.

        Raises:
            PhotoError: The file cannot be used as a picture.
        """


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one picture.

    Attributes:
        label: Which.
        reasons: Why it was refused, by code; empty when it was accepted.
        quality: 0 to 100.
        templates: To be stored when accepted.
        sha256: Of the file.
    """

    label: str
    reasons: tuple[str, ...]
    quality: float
    templates: Templates
    sha256: str

    @property
    def accepted(self) -> bool:
        """Whether it becomes a reference."""
        return not self.reasons

    @property
    def words(self) -> str:
        """The verdict for people."""
        if self.accepted:
            return f"accepted, quality {self.quality:.0f}"
        return "; ".join(REASONS.get(reason, reason) for reason in self.reasons)


def judge(
    photos: Sequence[Photo], models: Embeds, *, known: Mapping[str, object] | None = None
) -> list[Verdict]:
    """Look at each picture; parallel to `photos`.

    Args:
        photos: At least one.
        models: Who embeds them.
        known: sha256 of pictures that this person has already given, as keys.
    """
    seen = set(known or ())
    verdicts: list[Verdict] = []
    for photo in photos:
        sha256 = hashlib.sha256(photo.content).hexdigest()
        verdicts.append(_judge(photo, sha256, models, repeated=sha256 in seen))
        seen.add(sha256)
    return verdicts


def _judge(photo: Photo, sha256: str, models: Embeds, *, repeated: bool) -> Verdict:
    if repeated:
        return Verdict(photo.label, ("SAME_PHOTO",), 0.0, {}, sha256)
    try:
        found = models.embed(photo.content)
    except PhotoError as error:
        return Verdict(photo.label, (error.reason,), 0.0, {}, sha256)
    if found.faces == 0:
        return Verdict(photo.label, ("NO_FACE",), 0.0, {}, sha256)
    if found.faces > 1:
        return Verdict(photo.label, ("SEVERAL_FACES",), found.quality, {}, sha256)
    return Verdict(photo.label, found.reasons, found.quality, found.templates, sha256)


def need_accepted(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The accepted ones.

    Raises:
        EnrolmentError: There is none; the message lists why.
    """
    accepted = [verdict for verdict in verdicts if verdict.accepted]
    if not accepted:
        listed = "; ".join(f"{verdict.label}: {verdict.words}" for verdict in verdicts)
        raise EnrolmentError(
            f"no picture can be used: {listed}", hint="one sharp, frontal, well-lit face per picture"
        )
    return accepted
