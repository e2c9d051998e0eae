"""What a run of a function is made of, by protocol: its process, its frames, and what goes on beside it.

Nothing stands here but the protocols; the real ones are made by `launching`, `frame_feed` and whoever hosts.
"""

from collections.abc import Sequence
from typing import Protocol

from appliance.deeplens.guest.channel import HostChannel
from appliance.deeplens.guest.messages import Stream


class Child(Protocol):
    """A function's process, with all that it started."""

    @property
    def channel(self) -> HostChannel:
        """Our end of the channel."""

    @property
    def pid(self) -> int:
        """Of the process that was started first."""

    @property
    def outputs(self) -> Sequence[int]:
        """Descriptors of what it prints; ours to read, the child's to close."""

    def ended(self) -> str | None:
        """How it ended, in words; None while it lives."""

    def trouble(self) -> str:
        """Why it has to be ended now (it uses more than it may), in words; empty while all is well."""

    def kill(self) -> None:
        """End it with all that it started, and wait for that; may be called twice."""

    def close(self) -> None:
        """Let go of channel and descriptors, once it ended; may be called twice."""


class Frames(Protocol):
    """Frames of one camera in shared memory; see `frame_feed.FrameFeed`."""

    def descriptor(self) -> int:
        """A descriptor of the memory, the caller's to close."""

    def want(self) -> None:
        """Keep frames coming for a second."""

    @property
    def apart_s(self) -> float:
        """Seconds between two frames, at least."""

    @property
    def written(self) -> int:
        """Frames that were shared so far, with all who take them."""

    @property
    def trouble(self) -> str:
        """Why none come, in words; empty while they do, or nobody asks."""


class Beside(Protocol):
    """What else goes on beside a run: the project stream, the device's streams, recordings."""

    def hello(self, tmp: int | None) -> None:
        """It is there; a descriptor of its /tmp, this one's to close."""

    def working(self) -> None:
        """It has inferred, or taken its second frame: somebody may look at its stream now."""

    def stream(self, message: Stream) -> None:
        """It makes a video stream, or starts or stops recording into it."""

    def close(self) -> None:
        """The run is over."""
