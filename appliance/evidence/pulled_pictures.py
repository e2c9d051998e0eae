"""Opened captures in the admin's folder: pictures, what they say, and small copies for the contact sheet.

Written beside and renamed, so that a capture is open or is not; readable by its owner only. What is in them
was sealed by whoever had the public key: it is kept under our own names, and not looked at.
"""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from appliance.evidence.capture import write_opened

_ID = re.compile(r"[0-9a-f-]{36}")


class Pictures:
    """What was opened.

    Args:
        pictures: Folder with a folder for each capture.
        thumbnails: Folder of small copies, `ID.face.jpg` and `ID.frame.jpg`.
        beside: Folder on the same disk, in which they are made.
    """

    def __init__(self, pictures: Path, thumbnails: Path, beside: Path) -> None:
        self._pictures = pictures
        self._thumbnails = thumbnails
        self._beside = beside

    def save(self, capture: str, contents: Mapping[str, bytes], thumbnails: Mapping[str, bytes]) -> None:
        """Write an opened capture: beside, then renamed, so that it is whole or not there.

        Args:
            capture: Its id.
            contents: As `open_capture` gives them.
            thumbnails: `face` and `frame`, as far as there are any.

        Raises:
            EvidenceError: A name is not one of ours.
            OSError: It cannot be written.
        """
        beside, final = self._beside / capture, self._pictures / capture
        shutil.rmtree(beside, ignore_errors=True)
        write_opened(contents, beside)
        for name, content in thumbnails.items():
            # Beside and renamed, and not forced to the disk: what is lost is a preview.
            small = self._beside / f"{capture}.{name}.jpg"
            with os.fdopen(os.open(small, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(content)
            small.replace(self._thumbnails / small.name)
        shutil.rmtree(final, ignore_errors=True)
        beside.rename(final)

    def list(self) -> list[str]:
        """Ids of the captures whose pictures are here, newest first: ids begin with the time."""
        return sorted(
            (each.name for each in self._pictures.iterdir() if _ID.fullmatch(each.name)), reverse=True
        )

    def size_bytes(self, capture: str) -> int:
        """How much the opened files of a capture take."""
        try:
            return sum(each.stat().st_size for each in (self._pictures / capture).iterdir())
        except OSError:
            return 0

    def metadata(self, capture: str) -> bytes:
        """What an opened capture says of itself; nothing, where that is gone."""
        try:
            return (self._pictures / capture / "metadata.json").read_bytes()
        except OSError:
            return b""

    def thumbnail(self, capture: str, name: str) -> bytes | None:
        """A small copy, `face` or `frame`, if there is one."""
        try:
            return (self._thumbnails / f"{capture}.{name}.jpg").read_bytes()
        except OSError:
            return None

    def drop_thumbnails(self) -> None:
        """Delete the small copies of pictures that somebody deleted.

        Raises:
            OSError: The folder cannot be read, or one not be deleted.
        """
        kept = set(self.list())
        for each in self._thumbnails.iterdir():
            if each.name.partition(".")[0] not in kept:
                each.unlink(missing_ok=True)
