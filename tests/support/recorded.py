"""Recordings and what was seen in them: real clips and moments of a box, and what answers for them.

A clip shows a bright field that shrinks from the left by ten pixels a second, so a picture tells its second.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from footage import PlayedFeed
from video_pieces import BEGIN_MS, FPS, coded, cut

from appliance.app.stream_folders import drop_at_rest
from appliance.app.video_answers import VideoAnswers
from appliance.app.video_archive import archive_answers
from appliance.app.video_process import Nowhere, clip_document
from appliance.events import ObjectSeen
from appliance.services import Services
from appliance.settings import Settings
from appliance.store import Seen
from appliance.video.clip import About
from appliance.video.clips import Clips
from appliance.video.fragment import Fragment
from appliance.video.recorder import Recorder
from appliance.video.recording import Recording
from appliance.video.retention import Limits
from appliance.wire import Server
from appliance.wire.messages import StreamTold

SIZE = (320, 180)
CAMERA = "kitchen"


@dataclass(frozen=True)
class Recorded:
    """A recording with a dog in it.

    Attributes:
        clip: Its id.
        begin: Its first picture.
        seen: When the dog was seen first.
        event: Id of the event of that.
        later: Fragments that belong to it and are not there yet.
    """

    clip: str
    begin: datetime
    seen: datetime
    event: str
    later: Sequence[Fragment] = ()

    @property
    def begin_ms(self) -> int:
        """Milliseconds since the epoch."""
        return round(self.begin.timestamp() * 1000)

    @property
    def seen_ms(self) -> int:
        """Likewise."""
        return round(self.seen.timestamp() * 1000)


class StreamsOutside:
    """Streams whose state is what a test says; see `video_answers.Outside`.

    Attributes:
        streams: How each is.
    """

    def __init__(self) -> None:
        self.streams: tuple[StreamTold, ...] = ()

    def want(self, name: str, retention_hours: float | None) -> None:
        """Nothing is sent."""

    def told(self) -> tuple[StreamTold, ...]:
        """See `Outside`."""
        return self.streams


@dataclass(frozen=True)
class AtHand:
    """What answers for recordings, in the test's own process.

    Attributes:
        clips: The clips; add to them while somebody looks.
        outside: Streams.
    """

    clips: Clips
    outside: StreamsOutside


@contextmanager
def recording_at_hand(services: Services, settings: Settings | None = None) -> Iterator[AtHand]:
    """Answer at the socket as the process that records does, with its own answers and without cameras.

    Args:
        services: Of the box.
        settings: Where video is sent besides; by default nowhere.
    """
    settings = settings or Settings()
    clips, outside = clips_of(services), StreamsOutside()
    archive = archive_answers(settings, services.clock)

    def make(camera: str) -> Recording:
        return Recording(camera, clips, clip_document, Nowhere(), longest_ms=600_000, clock=services.clock)

    recorder = Recorder(make, PlayedFeed(), clock=services.clock)
    drop = partial(drop_at_rest, services.layout.kvs)
    answers = VideoAnswers(settings.video, clips, recorder, outside=outside, drop=drop, clock=services.clock)
    socket = services.layout.socket("video")
    socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with Server(socket, {**answers.handlers(), **archive.handlers()}):
        yield AtHand(clips, outside)


def clips_of(services: Services) -> Clips:
    """The clips of a box whose process that records does not run."""
    clips = Clips(
        services.layout.clips,
        services.vault,
        Limits(retention_hours=336, max_bytes=1 << 33, min_free_bytes=0),
        services.store.append,
        clock=services.clock,
        ids=services.ids,
    )
    clips.open()
    return clips


def a_recording(
    services: Services,
    begin: datetime,
    *,
    clips: Clips | None = None,
    seconds: int = 12,
    seen_s: int = 7,
    looks: int = 3,
    there: int | None = None,
    camera: str = CAMERA,
) -> Recorded:
    """A dog comes into a recording, and is looked at once a second.

    Args:
        services: Of the box.
        begin: The first picture.
        clips: Those of a process that answers; without any, they are opened for this.
        seconds: How long it is: a fragment a second.
        seen_s: When the dog is seen first.
        looks: How often.
        there: So many fragments are there, and it is not over; None: all are.
        camera: Whose.
    """
    begin = begin.replace(microsecond=0)
    begin_ms = round(begin.timestamp() * 1000)
    seen = begin + timedelta(seconds=seen_s)
    event = services.store.append(a_dog(camera))
    clips = clips or clips_of(services)
    about = About(causes=(event.id,), labels=(("dog", 0.97),))
    clip = clips.begin(camera, *SIZE, about, begin_ms).id
    pieces = moving(begin_ms, seconds)
    for piece in pieces[:there]:
        put(clips, clip, piece)
    if there is None:
        clips.end(clip, "complete")
    services.store.note_seen(
        [Seen(seen + timedelta(seconds=each), camera, {"dog": 0.91 + each / 50}) for each in range(looks)]
    )
    index(services)
    return Recorded(clip, begin, seen, event.id, () if there is None else pieces[there:])


def moving(begin_ms: int, seconds: int) -> list[Fragment]:
    """Fragments of a second each."""
    track, frames = coded(seconds=seconds, every=FPS, size=SIZE)
    later = begin_ms - BEGIN_MS
    return cut(track, [replace(frame, timecode_ms=frame.timecode_ms + later) for frame in frames])


def put(clips: Clips, clip: str, piece: Fragment) -> None:
    """One more fragment of a clip."""
    clips.add(clip, piece.timecode_ms, piece.duration_ms, clip_document(piece, clip))


def a_dog(camera: str = CAMERA) -> ObjectSeen:
    """An event."""
    return ObjectSeen(
        camera=camera,
        trigger="dog",
        label="dog",
        score=0.97,
        track=1,
        dwell_s=1.0,
        box=(10.0, 10.0, 50.0, 50.0),
        model="voc",
    )


def three_days(services: Services, now: datetime) -> None:
    """Dogs and people of three days in an office, in working hours."""
    seen = []
    for day in range(3):
        midnight = (now - timedelta(days=day)).astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        for hour, dogs in ((8, 3), (9, 9), (10, 6), (12, 14), (13, 4), (16, 11), (17, 2)):
            at = midnight + timedelta(hours=hour)
            seen += [
                Seen(at + timedelta(minutes=3 * each), CAMERA, {"dog": 0.7 + each / 60, "person": 0.8})
                for each in range(dogs + day)
            ]
            seen += [Seen(at + timedelta(minutes=each), "entrance", {"person": 0.66}) for each in range(dogs)]
    services.store.note_seen([each for each in seen if each.at < now])


def index(services: Services) -> None:
    """Have the index follow the log to its end."""
    while services.store.follow_log():
        pass


def now() -> datetime:
    """By the machine."""
    return datetime.now(UTC)
