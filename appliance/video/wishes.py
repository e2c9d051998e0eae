"""Who wants video of a camera, from when until when, and what for; what a fragment says of that.

Values only; what is recorded of it, and until when it lasts then, is `recording`'s.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from appliance.video.clip import About, Label
from appliance.video.fragment import MAX_TAG_VALUE_BYTES

OURS: Final = ""
"""The stream that rules and commands record for: the box's own."""
_MOST_LABELS = 3
_MOST_EVENTS = 2


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody wants video.

    Attributes:
        seconds: From `at_ms` on.
        at_ms: When it happened, milliseconds since the epoch.
        back_ms: How much from before that.
        cause: Id of the event; None: there is none.
        stream: What it is for besides; `OURS`: nothing.
        retention_hours: How long that stream wants it kept.
        labels: What was seen.
    """

    seconds: float
    at_ms: int
    back_ms: int
    cause: str | None = None
    stream: str = OURS
    retention_hours: float | None = None
    labels: tuple[Label, ...] = ()

    @property
    def about(self) -> About:
        """What a clip is for that is made of it."""
        return About(
            causes=() if self.cause is None else (self.cause,),
            labels=self.labels,
            streams=() if self.stream == OURS else (self.stream,),
            ours=self.stream == OURS,
            retention_hours=self.retention_hours,
        )


@dataclass(slots=True)
class Wants:
    """What is wanted of a camera now.

    Attributes:
        from_ms: From when on, by the earliest wish.
        until: Stream → until when.
        about: All wishes that go on, together.
        owed: Nothing of it was kept yet, or another clip was to go on, and somebody still wants that.
    """

    from_ms: int
    until: dict[str, int]
    about: About
    tags: tuple[tuple[str, str], ...] = field(default=())
    owed: bool = True

    @property
    def until_ms(self) -> int:
        """Until when anything is wanted."""
        return max(self.until.values(), default=0)

    def move(self, by_ms: int) -> None:
        """The clock was set by so much."""
        self.from_ms += by_ms
        self.until = {name: until + by_ms for name, until in self.until.items()}


def tags(about: About) -> tuple[tuple[str, str], ...]:
    """What a fragment says of why it was kept: what was seen, how certain that was, and ids of events."""
    labels: Iterable[tuple[str, str]] = (
        pair
        for number, (label, score) in enumerate(about.labels[:_MOST_LABELS])
        for pair in ((f"label{number or ''}", label), (f"score{number or ''}", f"{score:.3f}"))
    )
    events = ((f"event{number or ''}", each) for number, each in enumerate(about.causes[:_MOST_EVENTS]))
    return tuple(
        (name, value) for name, value in (*labels, *events) if len(value.encode()) <= MAX_TAG_VALUE_BYTES
    )
