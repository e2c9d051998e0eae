"""What the desk needs of other processes: faces in a picture, a glance at a webcam, a picture from a camera.

Decodes nothing itself. A picture that the models process dies of is tried once more and then refused, and
the process is there again for the next one.
"""

import threading
import time
from typing import Protocol

from appliance.app.embedding import ModelsClient
from appliance.errors import PeerGoneError, PhotoError, WireError
from appliance.values import EmbeddedPhoto
from appliance.wire import Client
from appliance.wire.messages import FacesGlanced, Ping

MOST_BYTES = 25_000_000
"""Of a picture that is sent to the desk; the command line may hand over somewhat larger files."""

_BACK_S = 10.0
"""How long a models process that died is waited for; its supervisor starts another one."""
_LOOK_S = 0.1


class Snapshots(Protocol):
    """Whoever has the newest picture of each camera."""

    def snapshot(self, camera: str) -> bytes:
        """The newest picture of a camera, as a JPEG file.

        Raises:
            CameraError: There is no such camera, or it gives no picture.
            PeerGoneError: The loop or the models process is not there.
        """


class Glances(Protocol):
    """Whoever sees at a glance how somebody stands before a webcam."""

    def glance(self, content: bytes) -> FacesGlanced:
        """What a small picture shows; `busy` instead of waiting, or where nobody can look.

        Raises:
            PhotoError: It cannot be used as a picture, or is no small one.
        """


class Models:
    """The models process that the supervisor keeps going.

    Args:
        client: Of its socket.
        patience_s: For how long one that died is waited for.
    """

    def __init__(self, client: Client, *, patience_s: float = _BACK_S) -> None:
        self._client = client
        self._patience_s = patience_s
        self._glancing = threading.Lock()

    def embed(self, content: bytes) -> EmbeddedPhoto:
        """Find and embed the faces of a picture file.

        Raises:
            PhotoError: It cannot be used as a picture, or the process died of it twice.
            PeerGoneError: The process is not there.
        """
        if len(content) > MOST_BYTES:
            raise PhotoError("the file is too large", reason="too_many_bytes")
        models = ModelsClient(self._client)
        for _ in range(2):
            self._await()
            try:
                return models.embed(content)
            except PeerGoneError:
                continue
        raise PhotoError("the models process died of it", reason="unreadable")

    def glance(self, content: bytes) -> FacesGlanced:
        """How somebody stands before a webcam; of several who ask at once one is answered, nobody waits.

        Raises:
            PhotoError: It cannot be used as a picture, or is no small one.
        """
        if not self._glancing.acquire(blocking=False):
            return FacesGlanced(busy=True)
        try:
            return ModelsClient(self._client).glance(content)
        except WireError:  # gone, or slow: the page has measures of its own
            return FacesGlanced(busy=True)
        finally:
            self._glancing.release()

    def _await(self) -> None:
        """Wait until the process answers.

        Raises:
            PeerGoneError: It does not.
        """
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                self._client.call(Ping(), timeout_s=2.0)
            except WireError as error:
                if time.monotonic() >= deadline:
                    raise PeerGoneError(
                        "pictures cannot be looked at: the process that does it is not there",
                        hint="it is started again by itself; if it is not, have the machine looked at",
                    ) from error
            else:
                return
            time.sleep(_LOOK_S)
