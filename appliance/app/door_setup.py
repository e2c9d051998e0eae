"""Setting a door up by looking: painting what a fill covers, keeping the door shut and open, proposing.

Works in the models process, on shared frames; the arithmetic is the door room's. What is kept are small
gray pictures in memory, of a few set-ups at once, for a quarter of an hour. Settings are proposed here,
and the picture of the shut door is made; both are written elsewhere.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from appliance.app.rendering import newer_frame
from appliance.camera import CapturedFrame, encode_jpeg
from appliance.camera.annotate import IDENTIFIED
from appliance.camera.jpeg import shrunk
from appliance.camera.pictures import MadePicture, reduction
from appliance.clock import Clock, SystemClock
from appliance.door import (
    DoorWatch,
    Proposal,
    ShutPicture,
    Snapshot,
    calibrate,
    check_region,
    fill,
    shut_picture,
    snapshot,
)
from appliance.door.shut_picture import encode
from appliance.errors import CameraLostError, InputError
from appliance.frames import FrameReader
from appliance.settings import DoorSettings
from appliance.settings.wording import in_words
from appliance.values import WHOLE_FRAME, CameraId, DoorState, FrameStamp, ImageArray, Region
from appliance.wire import Handler, Message, Reply, Request
from appliance.wire.messages import (
    DoorKept,
    DoorProposed,
    FillPainted,
    KeepDoor,
    PaintFill,
    PictureShut,
    ProposeDoor,
    ShutPictured,
)

KEPT_S = 900.0
"""How long the pictures of a set-up are kept."""
MOST_SETUPS = 6
"""Set-ups kept at once; one more ends the one that was looked at longest ago."""

_EVERY_S = 0.09
"""A picture is kept that often, at most."""
_FIRST_S = 1.5
"""How long the first frame may take."""
_LEAST_FRAMES = 5
_GAP_S = 0.2
"""Between the pictures of the two states, when they are put one behind the other."""
_STIRS_LEVELS, _STIRS_SHARE = 24, 0.01
"""Something moved when more than that share of the pixels differ by more than so many gray levels."""
_WORST = 0.05
"""As in `appliance.door.calibration`: share of the pictures that may be worse than the separation says."""
_DOUBT = "; but "
"""What a proposal says before it points to its notes, which stand beside it here."""
_QUALITY = 80
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""When kept pictures are taken to have been recorded: nothing depends on it."""


@dataclass(slots=True)
class _Kept:
    """What was kept of one set-up."""

    until_s: float
    states: dict[str, list[Snapshot]] = field(default_factory=dict)


