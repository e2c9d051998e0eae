"""A connection to a broker, in a dictionary; the contract suite in `tests/sinks` runs against both kinds."""

from appliance.errors import ActionError
from appliance.sinks.mqtt_topics import fit_to_publish


class MemoryBroker:
    """A broker that keeps what is retained; away, or without receipts, when told to.

    Attributes:
        kept: What it keeps.
        said: Everything that was published with a receipt, in order.
        offered: Everything that was published without.
        connected: Whether there is a connection.
        connections: How often one came about.
        failing: Messages that still get no receipt before one does.
        closed: Whether it was given up.
    """

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.said: list[tuple[str, bytes]] = []
        self.offered: list[tuple[str, bytes]] = []
        self.connected = True
        self.connections = 1
        self.failing = 0
        self.closed = False

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, key: str = "") -> None:
        """Keep it, or take back what was kept."""
        fit_to_publish(topic)
        if self.closed:
            raise ActionError("not published: the dispatcher stops")
        if not self.connected or self.failing:
            self.failing = max(0, self.failing - 1)
            raise ActionError("the broker gave no receipt in time")
        self.said.append((topic, payload))
        if retain and payload:
            self.kept[topic] = payload
        elif retain:
            self.kept.pop(topic, None)

    def alive(self, wait_s: float) -> bool:
        """Whether it gives receipts."""
        return self.connected and not self.closed and not self.failing and wait_s > 0

    def offer(self, topic: str, payload: bytes, *, wait_s: float, expiry_s: float | None = None) -> bool:
        """Publish if there is a connection; it comes at once, and so before it expires."""
        del wait_s, expiry_s
        if self.connected and not self.closed:
            self.offered.append((topic, payload))
        return self.connected and not self.closed

    def close(self) -> None:
        """Give it up."""
        self.closed = True
        self.connected = False
