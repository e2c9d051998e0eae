"""Kept media as players take it: clips of MP4, and sessions of HTTP Live Streaming with their files.

The address of a session holds a token, which is all that its files ask for, as AWS has it: whoever has the
address may watch until it expires. Frames are copied; nothing is decoded.
"""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from appliance.clock import Clock
from appliance.errors import UnusableVideoError
from appliance.video.fragment import Fragment
from appliance.video.kvs_server.archive import FragmentMedia, FragmentRow
from appliance.video.kvs_server.fields import Fields
from appliance.video.kvs_server.hls import Session, Shown, check_span, media_playlist
from appliance.video.kvs_server.playable import playable, unfit_codec
from appliance.video.kvs_server.reading import Shelf, missing
from appliance.video.kvs_server.requests import RefusedError, Request
from appliance.video.kvs_server.selecting import Selection
from appliance.video.kvs_server.streams import StreamBook, StreamRow
from appliance.video.mp4 import init_segment, media_segment, whole_clip
from appliance.video.playlists import PLAYLIST_TYPE, master_playlist

PLAY_PATH: Final = "/hls/v1/"
MAX_CLIP_FRAGMENTS: Final = 200
MAX_CLIP_BYTES: Final = 100_000_000
CLIP_TYPE: Final = "video/mp4"
_SESSIONS: Final = 1_000
"""Open at once; then the oldest goes."""


