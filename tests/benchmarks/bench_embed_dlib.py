"""One aligned chip: dlib's network in onnxruntime against dlib itself, time and greatest difference."""

from collections.abc import Sequence

import numpy as np
from bench_rows import Row, faster, interleaved, limit, main
from scene import frame_720p

from appliance.faces.embed import DlibEmbedder, DlibReferenceEmbedder
from appliance.faces.reader import FaceReader
from appliance.models.folder import ModelFolder
from appliance.settings.model import FaceSettings

ROUNDS = 25


def measure() -> Sequence[Row]:
    """Both on the same chip; the difference also on noise."""
    folder = ModelFolder()
    ours = DlibEmbedder(folder.path("dlib-resnet"))
    theirs = DlibReferenceEmbedder(folder.path("dlib-resnet-dat"))
    ours.open()
    theirs.open()
    frame = frame_720p()
    with FaceReader.open(folder, FaceSettings(), []) as reader:
        chip = reader.sample(frame, reader.detect(frame)[0]).dlib_chip[None]
    noise = np.random.default_rng(3).integers(0, 256, (4, 150, 150, 3), dtype=np.uint8)
    chips = np.concatenate([chip, noise])
    difference = float(np.abs(ours.embed(chips) - theirs.embed(chips)).max())
    took = interleaved(
        {"ours": lambda: ours.embed(chip), "peer": lambda: theirs.embed(chip)},
        rounds=ROUNDS,
        repeat={"ours": 12},  # turns of the same length
    )
    against = "dlib's compute_face_descriptor on the same chip"
    return [
        faster("embed_dlib", took["ours"], took["peer"], goal=15, against=against),
        limit("embed_dlib_difference", difference, "greatest difference", goal=1e-5, against=against),
    ]


if __name__ == "__main__":
    main(measure, __doc__)
