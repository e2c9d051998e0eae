"""A camera's loop among toy rooms, for tests of what ends up on record."""

import json
from collections.abc import Sequence
from pathlib import Path

from factories import direction, face, frame, templates
from fakes import MemoryLog, MemorySpool, ScriptedDoor, ToyFaces

from appliance.decision import ErrorTables, Policy
from appliance.events import PersonUndecided, StrangerSeen, SubjectIdentified
from appliance.ids import seeded_ids
from appliance.matching import Gallery, Reference
from appliance.pipeline import CameraPipeline, GalleryHolder, Records
from appliance.pipeline.disturbances import CameraWatching
from appliance.pipeline.loop import LoopSettings, Rooms, Show
from appliance.settings import (
    CameraSettings,
    EncounterSettings,
    EvidenceSettings,
    FaceSettings,
    RecognitionSettings,
)
from appliance.values import (
    DLIB_MIRROR,
    SFACE,
    DetectedFace,
    DoorState,
    ReferenceId,
    SubjectId,
    Templates,
)

TABLES = ErrorTables.from_json(
    json.loads((Path(__file__).parents[2] / "data" / "score-tails.json").read_text(encoding="utf-8"))
)
BAD_ANN = templates(0.32, 0, 0.95)
"""A frame of Ann in which nobody would know her, though it is like her other frames."""
Seen = tuple[DetectedFace, float, Templates]


def seen(who: Templates, *, x: float = 100, quality: float = 80, width: float = 80) -> list[Seen]:
    """One face of somebody."""
    return [(face(x, width=width), quality, who)]


class House:
    """A camera's loop among toy rooms."""

    def __init__(
        self,
        script: Sequence[list[Seen]],
        *,
        doors: Sequence[DoorState] = (DoorState.OPEN,),
        when: str = "door",
        recipients: tuple[str, ...] = ("age1x",),
        enrolled: tuple[str, ...] = ("ann", "ben"),
        **encounters: object,
    ) -> None:
        self.log, self.spool = MemoryLog(), MemorySpool()
        self.faces = ToyFaces(list(script))
        self.version, self.enrolled = 1, list(enrolled)
        self.holder = GalleryHolder(self._gallery, lambda: self.version)
        self._camera = CameraSettings.model_validate(
            {"id": "entrance", "source": "scene:door", "when": when, "tail_s": 1}
        )
        self._encounters = EncounterSettings.model_validate(encounters)
        self._recipients = recipients
        self._doors = doors
        self.loop = self.build(self.faces)

    def build(
        self, faces: ToyFaces, show: Show | None = None, condition: CameraWatching | None = None
    ) -> CameraPipeline:
        """The loop, with these faces."""
        return CameraPipeline(
            LoopSettings(
                self._camera, FaceSettings(), self._encounters, EvidenceSettings(recipients=self._recipients)
            ),
            Rooms(
                {"front": ScriptedDoor(*self._doors)} if self._doors else {},
                faces,
                Policy(RecognitionSettings(), TABLES),
                self.holder,
                Records(self.log, self.spool),
                seeded_ids(1),
                condition,
            ),
            show=show,
        )

    def _gallery(self) -> Gallery:
        axes = {"ann": direction(1, 0, 0), "ben": direction(0, 1, 0), "zoe": direction(0, 0, 1)}
        rows = [
            Reference(SubjectId(name), ReferenceId("r"), model, axes[name])
            for name in self.enrolled
            for model in (DLIB_MIRROR, SFACE)
        ]
        return Gallery((DLIB_MIRROR, SFACE), rows, version=self.version)

    def run(self, frames: int, *, start: int = 0) -> "House":
        """Feed frames, ten a second."""
        for i in range(start, start + frames):
            self.loop.process(frame(i))
        return self

    def finish(self) -> list[str]:
        """End the frames; the types on record."""
        self.loop.finish()
        return self.log.types()


def encounters(house: House) -> list[tuple[str, str | None]]:
    """(type, subject) of the last decision of each encounter, in the order they began."""
    last: dict[str, tuple[str, str | None]] = {}
    for kept in house.log.kept:
        event = kept.event
        if isinstance(event, SubjectIdentified | StrangerSeen | PersonUndecided):
            last[event.encounter] = (event.type, getattr(event, "subject", None))
    return list(last.values())
