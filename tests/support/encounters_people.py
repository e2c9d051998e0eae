"""People for made-up encounters: their photographs, and figures cut from them that can be drawn into frames.

A figure is the head of one photograph, as far as the collar, with a soft edge. Nothing here moves and
nothing is recognised; names of people stay in the archive, here they are numbers.
"""

import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.faces import FaceReader, decode_photo
from appliance.values import Box, DetectedFace, FloatArray, ImageArray

ARCHIVE = Path("testdata/faces/lfw_subset_100x4.tar")
"""Where the material has four photographs each of 100 people of LFW."""

PORTRAITS = Path(__file__).parents[2] / "data" / "portraits"

FACE_PX = 100
"""Width of the face in a figure, pixels; LFW's are 80 to 110 wide, so they are hardly resized."""
_WIDTH, _HEIGHT = 288, 352
_FACE_AT = (144.0, 170.0)
"""Where the face's middle is in a figure of that size."""
_MASKS = ((1.05, 1.2), (0.85, 1.02), (0.72, 0.9))
"""Half axes of the oval that is kept, in widths and heights of the face: the first that shows one face."""
_FEATHER_PX = 13
_NEAR_PX = 40.0


@dataclass(frozen=True)
class Person:
    """Somebody, with the picture files there are of them.

    Attributes:
        number: Which; opaque.
        offered: To enrol from, in this order; none for an impostor.
        wanted: How many of those are to become references; what is not used walks in.
        shown: What they walk in as, beside that.
    """

    number: str
    offered: tuple[bytes, ...]
    wanted: int
    shown: tuple[bytes, ...]

    @property
    def mated(self) -> bool:
        """Whether they are to be enrolled."""
        return bool(self.offered)


@dataclass(frozen=True)
class Figure:
    """What is drawn of a photograph.

    Attributes:
        levels: (colour, alpha) at full and half size; uint8, (h, w, 3) and (h, w).
        face: Width and height of the face at full size, pixels, as the detector draws it.
        middle: The face's middle at full size.
    """

    levels: tuple[tuple[ImageArray, ImageArray], ...]
    face: tuple[float, float]
    middle: tuple[float, float]


def lfw_people(archive: Path, *, seed: int, enrolled: int = 60) -> tuple[Person, ...]:
    """The people of LFW's subset: some to be enrolled with two of four photographs, the others not at all.

    Args:
        archive: `lfw_subset_100x4.tar`; read in memory.
        seed: Decides who is enrolled, and in which order their photographs are offered.
        enrolled: How many.
    """
    found: dict[str, list[bytes]] = {}
    with tarfile.open(archive) as tar:
        for member in sorted(tar.getmembers(), key=lambda m: m.name):
            file = tar.extractfile(member) if member.name.endswith(".jpg") else None
            if file is not None:
                found.setdefault(PurePosixPath(member.name).parent.name, []).append(file.read())
    rng = np.random.default_rng([seed, 1])
    chosen = set(rng.permutation(len(found))[:enrolled].tolist())
    people = []
    for number, photos in enumerate(found.values()):
        shuffled = tuple(photos[i] for i in rng.permutation(len(photos)))
        offered, shown = (shuffled, ()) if number in chosen else ((), shuffled)
        people.append(Person(f"{number:03}", offered, 2, shown))
    return tuple(people)


def portrait_people() -> tuple[Person, ...]:
    """The three people of the repository's portraits: two enrolled from one photograph each, one not.

    The second is shown in the photograph she is enrolled from; there is no other of her.
    """
    enrol, scene = PORTRAITS / "enrol", PORTRAITS / "scene"

    def person(name: str, *, offered: bool) -> Person:
        pictures = ((enrol / f"{name}.jpg").read_bytes(),) if offered else ()
        return Person(name, pictures, 1, ((scene / f"{name}.png").read_bytes(),))

    return person("obama", offered=True), person("astronaut", offered=True), person("biden", offered=False)


