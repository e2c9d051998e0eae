"""A session of HTTP Live Streaming: what it shows, and its playlists as text.

Tokens, files and requests are `playing`'s subject. The rules are those of GetHLSStreamingSessionURL: a
session has a mode, a span of time by one of two clocks, and an end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from appliance.video.kvs_server.archive import FragmentRow
from appliance.video.kvs_server.fields import Fields
from appliance.video.kvs_server.requests import RefusedError
from appliance.video.kvs_server.selecting import Selection

Mode = Literal["LIVE", "LIVE_REPLAY", "ON_DEMAND"]
Marks = Literal["ALWAYS", "NEVER", "ON_DISCONTINUITY"]

MODES: Final[dict[str, Mode]] = {"LIVE": "LIVE", "LIVE_REPLAY": "LIVE_REPLAY", "ON_DEMAND": "ON_DEMAND"}
_MARKS: Final[dict[str, Marks]] = {
    "ALWAYS": "ALWAYS",
    "NEVER": "NEVER",
    "ON_DISCONTINUITY": "ON_DISCONTINUITY",
}
_HOLE_MS: Final = 50
_FRESH: Final = timedelta(seconds=30)
_LONGEST: Final = timedelta(hours=24)
_LEAST_S, _MOST_S, _USUAL_S = 300, 43_200, 300
_MOST_FRAGMENTS: Final = 5_000
_LIVE_FRAGMENTS, _ARCHIVED_FRAGMENTS = 5, 1_000


@dataclass(slots=True)
class Session:
    """One that was opened.

    Attributes:
        stream: The stream's ARN.
        mode: Live, from some time on, or a span that is over.
        selection: Which fragments, by which clock.
        most: Fragments in a playlist.
        marks: Where discontinuities are marked.
        dated: Whether fragments' times stand in playlists.
        begun_at: When it was opened, aware.
        expires_at: When it ends, aware.
        origin_ms: What players' time counts from, milliseconds since the epoch.
        numbered: Numbers of fragments in the order in which playlists named them first.
    """

    stream: str
    mode: Mode
    selection: Selection
    most: int
    marks: Marks
    dated: bool
    begun_at: datetime
    expires_at: datetime
    origin_ms: int = 0
    numbered: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, given: Fields, stream: str, now: datetime) -> "Session":
        """What is asked for.

        Raises:
            RefusedError: It cannot be had.
        """
        if given.choice("ContainerFormat", {"FRAGMENTED_MP4", "MPEG_TS"}) == "MPEG_TS":
            raise RefusedError("InvalidArgumentException", "This server makes FRAGMENTED_MP4 only.")
        mode = MODES[given.choice("PlaybackMode", MODES) or "LIVE"]
        selector = given.within("HLSFragmentSelector")
        if selector is None and mode != "LIVE":
            raise RefusedError("InvalidArgumentException", f"{mode} needs an HLSFragmentSelector.")
        if selector is not None and mode == "LIVE_REPLAY":
            selector.need_within("TimestampRange").need_moment("StartTimestamp")
        selection = Selection.read(selector, needed=mode == "ON_DEMAND")
        check_span(selection, mode)
        server = selection.by == "SERVER_TIMESTAMP"
        usual = _LIVE_FRAGMENTS if mode != "ON_DEMAND" else _ARCHIVED_FRAGMENTS
        expires_s = given.number("Expires", least=_LEAST_S, most=_MOST_S) or _USUAL_S
        return cls(
            stream=stream,
            mode=mode,
            selection=selection,
            most=given.number("MaxMediaPlaylistFragmentResults", least=1, most=_MOST_FRAGMENTS) or usual,
            marks=_MARKS[given.choice("DiscontinuityMode", _MARKS) or ("ALWAYS" if server else "NEVER")],
            dated=given.choice("DisplayFragmentTimestamp", {"ALWAYS", "NEVER"}) == "ALWAYS",
            begun_at=now,
            expires_at=now + timedelta(seconds=expires_s),
        )

    def shown(self, rows: Sequence[FragmentRow], now: datetime) -> list[FragmentRow]:
        """The fragments in the playlist, by time.

        Args:
            rows: Everything there is of the stream.
            now: Aware.
        """
        found = self.selection.deduplicated(rows)
        if self.mode == "ON_DEMAND":
            return found[: self.most]
        if self.mode == "LIVE":
            newest = {row.number for row in sorted(rows, key=lambda row: int(row.number))[-self.most :]}
            return [
                row for row in found if row.number in newest and self.selection.when(row) >= self.origin_ms
            ]
        # One after the other, as their time passes since the session was opened.
        passed_ms = (now - self.begun_at) / timedelta(milliseconds=1)
        first = self.selection.when(found[0]) if found else 0
        due = [row for row in found if self.selection.when(row) - first <= passed_ms]
        ahead = found[: self.most]
        return due if len(due) > len(ahead) else ahead

    def is_fresh(self, rows: Sequence[FragmentRow], now: datetime) -> bool:
        """Whether there is anything to be live about."""
        return any(row.server_at >= now - _FRESH for row in rows)

    def number(self, rows: Sequence[FragmentRow]) -> int:
        """Number fragments in the order in which they are first named; returns the first one's number."""
        known = set(self.numbered)
        self.numbered += [row.number for row in rows if row.number not in known]
        return self.numbered.index(rows[0].number) if rows else len(self.numbered)


