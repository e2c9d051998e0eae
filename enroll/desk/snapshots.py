"""The newest picture of a camera of the box, as a PNG file: nothing of it is lost, and nothing is stored.

The loop shares its frames while somebody asks; here one is read and written down as a file for the models
process and for who enrols. Decodes nothing, opens no camera.
"""

import struct
import zlib

import numpy as np

from appliance.errors import CameraLostError
from appliance.frames import FrameReader
from appliance.values import ImageArray
from appliance.wire import Client
from appliance.wire.framing import close_fds
from appliance.wire.messages import FramesShared, WatchFrames

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_EIGHT_BITS, _RGB = 8, 2
_UP = 2
"""PNG's filter that tells each row by what it differs from the one above."""
_FAST = 3
"""zlib's level: a frame of a camera in some 50 ms."""


class LoopCameras:
    """The cameras that the loop holds open.

    Args:
        loop: Client of the loop's socket.
    """

    def __init__(self, loop: Client) -> None:
        self._loop = loop

    def snapshot(self, camera: str) -> bytes:
        """The newest picture of a camera, as a PNG file.

        Raises:
            CameraLostError: There is no such camera, or it gives no picture.
            PeerGoneError: The loop is not there.
            WireError: What it shares is no frames.
        """
        shared = self._loop.call(WatchFrames(camera=camera), FramesShared)
        try:
            reader = FrameReader(shared.fds[0])
            reader.open()
            try:
                frame = reader.newest()
            finally:
                reader.close()
        finally:
            close_fds(shared.fds)
        if frame is None:
            raise CameraLostError(f"camera {camera} gives no picture at present", hint="try again")
        return png(frame.bgr)


def png(bgr: ImageArray) -> bytes:
    """A picture as a PNG file.

    Args:
        bgr: uint8, (height, width, 3), blue first.
    """
    height, width = bgr.shape[:2]
    rgb = bgr[:, :, ::-1].reshape(height, width * 3)
    rows = np.empty((height, 1 + width * 3), np.uint8)
    rows[:, 0] = _UP
    rows[0, 1:] = rgb[0]
    np.subtract(rgb[1:], rgb[:-1], out=rows[1:, 1:])  # modulo 256, as PNG has it
    header = struct.pack(">IIBBBBB", width, height, _EIGHT_BITS, _RGB, 0, 0, 0)
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", header),
            _chunk(b"IDAT", zlib.compress(rows.tobytes(), _FAST)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
