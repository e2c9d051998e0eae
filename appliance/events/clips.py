"""Clips of video: begun, ended, taken out, deleted; and streams that what is recorded is sent to."""

from typing import Literal

from appliance.events.event import Event

ClipEnd = Literal[
    "complete",
    "longest",
    "camera_lost",
    "camera_changed",
    "clock_set",
    "disk_full",
    "stopped",
    "interrupted",
    "failed",
]
"""Why a clip ended: its time was over; it was as long as one may be, and another one goes on; the camera was
lost; its picture is of another size or kind from here on; the clock was set, and another one goes on by the
new time; the disk is full, or cannot be written; recording was ended by the appliance's end; a crash came in
between, which was found at start-up; anything else."""

NoClip = Literal["disk_full", "camera_lost", "unusable", "stopped", "failed"]
"""Why no clip came of what was wanted: there is no room on the disk, or it cannot be written; the camera gave
no picture; nothing can be made of what it sends; the appliance was stopped first; anything else."""


class ClipBegun(Event):
    """The first fragment of a clip is on the disk, sealed."""

    type: Literal["clip_begun"] = "clip_begun"
    clip: str
    begin_ms: int
    """When its first picture was taken, milliseconds since the epoch."""
    cause: str | None = None
    """Id of the event that set it off; None: a function or a command did."""


class ClipEnded(Event):
    """A clip is whole, or as whole as it will be."""

    type: Literal["clip_ended"] = "clip_ended"
    clip: str
    begin_ms: int
    end_ms: int
    """When its last picture was no longer shown; milliseconds since the epoch, as is `begin_ms`."""
    fragments: int
    size_bytes: int
    """On the disk, sealed."""
    why: ClipEnd
    causes: tuple[str, ...] = ()
    """Ids of the events that set it off and extended it."""


class ClipFailed(Event):
    """Video was wanted, and no clip began: of one that began, `clip_ended` says what became."""

    type: Literal["clip_failed"] = "clip_failed"
    reason: NoClip
    causes: tuple[str, ...] = ()
    """Ids of the events that wanted it; none: a function or a command did."""


class ClipDeleted(Event):
    """A clip is gone, and the key it was sealed under."""

    type: Literal["clip_deleted"] = "clip_deleted"
    clip: str
    reason: Literal["age", "size", "room", "asked", "damaged"]
    """It was too old; all clips together were too large; there was too little room on the disk; somebody
    deleted it; nothing of it could be read any more."""


class ClipExported(Event):
    """A clip is about to leave the box in the clear, as a file: by the pages, by the API, or by a command.

    Written before the first byte leaves. Playing one in the browser is not.
    """

    type: Literal["clip_exported"] = "clip_exported"
    clip: str


class StreamTrouble(Event):
    """What is recorded does not arrive at a stream outside of the box, or arrives there again."""

    type: Literal["stream_trouble", "stream_recovered"]
    stream: str
    """Its name at the service."""
    reason: Literal[
        "", "unreachable", "credentials", "denied", "stream", "encryption", "clock", "refused", "lost"
    ] = ""
    """The service is not reached; it takes none of the credentials; they do not allow it; there is no such
    stream, or it keeps nothing; its key cannot be used; this box's clock is wrong; it refuses what it is
    sent; fragments had to be given up."""
    fragments_lost: int = 0
    """Fragments that will never arrive, since the last such event."""
