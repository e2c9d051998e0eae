"""One camera being recorded: from wishes for video, and fragments as they come, to clips and streams.

Whoever asks again extends what is being recorded, so that two clips never overlap; a clip ends with a whole
fragment. How much is wanted still is counted on the video's own time, so that a clock that is set by moves
nothing. A clip is one stretch of pictures of one size: where that changes another clip goes on, as it does
where a clip has become as long as one may be, or the clock of the box was set. Waiting for a camera is
`recorder`'s; there is no thread here.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Literal, Protocol

import structlog

from appliance.clock import Clock
from appliance.errors import UnknownClipError, VideoFullError
from appliance.events import ClipEnd, NoClip
from appliance.video.clip import About, Clip, Wanted
from appliance.video.clips import Clips
from appliance.video.fragment import MAX_FRAGMENT_MS, Fragment, Track
from appliance.video.wishes import Wants, Wish, tags

_log = structlog.get_logger()

_MOST_KNOWN = 256
_LATE_MS = MAX_FRAGMENT_MS + 2_000
"""How far behind what happens the newest whole fragment may lie."""
_SET_S = 0.5
_TOLD_S = 60.0
"""That nothing is recorded is told so often where no event wanted it: functions ask every few seconds."""
_GOES_ON: Final = frozenset({"longest", "camera_changed", "clock_set"})
"""Where a clip ends for these another is to go on."""

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
            streams: What it was recorded for; `wishes.OURS` is the box itself.
        """

    def end(self, clip: str) -> None:
        """Nothing more comes of a clip."""


