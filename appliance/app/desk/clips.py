"""Operations of recorded video: which clips there are, why, how recording and sending go, deleting one.

The process that records holds the clips; here it is settled who may see them, and their causes are put beside
them in words. What a browser plays is made in `clip_playing`. No picture is decoded here.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from pydantic import AwareDatetime, Field

from appliance.app.desk.applying import Source
from appliance.app.desk.clip_telling import ClipTelling, time_of
from appliance.app.desk.in_person import only_in_person
from appliance.app.desk.operations import Answer, Arguments, Asked, Nothing, Operation
from appliance.app.desk.times import moment
from appliance.errors import FormError, PeerGoneError, UnknownClipError
from appliance.permissions import Permission
from appliance.services import Services
from appliance.store import Store
from appliance.wire import Client, Message
from appliance.wire.messages import (
    AskClip,
    AskVideo,
    ClipShown,
    ClipsListed,
    ClipTold,
    DeleteClip,
    Done,
    ListClips,
    StreamTold,
    VideoTold,
)

M = TypeVar("M", bound=Message)

CLIP: Final = r"^[A-Za-z0-9_-]{1,64}$"
CAMERA: Final = r"^[A-Za-z0-9_-]{1,32}$"
_MEBI: Final = 1 << 20
_SAME_TIME: Final = 16
"""So many more are asked for than a page has: cameras may begin a clip in the same millisecond."""


class ClipPage(Arguments):
    """A page of clips.

    Attributes:
        camera: Only of that.
        label: Only where that was seen.
        since: Only what ends after this.
        until: Only what begins before this.
        before: The `next` of the page before, a time in milliseconds.
        limit: At most so many.
    """

    camera: str | None = Field(default=None, pattern=CAMERA)
    label: str | None = Field(default=None, min_length=1, max_length=64)
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    before: int | None = Field(default=None, ge=0)
    limit: int = Field(default=40, ge=1, le=200)


class OneClip(Arguments):
    """Attributes: clip: its id."""

    clip: str = Field(pattern=CLIP)


class When(Arguments):
    """Attributes: camera: whose; at_ms: a time, milliseconds since the epoch."""

    camera: str = Field(pattern=CAMERA)
    at_ms: int = Field(ge=0)


class Clips:
    """Tells of clips and deletes them.

    Args:
        services: The log, and where the process that records listens.
        source: Where the settings are.
    """

    def __init__(self, services: Services, source: Source) -> None:
        self._store: Store = services.store
        self._clock = services.clock
        self._video = Client(services.layout.socket("video"))
        self._source = source

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        may = Permission.CLIPS
        return [
            Operation("clips.list", ClipPage, may, self.list_clips),
            Operation("clips.show", OneClip, may, self.show),
            Operation("clips.at", When, may, self.at),
            Operation("clips.state", Nothing, may, self.state),
            Operation("clips.delete", OneClip, may, self.delete),
        ]

    def list_clips(self, asked: Asked[ClipPage]) -> Answer:
        """A page of clips, the newest first: `{there, clips, next}`.

        A clip is `{clip, camera, begin, end, begin_ms, end_ms, duration_s, recording, why, fragments,
        size_bytes, width, height, labels: [{label, score}], because, streams, keep_until, gone, outside}`;
        `because` says in words what set it off, `outside` whether its camera's video is sent elsewhere too.
        `there` is whether the process that records runs; `next` goes in `before`, null at the end.

        Raises:
            FormError: The time ends before it begins.
        """
        given = asked.arguments
        since, until = _ms(given.since), _ms(given.until)
        if since is not None and until is not None and since >= until:
            words = "the end is before the beginning"
            raise FormError(words, fields={"until": words})
        ends = [each for each in (until, given.before) if each is not None]
        wanted = ListClips(
            camera=given.camera,
            since_ms=since,
            until_ms=min(ends, default=None),
            label=given.label,
            most=given.limit + _SAME_TIME,
        )
        try:
            listed = self._ask(wanted, ClipsListed)
        except PeerGoneError:
            return Answer({"there": False, "clips": [], "next": None})
        page = _page(listed.clips, given.limit)
        more = len(listed.clips) > len(page) or listed.more
        return Answer(
            {
                "there": True,
                "clips": [self._telling().row(each) for each in page],
                "next": page[-1].begin_ms if page and more else None,
            }
        )

    def show(self, asked: Asked[OneClip]) -> Answer:
        """A clip as `clips.list` has it; of one that is gone, what the log says, `gone` being why.

        Raises:
            UnknownClipError: There never was one, or the log has forgotten it.
            PeerGoneError: The process that records does not run.
        """
        clip = asked.arguments.clip
        try:
            return Answer(self._telling().row(self._ask(AskClip(clip=clip), ClipShown).clip))
        except UnknownClipError:
            found = self._telling().logged(clip)
            if found is None:
                raise
            return Answer(found)

    def at(self, asked: Asked[When]) -> Answer:
        """The clip of a camera that holds a moment: `{clip}`, null where none does.

        Where video is sent elsewhere too, one that is gone from the box counts: it may be played from there.

        Raises:
            PeerGoneError: The process that records does not run.
        """
        given = asked.arguments
        wanted = ListClips(camera=given.camera, since_ms=given.at_ms, until_ms=given.at_ms + 1, most=1)
        found = self._ask(wanted, ClipsListed).clips
        if found:
            return Answer({"clip": found[0].clip})
        outside = self._source.running().video.kvs.enabled
        gone = self._telling().ended_at(given.camera, given.at_ms) if outside else None
        return Answer({"clip": gone})

    def state(self, asked: Asked[Nothing]) -> Answer:
        """How recording and sending go.

        `{there, enabled, outside, recording: [{camera, clip, left_s}], clips, size_bytes, most_bytes,
        free_bytes, least_free_bytes, retention_days, trouble, streams: [{stream, camera, state, waiting,
        waiting_bytes, persisted, lost, newest, lag_s, acks, trouble, hint}]}`; `newest` is when the newest
        that is stored at the service began, null where nothing is; `lag_s` is how long ago the oldest that
        waits was recorded, 0 where nothing waits; `acks` counts the service's answers since the start, by
        what they said; `outside` is whether the cameras' video is sent.

        Raises:
            SettingsError: The settings are wrong.
        """
        del asked
        settings = self._source.running().video
        limits = {
            "enabled": settings.enabled,
            "outside": settings.kvs.enabled,
            "most_bytes": settings.max_mib * _MEBI,
            "least_free_bytes": settings.min_free_mib * _MEBI,
            "retention_days": settings.retention_days,
        }
        try:
            told = self._ask(AskVideo(), VideoTold)
        except PeerGoneError:
            gone = {
                "recording": [],
                "clips": 0,
                "size_bytes": 0,
                "free_bytes": 0,
                "trouble": "",
                "streams": [],
            }
            return Answer({"there": False, **limits, **gone})
        now_ms = int(self._clock.wall().timestamp() * 1000)
        return Answer(
            {
                "there": True,
                **limits,
                "recording": [
                    {"camera": each.camera, "clip": each.clip, "left_s": each.left_s}
                    for each in told.recording
                ],
                "clips": told.clips,
                "size_bytes": told.size_bytes,
                "free_bytes": told.free_bytes,
                "trouble": told.trouble,
                "streams": [_stream(each, now_ms) for each in told.streams],
            }
        )

    def delete(self, asked: Asked[OneClip]) -> Answer:
        """Delete a clip for good, forget its key, and send nothing more of it.

        What is stored in a stream outside of the box by then stays there until its time is over.

        Raises:
            DeniedError: A program asks; somebody who is signed in may.
            UnknownClipError: There is none.
            VideoError: It is being recorded.
        """
        only_in_person(asked.who)
        self._ask(DeleteClip(clip=asked.arguments.clip, by=asked.who.operator or None), Done)
        return Answer()

    def _telling(self) -> ClipTelling:
        return ClipTelling(self._store, outside=self._source.running().video.kvs.enabled)

    def _ask(self, message: Message, expect: type[M]) -> M:
        return self._video.call(message, expect).message


def _page(clips: Sequence[ClipTold], limit: int) -> Sequence[ClipTold]:
    """So many, and those that began in the same millisecond as the last: `next` is a time."""
    last = limit
    while 0 < last < len(clips) and clips[last].begin_ms == clips[last - 1].begin_ms:
        last += 1
    return clips[:last]


def _stream(told: StreamTold, now_ms: int) -> dict[str, Any]:
    oldest = told.oldest_end_ms
    return {
        **told.model_dump(exclude={"newest_ms", "oldest_end_ms"}),
        "newest": moment(time_of(told.newest_ms)),
        "lag_s": 0.0 if oldest is None else max(0.0, (now_ms - oldest) / 1000),
    }


def _ms(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp() * 1000)
