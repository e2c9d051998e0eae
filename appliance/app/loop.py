"""The loop process: every camera of the box, from frames to logged decisions.

One thread per camera, one set of networks for all of them, one thread that writes. It
waits for nobody: dispatch is woken, viewers take what they find, a slow disk fills a queue.
"""

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from appliance.app.adoption import adopt_captures, sweep_captures
from appliance.app.embedding import PhotoHandlers, open_photo_reader
from appliance.app.viewing import Showcase
from appliance.camera import Camera, encode_jpeg
from appliance.decision import ErrorTables, Policy
from appliance.door import DoorWatch
from appliance.errors import ApplianceError, CameraLostError, ModelError, WireError
from appliance.events import CameraChanged, Event
from appliance.evidence import Spool
from appliance.faces import FaceReader
from appliance.matching import Gallery, Reference
from appliance.models.folder import ModelFolder
from appliance.pipeline import CameraPipeline, FaceReading, GalleryHolder, Records, RecordsThread
from appliance.pipeline.loop import LoopSettings, Rooms, Show
from appliance.pipeline.records import Recording
from appliance.services import Services
from appliance.settings import CameraSettings, Settings
from appliance.store import NewEvent, Store, StoredEvent
from appliance.values import DetectedFace, FaceSample, ImageArray, Templates
from appliance.wire import Client, Handler, Message, Reply, Request, Server
from appliance.wire.messages import Done, ReloadGallery, Status, StatusRequest, WakeDispatch

_log = structlog.get_logger()

TABLES_FILE = Path(__file__).parents[2] / "data" / "score-tails.json"


class SharedFaces:
    """One set of networks used by the threads of several cameras, one at a time."""

    def __init__(self, reader: FaceReader) -> None:
        self._reader = reader
        self._lock = threading.Lock()

    def detect(self, bgr: ImageArray) -> list[DetectedFace]:
        """See `FaceReader.detect`."""
        with self._lock:
            return self._reader.detect(bgr)

    def sample(self, bgr: ImageArray, face: DetectedFace) -> FaceSample:
        """See `FaceReader.sample`."""
        with self._lock:
            return self._reader.sample(bgr, face)

    def templates(self, sample: FaceSample) -> Templates:
        """See `FaceReader.templates`."""
        with self._lock:
            return self._reader.templates(sample)


class LoggedEvents:
    """The store as the loop's records need it; wakes dispatch after each append."""

    def __init__(self, store: Store, wake: Callable[[], None]) -> None:
        self._store = store
        self._wake = wake

    def append_all(self, events: Sequence[Event], *, at: datetime) -> list[StoredEvent]:
        """Append in one transaction.

        Raises:
            StoreError: Nothing was kept.
        """
        stored = self._store.append_all([NewEvent(event, at=at) for event in events])
        self._wake()
        return stored


