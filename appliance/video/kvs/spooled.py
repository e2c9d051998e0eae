"""A fragment on its way to the service: the bytes that are sent, and what must be known to send them.

As it rests on the disk, before it is sealed, it is one line of JSON and then the bytes. Sealing and keeping
are `spool`'s business.
"""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Final, Self

from appliance.video.fragment import Fragment
from appliance.video.matroska import SEGMENT_UID_BYTES, stream_fragment, stream_header

_FORMAT: Final = "kvs-fragment-1"


@dataclass(frozen=True, slots=True)
class SpooledFragment:
    """What is sent of a fragment.

    Attributes:
        timecode_ms: When it begins, milliseconds since the epoch, by which the service acknowledges it.
        end_ms: When its last picture is no longer shown.
        header: What a connection begins with: EBML, Segment, Info, Tracks. Fragments with the same header can
            follow each other on a connection.
        body: Its cluster, its tags, and the tag that ends it.
    """

    timecode_ms: int
    end_ms: int
    header: bytes = field(repr=False)
    body: bytes = field(repr=False)

    @classmethod
    def of(cls, clip: str, fragment: Fragment) -> Self:
        """A fragment of a clip, as Matroska.

        Args:
            clip: The clip's id, from which the segment's is made: the same for all of a clip.
            fragment: What to send.
        """
        uid = hashlib.sha256(clip.encode()).digest()[:SEGMENT_UID_BYTES]
        header = stream_header(fragment.track, segment_uid=uid)
        return cls(fragment.timecode_ms, fragment.end_ms, header, stream_fragment(fragment))

    def encode(self) -> bytes:
        """As it rests, before it is sealed."""
        about = {
            "format": _FORMAT,
            "timecode_ms": self.timecode_ms,
            "end_ms": self.end_ms,
            "header_bytes": len(self.header),
            "body_bytes": len(self.body),
        }
        return json.dumps(about).encode() + b"\n" + self.header + self.body

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """Out of what rested.

        Raises:
            ValueError: It is not whole, or something else.
        """
        line, _, rest = content.partition(b"\n")
        try:
            about = json.loads(line)
            timecode_ms, end_ms = int(about["timecode_ms"]), int(about["end_ms"])
            header_bytes, body_bytes = int(about["header_bytes"]), int(about["body_bytes"])
            known = about["format"] == _FORMAT
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError("no fragment on its way") from error
        if not known or header_bytes < 0 or len(rest) != header_bytes + body_bytes:
            raise ValueError("no whole fragment on its way")
        return cls(timecode_ms, end_ms, rest[:header_bytes], rest[header_bytes:])