def check_span(selection: Selection, mode: Mode = "ON_DEMAND") -> None:
    """Hold a span of time to what sessions and clips allow.

    Raises:
        RefusedError: It is empty, or longer than a day.
    """
    longest_ms = _LONGEST / timedelta(milliseconds=1)
    if mode == "ON_DEMAND" and not 0 < selection.end_ms - selection.begin_ms <= longest_ms:
        raise RefusedError(
            "InvalidArgumentException", "EndTimestamp must be later than StartTimestamp, by 24 hours at most."
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """A fragment as a playlist names it.

    Attributes:
        address: Where it is.
        init_address: Where the init segment of its track is.
        begin_ms: When it begins, milliseconds since the epoch.
        duration_ms: How long it lasts.
    """

    address: str
    init_address: str
    begin_ms: int
    duration_ms: int


def media_playlist(session: Session, shown: Sequence[Shown], *, first: int) -> str:
    """The playlist of a session, as it is now.

    Args:
        session: Whose.
        shown: The fragments in it.
        first: The number of the first of them.
    """
    longest_ms = max((each.duration_ms for each in shown), default=1000)
    kind = {
        "ON_DEMAND": ["#EXT-X-PLAYLIST-TYPE:VOD"],
        "LIVE_REPLAY": ["#EXT-X-PLAYLIST-TYPE:EVENT"],
        "LIVE": [],
    }
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        *kind[session.mode],
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f"#EXT-X-TARGETDURATION:{-(-longest_ms // 1000)}",
        f"#EXT-X-MEDIA-SEQUENCE:{first}",
    ]
    before: Shown | None = None
    for each in shown:
        lines += _lines(session, each, before)
        before = each
    if session.mode == "ON_DEMAND":
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def _lines(session: Session, each: Shown, before: Shown | None) -> list[str]:
    other = before is None or before.init_address != each.init_address
    lines = []
    if before is not None:
        hole = abs(each.begin_ms - before.begin_ms - before.duration_ms) > _HOLE_MS
        marked = session.marks == "ALWAYS" or (session.marks == "ON_DISCONTINUITY" and hole)
        # Another decoder must be told of, whatever was asked for.
        if marked or other:
            lines.append("#EXT-X-DISCONTINUITY")
    if other:
        lines.append(f'#EXT-X-MAP:URI="{each.init_address}"')
    if session.dated:
        at = datetime.fromtimestamp(each.begin_ms / 1000, UTC).isoformat(timespec="milliseconds")
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{at.replace('+00:00', 'Z')}")
    return [*lines, f"#EXTINF:{each.duration_ms / 1000:.3f},", each.address]
