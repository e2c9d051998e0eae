"""A camera's packets, in its own codec, to whoever follows them: asked of the loop, told on a stream apart.

`FollowPackets` is answered with one end of a stream on which the loop says, one after the other and without
being asked again: `StreamBegins` (the codec's own header in the blob), `PacketsCome` (their bytes one after
the other in the blob), and what happened otherwise. The stream ends when either side closes it.
"""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from appliance.wire.messages.message import Message


class FollowPackets(Message):
    """Let me have a camera's packets as they come. Answered by `PacketsFollowed` with one descriptor.

    Attributes:
        back_s: Seconds before now to begin at, as far back as the camera's ring goes; it begins with the
            keyframe before that.
    """

    type: Literal["follow_packets"] = "follow_packets"
    version: Literal[1] = 1
    camera: str = Field(max_length=64)
    back_s: float = Field(default=5.0, ge=0, le=120)


class PacketsFollowed(Message):
    """The descriptor beside this message is a stream socket to read from."""

    type: Literal["packets_followed"] = "packets_followed"
    version: Literal[1] = 1
    camera: str


class StreamBegins(Message):
    """The packets from here on belong to this stream; said first, and again whenever it is another.

    The codec's header (SPS and PPS, ...) is the blob; empty: it travels in the packets.

    Attributes:
        codec: libavcodec's name.
        width: Pixels, of the pictures as the source has them; 0: it does not say.
        height: Likewise.
        time_base: Seconds per unit of `pts` and `dts`, as numerator and denominator.
    """

    type: Literal["stream_begins"] = "stream_begins"
    version: Literal[1] = 1
    codec: str = Field(max_length=32)
    width: int = Field(ge=0)
    height: int = Field(ge=0)
    time_base: tuple[int, int]


class PacketTold(BaseModel):
    """One packet, without its bytes.

    Attributes:
        size: How many bytes of the blob are its own, after those of the packets before it.
        key: Decoding can begin here.
        pts: When it is shown, in units of the time base; None: the source does not say.
        dts: When it is decoded, likewise.
        monotonic_s: When it arrived, on the clock that all processes of a machine share.
        wall: When it arrived, aware.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)
    size: int = Field(ge=0)
    key: bool = False
    pts: int | None = None
    dts: int | None = None
    monotonic_s: float
    wall: AwareDatetime


class PacketsCome(Message):
    """The next packets, in the order in which the source sent them; their bytes are the blob."""

    type: Literal["packets_come"] = "packets_come"
    version: Literal[1] = 1
    packets: tuple[PacketTold, ...]


class PacketsMissed(Message):
    """So many packets before the next were let go: they were not read in time, or could not be kept.

    What comes next begins with a keyframe.
    """

    type: Literal["packets_missed"] = "packets_missed"
    version: Literal[1] = 1
    packets: int = Field(gt=0)


class NothingCame(Message):
    """No packet came for a while.

    Attributes:
        passed_over: Packets that did come, but without a keyframe before them to begin with.
    """

    type: Literal["nothing_came"] = "nothing_came"
    version: Literal[1] = 1
    passed_over: int = Field(default=0, ge=0)


class SourceChanged(Message):
    """The camera was lost, is back, or has ended for good.

    Attributes:
        state: What became of it.
        reason: Why, for `lost` and `ended`; no address in it.
    """

    type: Literal["source_changed"] = "source_changed"
    version: Literal[1] = 1
    state: Literal["lost", "back", "ended"]
    reason: str = ""
