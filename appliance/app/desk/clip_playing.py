"""Operations of what a browser plays of a clip: its playlist, its pieces, and the parts of one file.

Frames are copied from the fragments that the process that records hands out; none is decoded here, and no
clip's key is known here. Which clips there are is told by `clips`.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeVar

from pydantic import Field

from appliance.app.desk.clips import CAMERA, CLIP, OneClip
from appliance.app.desk.operations import Answer, Arguments, Asked, Operation
from appliance.errors import UnknownClipError
from appliance.events import ClipExported
from appliance.permissions import Permission
from appliance.services import Services
from appliance.store import Store
from appliance.video.fragment import Fragment
from appliance.video.matroska_reader import read_document
from appliance.video.mp4 import clip_frames, clip_head, init_segment, media_segment
from appliance.video.playlists import GAP_MS, Piece, media_playlist
from appliance.wire import Client, Message
from appliance.wire.messages import (
    ArchiveOpened,
    ArchiveRead,
    AskClip,
    ClipShown,
    FragmentRead,
    FragmentTold,
    OpenArchive,
    ReadArchive,
    ReadFragment,
)

M = TypeVar("M", bound=Message)

INIT: Final = "init.mp4"
_PIECE: Final = re.compile(r"(\d{1,7})\.m4s")
_READ_S: Final = 15.0
_OUTSIDE_S: Final = 40.0


class OnePiece(Arguments):
    """Attributes: clip: its id; piece: as its playlist calls it."""

    clip: str = Field(pattern=CLIP)
    piece: str = Field(pattern=r"^(init\.mp4|[0-9]{1,7}\.m4s)$")


class OneView(Arguments):
    """Attributes: camera: whose; begin_ms, end_ms: of what is to be seen, milliseconds since the epoch."""

    camera: str = Field(pattern=CAMERA)
    begin_ms: int = Field(ge=0)
    end_ms: int = Field(ge=0)


class OneViewPiece(Arguments):
    """Attributes: view: as it was opened; name, query: as its playlist calls it."""

    view: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    name: str = Field(pattern=r"^[A-Za-z0-9]{1,64}\.(m3u8|mp4)$")
    query: str = Field(default="", max_length=2048)


class OnePart(Arguments):
    """Attributes: clip: its id; number: of a fragment, as `clips.file` says."""

    clip: str = Field(pattern=CLIP)
    number: int = Field(ge=0)


class ClipPlaying:
    """Makes what is played.

    Args:
        services: Where the process that records listens; the log.
    """

    def __init__(self, services: Services) -> None:
        self._store: Store = services.store
        self._video = Client(services.layout.socket("video"), timeout_s=_READ_S)

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        may = Permission.CLIPS
        return [
            Operation("clips.playlist", OneClip, may, self.playlist),
            Operation("clips.piece", OnePiece, may, self.piece),
            Operation("clips.file", OneClip, may, self.file),
            Operation("clips.file_part", OnePart, may, self.file_part),
            Operation("clips.open_outside", OneView, may, self.open_outside, waits=True),
            Operation("clips.read_outside", OneViewPiece, may, self.read_outside, waits=True),
        ]

    def playlist(self, asked: Asked[OneClip]) -> Answer:
        """An HLS playlist, in the blob, whose addresses are pieces; it grows while the clip is recorded.

        Raises:
            UnknownClipError: There is no such clip.
            PeerGoneError: The process that records does not run.
        """
        shown = self._shown(asked.arguments.clip)
        pieces = [
            Piece(f"{each.number}.m4s", each.begin_ms, max(1, each.duration_ms), INIT)
            for each in shown.fragments
        ]
        return Answer(None, media_playlist(pieces, ended=shown.clip.state == "ended").encode())

    def piece(self, asked: Asked[OnePiece]) -> Answer:
        """What a playlist names, in the blob: fragmented MP4.

        Raises:
            UnknownClipError: There is no such clip, or no such piece of it.
            VideoError: It cannot be read any more.
            PeerGoneError: The process that records does not run.
        """
        clip, name = asked.arguments.clip, asked.arguments.piece
        shown = self._shown(clip)
        matched = _PIECE.fullmatch(name)
        if matched is None:
            if not shown.fragments:
                raise UnknownClipError("nothing of this clip is there yet")
            return Answer(None, init_segment(self._read(clip, shown.fragments[0].number).track))
        number = int(matched[1])
        place = next((i for i, each in enumerate(shown.fragments) if each.number == number), None)
        if place is None:
            raise UnknownClipError("there is no such piece of this clip")
        return Answer(
            None,
            media_segment(
                self._read(clip, number),
                origin_ms=shown.clip.begin_ms,
                sequence=number,
                end_ms=_end_ms(shown.fragments, place),
            ),
        )

    def file(self, asked: Asked[OneClip]) -> Answer:
        """The beginning of an MP4 file of all there is of a clip: `{parts}`, and the bytes in the blob.

        It leaves in the clear, so that is in the log first (`clip_exported`). What `clips.file_part` gives of
        each of the parts, one behind the other, is the rest of it.

        Raises:
            UnknownClipError: There is no such clip, or nothing of it yet.
            VideoError: It cannot be read any more.
            PeerGoneError: The process that records does not run.
            StoreError: It cannot be logged; nothing leaves.
        """
        clip = asked.arguments.clip
        shown = self._shown(clip)
        numbers = [each.number for each in shown.fragments]
        if not numbers:
            raise UnknownClipError("nothing of this clip is there yet")
        head = clip_head(self._reading(clip, numbers))
        self._store.append(ClipExported(camera=shown.clip.camera, clip=clip))
        return Answer({"parts": numbers}, head)

    def file_part(self, asked: Asked[OnePart]) -> Answer:
        """A further part of that file, in the blob.

        Raises:
            UnknownClipError: There is no such fragment.
            VideoError: It cannot be read any more.
            PeerGoneError: The process that records does not run.
        """
        return Answer(None, clip_frames(self._read(asked.arguments.clip, asked.arguments.number)))

    def open_outside(self, asked: Asked[OneView]) -> Answer:
        """Have what is stored at Kinesis Video Streams played here: `{view, name}`, of its playlist.

        Raises:
            StreamError: Nothing is sent there, nothing is stored of that time, or it cannot be asked.
            PeerGoneError: The process that records does not run.
        """
        given = asked.arguments
        message = OpenArchive(camera=given.camera, begin_ms=given.begin_ms, end_ms=given.end_ms)
        opened = self._video.call(message, ArchiveOpened, timeout_s=_OUTSIDE_S).message
        return Answer({"view": opened.view, "name": opened.name})

    def read_outside(self, asked: Asked[OneViewPiece]) -> Answer:
        """A playlist or a piece of such a view, in the blob: `{media_type}`.

        Raises:
            UnknownClipError: The view is over, or has nothing of that name.
            StreamError: The service cannot be asked, or refuses.
            PeerGoneError: The process that records does not run.
        """
        given = asked.arguments
        message = ReadArchive(view=given.view, name=given.name, query=given.query)
        found = self._video.call(message, ArchiveRead, timeout_s=_OUTSIDE_S)
        return Answer({"media_type": found.message.media_type}, found.blob)

    def _shown(self, clip: str) -> ClipShown:
        return self._video.call(AskClip(clip=clip), ClipShown).message

    def _read(self, clip: str, number: int) -> Fragment:
        return read_document(self._video.call(ReadFragment(clip=clip, number=number), FragmentRead).blob)

    def _reading(self, clip: str, numbers: Sequence[int]) -> Iterator[Fragment]:
        return (self._read(clip, number) for number in numbers)


def _end_ms(fragments: Sequence[FragmentTold], place: int) -> int | None:
    """When the next one begins, where it follows at once: the last frame is shown until then."""
    if place + 1 == len(fragments):
        return None
    ends = fragments[place].begin_ms + fragments[place].duration_ms
    following = fragments[place + 1].begin_ms
    return following if following - ends <= GAP_MS else None
