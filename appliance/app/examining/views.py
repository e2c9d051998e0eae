"""Cameras and doors: whether a picture comes, whether there is anything on it, whether it shows the door.

A camera that the running appliance has is looked at through what it shows to viewers.
"""

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from appliance.app.examining.finding import Finding, Health, found
from appliance.app.examining.processes import answers
from appliance.app.shut_pictures import kept_picture, read_picture
from appliance.camera import CapturedFrame, ConditionWatch, Shot, open_source
from appliance.camera.pictures import MadePicture, Picture
from appliance.clock import SystemClock
from appliance.door import DoorWatch, ShutPicture, fill_fraction
from appliance.errors import CameraLostError
from appliance.frames import FrameReader
from appliance.phrases import counted
from appliance.services import Layout
from appliance.settings import CameraSettings, DoorSettings, Settings
from appliance.values import WHOLE_FRAME, CameraId, Disturbance, DoorState, Frame, FrameStamp, Region
from appliance.wire import Client
from appliance.wire.messages import FramesShared, WatchFrames

_LOOK_S = 2.0
_LOOKS = 12
"""A camera is watched for so long, or so many pictures."""
_STILL_PICTURES = 5
"""Pictures of a live camera that are the same to the last bit, from which on it is called frozen."""
_LEAST_PX = 12
"""Sides of a watched region, pixels of the reduced picture, below which a fill says nothing."""
_OVERFLOW = 1.25
"""A fill so many times a shut door's has run into the wall; the default rule is not misled by that."""
_BELIEVED_S, _BELIEVE_EVERY_S = 15.0, 0.5
"""After so long, looked at so often, either rule has made up its mind about a picture, even a first one."""


