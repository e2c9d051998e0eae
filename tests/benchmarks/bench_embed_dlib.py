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
OPERATIONS = 540e6
"""Multiplications and additions of dlib's network for one chip."""
SIDE = 1024
"""Of the matrices whose product shows what the core's arithmetic gives."""


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
    square = np.random.default_rng(4).standard_normal((SIDE, SIDE), dtype=np.float32)
    took = interleaved(
        {
            "ours": lambda: ours.embed(chip),
            "product": lambda: square @ square,
            "peer": lambda: theirs.embed(chip),
        },
        rounds=ROUNDS,
        repeat={"ours": 12, "product": 2},  # turns of about the same length
    )
    against = "dlib's compute_face_descriptor on the same chip"
    speed, ceiling = OPERATIONS / took["ours"] / 1e6, 2 * SIDE**3 / took["product"] / 1e6
    why_not = (
        f"the network does {speed:.0f} thousand million operations a second, on the same core a large matrix "
        f"product by numpy {ceiling:.0f} and dlib {OPERATIONS / took['peer'] / 1e6:.1f}; see ADR 5"
    )
    return [
        faster("embed_dlib", took["ours"], took["peer"], goal=15, against=against, why_not=why_not),
        limit("embed_dlib_difference", difference, "greatest difference", goal=1e-5, against=against),
    ]


if __name__ == "__main__":
    main(measure, __doc__)
