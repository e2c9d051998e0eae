"""What the process that records video answers: wishes for video, and questions about clips.

Ours and the recorder's words for things are told apart here; who may ask is settled by whoever asks.
"""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from appliance.clock import Clock
from appliance.errors import UnknownClipError
from appliance.settings import VideoSettings
from appliance.video.clip import Clip, FragmentNote
from appliance.video.clips import Clips
from appliance.video.recorder import Recorder
from appliance.video.wishes import Wish
from appliance.wire import Handler, Message, Reply, Request
from appliance.wire.messages import (
    AskClip,
    AskVideo,
    ClipShown,
    ClipsListed,
    ClipTold,
    DeleteClip,
    Done,
    FragmentRead,
    FragmentTold,
    ListClips,
    ReadFragment,
    Record,
    RecordingTold,
    RecordTaken,
    ReleaseRecording,
    StreamTold,
    VideoTold,
)

_OLDEST_MS = 60_000
"""A wish that comes later than this after what set it off begins now: the camera's memory is not so long."""


Drop: TypeAlias = Callable[[str], int]
"""Lets nothing more of a clip leave the box; how many of its fragments waited. Raises StreamError."""


class Outside(Protocol):
    """Streams outside of the box; see `video_streams.VideoStreams`."""

    def want(self, name: str, retention_hours: float | None) -> None:
        """A function records for a stream."""

    def told(self) -> tuple[StreamTold, ...]:
        """How it goes with each."""


class ClipAnswers:
    """Answers about clips; its methods may run at once.

    Args:
        clips: The clips.
        drop: Takes one that is deleted from what waits to be sent.
    """

    def __init__(self, clips: Clips, drop: Drop) -> None:
        self._clips = clips
        self._drop = drop

    def handlers(self) -> dict[type[Message], Handler]:
        """By message, for a server."""
        return {
            ListClips: self.list_clips,
            AskClip: self.show,
            ReadFragment: self.read,
            DeleteClip: self.delete,
        }

    def list_clips(self, request: Request[ListClips]) -> Reply[ClipsListed]:
        """Which there are."""
        asked = request.message
        found = [
            clip
            for clip in self._clips.clips(asked.camera, asked.since_ms, asked.until_ms)
            if clip.id.endswith(asked.ending) and (asked.label is None or _shows(clip, asked.label))
        ]
        told = tuple(self._told(clip) for clip in found[: asked.most])
        return Reply(ClipsListed(clips=told, more=len(found) > asked.most))

    def show(self, request: Request[AskClip]) -> Reply[ClipShown]:
        """One with its fragments, once there is a newer one if that is waited for."""
        asked = request.message
        clip = self._clips.wait(asked.clip, asked.after, asked.wait_s)
        fragments = tuple(_fragment(each) for each in clip.fragments if each.number > asked.after)
        return Reply(ClipShown(clip=self._told(clip), fragments=fragments))

    def read(self, request: Request[ReadFragment]) -> Reply[FragmentRead]:
        """A fragment in clear."""
        note, content = self._clips.read(request.message.clip, request.message.number)
        return Reply(FragmentRead(fragment=_fragment(note)), blob=content)

    def delete(self, request: Request[DeleteClip]) -> Reply[Done]:
        """Delete a clip, and what waits of it to be sent; also of one of which nothing else is left here."""
        asked = request.message
        try:
            self._clips.delete(asked.clip, "asked", by=asked.by)
        except UnknownClipError:
            if not self._drop(asked.clip):
                raise
        else:
            self._drop(asked.clip)
        return Reply(Done())

    def _told(self, clip: Clip) -> ClipTold:
        return ClipTold(
            clip=clip.id,
            camera=clip.camera,
            begin_ms=clip.begin_ms,
            end_ms=clip.end_ms,
            state="recording" if clip.ended is None else "ended",
            why=clip.ended or "",
            fragments=len(clip.fragments),
            size_bytes=clip.size_bytes,
            width=clip.width,
            height=clip.height,
            causes=clip.about.causes,
            streams=clip.about.streams,
            labels=clip.about.labels,
            keep_until_ms=clip.keep_until_ms(self._clips.limits.retention_hours),
        )


class VideoAnswers:
    """Answers; its methods may run at once.

    Args:
        settings: How long clips are.
        clips: The clips.
        recorder: What records.
        outside: Streams outside of the box; None: nothing is sent.
        drop: Takes a clip that is deleted from what waits to be sent.
        clock: For wishes that do not say when.
    """

    def __init__(
        self,
        settings: VideoSettings,
        clips: Clips,
        recorder: Recorder,
        *,
        outside: Outside | None,
        drop: Drop,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._clips = clips
        self._recorder = recorder
        self._outside = outside
        self._drop = drop
        self._clock = clock

    def handlers(self) -> dict[type[Message], Handler]:
        """By message, for a server."""
        return {
            Record: self.record,
            ReleaseRecording: self.release,
            AskVideo: self.status,
            **ClipAnswers(self._clips, self._drop).handlers(),
        }

    def record(self, request: Request[Record]) -> Reply[RecordTaken]:
        """Record a camera, or go on."""
        asked = request.message
        now_ms = round(self._clock.wall().timestamp() * 1000)
        at_ms = now_ms if asked.at_ms is None else asked.at_ms
        if not now_ms - _OLDEST_MS <= at_ms <= now_ms:
            at_ms = now_ms
        back_s = self._settings.pre_trigger_s if asked.back_s is None else asked.back_s
        if asked.stream and self._outside is not None:
            self._outside.want(asked.stream, asked.retention_hours)
        wish = Wish(
            seconds=asked.seconds,
            at_ms=at_ms,
            back_ms=round(back_s * 1000),
            cause=asked.cause,
            stream=asked.stream,
            retention_hours=asked.retention_hours,
            labels=asked.labels,
        )
        return Reply(RecordTaken(state=self._recorder.ask(asked.camera, wish)))

    def release(self, request: Request[ReleaseRecording]) -> Reply[Done]:
        """A stream wants no more of a camera."""
        self._recorder.release(request.message.camera, request.message.stream)
        return Reply(Done())

    def status(self, _: Request[AskVideo]) -> Reply[VideoTold]:
        """How it is."""
        return Reply(
            VideoTold(
                recording=tuple(
                    RecordingTold(
                        camera=each.camera, clip=each.clip, left_s=round(each.left_s, 1), streams=each.streams
                    )
                    for each in self._recorder.recorded()
                ),
                clips=len(self._clips.clips()),
                size_bytes=self._clips.size_bytes,
                free_bytes=self._clips.room_bytes,
                trouble="; ".join(filter(None, (self._recorder.trouble, self._clips.trouble))),
                streams=() if self._outside is None else self._outside.told(),
            )
        )


def _shows(clip: Clip, label: str) -> bool:
    return any(label.casefold() == each.casefold() for each, _ in clip.about.labels)


def _fragment(note: FragmentNote) -> FragmentTold:
    return FragmentTold(
        number=note.number, begin_ms=note.begin_ms, duration_ms=note.duration_ms, size_bytes=note.size_bytes
    )
