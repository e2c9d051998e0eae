"""A door scene as a clip: a plan over time, and its frames drawn when asked for.

A plan says how far the leaves stand open, how much light there is, who walks where and what the camera adds.
The truth is computed from the plan's movements, never from the pictures.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal

import cv2
import numpy as np
from door_scenes_people import Sprite
from door_scenes_stage import Look, Picture, Points, Stage, u8
from factories import START
from numpy.typing import NDArray

from appliance.camera.pictures import JpegPicture, MadePicture
from appliance.camera.source import CapturedFrame
from appliance.values import CameraId, Frame, FrameStamp

Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""A quantity over time: seconds in, its value at each out."""
Told = Literal["open", "shut"]
Truth = tuple[tuple[float, Told], ...]

AJAR = 5.0
"""A leaf that stands further open than so many degrees (sliding: per cent of its width) is open."""
_PAD_SHARE = 0.03


def steady(value: float) -> Curve:
    """The same all the time."""
    return lambda t: np.full(t.shape, value)


def ramps(*points: tuple[float, float]) -> Curve:
    """From point to point (seconds, value) in straight lines."""
    at, values = zip(*points, strict=True)
    return lambda t: np.interp(t, at, values)


@dataclass(frozen=True)
class Move:
    """A leaf moves: from a time on, for so many seconds, to so many degrees or per cent."""

    at: float
    takes: float
    to: float


@dataclass(frozen=True)
class Path:
    """Somebody's way through the picture: (seconds, x, top, height) in fractions of width and height."""

    sprite: Sprite
    keys: tuple[tuple[float, float, float, float], ...]
    inside: bool = False
    gain: float = 1.0


@dataclass
class Plan:
    """Everything about a scene but its paint.

    Attributes:
        moves: Per leaf.
        start: How far each leaf stands open in the beginning.
        day, lamp, behind, exposure: Light over time; day and lamp together are about 1.
        auto: 0 to 1: how strongly the camera's exposure follows the picture's brightness, and how fast (s).
        people: Make the paths, once the stage stands.
        shade: Light falling unevenly at a time: a small float32 map that multiplies the picture.
        bands: Depth of the bands of a mains flicker, 0 to 1.
        noise: Standard deviation, gray levels; `blotch` is its coarse part.
        jpeg: Quality, or None: frames come as they are.
        nudges: (seconds, dx, dy): from then on the picture is shifted by so many pixels of a 640-wide one.
    """

    look: Look
    size: tuple[int, int] = (640, 360)
    fps: float = 10.0
    duration: float = 16.0
    moves: list[list[Move]] = field(default_factory=list)
    start: tuple[float, ...] = ()
    day: Curve = field(default_factory=lambda: steady(0.6))
    lamp: Curve = field(default_factory=lambda: steady(0.4))
    behind: Curve = field(default_factory=lambda: steady(0.8))
    exposure: Curve = field(default_factory=lambda: steady(1.0))
    auto: tuple[float, float] = (0.0, 0.6)
    people: list[Callable[[Stage, np.random.Generator], list[Path]]] = field(default_factory=list)
    shade: Callable[[float], NDArray[np.float32]] | None = None
    bands: float = 0.0
    noise: float = 1.5
    blotch: float = 0.0
    jpeg: int | None = None
    nudges: tuple[tuple[float, float, float], ...] = ()