class Waker:
    """Tells dispatch that there is something new, from a thread of its own."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._due = threading.Event()

    def wake(self) -> None:
        """Ask for it; returns at once."""
        self._due.set()

    def run(self, stop: threading.Event) -> None:
        """Tell dispatch whenever asked, until `stop` is set."""
        while not stop.is_set():
            if self._due.wait(0.5):
                self._due.clear()
                # A dispatch that does not hear it looks for itself every two seconds.
                with contextlib.suppress(WireError):
                    self._client.call(WakeDispatch(), Done, timeout_s=1.0)


@dataclass(frozen=True, slots=True)
class Parts:
    """What is opened once and used by every camera of a process, live or replayed.

    Attributes:
        settings: All of them; each room is handed its own.
        services: Opened.
        policy: The rule.
        gallery: What is searched.
        reader: The networks.
        spool: Where captures go.
    """

    settings: Settings
    services: Services
    policy: Policy
    gallery: GalleryHolder
    reader: FaceReader
    spool: Spool


def read_policy(settings: Settings) -> Policy:
    """The rule, with the measured error rates that come with the program.

    Raises:
        ModelError: The tables are missing or damaged.
    """
    try:
        data = json.loads(TABLES_FILE.read_text(encoding="utf-8"))
        return Policy(settings.recognition, ErrorTables.from_json(data))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{TABLES_FILE} cannot be read: {error}", hint="restore it from the release you installed"
        ) from error


def store_gallery(store: Store, policy: Policy) -> GalleryHolder:
    """What the store has enrolled, for as long as the store is open.

    Raises:
        StoreError: It cannot be read.
        VaultError: A template does not open.
    """

    def read() -> Gallery:
        found = store.gallery(policy.models)
        return Gallery(policy.models, (Reference(*row) for row in found.rows), version=found.version)

    return GalleryHolder(read, store.gallery_version)


@contextlib.contextmanager
def opened_parts(
    settings: Settings, services: Services, policy: Policy, gallery: GalleryHolder
) -> Iterator[Parts]:
    """Load the networks and open the spool.

    Raises:
        ModelError: Weights are missing or damaged.
        RecipientError: A recipient in the settings is no key to seal to.
        EvidenceError: The spool cannot be written.
    """
    folder = ModelFolder(settings.models.directory)
    spool = Spool(services.layout.spool, settings.evidence, services.clock, encode_jpeg, ids=services.ids)
    with FaceReader.open(
        folder, settings.faces, policy.models, reference=settings.faces.embedder == "dlib"
    ) as reader:
        yield Parts(settings, services, policy, gallery, reader, spool.open())


def camera_pipeline(
    camera: CameraSettings,
    parts: Parts,
    records: Recording,
    faces: FaceReading,
    show: Show | None = None,
) -> CameraPipeline:
    """The loop of one camera, introduced to its rooms."""
    settings = parts.settings
    doors = {door.id: DoorWatch(door) for door in settings.doors if door.camera == camera.id}
    return CameraPipeline(
        LoopSettings(camera, settings.faces, settings.encounters, settings.evidence),
        Rooms(dict(doors), faces, parts.policy, parts.gallery, records, parts.services.ids),
        show=show,
    )


class LoopProcess:
    """The running loop.

    Args:
        settings: All of them; each room is handed its own.
        services: Opened.
        once: End when every camera's recording has ended; otherwise recordings play again and again.
    """

    def __init__(self, settings: Settings, services: Services, *, once: bool) -> None:
        self._settings = settings
        self._services = services
        self._once = once
        self._started_s = time.monotonic()
        self._cameras: dict[str, Camera] = {}
        self._counts: dict[str, dict[str, int]] = {}
        self._failures: list[ApplianceError] = []
        self._showcase = Showcase()
        self._ended = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, or, with `once`, until the recordings are over.

        Raises:
            CameraRefusedError: A camera can never work as configured.
            ModelError: Weights are missing or damaged.
        """
        settings, services = self._settings, self._services
        with contextlib.ExitStack() as stack:
            policy = read_policy(settings)
            gallery = store_gallery(services.store, policy)
            parts = stack.enter_context(opened_parts(settings, services, policy, gallery))
            waker = Waker(Client(services.layout.socket("dispatch")))
            log = LoggedEvents(services.store, waker.wake)
            adopt_captures(services.store, parts.spool)
            records = stack.enter_context(RecordsThread(Records(log, parts.spool)))
            if not settings.evidence.recipients:
                _log.warning(
                    "no_recipients",
                    consequence="strangers are logged without a picture",
                    setting="evidence.recipients",
                )
            side = threading.Event()
            stack.callback(side.set)
            for name, work in (
                ("gallery", parts.gallery.run),
                ("waker", waker.run),
                ("captures", lambda until: sweep_captures(services.store, parts.spool, until)),
            ):
                threading.Thread(target=work, args=(side,), name=name, daemon=True).start()
            stack.enter_context(Server(services.layout.socket("loop"), self._handlers(parts)))
            if settings.processes.models == "loop":
                photos = PhotoHandlers(stack.enter_context(open_photo_reader(settings)))
                stack.enter_context(Server(services.layout.socket("models"), photos.handlers()))
            self._watch_cameras(parts, records, stop)
        if self._failures:
            raise self._failures[0]

    def _watch_cameras(self, parts: Parts, records: Recording, stop: threading.Event) -> None:
        """A thread per camera; returns when all have ended."""
        faces = SharedFaces(parts.reader)
        threads = [
            threading.Thread(
                target=self._watch,
                args=(camera, parts, records, faces, stop),
                name=f"loop-{camera.id}",
                daemon=True,
            )
            for camera in self._settings.cameras
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            self._ended.wait(0.5)
            self._ended.clear()
            if self._failures:
                stop.set()

    def _watch(
        self,
        settings: CameraSettings,
        parts: Parts,
        records: Recording,
        faces: SharedFaces,
        stop: threading.Event,
    ) -> None:
        """Follow one camera to the end."""
        clock = self._services.clock

        def changed(event: CameraChanged) -> None:
            records.log([event], clock.wall())

        camera = Camera(settings, clock, on_change=changed, loop=not self._once)
        self._cameras[settings.id] = camera
        counts = self._counts[settings.id] = {"frames": 0, "damaged": 0}
        shown = self._showcase.camera(settings.id)
        pipeline = camera_pipeline(settings, parts, records, faces, shown.show)
        try:
            for frame in camera.frames(stop):
                counts["frames"] += 1
                try:
                    pipeline.process(frame)
                except CameraLostError as error:
                    # The frame's data was bad in a way that showed only when decoded.
                    counts["damaged"] += 1
                    _log.warning("frame_skipped", camera=settings.id, error=error.message)
        except ApplianceError as error:
            self._failures.append(error)
        finally:
            pipeline.finish()
            self._ended.set()

    # ------------------------------------------------------------ what others may ask

    def _handlers(self, parts: Parts) -> dict[type[Message], Handler]:
        return {
            StatusRequest: lambda _: Reply(self._status(parts)),
            ReloadGallery: lambda request: self._reload(request, parts),
            **self._showcase.handlers(),
        }

    def _reload(self, request: Request[ReloadGallery], parts: Parts) -> Reply[Done]:
        del request
        parts.gallery.refresh()
        return Reply(Done())

    def _status(self, parts: Parts) -> Status:
        gallery = parts.gallery.current
        return Status(
            process="loop",
            pid=os.getpid(),
            uptime_s=round(time.monotonic() - self._started_s, 3),
            details={
                "gallery": {
                    "version": gallery.version,
                    "subjects": len(gallery),
                    "references": gallery.reference_count,
                },
                "cameras": {
                    name: {
                        **self._counts.get(name, {}),
                        "received": camera.statistics.received,
                        "dropped": camera.statistics.dropped,
                        "reconnects": camera.statistics.reconnects,
                    }
                    for name, camera in list(self._cameras.items())
                },
            },
        )
