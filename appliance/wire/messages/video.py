"""What the process that records video is told and asked: record, which clips there are, what is in one.

It answers nobody else than the box's own processes; who may see a clip is settled by whoever asks.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from appliance.wire.messages.message import Message

ClipState = Literal["recording", "ended"]


class _Part(BaseModel):
    """What stands in a message."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class Record(Message):
    """Record a camera; a clip of it that is being recorded is extended. Answered by `RecordTaken`.

    It is done at once or not at all, and never twice for one `cause`.

    Attributes:
        camera: Which.
        seconds: Of video from what set it off on; to be said again before they are over, to go on.
        cause: Id of the event that set it off; None: there is none.
        at_ms: When that was, milliseconds since the epoch; None: now.
        back_s: Seconds of video before that; None: as the settings say.
        stream: A stream that the video belongs to besides; empty: none.
        retention_hours: How long it has to be kept for that stream; None: as the settings say.
        labels: What was seen, with its score from 0 to 1, the most certain first.
    """

    type: Literal["record"] = "record"
    version: Literal[1] = 1
    camera: str = Field(min_length=1, max_length=32)
    seconds: float = Field(gt=0, le=3600)
    cause: str | None = Field(default=None, max_length=64)
    at_ms: int | None = Field(default=None, ge=0)
    back_s: float | None = Field(default=None, ge=0, le=120)
    stream: str = Field(default="", max_length=256, pattern=r"^[A-Za-z0-9_.-]*$")
    retention_hours: float | None = Field(default=None, gt=0, le=87_600)
    labels: tuple[tuple[str, float], ...] = Field(default=(), max_length=8)


class RecordTaken(Message):
    """It is being recorded.

    Attributes:
        state: `began`: a clip begins with the first whole fragment; `extended`: one was being recorded;
            `known`: this very cause was told before, and nothing changed.
    """

    type: Literal["record_taken"] = "record_taken"
    version: Literal[1] = 1
    state: Literal["began", "extended", "known"]


class ReleaseRecording(Message):
    """A stream wants no more of a camera; what else wants it goes on. Answered by `Done`.

    Attributes:
        camera: Which.
        stream: As it was recorded for.
    """

    type: Literal["release_recording"] = "release_recording"
    version: Literal[1] = 1
    camera: str = Field(min_length=1, max_length=32)
    stream: str = Field(default="", max_length=256, pattern=r"^[A-Za-z0-9_.-]*$")


class ListClips(Message):
    """Which clips are there, the newest first? Answered by `ClipsListed`.

    Attributes:
        camera: Of one camera only; None: of all.
        since_ms: Only those that end after this; milliseconds since the epoch.
        until_ms: Only those that begin before this.
        label: Only those for which this was seen, in whatever letters; None: all.
        ending: Only those whose id ends so.
        most: So many at most.
    """

    type: Literal["list_clips"] = "list_clips"
    version: Literal[1] = 1
    camera: str | None = Field(default=None, max_length=32)
    since_ms: int | None = None
    until_ms: int | None = None
    label: str | None = Field(default=None, max_length=64)
    ending: str = Field(default="", max_length=64)
    most: int = Field(default=200, ge=1, le=1000)


class ClipTold(_Part):
    """A clip.

    Attributes:
        clip: Its id.
        camera: Whose.
        begin_ms: When its first picture was taken, milliseconds since the epoch.
        end_ms: When its last was no longer shown, so far.
        state: Whether it grows still.
        why: Why it ended, as `clip_ended` has it; empty while it grows.
        fragments: How many.
        size_bytes: On the disk.
        width: Pixels.
        height: Pixels.
        causes: Ids of the events that set it off and extended it.
        streams: Streams that it belongs to besides.
        labels: What was seen that set it off, the most certain first.
        keep_until_ms: When it is deleted for its age; None: not for that.
    """

    clip: str
    camera: str
    begin_ms: int
    end_ms: int
    state: ClipState
    why: str
    fragments: int
    size_bytes: int
    width: int
    height: int
    causes: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()
    labels: tuple[tuple[str, float], ...] = ()
    keep_until_ms: int | None = None


class ClipsListed(Message):
    """Clips, the newest first.

    Attributes:
        clips: As many as were asked for.
        more: Whether there are others that fit.
    """

    type: Literal["clips_listed"] = "clips_listed"
    version: Literal[1] = 1
    clips: tuple[ClipTold, ...]
    more: bool


class AskClip(Message):
    """What is in a clip? Answered by `ClipShown`; UnknownClipError: there is none of this id.

    Attributes:
        clip: Its id.
        after: Only fragments of a higher number; for a clip that grows.
        wait_s: Wait so long for one, if there is none yet and the clip grows.
    """

    type: Literal["ask_clip"] = "ask_clip"
    version: Literal[1] = 1
    clip: str = Field(max_length=64)
    after: int = -1
    wait_s: float = Field(default=0.0, ge=0, le=20)


class FragmentTold(_Part):
    """A fragment of a clip.

    Attributes:
        number: Counts from 0.
        begin_ms: When its first picture was taken, milliseconds since the epoch.
        duration_ms: How long it lasts.
        size_bytes: On the disk.
    """

    number: int
    begin_ms: int
    duration_ms: int
    size_bytes: int


