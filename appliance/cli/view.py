"""`appliance view`: the newest frame of the running loop, raw or with what was seen in it."""

import os
from pathlib import Path

import click

from appliance.cli.context import Context
from appliance.cli.files import write_file
from appliance.errors import CameraLostError, InputError, PeerGoneError
from appliance.frames import FrameReader, SharedFrame
from appliance.wire import Client
from appliance.wire.messages import FramesShared, WatchFrames

_QUALITY = 92
_WAIT_S = 5.0


@click.command()
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The JPEG to write; the admin's choice, the box itself keeps no picture.",
)
@click.option("--camera", help="Which camera. [default: the first]")
@click.option("--annotated", is_flag=True, help="Draw the door's state, who and what was seen.")
@click.pass_obj
def view(context: Context, *, out: Path, camera: str | None, annotated: bool) -> None:
    """Write the newest frame of the running appliance to a JPEG.

    \b
    Examples:
      appliance view --out frame.jpg
      appliance view --out seen.jpg --annotated
    """
    from appliance.app.rendering import drawn_view, seen_in
    from appliance.camera.jpeg import encode_jpeg

    if out.suffix.lower() not in {".jpg", ".jpeg"}:
        raise InputError(f"{out} is not named .jpg")
    frame = newest_frame(context, camera or _first_camera(context))
    picture = frame.bgr
    if annotated:
        with context.services() as services:
            names = {str(subject.id): subject.name or "person" for subject in services.store.subjects()}
        picture = drawn_view(frame, seen_in(frame), names)
    write_file(out, encode_jpeg(picture, _QUALITY))
    click.echo(
        f"{out}: frame {frame.stamp.sequence} of {frame.stamp.camera}, {frame.stamp.wall:%H:%M:%S} UTC"
    )


def newest_frame(context: Context, camera: str) -> SharedFrame:
    """Ask the loop for a camera and copy its newest frame.

    Raises:
        PeerGoneError: No appliance runs on this state directory.
        CameraLostError: It gives no frames now.
    """
    try:
        reply = Client(context.layout.socket("loop")).call(WatchFrames(camera=camera), FramesShared)
    except PeerGoneError as error:
        raise PeerGoneError("the appliance does not run", hint="start it with: appliance run") from error
    try:
        with FrameReader(reply.fds[0]) as reader:
            frame = reader.wait_newer(-1, _WAIT_S)
    finally:
        for fd in reply.fds:
            os.close(fd)
    if frame is None:
        raise CameraLostError(f"camera {camera} gave no frame for {_WAIT_S:g} s")
    return frame


def _first_camera(context: Context) -> str:
    """The first camera of the running loop, whatever settings it was started with."""
    from appliance.wire.messages import Status, StatusRequest

    try:
        status = Client(context.layout.socket("loop")).call(StatusRequest(), Status).message
    except PeerGoneError as error:
        raise PeerGoneError("the appliance does not run", hint="start it with: appliance run") from error
    cameras = list(status.details.get("cameras", {}))
    if not cameras:
        raise CameraLostError("the loop has no camera open yet", hint="try again in a moment")
    return str(cameras[0])
