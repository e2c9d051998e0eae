"""The process that records video: put together, it waits for wishes, and tends the clips that there are.

It holds the keys that seal clips, and opens no camera: packets come from the loop, which does not wait for
it. Wishes come over the socket; what becomes of them, `appliance.video` says.
"""

import contextlib
import threading
import uuid
from collections.abc import Iterable, Iterator
from functools import partial

import structlog

from appliance.app.event_queue import EventQueue
from appliance.app.stream_folders import drop_at_rest
from appliance.app.video_answers import Outside, VideoAnswers
from appliance.app.video_archive import archive_answers
from appliance.app.video_streams import VideoStreams, outside_streams
from appliance.clock import Clock
from appliance.errors import ApplianceError
from appliance.services import Services
from appliance.settings import Settings, VideoSettings
from appliance.video.clips import Clips
from appliance.video.following import CameraVideo
from appliance.video.fragment import Fragment
from appliance.video.matroska import document
from appliance.video.recorder import Recorder
from appliance.video.recording import Outlet, Recording
from appliance.video.resuming import owed, recorded_until
from appliance.video.retention import Limits
from appliance.video.wishes import OURS
from appliance.wire import Client, Server

_log = structlog.get_logger()

_TEND_S = 60.0
_MIB = 1024 * 1024
_MOST_CALLERS = 64


def run_video(settings: Settings, services: Services, stop: threading.Event) -> None:
    """Record what is asked for until `stop` is set.

    Args:
        settings: As they are at the start.
        services: Keys, and the log of events.
        stop: Set at the end.

    Raises:
        VideoError: The folder of clips cannot be read.
        WireError: Another such process answers at the socket.
    """
    video = settings.video
    with EventQueue(lambda: contextlib.nullcontext(services), services.clock.wall) as events:
        clips = Clips(
            services.layout.clips,
            services.vault,
            limits_of(video),
            events.add,
            clock=services.clock,
            ids=services.ids,
        )
        clips.open()
        streams = outside_streams(settings, services.layout, services.vault, services.clock, events.add)
        with sending(streams, (camera.id for camera in settings.cameras)) as out:
            outlet: Outlet = out or Nowhere()

            loop = Client(services.layout.socket("loop"))
            feed = CameraVideo(loop, services.clock, recorded_ms=partial(recorded_of, clips, services.clock))
            recorder = Recorder(
                partial(recording_of, clips, outlet, video, services.clock),
                feed.follow,
                clock=services.clock,
                troubles=feed.troubles,
            )
            drop = partial(drop_at_rest, services.layout.kvs) if out is None else out.drop
            answers = VideoAnswers(video, clips, recorder, outside=out, drop=drop, clock=services.clock)
            archive = archive_answers(settings, services.clock)
            socket = services.layout.socket("video")
            with contextlib.closing(recorder):
                go_on(clips, recorder, out, services.clock)
                handlers = {**answers.handlers(), **archive.handlers()}
                with Server(socket, handlers, max_connections=_MOST_CALLERS):
                    while not stop.wait(_TEND_S):
                        tend(clips)


def recorded_of(clips: Clips, clock: Clock, camera: str) -> int:
    """Up to when a camera is recorded, milliseconds since the epoch; see `resuming.recorded_until`."""
    return recorded_until(clips.clips(camera), _now_ms(clock))


def recording_of(clips: Clips, outlet: Outlet, video: VideoSettings, clock: Clock, camera: str) -> Recording:
    """A camera's, which begins where an earlier run ended."""
    return Recording(
        camera,
        clips,
        clip_document,
        outlet,
        longest_ms=round(video.longest_s * 1000),
        clock=clock,
        recorded_ms=recorded_of(clips, clock, camera),
    )


def go_on(clips: Clips, recorder: Recorder, out: Outside | None, clock: Clock) -> None:
    """Record what an earlier run was to record still.

    Args:
        clips: All there are.
        recorder: What records.
        out: Streams outside of the box; None: nothing is sent.
        clock: For what is over.
    """
    for camera, wish in owed(clips.clips(), _now_ms(clock)):
        if wish.stream != OURS and out is not None:
            out.want(wish.stream, wish.retention_hours)
        recorder.ask(camera, wish)


def _now_ms(clock: Clock) -> int:
    return round(clock.wall().timestamp() * 1000)


@contextlib.contextmanager
def sending(streams: VideoStreams | None, cameras: Iterable[str]) -> Iterator[VideoStreams | None]:
    """Send to streams outside of the box meanwhile, if there are any.

    Args:
        streams: Those; None: nothing is sent.
        cameras: Ids of the cameras that the settings name.
    """
    if streams is None:
        yield None
        return
    streams.open(cameras)
    try:
        yield streams
    finally:
        streams.close()


def tend(clips: Clips) -> None:
    """Delete what is due; a disk that refuses is told and borne."""
    try:
        gone = clips.tend()
    except (ApplianceError, OSError) as error:
        _log.warning("clips_not_tended", reason=str(error))
        return
    if gone:
        _log.info("clips_deleted", clips=gone)


def limits_of(video: VideoSettings) -> Limits:
    """How much is kept, by the settings."""
    return Limits(
        retention_hours=None if video.retention_days is None else video.retention_days * 24,
        max_bytes=video.max_mib * _MIB,
        min_free_bytes=video.min_free_mib * _MIB,
    )


def clip_document(fragment: Fragment, clip: str) -> bytes:
    """A fragment as it is kept: a Matroska document whose own id is its clip's."""
    return document(fragment, segment_uid=uuid.UUID(clip).bytes)


class Nowhere:
    """Where video goes besides the box if the settings name nothing; see `recording.Outlet`."""

    def take(self, camera: str, clip: str, fragment: Fragment, streams: frozenset[str]) -> None:
        """Let it be."""

    def end(self, clip: str) -> None:
        """Let it be."""
