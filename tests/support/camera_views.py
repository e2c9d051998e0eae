"""An office before a camera for minutes: what a camera's condition is told by, and what it must not be.

The pictures come from the door scenes; a fault of the camera is laid over them from a time on.
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace

import cv2
import numpy as np
from door_scenes_chance import ordinary, plain_plan, visit
from door_scenes_clip import Clip, Plan
from door_scenes_stage import Picture, Stage
from door_scenes_ways import before, enters, past
from factories import stamp

from appliance.camera.pictures import MadePicture
from appliance.camera.source import CapturedFrame
from appliance.values import Frame

Fault = Callable[[Picture, int], Picture]
"""What a fault makes of a picture; the second argument is the frame's number, to draw noise from."""
PAD = 24


def office(seed: int, **changes: object) -> Clip:
    """Two and a half minutes of an office at two frames a second: doors open, people stand about and pass.

    Args:
        seed: Everything follows from it.
        changes: Fields of the plan that shall be different.
    """
    rng = np.random.default_rng([seed, 5])
    openings = [visit(rng, shut_s=at, stays=rng.uniform(2, 18)) for at in (15, 50, 80, 118)]
    people = [past(at, 3.0, 1.0) for at in rng.uniform(5, 140, 7)]
    people += [before(40, 40 + rng.uniform(8, 22), rng.uniform(0.4, 1.0)), enters(52, 3.0), enters(82, 3.0)]
    plan = plain_plan(rng, ordinary(rng), fps=2.0, size=(320, 180), jpeg=None, duration=150.0)
    plan = replace(plan, moves=[[move for opening in openings for move in opening]], people=people)
    return Clip(replace(plan, **changes), stage_of(plan, seed), [seed])  # type: ignore[arg-type]


def stage_of(plan: Plan, seed: int) -> Stage:
    """A stage with room around it, so that the camera can be turned."""
    return Stage(np.random.default_rng([seed, 6]), plan.look, plan.size, PAD)


def frames(
    clip: Clip, fault: Fault | None = None, *, between: tuple[float, float] = (60.0, 80.0), jpeg: int = 0
) -> Iterator[Frame]:
    """The clip's frames, with a fault for part of the time; each is drawn when somebody looks at it.

    Args:
        clip: What there is to see.
        fault: What goes wrong.
        between: From when to when, seconds.
        jpeg: Quality of a JPEG round trip; 0: none.
    """

    @functools.lru_cache(maxsize=1)
    def picture(index: int) -> Picture:
        drawn = clip.picture(index)
        if fault is not None and between[0] <= clip.times[index] < between[1]:
            drawn = fault(drawn, index)
        if jpeg:
            _, data = cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, jpeg])
            drawn = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
        return drawn

    for index, t in enumerate(clip.times.tolist()):
        yield CapturedFrame(stamp(index, t), MadePicture(*clip.plan.size, functools.partial(picture, index)))


def _noisy(values: np.ndarray, number: int, sigma: float = 2.0) -> Picture:
    noise = np.random.default_rng(number).normal(0, sigma, values.shape)
    return np.clip(values + noise, 0, 255).astype(np.uint8)


def covered(picture: Picture, number: int) -> Picture:
    """A hand, a cap, a piece of tape: light, and nothing to see."""
    glow = cv2.resize(cv2.resize(picture, (3, 2), interpolation=cv2.INTER_AREA), (320, 180))
    return _noisy(glow * 0.4 + 60, number)


def defocused(picture: Picture, number: int) -> Picture:
    """Breath on the lens."""
    small = cv2.GaussianBlur(cv2.resize(picture, (40, 23), interpolation=cv2.INTER_AREA), (0, 0), 14 / 8)
    return _noisy(cv2.resize(small, (320, 180)).astype(np.float32), number)


def dark(picture: Picture, number: int) -> Picture:
    """No light but the sensor's own."""
    return _noisy(picture * 0.03 + 4, number, 3.0)


class Turned:
    """A camera that looks at another office."""

    def __init__(self, seed: int) -> None:
        self._other = office(seed + 1000, people=[], moves=[[]])

    def __call__(self, picture: Picture, number: int) -> Picture:
        """What is to be seen there."""
        return self._other.picture(number)


class Freezer:
    """A source that repeats the picture it had when it froze."""

    def __init__(self) -> None:
        self._held: Picture | None = None

    def __call__(self, picture: Picture, number: int) -> Picture:
        """The first picture it was asked for."""
        if self._held is None:
            self._held = picture
        return self._held
