"""People for the door scenes: painted silhouettes in textured clothes, laid over a picture at any size.

Also a board that somebody carries. Knows nothing of doors or time.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from door_scenes_stage import Picture, blend, u8
from numpy.typing import NDArray

_HIGH, _WIDE = 440, 200
_SKINS = ((96, 122, 168), (140, 172, 214), (62, 86, 128), (168, 194, 228), (44, 60, 92))
_HAIRS = ((24, 28, 34), (40, 62, 92), (96, 150, 190), (150, 152, 156), (28, 40, 110))


@dataclass(frozen=True)
class Sprite:
    """A cut-out: colour and cover, in as many poses as it takes to walk."""

    poses: tuple[tuple[Picture, Picture], ...]

    def draw(
        self, onto: Picture, x: float, top: float, height: float, gain: float = 1.0, *, pose: int = 0
    ) -> None:
        """Lay it over a picture, in place.

        Args:
            onto: uint8, (h, w, 3).
            x: Middle, pixels.
            top: Top of the head, pixels.
            height: From head to foot, pixels; more than fits is cut off.
            gain: Light that falls on it.
            pose: Which pose, counted around.
        """
        bgr, alpha = self.poses[pose % len(self.poses)]
        scale = height / bgr.shape[0]
        width = bgr.shape[1] * scale
        left, right = max(0, int(x - width / 2)), min(onto.shape[1], int(np.ceil(x + width / 2)))
        upper, lower = max(0, int(top)), min(onto.shape[0], int(np.ceil(top + height)))
        if right - left < 2 or lower - upper < 2:
            return
        move = np.array([[scale, 0, x - width / 2 - left], [0, scale, top - upper]], np.float64)
        size = right - left, lower - upper
        flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        seen = cv2.warpAffine(bgr, move, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        cover = cv2.warpAffine(alpha, move, size, flags=flags, borderMode=cv2.BORDER_CONSTANT)
        if gain != 1.0:
            seen = cv2.convertScaleAbs(seen, alpha=gain)
        blend(onto[upper:lower, left:right], seen, cover)


def person(rng: np.random.Generator) -> Sprite:
    """Somebody, in clothes of their own, with four poses of walking."""
    skin = np.array(_SKINS[rng.integers(len(_SKINS))], np.float32)
    hair = np.array(_HAIRS[rng.integers(len(_HAIRS))], np.float32)
    broad = rng.uniform(0.88, 1.15)
    top, legs = _cloth(rng), _cloth(rng, plain=True)
    long_hair = bool(rng.random() < 0.4)
    carries = bool(rng.random() < 0.3)
    bag = rng.uniform(30, 140, 3).astype(np.float32)
    poses = []
    for swing in (-1.0, -0.2, 1.0, 0.2):
        colour = np.zeros((_HIGH, _WIDE, 3), np.float32)
        cover = np.zeros((_HIGH, _WIDE), np.uint8)
        _limbs(colour, cover, legs, swing)
        _torso(colour, cover, top, broad, swing)
        if carries:
            _part(colour, cover, bag, cv2.boundingRect(np.array([(120, 130), (165, 240)])))
        _head(colour, cover, skin, hair, long_hair=long_hair)
        light = np.linspace(1.08, 0.85, _HIGH, dtype=np.float32)[:, None, None]
        poses.append((u8(colour * light), cv2.GaussianBlur(cover, (3, 3), 0)))
    return Sprite(tuple(poses))


def board(rng: np.random.Generator, *, even: bool) -> Sprite:
    """Something flat that is carried past: a whiteboard, a box, a ladder's side."""
    colour = np.empty((_HIGH, 300, 3), np.float32)
    colour[:] = rng.uniform(60, 225) + rng.uniform(-20, 20, 3)
    if not even:
        for _ in range(14):
            x, y = rng.integers(0, 300), rng.integers(0, _HIGH)
            cv2.line(
                colour, (int(x), int(y)), (int(x + rng.integers(-60, 60)), int(y + 20)), (40, 60, 160), 3
            )
    cover = np.full((_HIGH, 300), 255, np.uint8)
    return Sprite(((u8(colour), cover),))