def cut_figure(content: bytes, reader: FaceReader) -> Figure:
    """Cut the person in the middle out of a photograph.

    Args:
        content: A picture file with a face.
        reader: Finds the face.

    Raises:
        ValueError: There is no face in it.
    """
    photo = decode_photo(content)
    face = central_face(reader.detect(photo), photo)
    if face is None:
        raise ValueError("a photograph without a face cannot walk in")
    scale = FACE_PX / face.box.width
    x, y = face.box.centre
    size = (face.box.width * scale, face.box.height * scale)
    colour, inside = _placed(photo, scale, (x, y))
    for wide, high in _MASKS:
        head = _oval(size, wide, high) * inside
        figure = _figure(colour, head, size)
        if len(reader.detect(_on_gray(figure))) == 1:
            break
    return figure


def central_face(faces: Sequence[DetectedFace], photo: ImageArray) -> DetectedFace | None:
    """The face nearest the middle, which in LFW is the person meant."""
    height, width = photo.shape[:2]
    return min(
        faces,
        key=lambda face: np.hypot(face.box.centre[0] - width / 2, face.box.centre[1] - height / 2),
        default=None,
    )


def crop_around(photo: ImageArray, box: Box, reach: float = 1.0) -> ImageArray:
    """The part of a photograph around a face, by so many of its widths and heights on each side."""
    height, width = photo.shape[:2]
    left, top = max(0, int(box.x - reach * box.width)), max(0, int(box.y - reach * box.height))
    right = min(width, int(box.x + (1 + reach) * box.width))
    bottom = min(height, int(box.y + (1 + reach) * box.height))
    return photo[top:bottom, left:right]


def _placed(photo: ImageArray, scale: float, middle: tuple[float, float]) -> tuple[ImageArray, FloatArray]:
    """The photograph in a figure's size, and how far inside its edges each pixel is, float32 0 to 1."""
    if scale < 0.7:
        photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        middle, scale = (middle[0] * scale, middle[1] * scale), 1.0
    shift = np.array(
        [[scale, 0, _FACE_AT[0] - scale * middle[0]], [0, scale, _FACE_AT[1] - scale * middle[1]]]
    )
    size = (_WIDTH, _HEIGHT)
    colour = cv2.warpAffine(photo, shift, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    whole = np.full(photo.shape[:2], 255, np.uint8)
    covered = cv2.warpAffine(whole, shift, size, flags=cv2.INTER_NEAREST)
    far = cv2.distanceTransform(
        cv2.copyMakeBorder(covered, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0), cv2.DIST_L2, 3
    )
    inside = np.clip(far[1:-1, 1:-1] / _FEATHER_PX, 0, 1).astype(np.float32)
    return np.asarray(colour, np.uint8), inside


def _oval(size: tuple[float, float], wide: float, high: float) -> FloatArray:
    """A soft oval around the face, float32 0 to 1."""
    mask = np.zeros((_HEIGHT, _WIDTH), np.float32)
    axes = (round(wide * size[0]) - _FEATHER_PX, round(high * size[1]) - _FEATHER_PX)
    cv2.ellipse(mask, (round(_FACE_AT[0]), round(_FACE_AT[1] + 0.06 * size[1])), axes, 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), _FEATHER_PX / 2), np.float32)


def _figure(colour: ImageArray, head: FloatArray, size: tuple[float, float]) -> Figure:
    full = (colour, (255 * head).round().astype(np.uint8))
    half = [cv2.resize(part, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for part in full]
    return Figure((full, (np.asarray(half[0], np.uint8), np.asarray(half[1], np.uint8))), size, _FACE_AT)


def _on_gray(figure: Figure) -> ImageArray:
    """The figure before an even wall."""
    colour, alpha = figure.levels[0]
    weight: NDArray[np.float32] = alpha[..., None].astype(np.float32) / 255
    return np.asarray(colour * weight + 140 * (1 - weight), np.uint8)
