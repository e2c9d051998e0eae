"""A folder of pictures as a recording, in the order of their names.

JPEG and PNG; anything else in the folder is passed over, and so are folders in it. The
size is read from the header before anything is decoded.
"""

import struct
from pathlib import Path

import cv2
import numpy as np
import structlog

from appliance.camera.pictures import JpegPicture, MadePicture, Picture
from appliance.camera.source import OnPacket, Shot
from appliance.errors import CameraLostError, CameraRefusedError
from appliance.values import MAX_PIXELS, ImageArray

_JPEG = frozenset({".jpg", ".jpeg"})
_PNG = frozenset({".png"})
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND"
_PNG_LEAST = 33
"""Bytes of signature and header."""
_MAX_FILE_BYTES = 200_000_000

_log = structlog.get_logger()


class FolderSource:
    """Pictures of a folder, so many a second."""

    def __init__(self, folder: Path, *, fps: float) -> None:
        """Note the folder.

        Args:
            folder: Where the pictures are.
            fps: Pictures a second of media time, > 0.
        """
        self._folder = folder
        self._fps = fps
        self._files: list[Path] | None = None
        self._next = 0
        self._damaged = 0

    @property
    def address(self) -> str:
        """The folder."""
        return str(self._folder)

    @property
    def live(self) -> bool:
        """Never."""
        return False

    @property
    def damaged(self) -> int:
        """Pictures passed over because they are cut off, damaged or too large."""
        return self._damaged

    def open(self, on_packet: OnPacket | None = None) -> None:
        """List the pictures. There are no packets, so `on_packet` is not used.

        Raises:
            CameraRefusedError: No such folder, or no picture in it.
        """
        del on_packet
        try:
            found = sorted(
                p for p in self._folder.iterdir() if p.suffix.lower() in _JPEG | _PNG and p.is_file()
            )
        except OSError as error:
            raise CameraRefusedError(f"{self.address}: {error.strerror}") from error
        if not found:
            raise CameraRefusedError(
                f"{self.address} holds no picture", hint="a folder source needs .jpg, .jpeg or .png files"
            )
        self._files = found
        self._next = 0
        self._damaged = 0

    def read(self) -> Shot | None:
        """The next picture that is sound; None after the last.

        Raises:
            CameraLostError: It is not open.
        """
        if self._files is None:
            raise CameraLostError(f"{self.address} is not open")
        while self._next < len(self._files):
            index = self._next
            self._next += 1
            try:
                picture = _load(self._files[index])
            except (OSError, ValueError) as error:
                self._damaged += 1
                reason = str(error) if isinstance(error, ValueError) else type(error).__name__
                _log.warning("picture_passed_over", source=self.address, position=index, reason=reason)
                continue
            return Shot(picture, index / self._fps)
        return None

    def close(self) -> None:
        """Forget the list."""
        self._files = None


def _load(path: Path) -> Picture:
    """A picture whose header is sound; a PNG is decoded at once, for its checksums tell of damage.

    Raises:
        ValueError: It is not a whole picture of the kind its name says, or too large.
        OSError: It cannot be read.
    """
    if path.stat().st_size > _MAX_FILE_BYTES:
        raise ValueError("is larger than 200 MB")
    data = path.read_bytes()
    if path.suffix.lower() in _JPEG:
        return JpegPicture(data, upright=True)
    if not data.startswith(_PNG_START) or len(data) < _PNG_LEAST or _PNG_END not in data[-64:]:
        raise ValueError("is not a whole PNG")
    width, height = struct.unpack_from(">II", data, 16)
    if not 0 < width * height <= MAX_PIXELS:
        raise ValueError(f"has {width} x {height} pixels, more than {MAX_PIXELS:,}")
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise ValueError("cannot be decoded") from error
    if decoded is None:
        raise ValueError("cannot be decoded")
    picture: ImageArray = np.asarray(decoded, np.uint8)
    return MadePicture(picture.shape[1], picture.shape[0], lambda: picture)
