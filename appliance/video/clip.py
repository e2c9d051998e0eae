"""What a clip is: one unbroken stretch of one camera's video, in fragments that play by themselves.

Values only; nothing is read or written here. Times are milliseconds since the Unix epoch.
"""

from dataclasses import dataclass, field, replace
from typing import Self

from appliance.events import ClipEnd

Label = tuple[str, float]
"""What was seen, and how certain that was, 0 to 1."""

Wanted = tuple[tuple[str, int], ...]
"""Streams, the box's own being the empty name, and until when each wants video."""

HOUR_MS = 3_600_000
MOST_CAUSES = 64
MOST_LABELS = 8
MOST_STREAMS = 8


@dataclass(frozen=True, slots=True)
class FragmentNote:
    """A fragment of a clip, without what is in it.

    Attributes:
        number: Counts from 0.
        begin_ms: When its first picture was taken.
        duration_ms: How long it lasts.
        size_bytes: On the disk.
    """

    number: int
    begin_ms: int
    duration_ms: int
    size_bytes: int

    @property
    def end_ms(self) -> int:
        """When its last picture was no longer shown."""
        return self.begin_ms + self.duration_ms


@dataclass(frozen=True, slots=True)
class About:
    """What a clip is of and for; all of it may stand in clear.

    Attributes:
        causes: Ids of the events that set it off and extended it, in that order.
        labels: What was seen that did, the most certain first.
        streams: Streams outside of the box that it was recorded for besides.
        ours: Whether the settings say how long it is kept: nothing but a stream asked for it otherwise.
        retention_hours: How long a stream wants it kept, if any does; the longer of the two holds.
    """

    causes: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()
    streams: tuple[str, ...] = ()
    ours: bool = True
    retention_hours: float | None = None

    def joined(self, other: Self) -> Self:
        """Both: kept for as long as either is."""
        best = dict(sorted((*self.labels, *other.labels), key=lambda label: label[1]))
        hours = [each for each in (self.retention_hours, other.retention_hours) if each is not None]
        return replace(
            self,
            causes=tuple(dict.fromkeys((*self.causes, *other.causes)))[:MOST_CAUSES],
            labels=tuple(sorted(best.items(), key=lambda label: -label[1]))[:MOST_LABELS],
            streams=tuple(dict.fromkeys((*self.streams, *other.streams)))[:MOST_STREAMS],
            ours=self.ours or other.ours,
            retention_hours=max(hours, default=None),
        )


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip.

    Attributes:
        id: Opaque.
        camera: Whose video.
        width: Pixels.
        height: Pixels.
        about: What it is for.
        fragments: In order; none overlaps another.
        ended: Why it grows no more; None: it grows.
        wanted: Until when whom it is for wants video, as is known; see `Wanted`.
    """

    id: str
    camera: str
    width: int
    height: int
    about: About = About()
    fragments: tuple[FragmentNote, ...] = field(default=(), repr=False)
    ended: ClipEnd | None = None
    wanted: Wanted = ()

    @property
    def begin_ms(self) -> int:
        """When its first picture was taken; 0 for a clip without fragments."""
        return self.fragments[0].begin_ms if self.fragments else 0

    @property
    def end_ms(self) -> int:
        """When its last picture was no longer shown."""
        return self.fragments[-1].end_ms if self.fragments else 0

    @property
    def size_bytes(self) -> int:
        """What its fragments take on the disk."""
        return sum(fragment.size_bytes for fragment in self.fragments)

    def keep_until_ms(self, retention_hours: float | None) -> int | None:
        """When it is too old; None: never.

        Args:
            retention_hours: What the settings say; None: by age nothing goes.
        """
        wanted = [] if self.about.retention_hours is None else [self.about.retention_hours]
        if self.about.ours or not wanted:
            if retention_hours is None:
                return None
            wanted.append(retention_hours)
        return self.end_ms + round(max(wanted) * HOUR_MS)
