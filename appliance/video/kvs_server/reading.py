"""What readers are given of a stream: lists of fragments, their media, and the stream as it comes.

Playing them (GetClip, HLS) is `playing`'s subject.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from appliance.clock import Clock
from appliance.video.kvs_server import fields
from appliance.video.kvs_server.archive import Archive, FragmentMedia, FragmentRow
from appliance.video.kvs_server.documents import behind_now, document
from appliance.video.kvs_server.fields import Fields
from appliance.video.kvs_server.live import Live
from appliance.video.kvs_server.requests import RefusedError
from appliance.video.kvs_server.selecting import Selection, page
from appliance.video.kvs_server.streams import StreamRow

MEDIA_TYPE: Final = "video/webm"
"""What the service calls Matroska in its answers."""
MAX_LIST: Final = 1000
MAX_READERS: Final = 3
_DEFAULT_PAGE: Final = 100
_START_TYPES: Final = frozenset(
    {"FRAGMENT_NUMBER", "SERVER_TIMESTAMP", "PRODUCER_TIMESTAMP", "NOW", "EARLIEST", "CONTINUATION_TOKEN"}
)


class Shelf:
    """The archive as readers may see it: without what is older than a stream's retention.

    Args:
        archive: Everything.
        clock: The wall clock decides what is too old.
    """

    def __init__(self, archive: Archive, clock: Clock) -> None:
        self._archive = archive
        self._clock = clock

    def rows(self, stream: StreamRow) -> Sequence[FragmentRow]:
        """What there is of a stream, by number.

        Raises:
            VideoError: The archive does not work.
        """
        oldest = self._clock.wall() - timedelta(hours=stream.retention_hours)
        self._archive.forget(stream.name, before_ms=int(oldest.timestamp() * 1000))
        return self._archive.fragments(stream.name) if stream.retention_hours else ()

    def media(self, stream: StreamRow, row: FragmentRow) -> FragmentMedia:
        """The bytes of one that `rows` gave.

        Raises:
            RefusedError: It is gone meanwhile, or cannot be opened.
            VideoError: The archive does not work.
        """
        found = self._archive.media(stream.name, row.number)
        if found is None:
            raise missing(row.number)
        return found


def missing(number: str) -> RefusedError:
    """No such fragment."""
    return RefusedError("ResourceNotFoundException", f"The fragment {number} is not found.")


class Readers:
    """ListFragments, GetMediaForFragmentList and GetMedia.

    Args:
        shelf: What may be read.
        clock: Of the server.
        quiet_s: GetMedia ends when nothing new has come for so long.
    """

    def __init__(self, shelf: Shelf, *, clock: Clock, quiet_s: float) -> None:
        self._shelf = shelf
        self._clock = clock
        self._quiet_s = quiet_s

    def list_fragments(self, given: Fields, stream: StreamRow) -> Mapping[str, Any]:
        """Rows of fragments, by number, page by page.

        Raises:
            RefusedError: A selector is wrong.
        """
        most = given.number("MaxResults", least=1, most=MAX_LIST) or _DEFAULT_PAGE
        after = given.text("NextToken", fields.TOKEN)
        selection = Selection.read(given.within("FragmentSelector"), needed=True)
        found, token = page(selection.starting_within(self._shelf.rows(stream)), after=after, most=most)
        told: dict[str, Any] = {
            "Fragments": [
                {
                    "FragmentNumber": row.number,
                    "FragmentSizeInBytes": row.size_bytes,
                    "ProducerTimestamp": row.producer_ms / 1000,
                    "ServerTimestamp": row.server_ms / 1000,
                    "FragmentLengthInMilliseconds": row.duration_ms,
                }
                for row in found
            ]
        }
        return told if token is None else {**told, "NextToken": token}

    def media_of_list(self, given: Fields, stream: StreamRow) -> Iterator[bytes]:
        """Fragments by their numbers, in the order in which they were sent, each a document.

        Raises:
            RefusedError: One is not there, or the list is wrong.
        """
        wanted = set(given.texts("Fragments", fields.FRAGMENT_NUMBER, most=MAX_LIST))
        rows = [row for row in self._shelf.rows(stream) if row.number in wanted]
        for number in sorted(wanted - {row.number for row in rows}):
            raise missing(number)
        return (document(row, self._shelf.media(stream, row)) for row in rows)

    def media_from(self, given: Fields, stream: StreamRow, live: Live) -> AsyncIterator[bytes]:
        """Fragments from somewhere on, and those that come, each a document.

        Args:
            given: The input, with its `StartSelector`.
            stream: Whose.
            live: What comes.

        Raises:
            RefusedError: The selector is wrong.
        """
        return self._follow(stream, live, self._start(given.need_within("StartSelector"), stream, live))

    async def _follow(self, stream: StreamRow, live: Live, last: int) -> AsyncIterator[bytes]:
        while True:
            fresh = list(self._after(last, stream, live))
            for row, media in fresh:
                now_ms = int(self._clock.wall().timestamp() * 1000)
                yield document(row, media) + behind_now(row, now_ms)
                last = int(row.number)
            if not fresh and not await live.wait(patience_s=self._quiet_s):
                return

    def _after(self, last: int, stream: StreamRow, live: Live) -> Iterator[tuple[FragmentRow, FragmentMedia]]:
        if not stream.retention_hours:
            yield from (pair for pair in live.held() if int(pair[0].number) > last)
            return
        for row in self._shelf.rows(stream):
            if int(row.number) > last:
                yield row, self._shelf.media(stream, row)
                return  # one at a time: the next may be large, and the reader slow

    def _start(self, selector: Fields, stream: StreamRow, live: Live) -> int:
        """The number after which to begin."""
        kind = selector.need_choice("StartSelectorType", _START_TYPES)
        rows = self._shelf.rows(stream)
        match kind:
            case "EARLIEST":
                return -1
            case "FRAGMENT_NUMBER":
                return int(selector.need_text("AfterFragmentNumber", fields.FRAGMENT_NUMBER))
            case "CONTINUATION_TOKEN":
                return int(selector.need_text("ContinuationToken", fields.FRAGMENT_NUMBER))
            case "NOW":
                return max(live.newest(), int(rows[-1].number) if rows else -1)
        at_ms = round(selector.need_moment("StartTimestamp").timestamp() * 1000)
        clock = Selection("PRODUCER_TIMESTAMP" if kind == "PRODUCER_TIMESTAMP" else "SERVER_TIMESTAMP")
        before = [row for row in rows if clock.when(row) + row.duration_ms <= at_ms]
        return int(before[-1].number) if before else -1
