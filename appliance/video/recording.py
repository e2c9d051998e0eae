"""One camera being recorded: from wishes for video, and fragments as they come, to clips and streams.

Whoever asks again extends what is being recorded, so that two clips never overlap; a clip ends with a whole
fragment. How much is wanted still is counted on the video's own time, so that a clock that is set by moves
nothing. A clip is one stretch of pictures of one size: where that changes another clip goes on, as it does
where a clip has become as long as one may be. Waiting for a camera is `recorder`'s; there is no thread here.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Protocol

import structlog

from appliance.clock import Clock
from appliance.errors import UnknownClipError, VideoFullError
from appliance.events import ClipEnd
from appliance.video.clip import About, Clip, Label
from appliance.video.clips import Clips
from appliance.video.fragment import MAX_FRAGMENT_MS, MAX_TAG_VALUE_BYTES, Fragment, Track

_log = structlog.get_logger()

OURS: Final = ""
"""The stream that rules and commands record for: the box's own."""
_MOST_KNOWN = 256
_MOST_LABELS = 3
_MOST_EVENTS = 2
_LATE_MS = MAX_FRAGMENT_MS + 2_000
"""How far behind what happens the newest whole fragment may lie."""
_SET_S = 0.5

Taken = Literal["began", "extended", "known"]
Document = Callable[[Fragment, str], bytes]
"""A fragment as a document that plays by itself; the id is that of its clip."""


class Outlet(Protocol):
    """Takes what is recorded to somewhere else besides; raises nothing, and waits for no network."""

    def take(self, camera: str, clip: str, fragment: Fragment, streams: frozenset[str]) -> None:
        """The next fragment of a clip, which is on the disk.

        Args:
            camera: Whose.
            clip: Id of the clip.
            fragment: What was kept.
            streams: What it was recorded for; `OURS` is the box itself.
        """

    def end(self, clip: str) -> None:
        """Nothing more comes of a clip."""


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
class _Wanted:
    """What is wanted now.

    Attributes:
        from_ms: From when on, by the earliest wish.
        until: Stream → until when.
        about: All wishes that go on, together.
    """

    from_ms: int
    until: dict[str, int]
    about: About
    tags: tuple[tuple[str, str], ...] = field(default=())

    @property
    def until_ms(self) -> int:
        """Until when anything is wanted."""
        return max(self.until.values(), default=0)


