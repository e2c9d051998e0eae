"""What is inside a capture, and how it is sealed and opened.

A capture is a tar of `metadata.json` and, for each of one to three frames, `frame-N.jpg`
(the whole frame as the camera gave it, never drawn on) and `face-N.jpg` (the face with a
margin), sealed in the age v1 format. Any `age` program with a recipient's private key opens
it. Encoding pictures is handed in; files and their expiry are the spool's.
"""

import io
import json
import os
import tarfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import pyrage

from appliance.errors import EvidenceError, IdentityError
from appliance.evidence.identity import Identity
from appliance.evidence.recipients import Recipient
from appliance.values import Box, FrameStamp, ImageArray

EncodeJpeg = Callable[[ImageArray, int], bytes]
"""Encodes a BGR picture, uint8 (h, w, 3), at a quality of 0 to 100, as JPEG."""

FORMAT = "office-door-capture"
FORMAT_VERSION = 1
JPEG_QUALITY = 92
"""High enough to compare a face from; a 720p frame takes 150 to 400 kB."""
FACE_MARGIN = 0.4
"""Of the face's width and height, added on every side: hair and chin are in the picture."""
MAX_FRAMES = 3
MAX_SEALED_BYTES = 64 * 1024 * 1024
"""Three 4K frames stay below 20 MB; anything larger was not made by us."""

_METADATA = "metadata.json"
_NAMES = frozenset(
    [_METADATA, *(f"{kind}-{n}.jpg" for kind in ("frame", "face") for n in range(1, MAX_FRAMES + 1))]
)
"""Every name that a capture may hold; nothing else is ever written to a disk."""


class CapturedPicture(Protocol):
    """One frame of a stranger, as the caller holds it."""

    @property
    def stamp(self) -> FrameStamp:
        """When and where it was taken."""

    @property
    def bgr(self) -> ImageArray:
        """The full frame, uint8, (h, w, 3), blue first."""

    @property
    def face(self) -> Box:
        """Where the face is, in pixels of that frame."""

    @property
    def quality(self) -> float:
        """Total quality, 0 to 100."""


