"""The models process: decodes pictures that came from outside, and embeds the faces in them.

Beside that it guides who stands before a webcam (`glancing`), makes pictures for viewers (`rendering`),
helps to set up doors (`door_setup`) and describes pictures for visual search (`featurizing`). It works under
memory limits, with no key, no database and no camera in reach. Whoever needs it asks at its socket; a command
that runs while no appliance does starts one for itself.
"""

import os
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from appliance.app.door_setup import DoorSetupHandlers
from appliance.app.glancing import GlanceHandlers
from appliance.app.rendering import ViewHandlers
from appliance.app.song_making import MadeSong, SongFileHandlers, prepared_by
from appliance.errors import ModelError, WireError
from appliance.faces import FaceReader, assess_photo, decode_photo
from appliance.layout import Layout, without_secrets
from appliance.models.folder import ModelFolder
from appliance.settings import Settings
from appliance.supervisor.child import SUPERVISOR
from appliance.values import DLIB, DLIB_MIRROR, SFACE, Box, EmbeddedPhoto, FaceTemplate, ModelId, PhotoFace
from appliance.wire import Client, Handler, Message, Reply, Request, Server
from appliance.wire.messages import (
    AskFeaturizer,
    EmbeddedFace,
    EmbedPhoto,
    FacesGlanced,
    FeaturizeFrame,
    FeaturizePicture,
    GlanceAtFaces,
    PhotoEmbedded,
    Ping,
)

ENROLLED_MODELS = (DLIB, DLIB_MIRROR, SFACE)
"""Templates made of every reference, whichever composition decides today: changing it later needs
no new pictures."""

MOST_FACES = 16
"""Faces embedded of one picture: who is meant is chosen among them. More would be a crowd, to be cropped."""

MOST_CALLERS = 64
"""Connections at once: whoever shows a camera waits in one for its next frame."""

_START_S = 30.0
_STOP_S = 5.0
_EMBED_S = 30.0
"""Seconds for one picture; 40 megapixels on a slow box."""
_GLANCE_S = 3.0


class PhotoHandlers:
    """What the models process answers.

    Args:
        reader: Opened for `ENROLLED_MODELS`.
        lock: Held while a picture is looked at.
    """

    def __init__(self, reader: FaceReader, lock: threading.Lock) -> None:
        self._reader = reader
        self._lock = lock

    def handlers(self) -> dict[type[Message], Handler]:
        """By message, for a server."""
        return {EmbedPhoto: self.embed}

    def embed(self, request: Request[EmbedPhoto]) -> Reply[PhotoEmbedded]:
        """Decode the picture in the blob and embed its faces, largest first.

        Raises:
            PhotoError: It cannot be used as a picture.
        """
        with self._lock:
            bgr = decode_photo(request.blob)
            assessed = assess_photo(self._reader, bgr)
            faces = tuple(
                EmbeddedFace(
                    box=_numbers(each.sample.face.box),
                    score=min(1.0, each.sample.face.score),
                    quality=each.sample.quality.total,
                    measures=dict(each.sample.quality.measures),
                    reasons=tuple(reason.value for reason in each.reasons) if not each.usable else (),
                    templates={
                        model: tuple(template.embedding.tolist())
                        for model, template in self._reader.templates(each.sample).items()
                    },
                )
                for each in assessed[: request.message.max_faces]
            )
        height, width = bgr.shape[:2]
        return Reply(PhotoEmbedded(width=width, height=height, faces_found=len(assessed), faces=faces))


def _numbers(box: Box) -> tuple[float, float, float, float]:
    return box.x, box.y, box.width, box.height


def run_models(settings: Settings, socket: Path, stop: threading.Event) -> None:
    """Be the models process: load, then answer until `stop` is set.

    Raises:
        ModelError: Weights are missing or damaged.
        WireError: Another models process answers at the socket.
    """
    limit_resources(settings.processes.models_memory_mib)
    with open_photo_reader(settings) as reader:
        Server(socket, models_handlers(reader, settings), max_connections=MOST_CALLERS).serve(stop)


def models_handlers(reader: FaceReader, settings: Settings) -> dict[type[Message], Handler]:
    """Everything the models process answers. Each kind of work has a lock of its own, so none starves.

    Only a glance at a webcam has none: it is for who is about to enrol, and gives way.
    """
    enrolling = threading.Lock()
    return {
        **PhotoHandlers(reader, enrolling).handlers(),
        **GlanceHandlers(reader, enrolling).handlers(),
        **ViewHandlers().handlers(),
        **DoorSetupHandlers().handlers(),
        **SongFileHandlers().handlers(),
        **_feature_handlers(settings),
    }


