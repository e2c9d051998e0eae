"""Fragments as readers are given them: each a Matroska document of its own.

Its producer's header, tags that say number and times, the cluster, its producer's tags; for those who
follow a stream, how far they are behind and a token to go on from. Written behind each other these are
several documents, which most players refuse to take for one.
"""

from collections.abc import Iterator

from appliance.video import matroska_elements as mkv
from appliance.video.ebml import EbmlReader, Element, Leaf, element, master, text
from appliance.video.kvs_server.archive import FragmentMedia, FragmentRow
from appliance.video.matroska import END_OF_FRAGMENT

_PREFIX = "AWS_KINESISVIDEO_"


def document(row: FragmentRow, media: FragmentMedia) -> bytes:
    """A fragment, complete."""
    told = _tags(
        ("FRAGMENT_NUMBER", row.number),
        ("SERVER_TIMESTAMP", f"{row.server_ms / 1000:.3f}"),
        ("PRODUCER_TIMESTAMP", f"{row.producer_ms / 1000:.3f}"),
    )
    return b"".join((media.header, told, media.cluster, *_without_end(media.tags)))


def behind_now(row: FragmentRow, now_ms: int) -> bytes:
    """What follows a fragment for whoever reads along: how far behind, and the token, which is its number."""
    behind = max(0, now_ms - row.server_ms)
    return _tags(("MILLIS_BEHIND_NOW", str(behind)), ("CONTINUATION_TOKEN", row.number))


def _without_end(written: bytes) -> Iterator[bytes]:
    """Tags without the one that told the service that the fragment was complete: more may follow here."""
    reader = EbmlReader({mkv.TAGS: Element("Tags", "binary")}, max_value_bytes=len(written))
    for part in reader.feed(written):
        if isinstance(part, Leaf) and END_OF_FRAGMENT.encode() not in part.value:
            yield element(part.id, part.value)


def _tags(*pairs: tuple[str, str]) -> bytes:
    told = (
        master(mkv.SIMPLE_TAG, text(mkv.TAG_NAME, _PREFIX + name), text(mkv.TAG_STRING, value))
        for name, value in pairs
    )
    return master(mkv.TAGS, master(mkv.TAG, *told))
