"""Reads a Matroska stream piece by piece, as strictly as Kinesis Video Streams takes it or more so.

Fed with bytes in pieces of any length, `StrictChecker` tells of the header, of each fragment's begin, blocks,
tags and end, of what is unusual, and of the first rule that is broken, with the service's error id; then it
reads nothing more. Rules whose violation the service has no id of its own for count as invalid data (4006).
What the service accepts and nobody can play later (a CodecPrivate or pictures in Annex B) is a remark.

Looks at no picture beyond the types of its units, and knows no clock: how often fragments and connections may
come is not checked here.
"""

from collections.abc import Iterator

from appliance.video import matroska_elements as mkv
from appliance.video.ebml import (
    Closed,
    EbmlError,
    EbmlReader,
    Element,
    Leaf,
    Opened,
    Part,
    decode_text,
    decode_unsigned,
    encode_id,
)
from appliance.video.fragment import MIN_FRAGMENT_MS
from appliance.video.matroska_events import (
    SERVICE,
    ErrorId,
    Event,
    Fault,
    FragmentBegun,
    FragmentEnded,
    HeaderRead,
    Remark,
    RuleBrokenError,
    Rules,
    TagsRead,
    invalid,
)
from appliance.video.matroska_fragment import FragmentParts, check_tag
from appliance.video.matroska_header import HeaderParts
from appliance.video.matroska_sent import SentBytes

_TAGS_ID = encode_id(mkv.TAGS)
_STRAY = {mkv.TAGS: Element("Tags", "skipped")}


