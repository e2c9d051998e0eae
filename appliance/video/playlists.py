"""Playlists of HTTP Live Streaming (RFC 8216) for a clip's pieces: while it is recorded, and afterwards.

Text only: what the addresses lead to is whoever's who writes them. A clip being recorded is an event, whose
playlist grows at its end and can be played from its begin; a finished one is on demand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from appliance.video.fragment import MAX_FRAGMENT_MS, Track
from appliance.video.h264 import codec_string

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
"""Media type of a playlist."""

GAP_MS = 500
"""A hole longer than this between two pieces is told to the player, which then steps over it."""

_VERSION = 7


@dataclass(frozen=True, slots=True)
class Piece:
    """A media segment as a playlist names it.

    Attributes:
        address: Where it is, relative to the playlist or not.
        begin_ms: When it begins, milliseconds since the epoch.
        duration_ms: How long it lasts, > 0.
        init_address: Where the init segment of its track is.
    """

    address: str
    begin_ms: int
    duration_ms: int
    init_address: str

    def __post_init__(self) -> None:
        """Check it.

        Raises:
            ValueError: It has no duration, or an address would break the playlist.
        """
        if self.duration_ms <= 0:
            raise ValueError("a piece lasts some time")
        for address in (self.address, self.init_address):
            check_address(address)


def check_address(address: str) -> None:
    """An address stands on a line of its own, or in quotes.

    Raises:
        ValueError: It is empty, begins like a comment, or holds quotes, spaces or control characters.
    """
    if not address or address[0] == "#" or any(each in '"\x7f' or each <= " " for each in address):
        raise ValueError("this cannot be an address in a playlist")


def media_playlist(pieces: Sequence[Piece], *, ended: bool) -> str:
    """The playlist of a clip's pieces.

    Args:
        pieces: In their order; may be empty while nothing is recorded yet.
        ended: No other piece will come.
    """
    longest_s = max((-(-piece.duration_ms // 1000) for piece in pieces), default=0)
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{_VERSION}",
        # It may not change while the playlist grows, so it is what the longest fragment of all may have.
        f"#EXT-X-TARGETDURATION:{max(longest_s, MAX_FRAGMENT_MS // 1000)}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        f"#EXT-X-PLAYLIST-TYPE:{'VOD' if ended else 'EVENT'}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    before: Piece | None = None
    for piece in pieces:
        lines += _lines(piece, before)
        before = piece
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def _lines(piece: Piece, before: Piece | None) -> list[str]:
    other_track = before is not None and before.init_address != piece.init_address
    hole = before is not None and abs(piece.begin_ms - before.begin_ms - before.duration_ms) > GAP_MS
    lines = ["#EXT-X-DISCONTINUITY"] if other_track or hole else []
    if before is None or other_track:
        lines.append(f'#EXT-X-MAP:URI="{piece.init_address}"')
    if before is None or other_track or hole:
        when = datetime.fromtimestamp(piece.begin_ms / 1000, UTC).isoformat(timespec="milliseconds")
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{when.replace('+00:00', 'Z')}")
    return [*lines, f"#EXTINF:{piece.duration_ms / 1000:.3f},", piece.address]


def master_playlist(track: Track, address: str, *, bandwidth: int) -> str:
    """The playlist that leads to the only other one and says what it is.

    Args:
        track: What is shown.
        address: Where the media playlist is.
        bandwidth: Most bits a second, > 0.

    Raises:
        ValueError: The address would break the playlist.
    """
    check_address(address)
    return (
        "#EXTM3U\n"
        f"#EXT-X-VERSION:{_VERSION}\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        f'#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},CODECS="{codec_string(track)}",'
        f"RESOLUTION={track.width}x{track.height}\n"
        f"{address}\n"
    )
