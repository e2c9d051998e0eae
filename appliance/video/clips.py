"""All clips of the box: which there are, beginning and ending one, reading, and letting the old ones go.

What lies on the disk is looked at once, at the start, and kept in memory; `clip_folder` says how it lies
there, `retention` which go. A clip that a crash left unfinished is ended then, and its newest fragment
dropped if it does not open. Every change is told as an event. Safe to use from several threads.
"""

import contextlib
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import structlog

from appliance.clock import Clock, Steadiness
from appliance.errors import ApplianceError, UnknownClipError, VideoError, VideoFullError
from appliance.events import ClipBegun, ClipDeleted, ClipEnd, ClipEnded, ClipFailed, Event, NoClip
from appliance.ids import IdFactory
from appliance.video.clip import About, Clip, FragmentNote, Wanted
from appliance.video.clip_folder import ClipFolder, ClipKeys, clip_ids
from appliance.video.retention import DueClip, Limits, due

_log = structlog.get_logger()

Why = Literal["age", "size", "room", "asked", "damaged"]


class Clips:
    """The clips.

    Args:
        folder: Where; made when the first is recorded.
        keys: What seals.
        limits: How much is kept.
        told: Takes an event about a clip; what it raises of ours is said and borne.
        clock: For ages.
        ids: Makes ids.
        free: Tells how many bytes are free where a folder lies; the disk's own word by default.
    """

    def __init__(
        self,
        folder: Path,
        keys: ClipKeys,
        limits: Limits,
        told: Callable[[Event], object],
        *,
        clock: Clock,
        ids: IdFactory,
        free: Callable[[Path], int] | None = None,
    ) -> None:
        self._folder = folder
        self._keys = keys
        self._limits = limits
        self._told = told
        self._clock = clock
        self._ids = ids
        self._free = free or free_bytes
        self._steady = Steadiness(clock)
        self._clips: dict[str, Clip] = {}
        self._changed = threading.Condition()

    def open(self) -> None:
        """See what is there; end what a crash left unfinished, and delete what nobody can read.

        Raises:
            VideoError: The folder cannot be read.
        """
        for clip_id in clip_ids(self._folder):
            folder = self._of(clip_id)
            try:
                clip = folder.load()
                if clip is not None and clip.ended is None:
                    clip = self._adopt(folder, clip)
                if clip is not None and clip.fragments:
                    self._clips[clip_id] = clip
                    continue
                folder.delete()
            except (VideoError, OSError) as error:
                # Not deleted: it may be a newer program's, or the disk may read it again another time.
                _log.warning("clip_not_read", clip=clip_id, reason=str(error))
                continue
            self._tell(ClipDeleted(clip=clip_id, reason="damaged"))

    def begin(
        self, camera: str, width: int, height: int, about: About, at_ms: int, *, wanted: Wanted = ()
    ) -> Clip:
        """Begin a clip; it is told of with its first fragment.

        Args:
            camera: Whose video.
            width: Pixels.
            height: Pixels.
            about: What it is for.
            at_ms: When its first picture was taken.
            wanted: Until when who wants video, so that a start after a crash knows.

        Raises:
            VideoFullError: The disk is full, or cannot be written.
            VaultError: The vault is locked.
        """
        named = self._ids(datetime.fromtimestamp(at_ms / 1000, UTC))
        clip = Clip(named, camera, width, height, about, wanted=wanted)
        self._make_room(0)
        try:
            self._of(clip.id).create(clip)
        except ApplianceError:
            # Nothing was recorded: no folder is left to be adopted as a clip without pictures.
            with contextlib.suppress(OSError):
                self._of(clip.id).delete()
            raise
        with self._changed:
            self._clips[clip.id] = clip
        return clip

    def add(self, clip_id: str, begin_ms: int, duration_ms: int, content: bytes) -> FragmentNote:
        """Put the next fragment of a clip on the disk, sealed.

        Raises:
            VideoFullError: The disk is full, or cannot be written.
            VaultError: The vault is locked.
            UnknownClipError: There is no such clip.
        """
        clip = self.clip(clip_id)
        self._make_room(len(content))
        note = self._of(clip_id).add(len(clip.fragments), begin_ms, duration_ms, content)
        with self._changed:
            clip = replace(self._known(clip_id), fragments=(*clip.fragments, note))
            self._clips[clip_id] = clip
            self._changed.notify_all()
        if note.number == 0:
            causes = clip.about.causes
            self._tell(
                ClipBegun(
                    camera=clip.camera, clip=clip.id, begin_ms=begin_ms, cause=causes[0] if causes else None
                )
            )
        return note

    def describe(self, clip_id: str, about: About | None, wanted: Wanted) -> None:
        """Note what else a clip is for, and until when video is wanted now.

        Args:
            clip_id: Which.
            about: What came to what it is for; None: nothing.
            wanted: Until when who wants video.

        Raises:
            UnknownClipError: There is no such clip.
        """
        with self._changed:
            clip = self._known(clip_id)
            joined = clip.about if about is None else clip.about.joined(about)
            self._clips[clip_id] = clip = replace(clip, about=joined, wanted=wanted)
        self._note(clip)

    def failed(self, camera: str, reason: NoClip, causes: tuple[str, ...]) -> None:
        """Tell that video was wanted of a camera and no clip began."""
        self._tell(ClipFailed(camera=camera, reason=reason, causes=causes))

    def end(self, clip_id: str, why: ClipEnd) -> None:
        """End a clip; one without fragments leaves nothing behind. Again is fine.

        What cannot be written down of its end is found at the next start.
        """
        with self._changed:
            clip = self._clips.get(clip_id)
            if clip is None or clip.ended is not None:
                return
            clip = replace(clip, ended=why)
            if clip.fragments:
                self._clips[clip_id] = clip
            else:
                del self._clips[clip_id]
            self._changed.notify_all()
        if not clip.fragments:
            try:
                self._of(clip_id).delete()
            except OSError as error:
                _log.warning("clip_not_deleted", clip=clip_id, reason=error.strerror)
            return
        self._note(clip)
        self._tell(_ended(clip, why))

    def clip(self, clip_id: str) -> Clip:
        """A clip.

        Raises:
            UnknownClipError: There is none of this id.
        """
        with self._changed:
            return self._known(clip_id)

    def wait(self, clip_id: str, after: int, wait_s: float) -> Clip:
        """A clip as soon as it has a fragment of a higher number than `after`, or has ended, or time is over.

        Raises:
            UnknownClipError: There is none of this id.
        """

        def has_come() -> bool:
            clip = self._clips.get(clip_id)
            return clip is None or clip.ended is not None or len(clip.fragments) > after + 1

        with self._changed:
            self._changed.wait_for(has_come, wait_s)
            return self._known(clip_id)

    def clips(
        self, camera: str | None = None, since_ms: int | None = None, until_ms: int | None = None
    ) -> list[Clip]:
        """Those that have a fragment, the newest first.

        Args:
            camera: Of one camera only.
            since_ms: Only those that end after this.
            until_ms: Only those that begin before this.
        """
        with self._changed:
            every = [clip for clip in self._clips.values() if clip.fragments]
        found = [
            clip
            for clip in every
            if (camera is None or clip.camera == camera)
            and (since_ms is None or clip.end_ms > since_ms)
            and (until_ms is None or clip.begin_ms < until_ms)
        ]
        return sorted(found, key=lambda clip: (clip.begin_ms, clip.id), reverse=True)

    def read(self, clip_id: str, number: int) -> tuple[FragmentNote, bytes]:
        """A fragment in clear.

        Raises:
            UnknownClipError: There is no such clip, or no such fragment of it.
            VideoError: It does not open.
        """
        fragments = self.clip(clip_id).fragments
        found = next((each for each in fragments if each.number == number), None)
        if found is None:
            raise UnknownClipError("there is no such fragment of this clip")
        return found, self._of(clip_id).read(found)

    def delete(self, clip_id: str, why: Why, *, by: str | None = None) -> None:
        """Delete a clip and its key.

        Raises:
            UnknownClipError: There is none of this id.
            VideoError: It is being recorded, or cannot be deleted.
        """
        with self._changed:
            clip = self._known(clip_id)
            if clip.ended is None:
                raise VideoError("this clip is being recorded", hint="it can be deleted once it has ended")
            del self._clips[clip_id]
        try:
            self._of(clip_id).delete()
        except OSError as error:
            with self._changed:
                self._clips[clip_id] = clip
            raise VideoError(f"a clip cannot be deleted: {error.strerror}") from error
        self._tell(ClipDeleted(camera=clip.camera, clip=clip_id, reason=why, by=by))

    def tend(self) -> int:
        """Delete what is due; how many clips went."""
        now = self._clock.wall()
        steady = self._steady.look(now)
        return self._delete_due(round(now.timestamp() * 1000) if steady else None, 0)

    @property
    def size_bytes(self) -> int:
        """What all clips take on the disk."""
        with self._changed:
            return sum(clip.size_bytes for clip in self._clips.values())

    @property
    def room_bytes(self) -> int:
        """What is free on the disk."""
        return self._free(self._folder)

    @property
    def trouble(self) -> str:
        """Why nothing can be recorded now, in words; empty: it can."""
        if self._is_room(1) or self._due(None, 1):
            return ""
        return self._no_room().message

    @property
    def limits(self) -> Limits:
        """How much is kept."""
        return self._limits

    def _adopt(self, folder: ClipFolder, clip: Clip) -> Clip:
        """End a clip that a crash left; of its fragments only the newest can have suffered.

        Raises:
            VideoError: It cannot be read now, or its key is another box's; it stays as it is.
            OSError: What is left half-written cannot be deleted.
        """
        folder.tidy()
        if clip.fragments and folder.is_damaged(clip.fragments[-1]):
            folder.drop(clip.fragments[-1])
            clip = replace(clip, fragments=clip.fragments[:-1])
        clip = replace(clip, ended="interrupted")
        if clip.fragments:
            folder.note(clip)
            self._tell(_ended(clip, "interrupted"))
        return clip

    def _make_room(self, coming_bytes: int) -> None:
        """Delete the oldest clips while there is too little room; none if that would not make enough.

        Raises:
            VideoFullError: There is not enough.
        """
        if not self._is_room(coming_bytes):
            self._delete_due(None, coming_bytes)
            if not self._is_room(coming_bytes):
                raise self._no_room()

    def _no_room(self) -> VideoFullError:
        limits = self._limits
        return VideoFullError(
            f"there is no room for video: clips take {self.size_bytes >> 20} MiB and may take "
            f"{limits.max_bytes >> 20}, and {self.room_bytes >> 20} MiB of the disk are free and "
            f"{limits.min_free_bytes >> 20} have to be",
            hint="make room on the disk of the state directory, or change the settings of video",
        )

    def _is_room(self, coming_bytes: int) -> bool:
        limits = self._limits
        if self.size_bytes + coming_bytes > limits.max_bytes:
            return False
        return self._free(self._folder) - coming_bytes >= limits.min_free_bytes

    def _due(self, now_ms: int | None, coming_bytes: int) -> list[DueClip]:
        with self._changed:
            clips = list(self._clips.values())
        return due(
            clips, self._limits, now_ms=now_ms, free_bytes=self._free(self._folder), coming_bytes=coming_bytes
        )

    def _delete_due(self, now_ms: int | None, coming_bytes: int) -> int:
        gone = 0
        for each in self._due(now_ms, coming_bytes):
            try:
                self.delete(each.id, each.reason)
            except UnknownClipError:
                continue
            except VideoError as error:
                _log.warning("clip_not_deleted", clip=each.id, reason=error.message)
                continue
            gone += 1
        return gone

    def _note(self, clip: Clip) -> None:
        """Write a clip's note; a disk that does not take it costs what was new in it."""
        try:
            self._of(clip.id).note(clip)
        except VideoFullError as error:
            _log.warning("clip_not_noted", clip=clip.id, reason=error.message)

    def _of(self, clip_id: str) -> ClipFolder:
        return ClipFolder(self._folder, clip_id, self._keys)

    def _known(self, clip_id: str) -> Clip:
        """To be called with the lock held."""
        found = self._clips.get(clip_id)
        if found is None:
            raise UnknownClipError("there is no such clip, or no more")
        return found

    def _tell(self, event: Event) -> None:
        try:
            self._told(event)
        except ApplianceError as error:
            _log.error("clip_event_not_logged", reason=error.message)


def free_bytes(folder: Path) -> int:
    """What is free on the disk on which a folder lies, or is to lie."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def _ended(clip: Clip, why: ClipEnd) -> ClipEnded:
    return ClipEnded(
        camera=clip.camera,
        clip=clip.id,
        begin_ms=clip.begin_ms,
        end_ms=clip.end_ms,
        fragments=len(clip.fragments),
        size_bytes=clip.size_bytes,
        why=why,
        causes=clip.about.causes,
    )
