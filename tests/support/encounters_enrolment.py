"""Enrolment before made-up encounters: the models process, and the product's own judgement of photographs.

Whoever is enrolled stands in a store with real keys afterwards; the names in it are numbers.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
from encounters_people import Person, central_face, crop_around
from encounters_plan import FPS

from appliance.app.embedding import ModelsClient, photo_models
from appliance.faces import FaceReader, decode_photo
from appliance.ids import seeded_ids
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.store import Consent
from enroll.photos import Photo, Verdict, judge

SETTINGS = Settings.model_validate(
    {"cameras": [{"id": "entrance", "source": "scene:door", "when": "always", "fps": FPS}]}
)
"""Everything as it comes, but for a camera without a door."""


@dataclass(frozen=True)
class Enrolled:
    """What became of the enrolment.

    Attributes:
        state: The state directory of the box they are enrolled in.
        people: Everybody; what was not used of those enrolled is now shown.
        subjects: Subject id → index among the people.
        references: How many each has, by index.
        cropped: Photographs accepted once cropped to the person meant, having shown several faces.
        refused: (number of the person, reasons) of each photograph that was not accepted.
    """

    state: Path
    people: tuple[Person, ...]
    subjects: Mapping[str, int]
    references: Mapping[int, int]
    cropped: int
    refused: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def failed(self) -> tuple[str, ...]:
        """Numbers of those who should be enrolled and could not be: failures to enrol."""
        return tuple(
            who.number for i, who in enumerate(self.people) if who.mated and i not in self.references
        )


def enrol(people: Sequence[Person], folder: Path, models: ModelsClient, reader: FaceReader) -> Enrolled:
    """Enrol whoever has photographs for it, by the rules of `appliance enroll add`.

    Photographs are offered until as many as wanted were accepted; for one that is refused the next is
    offered. One with several faces is first, as the refusal advises, cropped to the person meant.

    Args:
        people: Everybody; impostors are passed over.
        folder: An empty one, for the box.
        models: Decodes and embeds.
        reader: Finds the face to crop to.
    """
    state = folder / "box"
    subjects: dict[str, int] = {}
    references: dict[int, int] = {}
    refused: list[tuple[str, tuple[str, ...]]] = []
    updated: list[Person] = []
    cropped = 0
    with open_services(SETTINGS, Layout(state), create=True, ids=seeded_ids(0)) as services:
        for index, person in enumerate(people):
            accepted: list[Verdict] = []
            left: list[bytes] = []
            for content in person.offered:
                if len(accepted) == person.wanted:
                    left.append(content)
                    continue
                verdict = _judged(content, models)
                if "SEVERAL_FACES" in verdict.reasons:
                    verdict = _judged(_cropped(content, reader), models)
                    cropped += verdict.accepted
                if verdict.accepted:
                    accepted.append(verdict)
                else:
                    left.append(content)
                    refused.append((person.number, verdict.reasons))
            updated.append(replace(person, shown=(*person.shown, *left)))
            if not accepted:
                continue
            consent = Consent(purposes=("identify",), text_version="test", given_by="published photographs")
            subject = services.store.add_subject(f"person {person.number}", consent=consent)
            subjects[subject.id] = index
            references[index] = len(accepted)
            for each in accepted:
                services.store.add_reference(subject.id, each.templates, quality=each.quality, details={})
    return Enrolled(state, tuple(updated), subjects, references, cropped, tuple(refused))


def _judged(content: bytes, models: ModelsClient) -> Verdict:
    (verdict,) = judge([Photo("photo", content)], models)
    return verdict


def _cropped(content: bytes, reader: FaceReader) -> bytes:
    """A photograph cut down to the face in the middle, as PNG."""
    photo = decode_photo(content)
    face = central_face(reader.detect(photo), photo)
    part = photo if face is None else crop_around(photo, face.box, 0.45)
    return cv2.imencode(".png", part)[1].tobytes()


@contextmanager
def own_models(folder: Path) -> Iterator[ModelsClient]:
    """The models process, as a command would start it."""
    command = [sys.executable, "-m", "appliance", "--state", str(folder), "process", "models"]
    with photo_models(Layout(folder), command) as client:
        yield client