def _feature_handlers(settings: Settings) -> dict[type[Message], Handler]:
    """What is answered for visual search; nothing of it is loaded before somebody asks."""
    lock = threading.Lock()
    made: dict[type[Message], Handler] = {}

    def answer(request: Request[Any]) -> Reply[Any]:
        with lock:
            if not made:
                from appliance.app.featurizing import FeatureHandlers  # noqa: PLC0415 - see above

                made.update(
                    FeatureHandlers(settings.search, ModelFolder(settings.models.directory)).handlers()
                )
        return made[type(request.message)](request)

    return dict.fromkeys((FeaturizePicture, FeaturizeFrame, AskFeaturizer), answer)


def open_photo_reader(settings: Settings) -> FaceReader:
    """A reader for enrolment: every model, and small faces too, so that the reason can be told.

    Raises:
        ModelError: Weights are missing or damaged.
    """
    folder = ModelFolder(settings.models.directory)
    return FaceReader.open(
        folder, settings.faces, ENROLLED_MODELS, reference=settings.faces.embedder == "dlib"
    )


def limit_resources(memory_mib: int) -> None:
    """Bound what a hostile picture can take: address space, open files, no core dump of faces."""
    limits = (
        (resource.RLIMIT_AS, memory_mib * 2**20),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, limit in limits:
        hard = resource.getrlimit(kind)[1]
        wanted = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (wanted, wanted))


class ModelsClient:
    """The models process, seen from a process that has pictures.

    Args:
        client: Of its socket.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def embed(self, content: bytes) -> EmbeddedPhoto:
        """Find and embed the faces of a picture file; of a crowd the `MOST_FACES` largest.

        Raises:
            PhotoError: The file cannot be used as a picture.
            PeerGoneError: The models process is not there, or took too long.
        """
        wanted = EmbedPhoto(max_faces=MOST_FACES)
        reply = self._client.call(wanted, PhotoEmbedded, blob=content, timeout_s=_EMBED_S)
        found = reply.message
        faces = [_face(each) for each in found.faces]
        return EmbeddedPhoto.of(faces, faces=found.faces_found, size=(found.width, found.height))

    def glance(self, content: bytes) -> FacesGlanced:
        """How people stand in a small picture.

        Raises:
            PhotoError: The file cannot be used as a picture, or is no small one.
            PeerGoneError: The models process is not there, or took too long.
        """
        return self._client.call(GlanceAtFaces(), FacesGlanced, blob=content, timeout_s=_GLANCE_S).message

    def prepare_song(self, content: bytes, start_s: float, seconds: float) -> MadeSong:
        """Make a song of a part of a sound file.

        Raises:
            SongError: It cannot be made.
            PeerGoneError: The models process is not there, or took too long.
        """
        return prepared_by(self._client, content, start_s, seconds)


def _face(found: EmbeddedFace) -> PhotoFace:
    templates = {
        ModelId(model): FaceTemplate(ModelId(model), np.array(numbers, np.float32))
        for model, numbers in found.templates.items()
    }
    return PhotoFace(Box(*found.box), found.reasons, found.quality, templates)


@contextmanager
def photo_models(layout: Layout, command: Sequence[str]) -> Iterator[ModelsClient]:
    """Reach the models process of the running appliance, or one started for this block.

    Args:
        layout: Where the running appliance has its sockets.
        command: The command line that starts a models process; `--socket PATH` is added.

    Raises:
        ModelError: It did not start.
    """
    with models_socket(layout, command) as client:
        yield ModelsClient(client)


@contextmanager
def models_socket(layout: Layout, command: Sequence[str]) -> Iterator[Client]:
    """The same, for whoever asks it in messages."""
    running = Client(layout.socket("models"))
    if _answers(running):
        yield running
        return
    with tempfile.TemporaryDirectory(prefix="appliance-") as folder:
        socket = Path(folder) / "models.sock"
        process = subprocess.Popen(
            [*command, "--socket", str(socket)],
            stdin=subprocess.DEVNULL,
            # We are its supervisor: should we be killed, it ends with us.
            env={**without_secrets(os.environ), SUPERVISOR: str(os.getpid())},
        )
        try:
            _await(Client(socket), process)
            yield Client(socket)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(client: Client) -> bool:
    try:
        client.call(Ping(), timeout_s=2.0)
    except WireError:
        return False
    return True


def _await(client: Client, process: subprocess.Popen[bytes]) -> None:
    """Wait until the process answers.

    Raises:
        ModelError: It ended, or never answered.
    """
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if _answers(client):
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise ModelError(
        "the models process did not start; its own words stand above",
        command="see: appliance models verify, or install with: appliance models install",
    )