def _cloth(rng: np.random.Generator, *, plain: bool = False) -> NDArray[np.float32]:
    """A piece of cloth as large as a person."""
    base = rng.uniform(20, 215) + rng.uniform(-40, 40, 3)
    cloth = np.empty((_HIGH, _WIDE, 3), np.float32)
    cloth[:] = np.clip(base, 8, 245)
    kind = 0 if plain else rng.integers(5)
    other = np.clip(base + rng.choice([-1, 1]) * rng.uniform(25, 80), 5, 250)
    period = int(rng.integers(8, 26))
    if kind in {1, 3}:
        cloth[np.arange(_HIGH) // period % 2 == 0] = other
    if kind in {2, 3}:
        cloth[:, np.arange(_WIDE) // period % 2 == 0] = (other + base) / 2
    folds = cv2.resize(
        rng.normal(0, 1, (22, 10)).astype(np.float32), (_WIDE, _HIGH), interpolation=cv2.INTER_CUBIC
    )
    return cloth * (1 + 0.09 * folds)[..., None]


def _part(
    colour: NDArray[np.float32], cover: Picture, cloth: NDArray[np.float32], rect: tuple[int, int, int, int]
) -> None:
    x, y, w, h = rect
    colour[y : y + h, x : x + w] = cloth
    cover[y : y + h, x : x + w] = 255


def _shape(
    colour: NDArray[np.float32], cover: Picture, cloth: NDArray[np.float32], points: list[tuple[float, float]]
) -> None:
    mask = np.zeros(cover.shape, np.uint8)
    cv2.fillPoly(mask, [np.rint(points).astype(np.int32)], 255)
    where = mask > 0
    colour[where] = cloth[where]
    cover[where] = 255


def _limbs(colour: NDArray[np.float32], cover: Picture, cloth: NDArray[np.float32], swing: float) -> None:
    """Two legs, apart as far as the step goes."""
    for side in (-1, 1):
        foot = 100 + side * (18 + 16 * swing * side)
        hip = 100 + side * 17
        outline = [(hip - 19, 220), (hip + 19, 220), (foot + 13, 430), (foot - 13, 430)]
        _shape(colour, cover, cloth * (1.0 if side > 0 else 0.86), outline)


def _torso(
    colour: NDArray[np.float32], cover: Picture, cloth: NDArray[np.float32], broad: float, swing: float
) -> None:
    """Body and arms."""
    wide = 48 * broad
    for side in (-1, 1):
        shoulder, hand = 100 + side * wide, 100 + side * (wide + 10 - 7 * swing * side)
        outline = [(shoulder - 11, 82), (shoulder + 9, 84), (hand + 10, 232), (hand - 9, 232)]
        _shape(colour, cover, cloth * 0.8, outline)
    body = [
        *((100 - 14, 66), (100 + 14, 66), (100 + wide, 80), (100 + wide * 0.86, 160)),
        *((100 + wide * 0.84, 242), (100 - wide * 0.84, 242), (100 - wide * 0.86, 160), (100 - wide, 80)),
    ]
    _shape(colour, cover, cloth, body)


def _head(
    colour: NDArray[np.float32],
    cover: Picture,
    skin: NDArray[np.float32],
    hair: NDArray[np.float32],
    *,
    long_hair: bool,
) -> None:
    """Neck, face, hair, and what shadows make of a face from afar."""
    ink = [float(c) for c in hair]
    tone = [float(c) for c in skin]
    for paint, value in ((colour, ink), (cover, 255)):
        cv2.ellipse(paint, (100, 32), (27, 32), 0, 0, 360, value, -1)
        if long_hair:
            cv2.rectangle(paint, (74, 32), (126, 82), value, -1)
    for paint, value in ((colour, tone), (cover, 255)):
        cv2.rectangle(paint, (90, 52), (110, 74), value, -1)
        cv2.ellipse(paint, (100, 38), (21, 27), 0, 0, 360, value, -1)
    for x in (91, 109):
        cv2.circle(colour, (x, 34), 3, [c * 0.4 for c in tone], -1)
    cv2.line(colour, (93, 52), (107, 52), [c * 0.6 for c in tone], 2)
