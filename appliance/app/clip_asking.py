"""Clips for commands: asked of the process that records, or read from the disk while nobody records.

Only whoever holds the device key reads them from the disk; the socket answers the box's own account.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol, TypeVar

from appliance.app.stream_folders import drop_at_rest
from appliance.app.video_answers import ClipAnswers, Drop
from appliance.app.video_process import limits_of
from appliance.errors import PeerGoneError
from appliance.services import Services
from appliance.settings import Settings
from appliance.store import NewEvent
from appliance.video.clips import Clips
from appliance.video.fragment import Fragment
from appliance.video.matroska_reader import read_document
from appliance.wire import Client, Message, Peer, Reply, Request
from appliance.wire.messages import (
    AskClip,
    ClipShown,
    ClipsListed,
    DeleteClip,
    Done,
    FragmentRead,
    ListClips,
    Ping,
    ReadFragment,
)

M = TypeVar("M", bound=Message)

_PATIENCE_S = 30.0
_MOST = 1000


class Answering(Protocol):
    """Who answers about clips: a socket's other end, or the clips themselves."""

    def call(self, message: Message, expect: type[M], *, timeout_s: float | None = None) -> Reply[M]:
        """Ask, and have the answer. Raises ApplianceError."""


class ClipAsking:
    """Asks about clips.

    Args:
        video: The process that records, or what answers in its place.
    """

    def __init__(self, video: Answering) -> None:
        self._video = video

    def clips(
        self,
        camera: str | None = None,
        since_ms: int | None = None,
        until_ms: int | None = None,
        most: int = _MOST,
    ) -> ClipsListed:
        """Those there are, the newest first; see `ListClips`.

        Raises:
            WireError: It does not answer.
        """
        asked = ListClips(camera=camera, since_ms=since_ms, until_ms=until_ms, most=most)
        return self._video.call(asked, ClipsListed, timeout_s=_PATIENCE_S).message

    def ending(self, end: str) -> ClipsListed:
        """Those whose id ends so, however many others there are; two at most: not one, then.

        Raises:
            WireError: It does not answer.
        """
        asked = ListClips(ending=end, most=2)
        return self._video.call(asked, ClipsListed, timeout_s=_PATIENCE_S).message

    def clip(self, clip: str) -> ClipShown:
        """One with its fragments.

        Raises:
            UnknownClipError: There is none of this id.
            WireError: It does not answer.
        """
        return self._video.call(AskClip(clip=clip), ClipShown, timeout_s=_PATIENCE_S).message

    def fragments(self, shown: ClipShown) -> Iterator[Fragment]:
        """What is in a clip, in clear, one fragment after the other.

        Raises:
            UnknownClipError: It was deleted meanwhile.
            VideoError: A fragment does not open.
            WireError: It does not answer.
        """
        newest = len(shown.fragments) - 1
        for place, each in enumerate(shown.fragments):
            asked = ReadFragment(clip=shown.clip.clip, number=each.number)
            reply = self._video.call(asked, FragmentRead, timeout_s=_PATIENCE_S)
            yield read_document(reply.blob, last=place == newest)

    def delete(self, clip: str) -> None:
        """Delete a clip and its key, and what waits of it to be sent outside of the box.

        Raises:
            UnknownClipError: There is none of this id, and nothing of it waits.
            VideoError: It is being recorded, or cannot be deleted.
            WireError: It does not answer.
        """
        self._video.call(DeleteClip(clip=clip), Done, timeout_s=_PATIENCE_S)


@contextmanager
def asking(settings: Settings, services: Services) -> Iterator[ClipAsking]:
    """Whoever tells of clips now: the process that records, or while there is none what lies on the disk.

    Raises:
        VideoError: The folder of clips cannot be read.
        WireError: The process that records does not answer as it should.
    """
    client = Client(services.layout.socket("video"), timeout_s=_PATIENCE_S)
    try:
        client.call(Ping())
    except PeerGoneError:
        clips = Clips(
            services.layout.clips,
            services.vault,
            limits_of(settings.video),
            lambda event: services.store.append_all([NewEvent(event)]),
            clock=services.clock,
            ids=services.ids,
        )
        clips.open()
        yield ClipAsking(_AtRest(clips, partial(drop_at_rest, services.layout.kvs)))
    else:
        yield ClipAsking(client)


class _AtRest:
    """Answers out of the folder itself."""

    def __init__(self, clips: Clips, drop: Drop) -> None:
        self._handlers = ClipAnswers(clips, drop).handlers()

    def call(self, message: Message, expect: type[M], *, timeout_s: float | None = None) -> Reply[M]:  # noqa: ARG002
        """See `Answering`."""
        peer = Peer(os.getpid(), os.getuid())
        reply: Reply[M] = self._handlers[type(message)](Request(message, b"", (), peer))
        return reply
