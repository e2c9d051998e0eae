"""What every loop stands on, live or replayed: networks, gallery, rule, spool, introduced to each other.

Opens; starts no thread and reads no camera.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from appliance.app.coffee_corners import Agreed, CupFinder, coffee_rooms
from appliance.app.detecting import opened_detectors
from appliance.app.error_tables import read_tables
from appliance.app.shut_pictures import kept_picture
from appliance.app.sights import LastSight, last_sights
from appliance.camera import ConditionWatch, encode_jpeg
from appliance.decision import Policy
from appliance.door import DoorWatch
from appliance.events import Event
from appliance.evidence import Spool
from appliance.faces import FaceReader
from appliance.matching import Gallery, Reference
from appliance.models.folder import ModelFolder
from appliance.objects import ObjectDetector, ObjectWatch
from appliance.pipeline import CameraPipeline, FaceReading, GalleryHolder
from appliance.pipeline.coffee import CoffeeRooms, Tell
from appliance.pipeline.loop import LoopSettings, Rooms, Show
from appliance.pipeline.records import Recording
from appliance.services import Layout, Services
from appliance.settings import CameraSettings, ObjectsSettings, Settings
from appliance.store import LEADERBOARD, NewEvent, Store, StoredEvent
from appliance.values import (
    DetectedFace,
    FaceSample,
    FrameStamp,
    ImageArray,
    ObjectsReading,
    Templates,
)

PublishSeen = Callable[[ObjectsSettings, ObjectsReading, FrameStamp], None]
"""Told of each frame in which things were looked for, and by whose settings; returns at once."""


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
        detectors: The networks that find things, by the names of the settings; only those in use.
        coffee: What cameras before coffee corners share; None: no coffees are counted.
        agreed: Keeps who agreed to be counted.
    """

    settings: Settings
    services: Services
    policy: Policy
    gallery: GalleryHolder
    reader: FaceReader
    spool: Spool
    detectors: Mapping[str, ObjectDetector]
    coffee: CoffeeRooms | None = None
    agreed: Agreed | None = None

    @property
    def origin(self) -> dict[str, str]:
        """What captures say of where they come from."""
        return {"site": self.settings.site, "device": self.services.device}


def read_policy(settings: Settings) -> Policy:
    """The rule, with the measured error rates that come with the program.

    Raises:
        ModelError: The tables are missing or damaged.
    """
    return Policy(settings.recognition, read_tables())


def store_gallery(store: Store, policy: Policy) -> GalleryHolder:
    """What the store has enrolled, for as long as the store is open.

    Raises:
        StoreError: It cannot be read.
        VaultError: A template does not open.
    """

    def read() -> Gallery:
        found = store.gallery(policy.models)
        rows = (Reference(*row) for row in found.rows)
        return Gallery(policy.models, rows, version=found.version, strictness=found.strictness)

    return GalleryHolder(read, store.gallery_version)


@contextlib.contextmanager
def opened_parts(
    settings: Settings,
    services: Services,
    policy: Policy,
    gallery: GalleryHolder,
    *,
    people: Store | None = None,
    tell: Tell | None = None,
) -> Iterator[Parts]:
    """Load the networks and open the spool.

    Args:
        settings: All of them.
        services: Opened.
        policy: The rule.
        gallery: What is searched.
        people: Whose consents count, where they are others than those of `services`.
        tell: Told what coffee corners show, if anybody is.

    Raises:
        ModelError: Weights are missing or damaged.
        RecipientError: A recipient in the settings is no key to seal to.
        EvidenceError: The spool cannot be written.
    """
    folder = ModelFolder(settings.models.directory)
    spool = Spool(services.layout.spool, settings.evidence, services.clock, encode_jpeg, ids=services.ids)
    coffee = settings.coffee
    cups = {str(coffee.model): coffee.least_score} if coffee.cameras else {}
    # Before the faces' networks: loading one takes several times what it keeps, and the peak is the sum.
    detectors = opened_detectors(folder, settings.objects, cups)
    with FaceReader.open(
        folder, settings.faces, policy.models, reference=settings.faces.embedder == "dlib"
    ) as reader:
        agreed, corners = None, None
        if coffee.cameras:
            store = people or services.store
            agreed = Agreed(lambda: store.agreed_to(LEADERBOARD))
            finder = CupFinder(detectors[coffee.model], coffee)
            corners = coffee_rooms(coffee, services, policy, finder, agreed=agreed, tell=tell)
        yield Parts(settings, services, policy, gallery, reader, spool.open(), detectors, corners, agreed)


def camera_pipeline(
    camera: CameraSettings,
    parts: Parts,
    records: Recording,
    faces: FaceReading,
    show: Show | None = None,
    *,
    home: Layout | None = None,
    publish: PublishSeen | None = None,
) -> CameraPipeline:
    """The loop of one camera, introduced to its rooms; what disturbed it when an earlier loop ended goes on.

    Args:
        camera: Which.
        parts: What it shares with the others.
        records: Where it writes.
        faces: Reads them.
        show: Told of each frame, if anybody is.
        home: Whose pictures of shut doors it begins with; by default those that lie where it writes.
        publish: Told of the things in its frames, if anybody is.

    Raises:
        StoreError: The log cannot be read.
    """
    settings = parts.settings
    sight = last_sights(parts.services.store).get(camera.id, LastSight())
    doors = [door for door in settings.doors if door.camera == camera.id]
    held_open_s = {door.id: door.held_open_s for door in doors}
    home = home or parts.services.layout
    watched = next((watch for watch in settings.objects if watch.camera == camera.id), None)
    return CameraPipeline(
        LoopSettings(camera, settings.faces, settings.encounters, settings.evidence, held_open_s),
        Rooms(
            doors={door.id: DoorWatch(door, kept_picture(home, door)) for door in doors},
            faces=faces,
            policy=parts.policy,
            gallery=parts.gallery,
            records=records,
            ids=parts.services.ids,
            condition=ConditionWatch(camera, sight.ongoing),
            disturbed_since=sight.since,
            objects=ObjectWatch(watched, parts.detectors[watched.model]) if watched is not None else None,
            publish=partial(publish, watched) if publish is not None and watched is not None else None,
            coffee=parts.coffee if camera.id in settings.coffee.cameras else None,
        ),
        show=show,
    )
