"""Hosted models as a function uses them: inferences a second of a frame of a DeepLens, by what they find.

Each turn is what the sample projects do for a frame: resize 2688 x 1520 to the model's size, `doInference`,
`parseResult`. Beside VOC, OpenCV does the same with the published Caffe file. One thread; processor time.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from bench_rows import Row, interleaved, main

from appliance.app.hosted_models import open_model_store
from appliance.deeplens.guest.descriptors import Models
from appliance.deeplens.guest.heads import Network, open_network
from appliance.models.folder import ModelFolder

ROOT = Path(__file__).parents[2]
GOAL = 15.0
"""Inferences a second of a hosted VOC detector."""
ROUNDS = 15
MODELS = {
    "voc": ("mxnet_deploy_ssd_resnet50_300_FP16_FUSED.xml", 300),
    "face": ("mxnet_deploy_ssd_FP16_FUSED.xml", 300),
    "coco": ("ssd_mobilenet_v2_coco", 300),
    "classifier": ("mxnet_squeezenet.xml", 224),
    "featurizer": ("featurizer-v1", 224),
}


def measure() -> Sequence[Row]:
    """Every network that is built in; VOC against OpenCV's."""
    cv2.setNumThreads(1)
    folder = ModelFolder()
    frame = cv2.resize(cv2.imread(str(ROOT / "data" / "things" / "chelsea.png")), (2688, 1520))
    with tempfile.TemporaryDirectory() as scratch:
        view = laid_out(folder, Path(scratch))
        turns = {
            name: turn(open_network(view.find(spelling)), frame, side)
            for name, (spelling, side) in MODELS.items()
        }
        took = interleaved({**turns, "opencv": by_opencv(folder, frame)}, rounds=ROUNDS)
    return [row(name, took[name], took["opencv"] if name == "voc" else None) for name in MODELS]


def laid_out(folder: ModelFolder, scratch: Path) -> Models:
    """What a function sees of the models, without a view."""
    shown = open_model_store(scratch, folder).shown()
    for name, content in shown.notes.items():
        (scratch / name).write_bytes(content)
    for name, path in shown.files.items():
        (scratch / name).symlink_to(path)
    return Models(scratch)


def turn(network: Network, frame: np.ndarray, side: int) -> Callable[[], object]:
    """What a function does with a frame."""
    kind = network.descriptor.kind

    def done() -> object:
        layers = network.infer(cv2.resize(frame, (side, side)))
        return layers if kind == "raw" else network.parsed(kind, layers)

    return done


def by_opencv(folder: ModelFolder, frame: np.ndarray) -> Callable[[], object]:
    """The same by OpenCV on the published file."""
    network = cv2.dnn.readNetFromCaffe(
        str(folder.path("voc-ssd-prototxt")), str(folder.path("voc-ssd-caffe"))
    )

    def done() -> object:
        small = cv2.resize(frame, (300, 300))
        network.setInput(cv2.dnn.blobFromImage(small, 0.007843, (300, 300), (127.5, 127.5, 127.5)))
        return network.forward()

    return done


def row(name: str, took_ms: float, peer_ms: float | None) -> Row:
    """Inferences in a second of processor time."""
    ours, peer = 1000 / took_ms, None if peer_ms is None else 1000 / peer_ms
    reached = ours >= GOAL
    against = "resize of 2688x1520, doInference, parseResult"
    if peer is not None:
        against += "; OpenCV on the published Caffe file"
    why = "" if reached else f"{GOAL - ours:.1f} inferences/s short"
    ratio = None if peer is None else ours / peer
    return Row(
        f"hosted_models_{name}", ours, peer, "inferences/s", ratio, GOAL, "at least", reached, against, why
    )


if __name__ == "__main__":
    main(measure, __doc__)
