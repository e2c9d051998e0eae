"""Door scenes with true timelines, drawn from a seed: what a judge of the door room is shown.

Written without looking at how the door is watched: an admin's drawing of region and seed, and the shares of
a plain fill on a shut frame, are all that the settings know. `door_scenes_families` says what happens in
them, `door_scenes_clip` draws, `door_scenes_scoring` compares a reported timeline with the truth.

Seeds from 100 on are held out: nobody tunes on them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import cv2
import numpy as np
from door_scenes_clip import Clip, Move, Plan, Truth, pad_of, steady
from door_scenes_families import FAMILIES
from door_scenes_stage import Picture, Points, Stage

from appliance.door import ShutPicture, shut_picture, snapshot
from appliance.settings import DoorSettings
from appliance.values import WHOLE_FRAME, Frame, Region

HELD_OUT = 100
"""Seeds from here on were not looked at while tuning."""


@dataclass(frozen=True)
class DoorScene:
    """One scene.

    Attributes:
        name: Family and number.
        family: What it is about.
        clip: Its frames, drawn when asked for.
        calibration: The same door, shut for 4 s, then opened for 3 s, nobody there.
        opened_s: When the door opens in the calibration clip, seconds.
        door: What an admin would have drawn.
    """

    name: str
    family: str
    clip: Clip
    calibration: Clip
    opened_s: float
    door: DoorSettings

    @property
    def fps(self) -> float:
        """Frames a second."""
        return self.clip.plan.fps

    @property
    def truth(self) -> Truth:
        """The state in the beginning and every change: (seconds, open or shut)."""
        return self.clip.truth

    @property
    def outline(self) -> Points:
        """The doorway's corners, clockwise from top left, pixels, (4, 2)."""
        return self.clip.outline

    def frames(self) -> Iterator[Frame]:
        """The scene's frames, in order."""
        return self.clip.frames()

    def picture(self, index: int) -> Picture:
        """One frame's picture, blue first."""
        return self.clip.picture(index)


def scenes(
    seed: int, *, width: int | None = None, families: Sequence[str] | None = None
) -> Iterator[DoorScene]:
    """All scenes of a seed, in a fixed order; each is built when it is its turn.

    Args:
        seed: Everything follows from it.
        width: Draw every scene this wide, pixels, instead of as wide as it wants to be: cheaper.
        families: Only these.
    """
    for number, (family, plans) in enumerate(FAMILIES.items()):
        if families is not None and family not in families:
            continue
        for variant, make in enumerate(plans):
            key = (seed, number, variant)
            plan = make(np.random.default_rng([*key, 1]))
            if width is not None:
                plan.size = width, round(width * plan.size[1] / plan.size[0])
            yield build(f"{family}-{variant + 1}", family, plan, key)


def build(name: str, family: str, plan: Plan, key: Sequence[int]) -> DoorScene:
    """Paint the stage of a plan, and draw the door's settings on a shut frame."""
    rng = np.random.default_rng([*key, 2])
    stage = Stage(rng, plan.look, plan.size, pad_of(plan.size))
    clip = Clip(plan, stage, key)
    calibration, opened_s = _calibration(clip, key)
    return DoorScene(
        name, family, clip, calibration, opened_s, draw(calibration, np.random.default_rng([*key, 3]))
    )


def _calibration(clip: Clip, key: Sequence[int]) -> tuple[Clip, float]:
    """Shut, then opened as far as in the scene; the light as in its beginning."""
    plan = clip.plan
    widest = max(max([s, *(m.to for m in moves)]) for moves, s in zip(plan.moves, plan.start, strict=True))
    opened = 4.0
    zero = np.zeros(1)
    changes: dict[str, object] = {
        "duration": 8.0,
        "moves": [[Move(opened, 1.0, widest)] for _ in plan.moves],
        "start": tuple(0.0 for _ in plan.start),
        **{
            name: steady(float(getattr(plan, name)(zero)[0]))
            for name in ("day", "lamp", "behind", "exposure")
        },
        "people": [],
        "shade": None,
        "nudges": (),
        "fps": max(plan.fps, 5.0),
    }
    return clip.shortened(changes, (*key, 9)), opened