def pack_capture(
    capture: str,
    pictures: Sequence[CapturedPicture],
    metadata: Mapping[str, Any],
    at: datetime,
    encode: EncodeJpeg,
) -> bytes:
    """The tar of a capture, the same bytes for the same arguments.

    Args:
        capture: Its id.
        pictures: One to three, best first.
        metadata: What else to say; anything JSON can hold.
        at: When it is sealed, aware.
        encode: Makes the JPEGs.

    Raises:
        EvidenceError: There is no picture, or too many, or the metadata is not JSON.
    """
    if not 1 <= len(pictures) <= MAX_FRAMES:
        raise EvidenceError(
            f"a capture holds 1 to {MAX_FRAMES} frames, not {len(pictures)}", reason="no_frame"
        )
    described: list[dict[str, Any]] = []
    members: list[tuple[str, bytes]] = []
    for number, picture in enumerate(pictures, start=1):
        crop = _face(picture)
        members.append((f"frame-{number}.jpg", encode(picture.bgr, JPEG_QUALITY)))
        members.append((f"face-{number}.jpg", encode(crop, JPEG_QUALITY)))
        described.append(_describe(number, picture))
    about = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "capture": capture,
        "sealed_at": at.isoformat(),
        "frames": described,
        "metadata": dict(metadata),
    }
    try:
        text = json.dumps(about, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise EvidenceError("the metadata of a capture cannot be written as JSON") from error
    members.insert(0, (_METADATA, text.encode() + b"\n"))
    return _tar(members, int(at.timestamp()))


def seal(content: bytes, recipients: Iterable[Recipient]) -> bytes:
    """Seal to every recipient; each opens it alone.

    Raises:
        EvidenceError: There is no recipient (`no_recipient`).
    """
    keys = [recipient.key for recipient in recipients]
    if not keys:
        raise EvidenceError(
            "no public key is configured, so no image is stored",
            reason="no_recipient",
            hint="add an age or SSH public key to recipients under [evidence]",
        )
    try:
        sealed: bytes = pyrage.encrypt(content, keys)
    except pyrage.EncryptError as error:
        raise EvidenceError("sealing a capture failed") from error
    return sealed


def open_capture(sealed: bytes, identities: Sequence[Identity]) -> dict[str, bytes]:
    """Open a sealed capture: name → content, in the order it was packed.

    What comes out was sealed by whoever knows the public key, so it is not trusted: only
    our own names, once each, as plain files, and no more than a capture can hold.

    Raises:
        IdentityError: None of the identities opens it.
        EvidenceError: It is not a capture, is cut short or was changed.
    """
    if len(sealed) > MAX_SEALED_BYTES:
        raise EvidenceError("the file is too large for a capture")
    if not identities:
        raise IdentityError("no private key was given", hint="give yours with --identity")
    try:
        content: bytes = pyrage.decrypt(sealed, [identity.key for identity in identities])
    except pyrage.DecryptError as error:
        # The library tells the two apart in words only; a test holds it to them.
        if "No matching keys" in str(error):
            names = ", ".join(sorted({identity.where for identity in identities}))
            raise IdentityError(
                f"the capture was not sealed to {names}",
                hint="the recipients' fingerprints are in the event; ssh-keygen -l -f KEY.pub prints yours",
            ) from error
        raise EvidenceError("the capture is damaged: cut short, or changed since it was sealed") from error
    return _untar(content)


def save_opened(contents: Mapping[str, bytes], folder: Path) -> list[Path]:
    """Write an opened capture into a folder, readable by the owner only; never over a file.

    Raises:
        EvidenceError: A name is not one of ours, exists already, or cannot be written.
    """
    try:
        return write_opened(contents, folder)
    except FileExistsError as error:
        raise EvidenceError(f"{error.filename} exists already", hint="choose an empty folder") from error
    except OSError as error:
        raise EvidenceError(f"cannot write to {folder}: {error.strerror}") from error


def write_opened(contents: Mapping[str, bytes], folder: Path) -> list[Path]:
    """The same, for whoever knows more of the folder and says what is wrong with it.

    Raises:
        EvidenceError: A name is not one of ours.
        OSError: One exists already, or cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    written: list[Path] = []
    for name, content in contents.items():
        if name not in _NAMES:
            raise EvidenceError("an opened capture holds a file with a name that is not ours")
        path = folder / name
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb"
        ) as file:
            file.write(content)
        written.append(path)
    return written


def _face(picture: CapturedPicture) -> ImageArray:
    """The face with its margin, cut off at the frame's edge; a view."""
    height, width = picture.bgr.shape[:2]
    box = picture.face
    aside, above = box.width * FACE_MARGIN, box.height * FACE_MARGIN
    left = min(max(int(box.x - aside), 0), width - 1)
    top = min(max(int(box.y - above), 0), height - 1)
    right = max(min(round(box.x + box.width + aside), width), left + 1)
    bottom = max(min(round(box.y + box.height + above), height), top + 1)
    return picture.bgr[top:bottom, left:right]


def _describe(number: int, picture: CapturedPicture) -> dict[str, Any]:
    height, width = picture.bgr.shape[:2]
    box = picture.face
    return {
        "frame": f"frame-{number}.jpg",
        "face": f"face-{number}.jpg",
        "camera": picture.stamp.camera,
        "sequence": picture.stamp.sequence,
        "taken_at": picture.stamp.wall.isoformat(),
        "media_s": picture.stamp.media_s,
        "width": width,
        "height": height,
        "box": {"x": float(box.x), "y": float(box.y), "width": float(box.width), "height": float(box.height)},
        "quality": float(picture.quality),
    }


def _tar(members: Sequence[tuple[str, bytes]], seconds: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.mode = 0o600
            member.mtime = max(seconds, 0)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _untar(content: bytes) -> dict[str, bytes]:
    """Members by name. Each header is read by itself, and what is no plain file ends it.

    `tarfile` would follow a header of long names, of sparse files or of pax records to the next one, and that
    one to the next: as often as whoever sealed it likes.
    """
    found: dict[str, bytes] = {}
    try:
        at = 0
        while at < len(content) and content[at : at + tarfile.BLOCKSIZE].strip(b"\0"):
            member = tarfile.TarInfo.frombuf(content[at : at + tarfile.BLOCKSIZE], "ascii", "strict")
            if member.type not in _PLAIN or member.name not in _NAMES or member.name in found:
                raise EvidenceError("the file opens, but holds something that is not part of a capture")
            at += tarfile.BLOCKSIZE
            if not 0 <= member.size <= len(content) - at:
                raise EvidenceError("the capture is damaged: a picture is cut short")
            found[member.name] = content[at : at + member.size]
            at += -(-member.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
    except (tarfile.TarError, ValueError) as error:
        raise EvidenceError("the file opens, but is not a capture") from error
    if _METADATA not in found:
        raise EvidenceError("the file opens, but is not a capture: it lacks metadata.json")
    return found


_PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE)