class Playing:
    """GetClip and GetHLSStreamingSessionURL.

    Args:
        shelf: What may be read.
        streams: Whose sessions still have a stream.
        clock: The wall clock ends sessions.
    """

    def __init__(self, shelf: Shelf, streams: StreamBook, *, clock: Clock) -> None:
        self._shelf = shelf
        self._streams = streams
        self._clock = clock
        self._sessions: dict[str, Session] = {}

    async def clip(self, given: Fields, stream: StreamRow) -> bytes:
        """Fragments of a span of time as one MP4 file.

        Raises:
            RefusedError: There are none, there are too many, or they cannot be played.
        """
        selection = Selection.read(given.need_within("ClipFragmentSelector"), needed=True)
        check_span(selection)
        rows = selection.deduplicated(self._retained(stream))
        if not rows:
            raise _nothing()
        if len(rows) > MAX_CLIP_FRAGMENTS or sum(row.size_bytes for row in rows) > MAX_CLIP_BYTES:
            raise RefusedError(
                "InvalidArgumentException",
                f"A clip has {MAX_CLIP_FRAGMENTS} fragments and {MAX_CLIP_BYTES} bytes at most.",
            )
        media = []
        end_ms = 0
        for row in rows:
            # By the server's clock fragments may come faster than they last: one is played after the other.
            begin_ms = selection.when(row)
            if selection.by == "SERVER_TIMESTAMP":
                begin_ms = max(begin_ms, end_ms)
            end_ms = begin_ms + row.duration_ms
            media.append((begin_ms, self._shelf.media(stream, row)))
        return await asyncio.to_thread(_clip, media)

    def open_hls(self, given: Fields, stream: StreamRow, *, endpoint: str) -> Mapping[str, Any]:
        """Open a session.

        Args:
            given: The input.
            stream: Whose.
            endpoint: Where this server is reached.

        Raises:
            RefusedError: There is nothing to be played, or it cannot be had that way.
        """
        now = self._clock.wall()
        session = Session.read(given, stream.arn, now)
        rows = self._retained(stream)
        shown = session.shown(rows, now)
        if not shown or (session.mode == "LIVE" and not session.is_fresh(rows, now)):
            raise _nothing()
        session.origin_ms = session.selection.when(shown[0])
        self._fragment(session, stream, shown[0])
        token = secrets.token_urlsafe(48)
        self._drop_old(now)
        self._sessions[token] = session
        address = f"{endpoint}{PLAY_PATH}getHLSMasterPlaylist.m3u8?{urlencode({'SessionToken': token})}"
        return {"HLSStreamingSessionURL": address}

    def file(self, request: Request) -> tuple[str, bytes]:
        """Media type and content of a file of a session.

        Raises:
            RefusedError: There is no such file, or the session has ended.
        """
        token = request.argument("SessionToken") or ""
        session = self._sessions.get(token)
        now = self._clock.wall()
        if session is None or session.expires_at <= now:
            raise RefusedError(
                "NotAuthorizedException", "The session is unknown, or has expired.", status=403
            )
        stream = self._streams.find(name=None, arn=session.stream)
        rows = self._retained(stream)
        match request.path.removeprefix(PLAY_PATH):
            case "getHLSMasterPlaylist.m3u8":
                return PLAYLIST_TYPE, self._master(session, stream, rows, token).encode()
            case "getHLSMediaPlaylist.m3u8":
                return PLAYLIST_TYPE, self._media(session, rows, token).encode()
            case "getMP4InitFragment.mp4":
                row = self._named(session, rows, tracks=request.argument("Tracks"))
                return CLIP_TYPE, init_segment(self._fragment(session, stream, row).track)
            case "getMP4MediaFragment.mp4":
                row = self._named(session, rows, number=request.argument("FragmentNumber"))
                fragment = self._fragment(session, stream, row)
                sequence = session.numbered.index(row.number)
                return CLIP_TYPE, media_segment(fragment, origin_ms=session.origin_ms, sequence=sequence)
        raise RefusedError("ResourceNotFoundException", "There is no such file.")

    @staticmethod
    def _named(
        session: Session,
        rows: Sequence[FragmentRow],
        *,
        number: str | None = None,
        tracks: str | None = None,
    ) -> FragmentRow:
        """A fragment that a playlist of the session named, by its number or its tracks."""
        named = set(session.numbered)
        for row in rows:
            if row.number in named and (row.number == number or row.tracks == tracks):
                return row
        raise missing(number or tracks or "")

    def _master(self, session: Session, stream: StreamRow, rows: Sequence[FragmentRow], token: str) -> str:
        shown = session.shown(rows, self._clock.wall())
        if not shown:
            raise _nothing()
        bandwidth = max(8000 * row.size_bytes // max(1, row.duration_ms) for row in shown)
        query = urlencode({"SessionToken": token, "TrackNumber": 1})
        track = self._fragment(session, stream, shown[0]).track
        return master_playlist(track, f"getHLSMediaPlaylist.m3u8?{query}", bandwidth=max(1, bandwidth))

    def _media(self, session: Session, rows: Sequence[FragmentRow], token: str) -> str:
        shown = session.shown(rows, self._clock.wall())
        first = session.number(shown)
        told = []
        query = urlencode({"SessionToken": token, "TrackNumber": 1})
        for row in shown:
            media = f"getMP4MediaFragment.mp4?FragmentNumber={row.number}&{query}"
            # Fragments of the same tracks share an init segment, whichever of them are still there.
            init = f"getMP4InitFragment.mp4?Tracks={row.tracks}&{query}"
            told.append(Shown(media, init, session.selection.when(row), row.duration_ms))
        return media_playlist(session, told, first=first)

    def _fragment(self, session: Session, stream: StreamRow, row: FragmentRow) -> Fragment:
        return playable(self._shelf.media(stream, row), begin_ms=session.selection.when(row))

    def _retained(self, stream: StreamRow) -> Sequence[FragmentRow]:
        if not stream.retention_hours:
            raise RefusedError("NoDataRetentionException", f"{stream.name} does not retain data.")
        return self._shelf.rows(stream)

    def _drop_old(self, now: datetime) -> None:
        ended = [token for token, session in self._sessions.items() if session.expires_at <= now]
        crowded = list(self._sessions)[: max(0, len(self._sessions) - _SESSIONS + 1)]
        for token in {*ended, *crowded}:
            del self._sessions[token]


def _clip(media: Sequence[tuple[int, FragmentMedia]]) -> bytes:
    try:
        return whole_clip([playable(each, begin_ms=begin_ms) for begin_ms, each in media])
    except UnusableVideoError as error:
        if error.fault == "size_changed":
            raise unfit_codec() from None
        raise RefusedError(
            "InvalidMediaFrameException", "The fragments of this span overlap each other."
        ) from None


def _nothing() -> RefusedError:
    return RefusedError("ResourceNotFoundException", "No fragments found in the stream for the request.")
