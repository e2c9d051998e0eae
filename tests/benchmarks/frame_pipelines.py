"""One 720p frame with one face, matched with 10,000 references: ours against the popular webcam examples.

The peers do what `facerec_from_webcam.py` and `facerec_from_webcam_faster.py` of `face_recognition` do for
each frame: find faces, encode them, `compare_faces` and `face_distance` with a list of known encodings, take
the nearest. The only change: their BGR-to-RGB view is made contiguous, without which dlib 20 refuses it.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import cv2
import numpy as np
from bench_rows import interleaved, peer
from scene import ENROLLED, frame_720p, strangers

from appliance.faces.reader import FaceReader
from appliance.matching import Gallery
from appliance.matching.gallery import Reference
from appliance.models.folder import ModelFolder
from appliance.settings.model import FaceSettings
from appliance.values import SFACE, ImageArray, ModelId, ReferenceId, SubjectId

ROUNDS = 15


def gallery(models: Collection[ModelId]) -> Gallery:
    """10,000 people with one reference each."""
    return Gallery(
        tuple(models),
        [
            Reference(SubjectId(f"{number:05}"), ReferenceId(f"{number:05}"), model, row)
            for model in models
            for number, row in enumerate(strangers(ENROLLED, unit_length=model == SFACE))
        ],
    )


def ours(reader: FaceReader, enrolled: Gallery, frame: ImageArray) -> Callable[[], object]:
    """Detect, align, judge, embed, match."""

    def run() -> object:
        (face,) = reader.detect(frame)
        return enrolled.compare(reader.templates(reader.sample(frame, face)))

    return run


def example(library: Any, known: list[Any], frame: ImageArray, scale: float) -> Callable[[], object]:
    """The example's loop body for one frame, on a copy scaled by `scale`."""

    def run() -> object:
        small = frame if scale == 1 else cv2.resize(frame, (0, 0), fx=scale, fy=scale)
        rgb = np.ascontiguousarray(small[:, :, ::-1])
        (place,) = library.face_locations(rgb)
        (encoding,) = library.face_encodings(rgb, [place])
        matches = library.compare_faces(known, encoding)
        nearest = int(np.argmin(library.face_distance(known, encoding)))
        return nearest, matches[nearest]

    return run


def times(models: Collection[ModelId]) -> dict[str, float]:
    """Milliseconds a frame: `ours` with these models and the `networks` in it alone, `full` and `quarter`."""
    library = peer()
    frame = frame_720p()
    known = list(strangers(ENROLLED).astype(np.float64))
    with FaceReader.open(ModelFolder(), FaceSettings(), models) as reader:
        sample = reader.sample(frame, reader.detect(frame)[0])
        return interleaved(
            {
                "ours": ours(reader, gallery(models), frame),
                "networks": lambda: (reader.detect(frame), reader.templates(sample)),
                "full": example(library, known, frame, 1),
                "quarter": example(library, known, frame, 0.25),
            },
            rounds=ROUNDS,
            # Turns of about the same length, so that none of them lives on another one's warm caches.
            repeat={"ours": 6, "networks": 6},
        )


def what_limits(took: Mapping[str, float], example_name: str) -> str:
    """Where the time of a frame goes, for a row that missed its goal."""
    return (
        f"detector and embedders alone take {took['networks']:.1f} of {took['ours']:.1f} ms, which would be "
        f"{took[example_name] / took['networks']:.1f} times; their layers run within a tenth of this core's "
        "arithmetic or of its memory (embed_dlib, ADR 5)"
    )
