"""The settings of recorded video: how long clips are, and what of them stays on the box.

Which event records what is said by rules, not here.
"""

from typing import Self

from pydantic import model_validator

from appliance.settings.kvs import KvsSettings
from appliance.settings.room import Room, field

_SCOPE = "video"


class VideoSettings(Room):
    """Clips: video of the cameras around what happened, kept sealed on this box."""

    enabled: bool = field(
        default=True,
        description="Whether the process that records video is run; it waits until a rule, a function or "
        "somebody asks for a clip.",
        scope="all",
    )
    clip_s: float = field(
        60.0,
        "Seconds of video that a clip has after what set it off, where a rule says nothing else; whatever "
        "sets it off again meanwhile extends it.",
        scope=_SCOPE,
        ge=5,
        le=600,
    )
    pre_trigger_s: float = field(
        5.0,
        "Seconds of video before what set a clip off, as far as the camera's own memory goes (ring_s).",
        scope=_SCOPE,
        ge=0,
        le=60,
    )
    longest_s: float = field(
        600.0,
        "Seconds after which a clip that is extended again and again ends, and another one goes on.",
        scope=_SCOPE,
        ge=60,
        le=3600,
    )
    retention_days: float | None = field(
        14.0, "Days after which a clip is deleted; empty: by age none is.", scope=_SCOPE, gt=0, le=3650
    )
    max_mib: int = field(
        8192, "MiB that all clips may take on the disk; above it the oldest go.", scope=_SCOPE, ge=64
    )
    min_free_mib: int = field(
        512,
        "MiB left free on the disk: below it the oldest clips go, and nothing more is recorded if that does "
        "not help.",
        scope=_SCOPE,
        ge=0,
    )
    kvs: KvsSettings = field(
        KvsSettings(), "Kinesis Video Streams, where clips can go as well.", scope=_SCOPE
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.longest_s < self.clip_s + self.pre_trigger_s:
            raise ValueError("longest_s must be at least clip_s and pre_trigger_s together")
        return self
