"""Streams in memory: a control plane for tests, held to the same contract as the one by boto3."""

from dataclasses import replace

from appliance.errors import StreamError
from appliance.video.kvs.control import MEDIA_TYPE, Api, StreamFacts


class StreamsInMemory:
    """A control plane that asks nobody.

    Attributes:
        asked: What it was asked, in order.
    """

    def __init__(self) -> None:
        self._streams: dict[str, StreamFacts] = {}
        self.asked: list[str] = []

    def put(self, facts: StreamFacts) -> None:
        """Let there be this stream, as it is."""
        self._streams[facts.name] = facts

    def describe(self, stream: str) -> StreamFacts | None:
        """See `ControlPlane`."""
        self.asked.append("describe")
        return self._streams.get(stream)

    def create(self, stream: str, retention_hours: int) -> None:
        """See `ControlPlane`."""
        self.asked.append("create")
        made = StreamFacts(stream, "ACTIVE", max(1, retention_hours), "1", MEDIA_TYPE)
        self._streams.setdefault(stream, made)

    def raise_retention(self, facts: StreamFacts, retention_hours: int) -> None:
        """See `ControlPlane`."""
        self.asked.append("raise_retention")
        known = self._streams[facts.name]
        self.put(replace(known, retention_hours=max(known.retention_hours, retention_hours)))

    def endpoint(self, stream: str, api: Api) -> str:
        """See `ControlPlane`."""
        self.asked.append(f"endpoint {api}")
        if stream not in self._streams:
            raise StreamError("there is no such stream", reason="no_stream")
        return "https://media.example"
