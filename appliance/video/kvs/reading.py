"""Finding and playing what the service stored: fragments by time, an address for a player, a piece as mp4.

Everything is asked for by producer time, which is the time the box itself stamped. Fragments may be there
twice, since one that was sent again after a cut may have been stored the first time, too: each time counts
once. An address for a player opens the video to whoever has it: it is asked for anew for every view, and
neither kept nor logged. Nothing is sent here, and nothing is decoded.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from appliance.clock import Clock
from appliance.errors import StreamError
from appliance.settings import KvsSettings
from appliance.video.kvs.clients import Clients
from appliance.video.kvs.control import Api, named
from appliance.video.kvs.credentials import CredentialSource
from appliance.video.kvs.endpoints import Endpoints
from appliance.video.kvs.refusals import explained

ARCHIVED: Final = "kinesis-video-archived-media"
EXPIRES_S: Final = 3600
"""How long a player's address is good; the service allows five minutes to twelve hours."""
MAX_CLIP_FRAGMENTS: Final = 200
MAX_CLIP_BYTES: Final = 100_000_000
"""What the service puts into an mp4 at most."""
_PLAYLIST_FRAGMENTS: Final = 5000
_PAGE: Final = 1000
_CHUNK_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class StoredFragment:
    """A fragment that the service has.

    Attributes:
        number: The service's own number.
        begin_ms: When it begins, milliseconds since the epoch, as the box stamped it.
        duration_ms: How long it lasts.
        size_bytes: As stored.
    """

    number: str
    begin_ms: int
    duration_ms: int
    size_bytes: int

    @property
    def end_ms(self) -> int:
        """When it ends, milliseconds since the epoch."""
        return self.begin_ms + self.duration_ms


class Reader:
    """Reads streams; may be used by several threads.

    Args:
        settings: Whom to trust.
        endpoints: Where to ask.
        credentials: Whose name questions go in.
        clock: Held against the service's.
    """

    def __init__(
        self, settings: KvsSettings, endpoints: Endpoints, credentials: CredentialSource, clock: Clock
    ) -> None:
        self._endpoints = endpoints
        self._clients = Clients(settings, credentials)
        self._clock = clock

    def fragments(self, stream: str, begin_ms: int, end_ms: int) -> tuple[StoredFragment, ...]:
        """What is stored of a span of time, by time; of several copies of a fragment the newest.

        Args:
            stream: Its name.
            begin_ms: From when on, milliseconds since the epoch; fragments that begin then or later.
            end_ms: Until when.

        Raises:
            StreamError: The service cannot be asked, or refuses.
        """
        client = self._client(stream, "LIST_FRAGMENTS")
        found: dict[int, StoredFragment] = {}
        asked: dict[str, Any] = {
            **named(stream),
            "MaxResults": _PAGE,
            "FragmentSelector": _selector(begin_ms, end_ms),
        }
        while True:
            with explained("ListFragments", self._clock):
                page = client.list_fragments(**asked)
            for raw in page.get("Fragments", []):
                each = _fragment(raw)
                kept = found.get(each.begin_ms)
                if kept is None or int(each.number) > int(kept.number):
                    found[each.begin_ms] = each
            if not page.get("NextToken"):
                return tuple(found[begin] for begin in sorted(found))
            asked["NextToken"] = page["NextToken"]

    def hls_address(
        self,
        stream: str,
        begin_ms: int,
        end_ms: int | None,
        *,
        mode: Literal["ON_DEMAND", "LIVE_REPLAY"] = "ON_DEMAND",
    ) -> str:
        """An address that a player opens, good for an hour. Whoever has it sees the video: keep it nowhere.

        Args:
            stream: Its name.
            begin_ms: From when on, milliseconds since the epoch.
            end_ms: Until when; None, for `LIVE_REPLAY` only: as it comes.
            mode: `LIVE_REPLAY` for what is still being recorded.

        Raises:
            StreamError: There is nothing of that time, or the service cannot be asked, or refuses.
        """
        client = self._client(stream, "GET_HLS_STREAMING_SESSION_URL")
        with explained("GetHLSStreamingSessionURL", self._clock):
            answer = client.get_hls_streaming_session_url(
                **named(stream),
                PlaybackMode=mode,
                HLSFragmentSelector=_selector(begin_ms, end_ms),
                ContainerFormat="FRAGMENTED_MP4",
                DiscontinuityMode="ON_DISCONTINUITY",
                DisplayFragmentTimestamp="ALWAYS",
                Expires=EXPIRES_S,
                MaxMediaPlaylistFragmentResults=_PLAYLIST_FRAGMENTS,
            )
        return str(answer["HLSStreamingSessionURL"])

    def clip(self, stream: str, begin_ms: int, end_ms: int, *, look: bool = True) -> Iterator[bytes]:
        """A span of time as mp4, piece by piece.

        Args:
            stream: Its name.
            begin_ms: From when on, milliseconds since the epoch.
            end_ms: Until when.
            look: Look first whether it is more than the service puts into a file.

        Raises:
            StreamError: There is nothing of that time, it is more than the service puts into a file, or the
                service cannot be asked, or refuses.
        """
        stored = self.fragments(stream, begin_ms, end_ms) if look else ()
        if len(stored) > MAX_CLIP_FRAGMENTS or sum(each.size_bytes for each in stored) > MAX_CLIP_BYTES:
            raise StreamError(
                "the service puts no more than 200 fragments and 100 MB into a file",
                reason="argument",
                hint="ask for a shorter time",
            )
        client = self._client(stream, "GET_CLIP")
        with explained("GetClip", self._clock):
            answer = client.get_clip(
                **named(stream),
                ClipFragmentSelector=_selector(begin_ms, end_ms),
            )
        return self._pieces(answer["Payload"])

    def _pieces(self, payload: Any) -> Iterator[bytes]:
        try:
            with explained("GetClip", self._clock):
                yield from payload.iter_chunks(_CHUNK_BYTES)
        finally:
            payload.close()

    def _client(self, stream: str, api: Api) -> Any:
        return self._clients.get(ARCHIVED, self._endpoints.get(stream, api))


def _selector(begin_ms: int, end_ms: int | None) -> dict[str, Any]:
    span = {"StartTimestamp": _at(begin_ms)}
    if end_ms is not None:
        span["EndTimestamp"] = _at(end_ms)
    return {"FragmentSelectorType": "PRODUCER_TIMESTAMP", "TimestampRange": span}


def _at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _fragment(raw: dict[str, Any]) -> StoredFragment:
    at: datetime = raw["ProducerTimestamp"]
    return StoredFragment(
        number=str(raw["FragmentNumber"]),
        begin_ms=round(at.timestamp() * 1000),
        duration_ms=int(raw.get("FragmentLengthInMilliseconds") or 0),
        size_bytes=int(raw.get("FragmentSizeInBytes") or 0),
    )