class Recording:
    """One camera's.

    Args:
        camera: Which.
        clips: Where clips are kept.
        document: Makes a fragment a document.
        outlet: Gets every fragment that is kept.
        longest_ms: What one clip may last.
        clock: Tells whether the wall clock was set between two stretches of video.
    """

    def __init__(
        self,
        camera: str,
        clips: Clips,
        document: Document,
        outlet: Outlet,
        *,
        longest_ms: int,
        clock: Clock,
    ) -> None:
        self._camera = camera
        self._clips = clips
        self._document = document
        self._outlet = outlet
        self._longest_ms = longest_ms
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], None] = {}
        self._wanted: _Wanted | None = None
        self._clip: Clip | None = None
        self._track: Track | None = None
        self._end_ms = 0
        self._looked: tuple[float, float] | None = None

    def ask(self, wish: Wish) -> Taken:
        """Take a wish up; a cause that was told before changes nothing."""
        with self._lock:
            if wish.cause is not None:
                if (wish.cause, wish.stream) in self._known:
                    return "known"
                self._known[wish.cause, wish.stream] = None
                while len(self._known) > _MOST_KNOWN:
                    del self._known[next(iter(self._known))]
            lasting = round(wish.seconds * 1000)
            if self._wanted is None:
                self._end_ms += self._drift_ms()
                until = {wish.stream: wish.at_ms + lasting}
                self._wanted = _Wanted(wish.at_ms - wish.back_ms, until, wish.about, tags(wish.about))
                return "began"
            wanted = self._wanted
            at_ms = wish.at_ms
            if self._clip is not None:
                # The clock on the wall may have been set meanwhile; the video's own time goes on evenly.
                at_ms = min(max(at_ms, self._end_ms), self._end_ms + _LATE_MS)
            else:
                wanted.from_ms = min(wanted.from_ms, at_ms - wish.back_ms)
            wanted.until[wish.stream] = max(wanted.until.get(wish.stream, 0), at_ms + lasting)
            wanted.about = wanted.about.joined(wish.about)
            wanted.tags = tags(wanted.about)
            clip = self._clip
        if clip is not None:
            self._describe(clip, wish.about)
        return "extended"

    def release(self, stream: str, at_ms: int) -> None:
        """A stream wants no more than up to a time, milliseconds since the epoch."""
        with self._lock:
            if self._wanted is not None and stream in self._wanted.until:
                until = self._wanted.until
                until[stream] = min(until[stream], at_ms)

    def begin_again(self) -> None:
        """Video is to come again after a break: its times are those of the wall clock as it is now."""
        with self._lock:
            drift = self._drift_ms()
            self._end_ms += drift
            if self._wanted is not None and drift:
                self._wanted.from_ms += drift
                self._wanted.until = {name: until + drift for name, until in self._wanted.until.items()}

    def take(self, fragment: Fragment) -> bool:
        """Keep the next fragment, if it is wanted; whether more are.

        Raises:
            VideoFullError: The disk is full, or cannot be written; the clip has ended with what it had.
            VaultError: The vault is locked; likewise.
        """
        with self._lock:
            wanted = self._wanted
            if wanted is None or wanted.until_ms <= self._end_ms:
                return False
            begin_ms, end_ms = fragment.timecode_ms, fragment.end_ms
            if begin_ms < self._end_ms or end_ms <= wanted.from_ms:
                return True  # of an earlier clip already, or from before what was asked for
            if begin_ms >= wanted.until_ms:
                return False
            last = end_ms >= wanted.until_ms
            streams = frozenset(name for name, until in wanted.until.items() if until > begin_ms)
            about = wanted.about
            fragment = replace(fragment, tags=(*fragment.tags, *wanted.tags), last=last)
        if self._clip is not None:
            if fragment.track != self._track:
                self.end("camera_changed")
            elif end_ms - self._clips.clip(self._clip.id).begin_ms > self._longest_ms:
                self.end("longest")
        clip = self._write(fragment, about)
        with self._lock:
            self._end_ms = end_ms
            self._looked = self._now()
        self._outlet.take(self._camera, clip, fragment, streams)
        return self.wants_more

    def end(self, why: ClipEnd) -> None:
        """End the clip that is being recorded, if one is; what is wanted stays wanted."""
        clip, self._clip = self._clip, None
        if clip is not None:
            self._clips.end(clip.id, why)
            self._outlet.end(clip.id)

    def finish(self, why: ClipEnd) -> None:
        """End everything: nothing is wanted any more until somebody asks."""
        with self._lock:
            self._wanted = None
        self.end(why)

    def finish_if_done(self) -> bool:
        """End everything if no more is wanted; whether that is so."""
        with self._lock:
            if self._wanted is not None and self._wanted.until_ms > self._end_ms:
                return False
            self._wanted = None
        self.end("complete")
        return True

    @property
    def wants_more(self) -> bool:
        """Whether there are fragments to come that are wanted."""
        with self._lock:
            return self._wanted is not None and self._wanted.until_ms > self._end_ms

    @property
    def clip(self) -> str | None:
        """Id of what is being recorded."""
        clip = self._clip
        return None if clip is None else clip.id

    @property
    def left_ms(self) -> int:
        """How much video is wanted still, by its own time."""
        with self._lock:
            if self._wanted is None:
                return 0
            return max(0, self._wanted.until_ms - max(self._end_ms, self._wanted.from_ms))

    @property
    def streams(self) -> tuple[str, ...]:
        """Streams that want more."""
        with self._lock:
            wanted = self._wanted
            if wanted is None:
                return ()
            return tuple(name for name, until in wanted.until.items() if name and until > self._end_ms)

    def _write(self, fragment: Fragment, about: About) -> str:
        """Put it on the disk; the id of its clip."""
        track = fragment.track
        try:
            if self._clip is None:
                self._clip = self._clips.begin(
                    self._camera, track.width, track.height, about, fragment.timecode_ms
                )
                self._track = track
            clip = self._clip.id
            content = self._document(fragment, clip)
            self._clips.add(clip, fragment.timecode_ms, fragment.duration_ms, content)
        except Exception as error:
            self.finish("disk_full" if isinstance(error, VideoFullError) else "failed")
            raise
        return clip

    def _drift_ms(self) -> int:
        """By how much the wall clock was set since it was last looked at."""
        before, self._looked = self._looked, self._now()
        if before is None:
            return 0
        drift = (self._looked[1] - before[1]) - (self._looked[0] - before[0])
        return round(drift * 1000) if abs(drift) > _SET_S else 0

    def _now(self) -> tuple[float, float]:
        return self._clock.monotonic(), self._clock.wall().timestamp()

    def _describe(self, clip: Clip, about: About) -> None:
        try:
            self._clips.describe(clip.id, about)
        except UnknownClipError:
            _log.debug("clip_gone", camera=self._camera)


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
