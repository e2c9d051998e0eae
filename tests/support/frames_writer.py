"""A process that writes frames without a pause until it is killed.

    python frames_writer.py SOCKET SLOTS

Hands the descriptor over the socket first. Frame n is of gray level n mod 251, and its
note is n written fifty times.
"""

import itertools
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from appliance.frames import FrameWriter
from appliance.values import CameraId, FrameStamp


def write(sock: socket.socket, slots: int) -> None:
    """Write for ever."""
    picture = np.empty((360, 640, 3), np.uint8)
    with FrameWriter(640, 360, slots) as writer:
        socket.send_fds(sock, [b"!"], [writer.fd])
        for number in itertools.count():
            picture[:] = number % 251
            stamp = FrameStamp(CameraId("entrance"), number, 0.0, datetime.now(UTC))
            writer.write(stamp, picture, str(number).encode() * 50)


if __name__ == "__main__":
    write(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