def draw(shut: Clip, rng: np.random.Generator) -> DoorSettings:
    """What an admin draws: the upper part of the door, some wall around it, a point on the door.

    Args:
        shut: A clip that begins with the door shut.
        rng: How steady the admin's hand is.
    """
    width, height = shut.plan.size
    quad = shut.outline / (width, height)
    door_wide = float(quad[1, 0] - quad[0, 0])
    door_high = float(min(1.0, quad[2:, 1].max()) - quad[:2, 1].mean())
    beside, above = door_wide * rng.uniform(0.07, 0.14), door_wide * rng.uniform(0.05, 0.12) * width / height
    low = float(quad[:2, 1].max()) + max(0.1, door_high * rng.uniform(0.24, 0.36))
    region = (
        max(0.0, float(quad[0, 0]) - beside),
        max(0.0, float(quad[:2, 1].min()) - above),
        min(1.0, float(quad[1, 0]) + beside),
        min(0.95, low),
    )
    seed = _seed_point(shut, quad, low, rng)
    frame = next(shut.frames())
    gray = frame.gray(Region(*region))
    inside = (seed[0] - region[0]) / (region[2] - region[0]), (seed[1] - region[1]) / (region[3] - region[1])
    expected = _door_share(quad, region)
    tolerance, share = _try_tolerances(gray, inside, expected)
    return DoorSettings(
        id="front",
        camera="entrance",
        region=region,
        seed=seed,
        tolerance=tolerance,
        shut_fraction=round(share, 3),
    )


def kept_picture(scene: DoorScene) -> ShutPicture:
    """What an admin kept who said "it is shut now": half a second of the shut door, before the scene."""
    shut = islice(scene.calibration.frames(), max(2, round(scene.calibration.plan.fps / 2)))
    looks = [snapshot(frame.stamp.monotonic_s, frame.gray(WHOLE_FRAME)) for frame in shut]
    return shut_picture(looks, scene.door.region)


def _seed_point(shut: Clip, quad: Points, low: float, rng: np.random.Generator) -> tuple[float, float]:
    """A point on the door itself: of a glass door on its upper rail, of a double door beside the middle."""
    top = float(quad[:2, 1].mean())
    leaf = shut.stage.leaves[0]
    if shut.plan.look.glass:
        rail = np.argmax(leaf.alpha[:, leaf.alpha.shape[1] // 2] < 255) / leaf.alpha.shape[0]
        floor = float(quad[2:, 1].mean())
        down = top + (floor - top) * rail * 0.5
    else:
        down = top + (low - top) * rng.uniform(0.4, 0.7)
    across = rng.choice([0.28, 0.72]) if shut.plan.look.leaves > 1 else rng.uniform(0.35, 0.65)
    return float(quad[0, 0] + (quad[1, 0] - quad[0, 0]) * across), down


def _door_share(quad: Points, region: tuple[float, float, float, float]) -> float:
    """Share of the region that the door covers, by its outline."""
    mask = np.zeros((200, 200), np.uint8)
    size = np.array([region[2] - region[0], region[3] - region[1]])
    cv2.fillConvexPoly(mask, np.rint((quad - region[:2]) / size * 200).astype(np.int32), 1)
    return float(mask.mean())


def _try_tolerances(gray: Picture, seed: tuple[float, float], expected: float) -> tuple[int, float]:
    """The customary tolerance, or the next smaller that stays on the door; else the customary one."""
    shares = {tolerance: _plain_share(gray, seed, tolerance) for tolerance in (12, 8, 6, 4)}
    for tolerance, share in shares.items():
        if share <= expected * 1.08:
            return tolerance, max(0.02, share)
    return 12, max(0.02, shares[12])


def _plain_share(gray: Picture, seed: tuple[float, float], tolerance: int) -> float:
    """What cv2.floodFill from the seed covers, as anybody would try it out."""
    high, wide = gray.shape
    mask = np.zeros((high + 2, wide + 2), np.uint8)
    at = min(int(seed[0] * wide), wide - 1), min(int(seed[1] * high), high - 1)
    flags = 4 | cv2.FLOODFILL_FIXED_RANGE | cv2.FLOODFILL_MASK_ONLY
    cv2.floodFill(cv2.blur(gray, (5, 5)), mask, at, 0, tolerance, tolerance, flags)
    return float(mask[1:-1, 1:-1].mean())