class ClipShown(Message):
    """A clip with its fragments, in order.

    Attributes:
        clip: What it is.
        fragments: What there is of it; each begins where the one before ended or later, and plays by itself.
    """

    type: Literal["clip_shown"] = "clip_shown"
    version: Literal[1] = 1
    clip: ClipTold
    fragments: tuple[FragmentTold, ...]


class ReadFragment(Message):
    """A fragment in clear: a Matroska document of its own, in the blob. Answered by `FragmentRead`.

    UnknownClipError: there is no such fragment; VideoError: it does not open.

    Attributes:
        clip: Of which clip.
        number: Which.
    """

    type: Literal["read_fragment"] = "read_fragment"
    version: Literal[1] = 1
    clip: str = Field(max_length=64)
    number: int = Field(ge=0)


class FragmentRead(Message):
    """What a fragment is; it is in the blob."""

    type: Literal["fragment_read"] = "fragment_read"
    version: Literal[1] = 1
    fragment: FragmentTold


class DeleteClip(Message):
    """Delete a clip and forget its key; one that is being recorded is refused. Answered by `Done`.

    Attributes:
        clip: Which.
        by: Who wants that, by the id of an operator or a token; None: a command on the box.
    """

    type: Literal["delete_clip"] = "delete_clip"
    version: Literal[1] = 1
    clip: str = Field(max_length=64)
    by: str | None = Field(default=None, max_length=64)


class AskVideo(Message):
    """How is the recording? Answered by `VideoTold`."""

    type: Literal["ask_video"] = "ask_video"
    version: Literal[1] = 1


class RecordingTold(_Part):
    """A camera that is being recorded.

    Attributes:
        camera: Which.
        clip: What it becomes; None: no whole fragment has come yet.
        left_s: Seconds of video that are wanted still.
        streams: Streams that it is recorded for besides.
    """

    camera: str
    clip: str | None
    left_s: float
    streams: tuple[str, ...] = ()


class StreamTold(_Part):
    """How what is recorded arrives at a stream outside of the box.

    Attributes:
        stream: Its name at the service.
        camera: Whose video it is; None: that of a function's camera.
        state: In a word: `idle`, `connecting`, `sending`, `waiting` (before it is tried again), `stopped`
            (somebody has to do something).
        waiting: Fragments that are not known to be stored there.
        waiting_bytes: What they take on the disk.
        persisted: Fragments that are known to be stored, since the start.
        lost: Fragments that were given up, since the start.
        newest_ms: When the newest stored fragment began, milliseconds since the epoch; None: there is none.
        oldest_end_ms: When the oldest that waits ended, milliseconds since the epoch; None: none waits.
        acks: The service's answers about fragments since the start, by what they said.
        trouble: What is wrong, in words; empty: nothing is.
        hint: What to do about that.
    """

    stream: str
    camera: str | None = None
    state: str = "idle"
    waiting: int = 0
    waiting_bytes: int = 0
    persisted: int = 0
    lost: int = 0
    newest_ms: int | None = None
    oldest_end_ms: int | None = None
    acks: dict[str, int] = Field(default_factory=dict)
    trouble: str = ""
    hint: str = ""


class VideoTold(Message):
    """How the recording is.

    Attributes:
        recording: The cameras that are being recorded.
        clips: How many clips there are.
        size_bytes: What all of them take on the disk.
        free_bytes: What is free there.
        trouble: What is wrong, in words; empty: nothing is.
        streams: Those outside of the box.
    """

    type: Literal["video_told"] = "video_told"
    version: Literal[1] = 1
    recording: tuple[RecordingTold, ...]
    clips: int
    size_bytes: int
    free_bytes: int
    trouble: str = ""
    streams: tuple[StreamTold, ...] = ()


class OpenArchive(Message):
    """Let somebody see what is stored of a camera outside of the box. Answered by `ArchiveOpened`.

    StreamError: nothing is sent, nothing is stored of that time, or the service cannot be asked.

    Attributes:
        camera: Whose.
        begin_ms: From when on, milliseconds since the epoch.
        end_ms: Until when.
    """

    type: Literal["open_archive"] = "open_archive"
    version: Literal[1] = 1
    camera: str = Field(min_length=1, max_length=32)
    begin_ms: int = Field(ge=0)
    end_ms: int = Field(ge=0)


class ArchiveOpened(Message):
    """A view, good for less than an hour.

    Attributes:
        view: Its id, of this process.
        name: Of its playlist.
    """

    type: Literal["archive_opened"] = "archive_opened"
    version: Literal[1] = 1
    view: str
    name: str


class ReadArchive(Message):
    """A playlist or a piece of a view. Answered by `ArchiveRead`; UnknownClipError: the view is over.

    Attributes:
        view: Its id.
        name: As the playlist called it.
        query: Likewise.
    """

    type: Literal["read_archive"] = "read_archive"
    version: Literal[1] = 1
    view: str = Field(max_length=64)
    name: str = Field(max_length=80)
    query: str = Field(default="", max_length=2048)


class ArchiveRead(Message):
    """What was read; it is in the blob.

    Attributes:
        media_type: What it is.
    """

    type: Literal["archive_read"] = "archive_read"
    version: Literal[1] = 1
    media_type: str
