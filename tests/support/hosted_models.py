"""Models as a function in its view meets them: the store's files and its catalogue in one folder."""

import time
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.deeplens.descriptor import Descriptor, catalogue_bytes
from appliance.deeplens.guest.descriptors import Models
from appliance.deeplens.guest.heads import Network, open_network
from appliance.deeplens.starting import Shown

Picture = NDArray[np.uint8]

ROOT = Path(__file__).parents[2]
CAT = ROOT / "data" / "things" / "chelsea.png"
CUP = ROOT / "data" / "things" / "coffee.png"
PERSON = ROOT / "data" / "portraits" / "enrol" / "astronaut.jpg"


def picture(path: Path, width: int = 300, height: int = 300) -> Picture:
    """A picture as a function resizes a frame, BGR."""
    read = cv2.imread(str(path))
    assert read is not None
    return cv2.resize(read, (width, height)).astype(np.uint8)


def laid_out(shown: Shown, folder: Path) -> Models:
    """What is shown to a function, in a folder instead of a view."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in shown.notes.items():
        (folder / name).write_bytes(content)
    for name, path in shown.files.items():
        (folder / name).symlink_to(path)
    return Models(folder)


def opened(descriptor: Descriptor, files: Mapping[str, Path], folder: Path) -> Network:
    """One model as a function gets it."""
    shown = Shown(files=files, notes={"models.json": catalogue_bytes([descriptor], {})})
    return open_network(laid_out(shown, folder).find(descriptor.name))


def boxes_of(network: Network, frame: NDArray[np.generic]) -> list[tuple[int, float, tuple[float, ...]]]:
    """Label, confidence and corners of each box that `parseResult` tells of from 0.25 up."""
    return [
        (each["label"], each["prob"], tuple(each[key] for key in ("xmin", "ymin", "xmax", "ymax")))
        for each in network.parsed("ssd", network.infer(frame))
        if each["prob"] >= 0.25
    ]


def shared(box: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Intersection over union."""
    sides = [min(box[at + 2], other[at + 2]) - max(box[at], other[at]) for at in (0, 1)]
    common = max(sides[0], 0) * max(sides[1], 0)
    area = sum((each[2] - each[0]) * (each[3] - each[1]) for each in (box, other))
    return common / (area - common)


def long_ago() -> float:
    """A time at which whoever wrote a half file then is gone."""
    return time.time() - 2 * 3600