class Recording:
    """One camera's.

    Args:
        camera: Which.
        clips: Where clips are kept.
        document: Makes a fragment a document.
        outlet: Gets every fragment that is kept.
        longest_ms: What one clip may last.
        clock: Tells whether the wall clock was set between two stretches of video.
        recorded_ms: Up to when an earlier run has recorded the camera: no clip begins before that.
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
        recorded_ms: int = 0,
    ) -> None:
        self._camera = camera
        self._clips = clips
        self._document = document
        self._outlet = outlet
        self._longest_ms = longest_ms
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], None] = {}
        self._wanted: Wants | None = None
        self._clip: Clip | None = None
        self._track: Track | None = None
        self._end_ms = recorded_ms
        self._looked: tuple[float, float] | None = None
        self._failed: tuple[NoClip, float] | None = None

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
                first = {wish.stream: wish.at_ms + lasting}
                self._wanted = Wants(wish.at_ms - wish.back_ms, first, wish.about, tags(wish.about))
                return "began"
            wanted = self._wanted
            at_ms = wish.at_ms
            if self._clip is not None:
                # The clock on the wall may have been set meanwhile; the video's own time goes on evenly.
                at_ms = min(max(at_ms - self._set_by_ms(), self._end_ms), self._end_ms + _LATE_MS)
            else:
                self._move(self._drift_ms())
                wanted.from_ms = min(wanted.from_ms, at_ms - wish.back_ms)
            wanted.until[wish.stream] = max(wanted.until.get(wish.stream, 0), at_ms + lasting)
            wanted.about = wanted.about.joined(wish.about)
            wanted.tags = tags(wanted.about)
            clip, until = self._clip, tuple(wanted.until.items())
        if clip is not None:
            self._describe(clip, wish.about, until)
        return "extended"

    def release(self, stream: str, at_ms: int) -> None:
        """A stream wants no more than up to a time, milliseconds since the epoch."""
        with self._lock:
            wanted = self._wanted
            if wanted is None or stream not in wanted.until:
                return
            wanted.until[stream] = min(wanted.until[stream], at_ms)
            if wanted.until_ms <= at_ms:
                wanted.owed = False
            clip, until = self._clip, tuple(wanted.until.items())
        if clip is not None:
            self._describe(clip, None, until)

    def begin_again(self) -> None:
        """Video is to come again after a break: its times are those of the wall clock as it is now."""
        with self._lock:
            self._move(self._drift_ms())

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
            if fragment.clock_set:
                self._move(self._drift_ms())
                # It follows the one before it, whatever the two clocks say of that.
                self._end_ms = min(self._end_ms, begin_ms)
            if begin_ms < self._end_ms or end_ms <= wanted.from_ms:
                return True  # of an earlier clip already, or from before what was asked for
            if begin_ms >= wanted.until_ms:
                return False
            last = end_ms >= wanted.until_ms
            streams = frozenset(name for name, until in wanted.until.items() if until > begin_ms)
            about, until = wanted.about, tuple(wanted.until.items())
            fragment = replace(fragment, tags=(*fragment.tags, *wanted.tags), last=last)
        if self._clip is not None:
            if fragment.clock_set:
                self.end("clock_set")
            elif fragment.track != self._track:
                self.end("camera_changed")
            elif end_ms - self._clips.clip(self._clip.id).begin_ms > self._longest_ms:
                self.end("longest")
        clip = self._write(fragment, about, until)
        with self._lock:
            self._end_ms = end_ms
            wanted.owed, self._failed = False, None
        self._outlet.take(self._camera, clip, fragment, streams)
        return self.wants_more

    def end(self, why: ClipEnd) -> None:
        """End the clip that is being recorded, if one is; what is wanted stays wanted."""
        clip, self._clip = self._clip, None
        if clip is not None:
            with self._lock:
                if self._wanted is not None and why in _GOES_ON:
                    self._wanted.owed = True
            self._clips.end(clip.id, why)
            self._outlet.end(clip.id)

    def finish(self, why: ClipEnd, no_clip: NoClip = "failed") -> None:
        """End everything: nothing is wanted any more until somebody asks.

        Args:
            why: Why the clip ends, if there is one.
            no_clip: Why none began, if none did; that is told.
        """
        with self._lock:
            wanted, self._wanted = self._wanted, None
        self.end(why)
        if wanted is not None and wanted.owed:
            self._tell_failed(no_clip, wanted.about.causes)

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

    def _write(self, fragment: Fragment, about: About, wanted: Wanted) -> str:
        """Put it on the disk; the id of its clip."""
        track = fragment.track
        try:
            if self._clip is None:
                self._clip = self._clips.begin(
                    self._camera, track.width, track.height, about, fragment.timecode_ms, wanted=wanted
                )
                self._track = track
            clip = self._clip.id
            content = self._document(fragment, clip)
            self._clips.add(clip, fragment.timecode_ms, fragment.duration_ms, content)
        except Exception as error:
            why: Literal["disk_full", "failed"] = (
                "disk_full" if isinstance(error, VideoFullError) else "failed"
            )
            self.finish(why, why)
            raise
        return clip

    def _tell_failed(self, reason: NoClip, causes: tuple[str, ...]) -> None:
        """Tell that no clip began: for every event, and for who asks again and again now and then."""
        now_s, before = self._clock.monotonic(), self._failed
        if causes or before is None or before[0] != reason or now_s - before[1] >= _TOLD_S:
            self._failed = reason, now_s
            self._clips.failed(self._camera, reason, causes)

    def _move(self, by_ms: int) -> None:
        """The clock was set by so much: what was kept and what is wanted lies elsewhere now."""
        self._end_ms += by_ms
        if self._wanted is not None and by_ms:
            self._wanted.move(by_ms)

    def _drift_ms(self) -> int:
        """By how much the wall clock was set since it was last looked at; times of ours are to follow."""
        by_ms, self._looked = self._set_by_ms(), self._now()
        return by_ms

    def _set_by_ms(self) -> int:
        if self._looked is None:
            return 0
        now = self._now()
        drift = (now[1] - self._looked[1]) - (now[0] - self._looked[0])
        return round(drift * 1000) if abs(drift) > _SET_S else 0

    def _now(self) -> tuple[float, float]:
        return self._clock.monotonic(), self._clock.wall().timestamp()

    def _describe(self, clip: Clip, about: About | None, wanted: Wanted) -> None:
        try:
            self._clips.describe(clip.id, about, wanted)
        except UnknownClipError:
            _log.debug("clip_gone", camera=self._camera)