class StrictChecker:
    """Reads one PutMedia body, or documents one behind the other (with rules for reading)."""

    def __init__(self, rules: Rules = SERVICE, *, keep_bytes: bool = False) -> None:
        """Begin before the first byte.

        Args:
            rules: What is refused.
            keep_bytes: Hand each fragment out as it was sent, too.
        """
        self._rules = rules
        self._reader = EbmlReader(mkv.SCHEMA, max_value_bytes=rules.max_fragment_bytes)
        self._sent = SentBytes() if keep_bytes else None
        self._first = b""
        self._chosen = False
        self._over = False
        self._stray = False
        self._begin_reading(0)

    def _begin_reading(self, position: int) -> None:
        """Nothing is known of the document that begins there."""
        self._begin = position
        self._parts = HeaderParts(self._rules)
        self._header: HeaderRead | None = None
        self._segment_seen = False
        self._ebml_seen = False
        self._open: FragmentParts | None = None
        self._closed = False  # by the tag for it: nothing may follow but a cluster
        self._latest: int | None = None  # of the fragment before
        self._tag = ("", "")
        self._tags: list[tuple[str, str]] = []

    @property
    def over(self) -> bool:
        """Whether a fault was told: nothing is read any more."""
        return self._over

    @property
    def open_timecode_ms(self) -> int | None:
        """When the fragment begins that is not complete; None if there is none, or its time is unknown."""
        return None if self._open is None else self._open.timecode_ms

    def feed(self, data: bytes) -> Iterator[Event]:
        """What `data` completes, in its order; iterate to the end before feeding more."""
        if self._over:
            return
        if self._sent is not None:
            self._sent.add(data)
        if not self._chosen:
            data = self._first = self._first + data
            if len(data) < len(_TAGS_ID):
                return
            self._chosen, self._first = True, b""
            if data.startswith(_TAGS_ID):
                self._stray, self._sent = True, None
                self._reader = EbmlReader(_STRAY, max_value_bytes=0)
                yield Remark("stray_tags", "there are tags and no header; they are dropped")
        yield from self._guarded(self._reader.feed(data))

    def close(self) -> Iterator[Event]:
        """The sender ended the stream in good order: what is open is complete, or broken off.

        A stream of nothing, or of nothing but tags, is in order.
        """
        if self._over:
            return
        if self._first:
            yield self._fault(invalid("there is no header"))
            return
        yield from self._guarded(self._reader.finish())
        if not self._over:
            yield from self._caught(self._end_fragment(self._reader.position))

    # ------------------------------------------------------------ faults

    def _guarded(self, parts: Iterator[Part]) -> Iterator[Event]:
        """What the parts mean, up to the first fault."""
        while not self._over:
            try:
                part = next(parts, None)
            except EbmlError as error:
                large = error.too_large and self._open is not None
                what = ErrorId.MAX_FRAGMENT_SIZE_REACHED if large else ErrorId.INVALID_MKV_DATA
                yield self._fault(RuleBrokenError(what, str(error)))
                return
            if part is None:
                return
            yield from self._caught(self._part(part))

    def _caught(self, events: Iterator[Event]) -> Iterator[Event]:
        try:
            yield from events
        except RuleBrokenError as error:
            yield self._fault(error)
        except ValueError:
            yield self._fault(invalid("a value cannot be read"))

    def _fault(self, error: RuleBrokenError) -> Fault:
        self._over = True
        position = self._reader.position
        return Fault(error.error_id, f"{error}, at byte {position}", self.open_timecode_ms, position)

    # ------------------------------------------------------------ parts

    def _part(self, part: Part) -> Iterator[Event]:
        if self._stray:
            if part.id != mkv.TAGS:
                raise invalid("there is no header")
            return
        match part:
            case Opened():
                yield from self._opened(part)
            case Closed():
                yield from self._ended(part)
            case Leaf():
                yield from self._leaf(part)
        self._check_size(part)

    def _check_size(self, part: Part) -> None:
        """What grows without an end is refused as soon as it is too large, or says that it will be."""
        end = (
            max(self._reader.position, part.position + part.size) if isinstance(part, Leaf) else part.position
        )
        fragment = self._open
        if fragment is not None and end - fragment.position > self._rules.max_fragment_bytes:
            raise RuleBrokenError(ErrorId.MAX_FRAGMENT_SIZE_REACHED, "a fragment is too large")
        if self._header is None and end - self._begin > self._rules.max_header_bytes:
            raise invalid("the header is too large")

    def _opened(self, part: Opened) -> Iterator[Event]:
        if part.id == mkv.EBML:
            self._begin_document(part)
        elif part.id == mkv.SEGMENT:
            if not self._ebml_seen or self._segment_seen:
                raise invalid("there is a Segment without a header, or a second one")
            self._segment_seen = True
            if part.size is not None and self._rules.producing:
                yield Remark("segment_size", "the Segment has a size; a stream has none")
        elif part.id == mkv.CLUSTER:
            yield from self._begin_fragment(part)
        elif part.id == mkv.TAGS:
            self._tags = []
            if self._closed:
                raise invalid("tags follow the tag that ends a fragment")
        elif part.id == mkv.SIMPLE_TAG:
            self._tag = ("", "")
        elif part.id in {mkv.INFO, mkv.TRACKS} and self._header is not None:
            raise invalid("there is a second header")
        else:
            self._parts.opened(part.id)

    def _begin_document(self, part: Opened) -> None:
        """A document's first element: the only one, or, where that is allowed, the next one."""
        if self._ebml_seen and self._rules.producing:
            raise invalid("there is a second document")
        self._begin_reading(part.position)
        self._ebml_seen = True
        if self._sent is not None:
            self._sent.begin_header(part.position)

    def _ended(self, part: Closed) -> Iterator[Event]:
        if part.id == mkv.EBML:
            self._parts.end_of_ebml()
        elif part.id == mkv.CLUSTER and self._sent is not None:
            self._sent.end_cluster(part.position)
        elif part.id == mkv.SIMPLE_TAG:
            self._tags.append(self._tag)
        elif part.id == mkv.TAGS:
            yield from self._take_tags()
        elif part.id == mkv.SEGMENT:
            yield from self._end_fragment(part.position)

    def _leaf(self, part: Leaf) -> Iterator[Event]:
        if not self._ebml_seen:
            raise invalid("it does not begin with a header")
        fragment = self._open
        if part.id in {mkv.SIMPLE_BLOCK, mkv.TIMESTAMP} and fragment is not None:
            if part.id == mkv.TIMESTAMP:
                yield FragmentBegun(fragment.begin(decode_unsigned(part.value)))
            else:
                block, remark = fragment.block(part.value)
                yield block
                if remark is not None:
                    yield remark
        elif part.id == mkv.BLOCK_GROUP:
            raise invalid("a frame is not in a SimpleBlock")
        elif part.id == mkv.TAG_NAME:
            self._tag = (decode_text(part.value), self._tag[1])
        elif part.id == mkv.TAG_STRING:
            self._tag = (self._tag[0], decode_text(part.value))
        elif self._closed and fragment is None:
            raise invalid("something follows the tag that ends a fragment")
        elif self._header is None:
            self._parts.leaf(part)

    # ------------------------------------------------------------ fragments

    def _begin_fragment(self, part: Opened) -> Iterator[Event]:
        yield from self._end_fragment(part.position)
        if self._header is None:
            self._header, remarks = self._parts.complete()
            yield self._header
            yield from remarks
        header = self._header
        self._closed = False
        if self._sent is not None:
            self._sent.begin_cluster(part.position, self._reader.position)
        self._open = FragmentParts(
            self._rules,
            {track.number: track for track in header.tracks},
            header.timestamp_scale_ns,
            part.position,
            self._latest if self._rules.producing else None,
        )
        if part.size is not None and part.size > self._rules.max_fragment_bytes:
            raise RuleBrokenError(ErrorId.MAX_FRAGMENT_SIZE_REACHED, "a cluster is too large")

    def _take_tags(self) -> Iterator[Event]:
        pairs = self._tags
        for name, value in pairs:
            check_tag(name, value, self._rules)
        if self._header is None:
            self._parts.tags += pairs
            return
        if self._open is None:
            raise invalid("tags belong to no fragment")
        ended = self._open.take_tags(pairs)
        yield TagsRead(tuple(pairs))
        if ended:
            yield from self._end_fragment(self._reader.position, closed=True)
            self._closed = True

    def _end_fragment(self, end: int, *, closed: bool = False) -> Iterator[Event]:
        """The fragment that is open, if one is, is complete and ends at that byte."""
        fragment, header = self._open, self._header
        if fragment is None or header is None:
            return
        timecode = fragment.complete()
        self._latest = fragment.latest
        if self._rules.producing and fragment.lasts_ms < MIN_FRAGMENT_MS:
            yield Remark("short", "a fragment lasts less than a second", timecode)
        self._open = None
        yield FragmentEnded(
            timecode,
            header,
            tuple(fragment.blocks),
            tuple(fragment.tags),
            end - fragment.position,
            closed,
            self._sent.cut(end) if self._sent is not None else None,
        )
