"""What every loop stands on, live or replayed: networks, gallery, rule, spool, introduced to each other.

Opens; starts no thread and reads no camera.
"""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from appliance.app.shut_pictures import kept_picture
from appliance.app.sights import LastSight, last_sights
from appliance.camera import ConditionWatch, encode_jpeg
from appliance.decision import ErrorTables, Policy
from appliance.door import DoorWatch
from appliance.errors import ModelError
from appliance.events import Event
from appliance.evidence import Spool
from appliance.faces import FaceReader
from appliance.matching import Gallery, Reference
from appliance.models.folder import ModelFolder
from appliance.pipeline import CameraPipeline, FaceReading, GalleryHolder
from appliance.pipeline.loop import LoopSettings, Rooms, Show
from appliance.pipeline.records import Recording
from appliance.services import Layout, Services
from appliance.settings import CameraSettings, Settings
from appliance.store import NewEvent, Store, StoredEvent
from appliance.values import DetectedFace, FaceSample, ImageArray, Templates

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


def read_tables() -> ErrorTables:
    """The measured error rates that come with the program.

    Raises:
        ModelError: They are missing or damaged.
    """
    try:
        return ErrorTables.from_json(json.loads(TABLES_FILE.read_text(encoding="utf-8")))
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
        rows = (Reference(*row) for row in found.rows)
        return Gallery(policy.models, rows, version=found.version, strictness=found.strictness)

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
    *,
    home: Layout | None = None,
) -> CameraPipeline:
    """The loop of one camera, introduced to its rooms; what disturbed it when an earlier loop ended goes on.

    Args:
        camera: Which.
        parts: What it shares with the others.
        records: Where it writes.
        faces: Reads them.
        show: Told of each frame, if anybody is.
        home: Whose pictures of shut doors it begins with; by default those that lie where it writes.

    Raises:
        StoreError: The log cannot be read.
    """
    settings = parts.settings
    sight = last_sights(parts.services.store).get(camera.id, LastSight())
    doors = [door for door in settings.doors if door.camera == camera.id]
    held_open_s = {door.id: door.held_open_s for door in doors}
    home = home or parts.services.layout
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
        ),
        show=show,
    )
