"""The local server and programs of others: the official C producer's calls in its order, and players."""

import json
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from kvs_footage import BEGIN_MS, FPS, footage
from kvs_local import LocalKvs, local_kvs
from kvs_producer import RawProducer, call, head, send_all

from appliance.video.kvs_server.faults import ErrorAck
from appliance.video.matroska import stream_fragment, stream_header, tags

PIECES = footage(3)
HEADER = stream_header(PIECES[0].track, segment_uid=bytes(range(16)))


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who vouches for the server."""
    return trustme.CA()


@pytest.fixture(scope="module")
def kvs(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKvs]:
    """Control over TLS, media over plain HTTP."""
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with local_kvs(tls=(tls, str(path)), plain_data=True) as found:
        yield found


def test_the_calls_of_the_official_c_producer_in_its_order(kvs: LocalKvs, authority: trustme.CA) -> None:
    """It makes its stream, asks where to send, and after an ERROR opens a session of stray tags.

    Its signatures cover few headers, its `Host` has no port, and it waits for `100 Continue`.
    """
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    control = int(kvs.address.rpartition(":")[2])
    named = b'{"StreamName": "porch"}'
    made = b'{"DeviceName":"cam","StreamName":"porch","MediaType":"video/h264","DataRetentionInHours":2}'
    asked = [
        call(control, "describeStream", named, trusting),
        call(control, "createStream", made, trusting),
        call(control, "describeStream", named, trusting),
        call(control, "tagStream", b'{"StreamName":"porch","Tags":{"k":"v"}}', trusting),
        call(control, "getDataEndpoint", b'{"StreamName":"porch","APIName":"PUT_MEDIA"}', trusting),
    ]
    kvs.fail(ErrorAck(4006, 2))
    said = []
    for body in (
        HEADER + stream_fragment(PIECES[0]) + stream_fragment(PIECES[1]),
        tags([("label", "dog")]) + tags([("AWS_KINESISVIDEO_END_OF_FRAGMENT", "")]),
        HEADER + stream_fragment(PIECES[2]),
    ):
        with RawProducer(kvs.port) as producer:
            statuses = (producer.begin(head("porch", expect=True)), producer.answer())
            producer.chunk(body)
            producer.chunk(b"")
            said.append((statuses, [ack[0] for ack in producer.acks()]))

    assert [404, 200, 200, 200, 200] == [status for status, _ in asked]
    assert asked[1][1]["StreamARN"] == asked[2][1]["StreamInfo"]["StreamARN"]
    assert ("ACTIVE", 2) == tuple(asked[2][1]["StreamInfo"][n] for n in ("Status", "DataRetentionInHours"))
    assert f"http://127.0.0.1:{kvs.port}" == asked[4][1]["DataEndpoint"]
    assert [(100, 200)] * 3 == [statuses for statuses, _ in said]
    assert sorted(["BUFFERING", "RECEIVED", "PERSISTED", "BUFFERING", "ERROR"]) == sorted(said[0][1])
    assert ([], ["BUFFERING", "RECEIVED", "PERSISTED"]) == (said[1][1], said[2][1])


def document(kvs: LocalKvs, name: str, path: Path) -> Path:
    """The last of three fragments as readers are given it, in a file."""
    kvs.stream(name)
    send_all(kvs.port, name, PIECES)
    number = kvs.archive.fragments(name)[-1].number
    answer = kvs.media_client(name, "GET_MEDIA_FOR_FRAGMENT_LIST").get_media_for_fragment_list(
        StreamName=name, Fragments=[number]
    )
    path.write_bytes(answer["Payload"].read())
    return path


@pytest.mark.debian(reason="mkvtoolnix")
def test_mkvinfo_reads_what_readers_are_given(kvs: LocalKvs, tmp_path: Path) -> None:
    """A document is whole: both kinds of tags, one cluster, every frame, nothing unknown."""
    path = document(kvs, "mkvinfo", tmp_path / "document.mkv")
    command = ["mkvinfo", "--ui-language", "en_US", "-v", "-v", path]
    shown = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    judged = json.loads(subprocess.run(["mkvmerge", "-J", path], capture_output=True, check=True).stdout)

    assert 1 == shown.count("|+ Cluster at ")
    assert len(PIECES[2].frames) == shown.count("| + Simple block: ")
    assert 1 == shown.count("AWS_KINESISVIDEO_PRODUCER_TIMESTAMP")
    assert "unknown element" not in shown.lower()
    assert ([], []) == (judged["errors"], judged["warnings"])


@pytest.mark.debian(reason="ffmpeg")
def test_ffprobe_reads_what_readers_are_given(kvs: LocalKvs, tmp_path: Path) -> None:
    """Every frame, at its producer's time."""
    path = document(kvs, "ffprobe", tmp_path / "document.mkv")
    command = [
        "ffprobe",
        "-v",
        "error",
        "-count_frames",
        "-of",
        "json",
        "-show_format",
        "-show_streams",
        path,
    ]
    said = subprocess.run(command, capture_output=True, check=True)
    told = json.loads(said.stdout)

    assert b"" == said.stderr
    assert str(2 * FPS) == told["streams"][0]["nb_read_frames"]
    assert BEGIN_MS + 4000 == round(float(told["format"]["start_time"]) * 1000)
