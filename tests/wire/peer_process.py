"""A little process of ours for the tests: a server that answers, fails, sleeps and shares memory.

python peer_process.py SOCKET          serves until SIGTERM
python peer_process.py SOCKET ping     asks once, as whoever it is; prints the answer or the error
python peer_process.py SOCKET ping UID the same under another account
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from appliance.errors import ApplianceError, PhotoError
from appliance.wire import Client, Reply, Request, Server
from appliance.wire.messages import (
    Done,
    EmbedPhoto,
    FramesShared,
    Ping,
    Pong,
    Status,
    StatusRequest,
    WakeDispatch,
    WatchFrames,
)


def status(_: Request[StatusRequest]) -> Reply[Status]:
    """Answer at once."""
    return Reply(Status(process="peer", pid=os.getpid(), uptime_s=1.5, details={"cameras": ["front"]}))


def embed(request: Request[EmbedPhoto]) -> Reply[Done]:
    """Find every picture truncated."""
    raise PhotoError(f"{len(request.blob)} bytes, then nothing", reason="truncated", hint="send it again")


def wake(_: Request[WakeDispatch]) -> Reply[Done]:
    """Take longer than anybody waits."""
    time.sleep(30)
    return Reply(Done())


def watch(request: Request[WatchFrames]) -> Reply[FramesShared]:
    """Share a page of memory that holds the camera's name."""
    fd = os.memfd_create("frames")
    os.write(fd, request.message.camera.encode())
    return Reply(
        FramesShared(camera=request.message.camera, width=4, height=2), b"\xff", (fd,), close_fds=True
    )


def serve(path: Path) -> None:
    """Until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    Server(path, {StatusRequest: status, EmbedPhoto: embed, WakeDispatch: wake, WatchFrames: watch}).serve(
        stop
    )


def ask(path: Path) -> None:
    """Once."""
    try:
        print(Client(path).call(Ping(), Pong).message.type)
    except ApplianceError as error:
        print(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    if len(sys.argv) > 3:
        os.setgroups([])
        os.setresgid(int(sys.argv[3]), int(sys.argv[3]), int(sys.argv[3]))
        os.setresuid(int(sys.argv[3]), int(sys.argv[3]), int(sys.argv[3]))
    if len(sys.argv) > 2 and sys.argv[2] == "ping":
        ask(Path(sys.argv[1]))
    else:
        serve(Path(sys.argv[1]))
