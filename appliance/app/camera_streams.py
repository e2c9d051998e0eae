"""How well what a camera sends can be recorded, from what is in its ring: for whoever asks how things are.

Looks at the first packet of each group only. What it finds wrong is what recording would find wrong, told
before something happens. Nothing is decoded.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from appliance.camera import PacketRing, RingPacket
from appliance.errors import UnusableVideoError
from appliance.video.faults import Fault
from appliance.video.fragment import MAX_FRAGMENT_MS
from appliance.video.h264 import AccessUnit, access_unit, layout_of

_NEVER_BEGUN = 600
"""Packets in a row without a keyframe before them, from which on none is expected: 10 s at least."""


def stream_details(ring: PacketRing) -> Mapping[str, Any]:
    """What a camera's ring holds, in words that JSON knows.

    Returns:
        `codec` (libavcodec's; empty: nothing came), `seconds` that are held, `kbit_s`, `group_s` (the longest
        time from one picture that recording can begin with to the next), `crowded` (its bytes are full before
        its seconds are), and `fault` (see `Fault`; empty: it can be copied, or is encoded anyway).
    """
    packets = ring.snapshot()
    if not packets:
        fault = Fault.NO_KEYFRAME.value if ring.passed_over >= _NEVER_BEGUN else ""
        return {
            "codec": "",
            "seconds": 0.0,
            "kbit_s": 0,
            "group_s": 0.0,
            "crowded": ring.crowded,
            "fault": fault,
        }
    newest = packets[-1]
    same = [packet for packet in packets if packet.parameters is newest.parameters]
    seconds = newest.monotonic_s - same[0].monotonic_s
    size = sum(len(packet.data) for packet in same)
    group_s, fault = _groups(same) if newest.parameters.codec == "h264" else (0.0, "")
    return {
        "codec": newest.parameters.codec,
        "seconds": round(seconds, 1),
        "kbit_s": round(size * 8 / seconds / 1000) if seconds else 0,
        "group_s": round(group_s, 2),
        "crowded": ring.crowded,
        "fault": fault,
    }


def _groups(packets: Sequence[RingPacket]) -> tuple[float, str]:
    """The longest time between two IDRs, seconds, and what is wrong with them."""
    try:
        layout = layout_of(packets[0].parameters.extradata)
        keys = [(packet, access_unit(packet.data, layout)) for packet in packets if packet.keyframe]
    except UnusableVideoError as error:
        return 0.0, error.fault
    starts = [packet.monotonic_s for packet, unit in keys if unit.idr]
    steps = pairwise([*starts, packets[-1].monotonic_s])
    group_s = max((end - start for start, end in steps), default=0.0)
    if not starts or group_s * 1000 > MAX_FRAGMENT_MS:
        long = packets[-1].monotonic_s - packets[0].monotonic_s
        if not starts and long * 1000 < MAX_FRAGMENT_MS / 2:
            return 0.0, ""  # too little has come to tell
        is_open = any(not unit.idr for _, unit in keys)
        return max(group_s, long), (Fault.OPEN_GROUP if is_open else Fault.LONG_GROUP).value
    return group_s, "" if _described(layout.parameters.complete, keys) else Fault.NO_PARAMETERS.value


def _described(beside: bool, keys: Sequence[tuple[RingPacket, AccessUnit]]) -> bool:  # noqa: FBT001
    """Whether SPS and PPS came, beside the packets or in them."""
    inside = [unit.parameters for _, unit in keys]
    return beside or (any(each.sps for each in inside) and any(each.pps for each in inside))
