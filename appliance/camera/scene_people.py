"""The people of a rendered scene: their cut-outs, and laying one over a picture. They do not move here."""

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import cv2
import numpy as np

import appliance
from appliance.camera.scene_script import PIXELS_PER_METRE, PORTRAITS, Pose
from appliance.errors import CameraRefusedError
from appliance.values import ImageArray

PORTRAIT_FOLDER = Path(appliance.__file__).parent.parent / "data" / "portraits" / "scene"

Cutouts = Mapping[str, tuple[ImageArray, ImageArray]]
"""By person: colour multiplied by alpha, and alpha."""

_LEAST_ZOOM = 0.6
"""A cut-out shrunk further than this is halved first, lest it flicker."""
_BGRA = 4
_GLOOM_UNTIL = 0.98
"""Scale up to which a person stands in the half light of the corridor."""


@cache
def cutouts() -> Cutouts:
    """Everybody's.

    Raises:
        CameraRefusedError: The portraits that come with the appliance are not there.
    """
    return {name: _load_cutout(portrait.file) for name, portrait in PORTRAITS.items()}


def draw_person(
    target: ImageArray, pose: Pose, *, origin: tuple[int, int], size: float, floor_y: float
) -> None:
    """Lay one person over a picture.

    Args:
        target: BGR, uint8; changed.
        pose: Who, where, how large.
        origin: Where the target's top left corner is in the frame, pixels.
        size: Pixels of the frame in a design pixel.
        floor_y: Nothing is drawn below this design pixel of the frame: something stands before it.
    """
    portrait = PORTRAITS[pose.person]
    zoom = PIXELS_PER_METRE * pose.scale * size / portrait.pixels_per_metre
    colour, alpha = cutouts()[pose.person]
    reduce = 1
    while zoom * reduce < _LEAST_ZOOM:
        reduce *= 2
    if reduce > 1:
        small = (max(1, colour.shape[1] // reduce), max(1, colour.shape[0] // reduce))
        colour = np.asarray(cv2.resize(colour, small, interpolation=cv2.INTER_AREA), np.uint8)
        alpha = np.asarray(cv2.resize(alpha, small, interpolation=cv2.INTER_AREA), np.uint8)
    pivot = (portrait.face[0] + portrait.face[2] / 2) / reduce
    warp = cv2.getRotationMatrix2D((pivot, colour.shape[0]), -pose.tilt, zoom * reduce)
    warp[0, 2] += pose.centre_x * size - origin[0] - pivot
    warp[1, 2] += pose.head_top * size - origin[1] - colour.shape[0] * (1 - zoom * reduce)
    corners = (
        warp
        @ np.asarray(
            [
                (0, 0, 1),
                (colour.shape[1], 0, 1),
                (0, colour.shape[0], 1),
                (colour.shape[1], colour.shape[0], 1),
            ]
        ).T
    )
    x0, y0 = (max(0, math.floor(v)) for v in corners.min(axis=1))
    x1 = min(target.shape[1], math.ceil(corners[0].max()))
    floor = math.ceil(floor_y * size) - origin[1]
    y1 = min(target.shape[0], math.ceil(corners[1].max()), floor)
    if x0 >= x1 or y0 >= y1:
        return
    warp[0, 2] -= x0
    warp[1, 2] -= y0
    extent = (x1 - x0, y1 - y0)
    body = cv2.warpAffine(colour, warp, extent, flags=cv2.INTER_LINEAR)
    cover = cv2.warpAffine(alpha, warp, extent, flags=cv2.INTER_LINEAR)
    gloom = min(1.0, max(0.72, 0.72 + 1.4 * (pose.scale - _GLOOM_UNTIL)))
    if gloom < 1:
        cv2.convertScaleAbs(body, dst=body, alpha=gloom)
    part = target[y0:y1, x0:x1]
    rest = cv2.cvtColor(cv2.bitwise_not(cover), cv2.COLOR_GRAY2BGR)
    cv2.multiply(part, rest, dst=part, scale=1 / 255)
    cv2.add(part, body, dst=part)


def _load_cutout(file: str) -> tuple[ImageArray, ImageArray]:
    """Colour multiplied by alpha, and alpha."""
    path = PORTRAIT_FOLDER / file
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None or picture.shape[2:] != (_BGRA,):
        raise CameraRefusedError(
            f"the scene's portrait {path} is missing or damaged",
            hint="run from a complete checkout; data/portraits comes with it",
        )
    alpha = np.ascontiguousarray(picture[..., 3])
    colour = cv2.multiply(
        np.ascontiguousarray(picture[..., :3]), cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR), scale=1 / 255
    )
    return np.asarray(colour, np.uint8), np.asarray(alpha, np.uint8)
