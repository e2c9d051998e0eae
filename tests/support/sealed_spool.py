"""A box's spool with sealed files put into it, faster than a camera would."""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyrage

from appliance.clock import SystemClock
from appliance.services import Services


@dataclass
class SealedSpool:
    """Puts sealed files into a box's spool."""

    services: Services

    def put(self, size: int = 2000, *, at: datetime | None = None, content: bytes | None = None) -> str:
        """Seal some noise of that size (or put something else there); the capture's id."""
        at = at or SystemClock().wall() - timedelta(minutes=10)
        capture, folder = self.services.ids(at), self.services.layout.spool
        folder.mkdir(mode=0o700, exist_ok=True)
        file = folder / f"{capture}.age"
        file.write_bytes(sealed(os.urandom(size)) if content is None else content)
        os.utime(file, (at.timestamp(), at.timestamp()))
        return capture

    def content(self, capture: str) -> bytes:
        """The sealed bytes."""
        return (self.services.layout.spool / f"{capture}.age").read_bytes()

    def key(self, capture: str) -> str:
        """What its copy is called."""
        return f"captures/{self.services.device}/{capture}.age"


def sealed(content: bytes) -> bytes:
    """Sealed to a key nobody has."""
    made: bytes = pyrage.encrypt(content, [pyrage.x25519.Identity.generate().to_public()])
    return made