def openness(moves: Sequence[Move], start: float, t: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far a leaf stands open over time; each movement starts and ends gently."""
    far = np.full(t.shape, start)
    before = start
    for move in moves:
        share = np.clip((t - move.at) / move.takes, 0, 1)
        eased = share * share * (3 - 2 * share)
        far = np.where(t >= move.at, before + (move.to - before) * eased, far)
        before = move.to
    return far


def truth_of(plan: Plan) -> Truth:
    """Beginning and every change, to the millisecond."""
    t = np.arange(0, plan.duration, 0.001)
    far = np.max([openness(m, s, t) for m, s in zip(plan.moves, plan.start, strict=True)], axis=0)
    is_open = far > AJAR
    changes = np.flatnonzero(np.diff(is_open)) + 1
    told: list[tuple[float, Told]] = [(0.0, "open" if is_open[0] else "shut")]
    told += [(float(t[i]), "open" if is_open[i] else "shut") for i in changes]
    return tuple(told)


class Clip:
    """A plan on a stage, frame by frame.

    Args:
        plan: What happens.
        stage: Where.
        seed: For people, noise and jitter.
    """

    def __init__(self, plan: Plan, stage: Stage, seed: Sequence[int]) -> None:
        self.plan, self.stage = plan, stage
        rng = np.random.default_rng([*seed, 77])
        self._paths = [path for make in plan.people for path in make(stage, rng)]
        self.times = np.arange(round(plan.duration * plan.fps)) / plan.fps
        self.truth = truth_of(plan)
        self._ajar = np.stack(
            [openness(m, s, self.times) for m, s in zip(plan.moves, plan.start, strict=True)], axis=1
        )
        self._day, self._lamp, self._behind = (c(self.times) for c in (plan.day, plan.lamp, plan.behind))
        self._exposure = plan.exposure(self.times) * self._auto_exposure()
        width, height = plan.size
        self._noise = _noise_bank(rng, (width + 64, height + 64), plan.noise, plan.blotch)
        self._offsets = rng.integers(0, 64, (len(self.times), 2))
        self._band_phase = rng.integers(0, 4096, len(self.times))
        self._kept: tuple[tuple[float, ...], Picture] | None = None

    def __len__(self) -> int:
        """Frames."""
        return len(self.times)

    @property
    def outline(self) -> Points:
        """The doorway's corners in pixels of the un-nudged picture, clockwise from top left, (4, 2)."""
        return self.stage.opening_px() - self.stage.pad

    def told(self, index: int) -> Told:
        """The truth in a frame."""
        return [state for at, state in self.truth if at <= self.times[index]][-1]

    def picture(self, index: int) -> Picture:
        """A frame as the sensor gives it, uint8, (height, width, 3), blue first."""
        t = float(self.times[index])
        state = (*self._ajar[index], self._day[index], self._lamp[index], self._behind[index])
        inside = self._placed(t, inside=True)
        if inside or self._kept is None or self._kept[0] != state:
            composed = self.stage.compose(
                self._ajar[index], self._day[index], self._lamp[index], self._behind[index], inside
            )
            if not inside:
                self._kept = state, composed
        else:
            composed = self._kept[1]
        front = self._placed(t, inside=False)
        if front:
            composed = composed.copy()
            light = float(self._day[index] + self._lamp[index])
            for sprite, x, top, height, gain in front:
                sprite.draw(composed, x, top, height, gain * light, pose=int(t * 3.2))
        return self._sensed(composed, index, t)

    def frames(self, camera: str = "entrance") -> Iterator[Frame]:
        """All frames in order, with stamps; as JPEGs if the plan says so."""
        for index, t in enumerate(self.times.tolist()):
            stamp = FrameStamp(CameraId(camera), index, t, START + timedelta(seconds=t), t)
            if self.plan.jpeg is None:
                yield CapturedFrame(stamp, MadePicture(*self.plan.size, lambda i=index: self.picture(i)))  # type: ignore[misc]
            else:
                yield CapturedFrame(stamp, JpegPicture(self.jpeg(index, self.plan.jpeg)))

    def jpeg(self, index: int, quality: int) -> bytes:
        """A frame as JPEG."""
        done, data = cv2.imencode(".jpg", self.picture(index), [cv2.IMWRITE_JPEG_QUALITY, quality])
        assert done
        return data.tobytes()

    def shortened(self, plan_changes: dict[str, object], seed: Sequence[int]) -> "Clip":
        """The same stage with another plan."""
        return Clip(replace(self.plan, **plan_changes), self.stage, seed)  # type: ignore[arg-type]

    # ------------------------------------------------------------ inside

    def _placed(self, t: float, *, inside: bool) -> list[tuple[Sprite, float, float, float, float]]:
        """Who is in the picture at a time, with place and size on the canvas."""
        width, height = self.plan.size
        found = []
        for path in self._paths:
            at = [key[0] for key in path.keys]
            if path.inside is not inside or not at[0] <= t <= at[-1]:
                continue
            x, top, tall = (float(np.interp(t, at, [key[i] for key in path.keys])) for i in (1, 2, 3))
            bob = 0.006 * tall * abs(np.sin(t * 5.0))
            pad = self.stage.pad
            found.append((path.sprite, x * width + pad, (top + bob) * height + pad, tall * height, path.gain))
        return found

    def _auto_exposure(self) -> NDArray[np.float64]:
        """The gain of a camera that keeps the picture's mean where it was, late."""
        strength, slow = self.plan.auto
        gains = np.ones(len(self.times))
        if not strength:
            return gains
        self_light = float(self._day[0]), float(self._lamp[0]), float(self._behind[0])
        widest = self._ajar.max(axis=0)
        shut = float(self.stage.compose([0.0] * len(widest), *self_light).mean())
        wide = float(self.stage.compose(widest, *self_light).mean())
        share = (self._ajar.max(axis=1) / max(1.0, widest.max())) ** 0.7
        light = (self._day + self._lamp) / (self_light[0] + self_light[1])
        wanted = (shut / ((shut + (wide - shut) * share) * light)) ** strength
        gain = wanted[0]
        for index, goal in enumerate(wanted):
            gain += (goal - gain) * min(1.0, 1 / (self.plan.fps * slow))
            gains[index] = gain
        return gains

    def _sensed(self, canvas: Picture, index: int, t: float) -> Picture:
        """What the camera makes of it: framing, shade, exposure, bands, noise."""
        width, height = self.plan.size
        pad = self.stage.pad
        dx = dy = 0
        for since, x, y in self.plan.nudges:
            if t >= since:
                dx, dy = round(x * width / 640), round(y * width / 640)
        seen = canvas[pad + dy : pad + dy + height, pad + dx : pad + dx + width]
        if self.plan.shade is not None:
            small = u8(self.plan.shade(t) * 128)
            large = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
            seen = cv2.multiply(seen, cv2.cvtColor(large, cv2.COLOR_GRAY2BGR), scale=1 / 128)
        gain = float(self._exposure[index])
        if abs(gain - 1) > 1e-4:
            seen = cv2.convertScaleAbs(seen, alpha=gain)
        if self.plan.bands:
            rows = (np.arange(height) + self._band_phase[index]) * (2 * np.pi / (height * 0.8))
            column = u8(128 * (1 + self.plan.bands * np.sin(rows)))[:, None]
            stripes = cv2.resize(column, (width, height))
            seen = cv2.multiply(seen, cv2.cvtColor(stripes, cv2.COLOR_GRAY2BGR), scale=1 / 128)
        if self._noise is not None:
            x, y = self._offsets[index]
            noise = self._noise[y : y + height, x : x + width]
            return np.asarray(cv2.add(seen, noise, dtype=cv2.CV_8U), np.uint8)
        return np.ascontiguousarray(seen)


def pad_of(size: tuple[int, int]) -> int:
    """Canvas around a picture of that size, pixels."""
    return max(6, round(_PAD_SHARE * size[0]))


def _noise_bank(
    rng: np.random.Generator, size: tuple[int, int], sigma: float, blotch: float
) -> NDArray[np.int16] | None:
    """Noise a little larger than a picture, cut differently for each frame."""
    if not sigma and not blotch:
        return None
    shape = (size[1], size[0], 3)
    gray = rng.standard_normal((*shape[:2], 1), dtype=np.float32)
    noise = sigma * (0.8 * gray + 0.6 * rng.standard_normal(shape, dtype=np.float32))
    if blotch:
        coarse = rng.standard_normal((shape[0] // 6 + 1, shape[1] // 6 + 1, 3), dtype=np.float32)
        noise += blotch * cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    return np.rint(noise).astype(np.int16)