class DoorSetupHandlers:
    """What the models process answers to whoever sets a door up.

    Args:
        clock: For how long pictures are kept; a real one unless said.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._setups: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()
        self._proposing = threading.Lock()

    def handlers(self) -> dict[type[Message], Handler]:
        """By message, for a server."""
        return {
            PaintFill: self.paint,
            KeepDoor: self.keep,
            ProposeDoor: self.propose,
            PictureShut: self.picture,
        }

    def paint(self, request: Request[PaintFill]) -> Reply[FillPainted]:
        """The newest frame with what a fill covers tinted.

        Raises:
            CameraLostError: No frame came in time.
            InputError: The region is too small, or the seed not in it.
        """
        wanted = request.message
        frame = newer_frame(request.fds, wanted.after, wanted.wait_s)
        region = _region(wanted.region, wanted.seed)
        small = _as_the_loop_sees(frame.bgr)
        check_region(_door(wanted.region, wanted.seed), small.width, small.height)
        left, top, right, bottom = wanted.region
        seed = (wanted.seed[0] - left) / (right - left), (wanted.seed[1] - top) / (bottom - top)
        covered = fill(small.gray(region), seed, wanted.tolerance)
        picture = _tinted(shrunk(frame.bgr, wanted.width_px), region, covered)
        told = FillPainted(
            sequence=frame.stamp.sequence,
            fraction=round(float(covered.mean()), 4),
            spills=round(_spilt(covered, wanted.region), 4),
        )
        return Reply(told, blob=encode_jpeg(picture, _QUALITY))

    def keep(self, request: Request[KeepDoor]) -> Reply[DoorKept]:
        """Look for a moment, and keep what was seen as the door in one state.

        Raises:
            CameraLostError: Too few frames came.
        """
        wanted = request.message
        seen = _look(request.fds[0] if request.fds else -1, wanted.seconds)
        with self._lock:
            now = self._clock.monotonic()
            self._forget(now)
            kept = self._setups.setdefault(wanted.setup, _Kept(now))
            kept.states[wanted.state] = seen
            kept.until_s = now + KEPT_S
            self._setups.move_to_end(wanted.setup)
            while len(self._setups) > MOST_SETUPS:
                self._setups.popitem(last=False)
            states = tuple(sorted(kept.states))
        return Reply(DoorKept(frames=len(seen), still=_is_still(seen), states=states))

    def propose(self, request: Request[ProposeDoor]) -> Reply[DoorProposed]:
        """How to watch the door, and how well that tells apart what was kept.

        Raises:
            InputError: One of the states is missing, or the pictures do not show a door that opens.
        """
        wanted = request.message
        states = self._states(wanted.setup)
        missing = [state for state in ("shut", "open") if state not in states]
        if missing:
            raise InputError(
                f"the door was not shown {' and '.join(missing)} yet",
                hint="say how it is now, once while it is shut and once while it is open",
            )
        door = _settings(wanted.door)
        shut, opened = states["shut"], states["open"]
        if shut[0].gray.shape != opened[0].gray.shape:
            raise InputError("the camera's pictures changed their size meanwhile", hint="show both again")
        with self._proposing:
            if wanted.keep == "all":
                found = judged(shut, opened, door)
            else:
                found = calibrate(
                    one_behind_the_other(shut, opened),
                    door,
                    keep_region=wanted.keep == "region",
                    vouched=True,
                )
        return Reply(
            DoorProposed(
                door=found.door.model_dump(mode="json"),
                usable=found.usable,
                words=found.words.partition(_DOUBT)[0],
                separation=found.separation,
                shut=found.shut,
                opened=found.opened,
                agreed=found.agreed,
                notes=found.notes,
            )
        )

    def picture(self, request: Request[PictureShut]) -> Reply[ShutPictured]:
        """The shut door as it is to be kept.

        Raises:
            InputError: The region is none, or too small.
        """
        wanted = request.message
        left, top, right, bottom = wanted.region
        middle = (left + right) / 2, (top + bottom) / 2
        _region(wanted.region, middle)
        shut = self._states(wanted.setup).get("shut", ())
        if not shut:
            return Reply(ShutPictured(frames=0, still=False))
        height, width = shut[0].gray.shape
        check_region(_door(wanted.region, middle), width, height)
        found = _vouched(shut, wanted.region)
        told = ShutPictured(frames=len(shut), still=found is not None)
        return Reply(told, blob=encode(found) if found is not None else b"")

    def _states(self, setup: str) -> dict[str, list[Snapshot]]:
        """What was shown in a set-up and is not forgotten yet."""
        with self._lock:
            self._forget(self._clock.monotonic())
            kept = self._setups.get(setup)
            return dict(kept.states) if kept is not None else {}

    def _forget(self, now: float) -> None:
        for setup in [setup for setup, kept in self._setups.items() if kept.until_s < now]:
            del self._setups[setup]


def one_behind_the_other(shut: Sequence[Snapshot], opened: Sequence[Snapshot]) -> list[Snapshot]:
    """Pictures of both states as if they were one clip: shut, then open."""
    begin = shut[-1].at_s - shut[0].at_s + _GAP_S
    return [
        *(Snapshot(each.at_s - shut[0].at_s, each.gray) for each in shut),
        *(Snapshot(begin + each.at_s - opened[0].at_s, each.gray) for each in opened),
    ]


def judged(shut: Sequence[Snapshot], opened: Sequence[Snapshot], door: DoorSettings) -> Proposal:
    """These very settings, tried on both states by the rule that will watch the door.

    Raises:
        InputError: The region is too small in these pictures.
    """
    height, width = shut[0].gray.shape
    check_region(door, width, height)
    picture = _vouched(shut, door.region)
    watch = DoorWatch(door, picture)
    readings = [
        watch.observe(_frame(each, number)) for number, each in enumerate(one_behind_the_other(shut, opened))
    ]
    first, second = readings[: len(shut)], readings[len(shut) :]
    low = float(np.quantile([each.fraction for each in first], _WORST))
    high = float(np.quantile([each.fraction for each in second], 1 - _WORST))
    # The watch may take the first half of each to be sure.
    right = [each.state is DoorState.SHUT for each in first[len(first) // 2 :]]
    right += [each.state is DoorState.OPEN for each in second[len(second) // 2 :]]
    return Proposal(
        door=door,
        separation=round((low - high) / max(door.shut_fraction, 1e-3), 3),
        shut=round(low, 3),
        opened=round(high, 3),
        shut_s=round(shut[-1].at_s - shut[0].at_s, 2),
        opened_s=round(opened[-1].at_s - opened[0].at_s, 2),
        agreed=round(sum(right) / len(right), 3),
        picture=picture,
    )


def _vouched(shut: Sequence[Snapshot], region: tuple[float, float, float, float]) -> ShutPicture | None:
    """The picture of the shut door that is kept when the door is saved; None if something moved in it."""
    height, width = shut[0].gray.shape
    left, top, right, bottom = Region(*region).pixels(width, height)
    inside = [Snapshot(each.at_s, each.gray[top:bottom, left:right]) for each in shut]
    return shut_picture(shut, region) if _is_still(inside) else None


def _look(fd: int, seconds: float) -> list[Snapshot]:
    """Small gray pictures of so many seconds.

    Raises:
        CameraLostError: Too few came.
        WireError: The descriptor is no shared memory of ours.
    """
    seen: list[Snapshot] = []
    first_s: float | None = None
    with FrameReader(fd) as reader:
        # The newest was taken before somebody said how the door is now.
        newest = reader.newest()
        sequence = newest.stamp.sequence if newest is not None else -1
        while True:
            frame = reader.wait_newer(sequence, _FIRST_S if first_s is None else 1.0)
            if frame is None:
                break
            sequence, at_s = frame.stamp.sequence, frame.stamp.monotonic_s
            first_s = at_s if first_s is None else first_s
            if not seen or at_s - seen[-1].at_s >= _EVERY_S:
                seen.append(snapshot(at_s, _as_the_loop_sees(frame.bgr).gray(WHOLE_FRAME)))
            if at_s - first_s >= seconds:
                break
    if len(seen) < _LEAST_FRAMES:
        raise CameraLostError(
            f"the camera gave {len(seen)} pictures in {seconds:g} s: too few",
            hint="wait until the picture moves again, then try once more",
        )
    return seen


def _is_still(seen: Sequence[Snapshot]) -> bool:
    """Nothing moved from picture to picture, nor slowly from the first to the last."""
    first = seen[0].gray.astype(np.int16)
    return all(
        float(np.mean(np.abs(each.gray.astype(np.int16) - first) > _STIRS_LEVELS)) <= _STIRS_SHARE
        for each in seen[1:]
    )


def _as_the_loop_sees(bgr: ImageArray) -> CapturedFrame:
    """A whole frame reduced as the loop's gray pictures are, so that what is found here holds there."""
    by = reduction(bgr.shape[1])
    small = shrunk(bgr, -(-bgr.shape[1] // by))
    height, width = small.shape[:2]
    return CapturedFrame(_stamp(0.0, 0), MadePicture(width, height, lambda: small))


def _frame(kept: Snapshot, number: int) -> CapturedFrame:
    height, width = kept.gray.shape
    picture = MadePicture(width, height, lambda: np.repeat(kept.gray[:, :, None], 3, axis=2))
    return CapturedFrame(_stamp(kept.at_s, number), picture)


def _stamp(at_s: float, number: int) -> FrameStamp:
    return FrameStamp(CameraId("setup"), number, at_s, _EPOCH)


def _tinted(picture: ImageArray, region: Region, covered: NDArray[np.bool_]) -> ImageArray:
    """A copy of a picture with what is covered of a region tinted, whatever size either has."""
    drawn = picture.copy()
    left, top, right, bottom = region.pixels(picture.shape[1], picture.shape[0])
    rows = np.arange(bottom - top) * covered.shape[0] // (bottom - top)
    columns = np.arange(right - left) * covered.shape[1] // (right - left)
    mask = covered[np.ix_(rows, columns)]
    part = drawn[top:bottom, left:right]
    part[mask] = (part[mask] // 2 + np.asarray(IDENTIFIED, np.uint8) // 2).astype(np.uint8)
    return drawn


def _region(region: tuple[float, float, float, float], seed: tuple[float, float]) -> Region:
    """The region, once it is one.

    Raises:
        InputError: It is none, or the seed does not lie in it.
    """
    left, top, right, bottom = region
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise InputError("the region is no part of the picture", hint="draw it again")
    if not (left <= seed[0] <= right and top <= seed[1] <= bottom):
        raise InputError("the point lies outside the region", hint="click on the door inside the frame")
    return Region(left, top, right, bottom)


def _door(region: tuple[float, float, float, float], seed: tuple[float, float]) -> DoorSettings:
    return DoorSettings(id="door", camera="camera", region=region, seed=seed)


def _settings(door: Mapping[str, Any]) -> DoorSettings:
    """The settings of a door.

    Raises:
        InputError: They are not.
    """
    try:
        return DoorSettings.model_validate(dict(door))
    except ValidationError as error:
        words = in_words(error.errors(include_input=False)[0], DoorSettings)
        raise InputError(f"these are no settings of a door: {words}") from None


def _spilt(covered: NDArray[np.bool_], region: tuple[float, float, float, float]) -> float:
    """How much of the area's left or right side a fill reaches, whichever is more, 0 to 1.

    There the wall begins. Above and below, the door goes on, and beyond the edge of the picture is nothing to
    run out into.
    """
    left, _, right, _ = region
    sides = [covered[:, 0]] if left > 0 else []
    sides += [covered[:, -1]] if right < 1 else []
    return max((float(side.mean()) for side in sides), default=0.0)
