"""What cameras send, told before anything is recorded: the loop's account of it, and the doctor's words."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from coded_video import arriving, coded, in_ring, jpegs, stream_of

from appliance.app.camera_streams import stream_details
from appliance.app.examining import Finding
from appliance.app.examining.streams import streams
from appliance.camera import PacketRing
from appliance.services import Layout
from appliance.settings import parse
from appliance.video.faults import Fault
from appliance.video.packets import Packet
from appliance.wire import Reply, Server
from appliance.wire.messages import Status, StatusRequest

SETTINGS = '[[cameras]]\nid = "hall"\nsource = "scene:door"\nwhen = "always"\n'


def details(
    packets: Sequence[Packet], *, seconds: float = 60.0, max_bytes: int = 1 << 22
) -> Mapping[str, Any]:
    """What is told of a ring that these went into."""
    ring = PacketRing(seconds, max_bytes)
    for packet in in_ring(packets):
        ring.append(packet)
    return stream_details(ring)


def findings(video: Mapping[str, Any], folder: Path, *, more: str = "") -> list[Finding]:
    """What the doctor says of a camera of which a loop tells this."""
    layout = Layout(folder / "state")
    status = Status(
        process="loop", pid=1, uptime_s=1.0, details={"cameras": {"hall": {"video": dict(video)}}}
    )
    with Server(layout.socket("loop"), {StatusRequest: lambda _: Reply(status)}):
        return list(streams(parse(SETTINGS + more), layout))


@pytest.mark.parametrize(
    ("packets", "fault"),
    [
        (arriving(coded(120)[1], stream_of()), ""),
        (arriving(coded(40, headers=False)[1], stream_of(coded(40, headers=False)[0])), ""),
        (arriving(coded(120, group=150)[1], stream_of()), Fault.LONG_GROUP),
        (arriving(coded(120, b_frames=2, open_group=True)[1], stream_of()), Fault.OPEN_GROUP),
        (arriving(coded(140, b_frames=2, open_group=True)[1][20:], stream_of()), Fault.OPEN_GROUP),
        (arriving(coded(40, headers=False)[1], stream_of()), Fault.NO_PARAMETERS),
        (arriving(coded(80, group=150)[1][1:] * 9, stream_of()), Fault.NO_KEYFRAME),
        (jpegs(5, stream_of(codec="mjpeg")), ""),
        ([], ""),
    ],
    ids=["good", "beside", "long", "open", "open, begun late", "no parameters", "refresh", "jpeg", "nothing"],
)
def test_what_recording_would_find_wrong_is_known_before(packets: Sequence[Packet], fault: str) -> None:
    """Of each fault that copying refuses, from the ring alone."""
    assert fault == details(packets)["fault"]


def test_the_account_says_how_often_and_how_much() -> None:
    """Seconds from one IDR to the next, bits a second, seconds held."""
    packets = arriving(coded(60)[1], stream_of())
    told = details(packets)
    bits = sum(len(packet.data) for packet in packets) * 8

    assert ("h264", 2.0, 5.9) == (told["codec"], told["group_s"], told["seconds"])
    assert round(bits / 5.9 / 1000) == told["kbit_s"]


def test_a_ring_whose_bytes_are_full_first_says_so() -> None:
    """And one whose seconds are does not."""
    packets = jpegs(40, stream_of(codec="mjpeg"))
    size = len(packets[0].data)

    assert details(packets, max_bytes=5 * size)["crowded"]
    assert not details(packets, seconds=1.0)["crowded"]


@pytest.mark.parametrize("fault", [Fault.LONG_GROUP, Fault.OPEN_GROUP])
def test_the_doctor_says_what_to_set_in_the_camera(fault: Fault, tmp_path: Path) -> None:
    """And that recording goes on at the price of encoding."""
    told = {
        "codec": "h264",
        "seconds": 12.0,
        "kbit_s": 2000,
        "group_s": 12.0,
        "crowded": False,
        "fault": fault.value,
    }
    (finding,) = findings(told, tmp_path)

    assert ("video of hall", "note", "camera:hall") == (finding.subject, finding.health, finding.place)
    assert "encoded anew" in finding.words
    assert "I-frame interval" in finding.hint


@pytest.mark.parametrize(
    ("told", "health", "words"),
    [
        ({}, "ok", "copied"),
        ({"codec": "mjpeg"}, "ok", "encoded while it is recorded"),
        ({"codec": "hevc"}, "ok", "encoded while it is recorded"),
        ({"group_s": 8.0}, "note", "every 8.0 s"),
        ({"kbit_s": 20_000}, "note", "100 MB"),
        ({"crowded": True, "seconds": 1.5}, "note", "only 1.5 s before a trigger"),
        ({"fault": Fault.NO_PARAMETERS.value}, "note", "SPS and PPS"),
        ({"fault": Fault.NO_KEYFRAME.value, "codec": ""}, "note", "cannot be recorded"),
    ],
)
def test_the_doctor_has_a_line_for_each_camera(
    told: Mapping[str, Any], health: str, words: str, tmp_path: Path
) -> None:
    """In words, with a hint where there is something to set."""
    well = {"codec": "h264", "seconds": 12.0, "kbit_s": 2000, "group_s": 2.0, "crowded": False, "fault": ""}
    (finding,) = findings({**well, **told}, tmp_path)

    assert health == finding.health
    assert words in finding.words
    assert bool(finding.hint) == (health == "note" or told.get("codec") == "hevc")


def test_the_doctor_says_nothing_where_nothing_is_recorded(tmp_path: Path) -> None:
    """Nor of a camera of which nothing came yet: its own line says so."""
    well = {"codec": "h264", "seconds": 12.0, "kbit_s": 2000, "group_s": 2.0, "crowded": False, "fault": ""}

    assert [] == findings(well, tmp_path, more="[video]\nenabled = false\n")
    assert [] == findings({**well, "codec": ""}, tmp_path)
    assert [] == list(streams(parse(SETTINGS), Layout(tmp_path / "elsewhere")))
