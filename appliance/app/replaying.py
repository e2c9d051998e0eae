"""`appliance replay`: the whole loop on a recording, with the recording's own time.

Every frame is looked at, nothing waits and no clock is read, so the same recording with the
same gallery and the same pictures of shut doors writes the same log every time. It writes to a state
directory of its own: the running appliance's log is not touched, its gallery and pictures are only read.
"""

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from appliance.app.parts import (
    LoggedEvents,
    camera_pipeline,
    opened_parts,
    read_policy,
    store_gallery,
)
from appliance.camera import open_source, recorded_frames
from appliance.clock import ManualClock
from appliance.decision import Policy
from appliance.errors import CameraLostError, EvidenceError, InputError
from appliance.ids import seeded_ids
from appliance.matching import Gallery
from appliance.pipeline import GalleryHolder, Records
from appliance.pipeline.records import Picture
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings, StoreSettings, VaultSettings
from appliance.store import Store, StoredEvent
from appliance.values import CameraId

START = datetime(2026, 1, 1, tzinfo=UTC)
"""Wall time of a replayed recording's first frame, unless another is given: any fixed one will do."""

REPLAYED = "replay"
"""In place of a run's id on every event of a replay: the same each time, so that the log is."""
_MOST_EVENTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay did.

    Attributes:
        frames: Frames looked at.
        damaged: Frames and packets that could not be used.
        events: The events it logged, in order.
    """

    frames: int
    damaged: int
    events: tuple[StoredEvent, ...]


def replay(
    settings: Settings,
    origin: Services | None,
    scratch: Path,
    *,
    seals: bool = False,
    start: datetime = START,
    seed: int = 0,
    tell: Callable[[int], None] = lambda _: None,
    happened: Callable[[StoredEvent], None] = lambda _: None,
) -> Replayed:
    """Run the loop over the first camera's recording.

    Args:
        settings: With at least one camera, whose source is a recording.
        origin: Whose gallery is searched, and whose pictures of shut doors the watch begins with; None
            searches an empty one and begins without.
        scratch: An empty directory for the replay's own log and captures.
        seals: Seal strangers' captures into `scratch`. Sealing is random by nature, so size and
            digest of a capture, and the chain behind it, then differ from one replay to the next;
            without it the log is the same to the last bit.
        start: Wall time of the first frame, aware.
        seed: For ids.
        tell: Called with the number of frames so far.
        happened: Called with each event, after the frame in which it was logged and before the next.

    Raises:
        InputError: No camera, or `scratch` is in use.
        CameraRefusedError: The source is live or no recording.
    """
    if not settings.cameras:
        raise InputError("there is no recording to replay")
    layout = Layout(scratch)
    if layout.database.exists():
        raise InputError(f"{scratch} holds a log already", hint="choose an empty folder")
    camera = settings.cameras[0]
    own = settings.model_copy(update={"actions": (), "store": StoreSettings(), "vault": VaultSettings()})
    policy = read_policy(own)
    gallery = store_gallery(origin.store, policy) if origin is not None else _nobody(policy)
    people = origin.store if origin is not None else None
    clock, ids = ManualClock(start), seeded_ids(seed)
    with contextlib.ExitStack() as stack:
        services = stack.enter_context(
            open_services(own, layout, create=True, clock=clock, ids=ids, boot=REPLAYED)
        )
        parts = stack.enter_context(opened_parts(own, services, policy, gallery, people=people))
        logged = threading.Event()
        spool = parts.spool if seals else SealsNothing()
        records = Records(LoggedEvents(services.store, logged.set), spool, parts.origin)
        home = origin.layout if origin is not None else layout
        pipeline = camera_pipeline(camera, parts, records, parts.reader, home=home)
        fresh = _Fresh(services.store, happened)
        source = open_source(camera, clock)
        frames = damaged = 0
        for frame in recorded_frames(source, camera=CameraId(camera.id), fps=camera.fps, start_wall=start):
            clock.set(wall=frame.stamp.wall, monotonic=frame.stamp.monotonic_s)
            frames += 1
            try:
                pipeline.process(frame)
            except CameraLostError:
                damaged += 1
            if logged.is_set():
                logged.clear()
                fresh.tell()
            tell(frames)
        pipeline.finish()
        fresh.tell()
        return Replayed(frames, damaged + source.damaged, tuple(services.store.events(limit=_MOST_EVENTS)))


class _Fresh:
    """Tells of the events that were logged since it was last asked to."""

    def __init__(self, store: Store, happened: Callable[[StoredEvent], None]) -> None:
        self._store = store
        self._happened = happened
        self._after = 0

    def tell(self) -> None:
        """All of them, oldest first."""
        for stored in self._store.events(after=self._after, limit=_MOST_EVENTS):
            self._happened(stored)
            self._after = stored.position


class SealsNothing:
    """A spool for replays that keep nothing."""

    def store(self, pictures: Sequence[Picture], metadata: Mapping[str, Any], at: datetime) -> NoReturn:  # noqa: ARG002
        """Refuse.

        Raises:
            EvidenceError: Always, with the reason `replay`.
        """
        raise EvidenceError(f"a replay does not seal these {len(pictures)} frames", reason="replay")

    def remove(self, capture: str) -> bool:
        """There is none."""
        del capture
        return False


def _nobody(policy: Policy) -> GalleryHolder:
    """A gallery without anybody."""
    return GalleryHolder(lambda: Gallery(policy.models, ()), lambda: 0)
