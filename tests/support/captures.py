"""Pictures of strangers and key pairs to seal them to: what tests of evidence are built from."""

import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from PIL import Image

from appliance.values import Box, CameraId, FrameStamp, ImageArray

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture of a stranger; what the pipeline hands in has this shape."""

    stamp: FrameStamp
    bgr: ImageArray
    face: Box
    quality: float


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A public key as its owner would paste it, and the private key as a file would hold it."""

    public: str
    private: bytes


def jpeg(picture: ImageArray, quality: int) -> bytes:
    """Encode as the camera room does, with another library."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture[:, :, ::-1])).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def make_shot(sequence: int = 0, *, size: tuple[int, int] = (160, 120), box: Box | None = None) -> Shot:
    """A picture whose content depends on the sequence."""
    noise = np.random.default_rng(sequence).integers(0, 255, (size[1], size[0], 3), np.uint8)
    stamp = FrameStamp(CameraId("entrance"), sequence, float(sequence), NOW, None)
    return Shot(stamp, noise, box or Box(40, 30, 50, 60), 80.0)


def ssh_pair(
    private: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey, passphrase: bytes | None = None
) -> KeyPair:
    """An SSH key pair as ssh-keygen writes it."""
    lock = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    public = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return KeyPair(f"{public} admin@desk", private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, lock))


def head(position: int) -> str:
    """A line that looks like a signed head of a log."""
    said = {"device": "box", "position": position, "hash": f"{position:064x}", "at": NOW.isoformat()}
    return json.dumps({**said, "public_key": "0" * 64, "signature": "f" * 128}, separators=(",", ":"))


def like_sealed(number: int) -> bytes:
    """Bytes that begin as a sealed capture does, and cost nothing to make."""
    return b"age-encryption.org/v1\n-> X25519 a\n\n--- %s\n%064d" % (b"A" * 43, number)
