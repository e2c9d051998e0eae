"""What the local Kinesis Video Streams server has of recordings, and the settings that lead there."""

from dataclasses import replace
from pathlib import Path

from kvs_box import credentials_file
from kvs_local import CREDENTIAL, LocalKvs

from appliance.video.fragment import Fragment
from appliance.video.kvs_server.archive import FragmentMedia, FragmentRow
from appliance.video.matroska import stream_fragment, stream_header

STREAM = "office-kitchen"
SETTINGS = """
[video.kvs]
enabled = true
stream = "office-{{camera}}"
region = "us-west-2"
endpoint = "{endpoint}"
credentials_file = "{credentials}"
"""


def sending_to(service: LocalKvs, folder: Path) -> str:
    """Make the stream; the settings of a box that sends there.

    Args:
        service: The server.
        folder: Where the file of credentials is put.
    """
    service.stream(STREAM)
    named = credentials_file(folder, CREDENTIAL.secret_key, key=CREDENTIAL.access_key)
    return SETTINGS.format(endpoint=service.address, credentials=named)


def store(service: LocalKvs, number: int, piece: Fragment) -> None:
    """Have the service hold a fragment, under a number that grows with each."""
    cluster = stream_fragment(replace(piece, tags=()), close=False)
    media = FragmentMedia(stream_header(piece.track, segment_uid=bytes(range(16))), cluster, b"")
    row = FragmentRow(str(number), piece.timecode_ms, piece.end_ms, piece.duration_ms, media.size_bytes, "t")
    service.archive.add(STREAM, row, media)