def views(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """Each camera, and each door that it sees."""
    if not settings.cameras:
        yield Finding(
            "cameras",
            "note",
            "none is configured",
            "add the one that sees the door",
            "try: appliance run --camera /dev/video0",
            "cameras",
        )
        return
    running = answers(layout)
    if running:
        yield Finding("cameras", "ok", "looked at through the running appliance")
    for camera in settings.cameras:
        yield from found(f"camera {camera.id}", _view(settings, layout, camera, running=running))
        for door in settings.doors:
            if door.camera == camera.id:
                yield from found(f"picture of {door.id}", _pictured(layout, door))


def _view(settings: Settings, layout: Layout, camera: CameraSettings, *, running: bool) -> Iterator[Finding]:
    """One camera, and each door that it sees.

    Raises:
        ApplianceError: It gives nothing, or a picture that cannot be decoded.
    """
    subject = f"camera {camera.id}"
    began = time.monotonic()
    frames, live = _shown(layout, camera) if running else _taken(camera)
    if not frames:
        hint, command = "look at the cable and at its settings", "see: appliance check"
        yield Finding(subject, "problem", "it gives no picture", hint, command, f"camera:{camera.id}")
        return
    yield _condition(subject, camera, frames, live=live, took_s=time.monotonic() - began)
    for door in settings.doors:
        if door.camera == camera.id:
            yield from found(f"door {door.id}", iter([_door(door, frames[-1], kept_picture(layout, door))]))


def _taken(camera: CameraSettings) -> tuple[list[Frame], bool]:
    """Some pictures, straight from the source, and whether it is live."""
    with contextlib.closing(open_source(camera, SystemClock())) as source:
        source.open()
        shots: list[Shot] = []
        began = time.monotonic()
        while len(shots) < _LOOKS and (shot := source.read()) is not None:
            shots.append(shot)
            if time.monotonic() - began > _LOOK_S:
                break
        live = source.live
    return [_frame(camera, number, shot.picture) for number, shot in enumerate(shots)], live


def _frame(camera: CameraSettings, number: int, picture: Picture) -> Frame:
    """A picture as the n-th of a camera that gives one a second."""
    clock = SystemClock()
    return CapturedFrame(FrameStamp(CameraId(camera.id), number, float(number), clock.wall(), None), picture)


def _shown(layout: Layout, camera: CameraSettings) -> tuple[list[Frame], bool]:
    """Some pictures that the running loop shares; whether it is live is not told."""
    reply = Client(layout.socket("loop")).call(WatchFrames(camera=camera.id), FramesShared)
    frames: list[Frame] = []
    try:
        with FrameReader(reply.fds[0]) as reader:
            newest, deadline = -1, time.monotonic() + _LOOK_S
            while len(frames) < _LOOKS and (left := deadline - time.monotonic()) > 0:
                shared = reader.wait_newer(newest, left)
                if shared is None:
                    break
                newest = shared.stamp.sequence
                height, width = shared.bgr.shape[:2]
                picture = MadePicture(width, height, partial(np.asarray, shared.bgr))
                frames.append(CapturedFrame(shared.stamp, picture))
    finally:
        for fd in reply.fds:
            os.close(fd)
    if not frames:
        raise CameraLostError(f"camera {camera.id} gave no picture for {_LOOK_S:g} s")
    return frames, False


def _condition(
    subject: str, camera: CameraSettings, frames: Sequence[Frame], *, live: bool, took_s: float
) -> Finding:
    """Dark, frozen, or well."""
    first = frames[0]
    place = f"camera:{camera.id}"
    words = f"{first.width} x {first.height}, {counted(len(frames), 'picture')} in {took_s:.1f} s"
    if _is_dark(camera, frames[-1]):
        return Finding(
            subject,
            "problem",
            f"{words}, but they are dark",
            "take the cap off, or switch on a light",
            "",
            place,
        )
    grays = [frame.gray(WHOLE_FRAME) for frame in frames]
    same = all(np.array_equal(grays[0], gray) for gray in grays[1:])
    if live and len(frames) >= _STILL_PICTURES and same:
        return Finding(
            subject,
            "problem",
            f"{words}, but all are the same to the last bit: it is frozen",
            "switch the camera off and on again",
            place=place,
        )
    return Finding(subject, "ok", words)


def _is_dark(camera: CameraSettings, frame: Frame) -> bool:
    """What the loop would say of this picture if it lasted: its rule is shown it as if for some seconds."""
    watch = ConditionWatch(camera.model_copy(update={"disturbed_after_s": 1.0}))
    same = MadePicture(frame.width, frame.height, frame.bgr)
    readings = [watch.observe(_frame(camera, second, same)) for second in range(4)]
    return any(reading.begun is Disturbance.DARK for reading in readings)


def _pictured(layout: Layout, door: DoorSettings) -> Iterator[Finding]:
    """Whether the watch of a door has a picture to begin with; nothing of one that would not use it.

    Raises:
        InputError: There is one, but it cannot be used.
    """
    if door.rule == "plain" or not _is_calibrated(door):
        return
    subject = f"picture of {door.id}"
    if read_picture(layout, door) is not None:
        yield Finding(subject, "ok", "kept of the shut door: the watch begins with it")
        return
    yield Finding(
        subject,
        "note",
        "no picture of the shut door is kept: at each start the watch begins by guessing",
        "show it shut where doors are set up",
        f"or: appliance door calibrate --keep --door {door.id}",
        f"door:{door.id}",
    )


def _door(door: DoorSettings, frame: Frame, picture: ShutPicture | None) -> Finding:
    """Whether the fill makes sense on this picture."""
    subject = f"door {door.id}"
    anew = "set it up anew", f"appliance door calibrate --door {door.id}", f"door:{door.id}"
    left, top, right, bottom = door.region
    gray = frame.gray(Region(left, top, right, bottom))
    if min(gray.shape) < _LEAST_PX:
        return Finding(
            subject, "problem", f"its region is only {gray.shape[1]} x {gray.shape[0]} pixels", *anew
        )
    seed = (door.seed[0] - left) / (right - left), (door.seed[1] - top) / (bottom - top)
    fraction = fill_fraction(gray, seed, door.tolerance)
    share = fraction / door.shut_fraction if door.shut_fraction else 0.0
    words = f"the fill covers {fraction:.0%} of its region, {door.shut_fraction:.0%} when shut"
    if not _is_calibrated(door):
        return Finding(subject, "note", f"not calibrated: region and seed are the defaults; {words}", *anew)
    state = _believed(door, frame, picture)
    if state is DoorState.SHUT and share > _OVERFLOW:
        return Finding(
            subject,
            "note",
            f"{words}: it looks shut, but the fill runs into the wall, or the light is unusual",
            f"if it always does, {anew[0]}",
            *anew[1:],
        )
    if state is DoorState.SHUT:
        return Finding(subject, "ok", f"{words}: it looks shut")
    # An open door is as well as a shut one.
    health: Health = "ok" if state is DoorState.OPEN else "note"
    now = "open" if state is DoorState.OPEN else "neither open nor shut"
    return Finding(subject, health, f"{words}: it looks {now}", f"if it is shut, {anew[0]}", *anew[1:])


def _believed(door: DoorSettings, frame: Frame, picture: ShutPicture | None) -> DoorState:
    """What the loop would believe of this picture if it lasted: its rule is shown it as if for a while."""
    watch = DoorWatch(door, picture)
    still = MadePicture(frame.width, frame.height, frame.bgr)
    for look in range(round(_BELIEVED_S / _BELIEVE_EVERY_S)):
        stamp = replace(frame.stamp, sequence=look, monotonic_s=look * _BELIEVE_EVERY_S)
        watch.observe(CapturedFrame(stamp, still))
    return watch.state


def _is_calibrated(door: DoorSettings) -> bool:
    """Whether anybody has said where the door is."""
    return bool({"region", "seed", "shut_fraction"} & door.model_fields_set)
