"""The bytes of a Matroska stream as they were sent, as far as they are needed; positions count from 0."""

from appliance.video import matroska_elements as mkv
from appliance.video.ebml import encode_id, encode_size
from appliance.video.matroska_events import FragmentBytes


class SentBytes:
    """Takes all bytes; gives each fragment's once, and drops what is not needed any more."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._base = 0  # where they begin in everything that was sent
        self._header: bytes | None = None
        self._body = 0
        self._end = 0

    def add(self, data: bytes) -> None:
        """More came."""
        self._bytes += data

    def begin_header(self, position: int) -> None:
        """A document begins there."""
        self._forget(position)
        self._header = None

    def begin_cluster(self, position: int, body: int) -> None:
        """A cluster begins there, and what it holds at `body`."""
        if self._header is None:
            self._header = self._between(self._base, position)
        self._forget(position)
        self._body = self._end = body

    def end_cluster(self, position: int) -> None:
        """It ends there; tags follow."""
        self._end = position

    def cut(self, position: int) -> FragmentBytes:
        """The fragment that ends there."""
        body = self._between(self._body, self._end)
        cluster = encode_id(mkv.CLUSTER) + encode_size(len(body)) + body
        return FragmentBytes(self._header or b"", cluster, self._between(self._end, position))

    def _between(self, begin: int, end: int) -> bytes:
        return bytes(memoryview(self._bytes)[begin - self._base : end - self._base])

    def _forget(self, position: int) -> None:
        """What stands before is not needed any more."""
        del self._bytes[: position - self._base]
        self._base = position
