"""What a camera's loop knows of one person's stay, and the pictures kept of it in case they are a stranger.

A picture is kept only once its face was compared with those before it, so that a stranger's capture shows one
person. Nothing is decided, sealed or put on record here.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from appliance.decision import Encounter
from appliance.events import StrangerSeen
from appliance.pipeline.records import Picture
from appliance.settings import EvidenceSettings
from appliance.values import Grade

_PICTURE_BYTES = 48 * 2**20
"""Memory for full frames kept as possible evidence, per camera: 18 at 720p; one encounter's at any size."""


@dataclass(slots=True)
class Stay:
    """A track, or the part of one that shows one person, with what the loop knows about it.

    Attributes:
        encounter_id: Of the events.
        door: At which they came in, or None.
        visit: Of that door.
        encounter: The decision's view.
        seen_s: Monotonic seconds at which the face was last found.
        label: Who it is, once said.
        score: Of the latest decision.
        grade: Of the latest decision; None before the first.
        rule: The policy line that decided it.
        threshold: What the score was held against.
        repeated: They were here a moment ago.
        stranger: The first event that called them a stranger, unless retracted.
        stranger_since_s: When that was.
        captured: Their pictures are sealed, or there were none.
        pictures: The best, not yet sealed.
        doubted: The picture of a frame that the encounter holds back.
    """

    encounter_id: str
    door: str | None
    visit: str | None
    encounter: Encounter
    seen_s: float
    label: str | None = None
    score: float | None = None
    grade: Grade | None = None
    rule: str = ""
    threshold: float | None = None
    repeated: bool = False
    stranger: StrangerSeen | None = None
    stranger_since_s: float = 0.0
    captured: bool = False
    pictures: list[Picture] = field(default_factory=list)
    doubted: Picture | None = None

    @property
    def awaits_capture(self) -> bool:
        """Called a stranger, and better pictures may still come before they are sealed."""
        return self.stranger is not None and not self.captured


class PictureShelf:
    """Which pictures of current stays are kept.

    Args:
        settings: Whether any is, and how many a capture has.
        stays: All current ones; they share the memory there is.
    """

    def __init__(self, settings: EvidenceSettings, stays: Collection[Stay]) -> None:
        self._settings = settings
        self._stays = stays

    def wants(self, stay: Stay, picture: Picture) -> bool:
        """Whether a picture would be kept for the capture that a stranger awaits."""
        if not stay.awaits_capture or not self._settings.recipients:
            return False
        if stay.pictures and picture.quality > stay.pictures[-1].quality:
            return True
        return len(stay.pictures) < self._settings.frames and not self._full(picture)

    def keep(self, stay: Stay, picture: Picture) -> None:
        """Keep it if it is among the best of somebody not identified, who may be a stranger."""
        stay.doubted = None
        if stay.captured or stay.encounter.identified or not self._settings.recipients:
            return
        # When memory is full, a better one may still take a worse one's place.
        room = len(stay.pictures) if self._full(picture) else self._settings.frames
        stay.pictures.append(picture)
        stay.pictures.sort(key=lambda kept: (-kept.quality, kept.stamp.sequence))
        del stay.pictures[room:]

    def doubt(self, stay: Stay, picture: Picture) -> None:
        """Keep it aside: it may be of somebody else."""
        stay.doubted = None
        if self._settings.recipients and not self._full(picture):
            stay.doubted = picture

    def _full(self, picture: Picture) -> bool:
        """Whether all stays together hold as many pictures of this size as memory is meant for."""
        held = sum(len(stay.pictures) + (stay.doubted is not None) for stay in self._stays)
        return held >= max(self._settings.frames, _PICTURE_BYTES // picture.bgr.nbytes)
