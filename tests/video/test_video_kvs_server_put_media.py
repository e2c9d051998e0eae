"""PutMedia on a socket: what a producer is told, when, and what becomes of connections that end badly."""

import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from kvs_footage import BEGIN_MS, footage
from kvs_local import CREDENTIAL, PROMPT, LocalKvs, local_kvs
from kvs_producer import RawProducer, Style, head, send_all

from appliance.clock import ManualClock
from appliance.errors import VideoError
from appliance.video.kvs_server.archive import FragmentMedia, FragmentRow, MemoryArchive
from appliance.video.kvs_server.faults import Cut, Delay, ErrorAck, Mute, Refuse, SlowReader
from appliance.video.kvs_server.ingest import Limits
from appliance.video.kvs_server.quotas import Quotas
from appliance.video.matroska import stream_fragment, stream_header, tags

UID = bytes(range(16))
PIECES = footage(3)
HEADER = stream_header(PIECES[0].track, segment_uid=UID)
ARN = "arn:aws:kinesisvideo:us-west-2:123456789012:stream/gone/1772355600000"
LIMITED = replace(CREDENTIAL, access_key="AKIDLIMITED", denied=frozenset({"kinesisvideo:PutMedia"}))


@pytest.fixture(scope="module")
def kvs() -> Iterator[LocalKvs]:
    """One server for all of them; each takes a stream of its own."""
    with local_kvs(credentials=(CREDENTIAL, LIMITED)) as found:
        yield found


@pytest.fixture
def stream(kvs: LocalKvs, request: pytest.FixtureRequest) -> str:
    """A stream of this test's own, that keeps for a day."""
    name = f"{abs(hash(request.node.name)):x}"
    kvs.stream(name)
    return name


def said(*kinds: str, index: int = 0) -> list[tuple[Any, ...]]:
    """Acks of a fragment."""
    return [(kind, BEGIN_MS + index * 2000) for kind in kinds]


def kept(kvs: LocalKvs, stream: str) -> list[int]:
    """Which fragments the server has, by their order in the footage."""
    rows = kvs.archive.fragments(stream)
    return [(row.producer_ms - BEGIN_MS) // 2000 for row in rows]


@pytest.mark.parametrize("style", ["c", "java"])
def test_fragments_are_acknowledged_while_the_body_is_being_sent(
    kvs: LocalKvs, stream: str, style: Style
) -> None:
    """Both official ways of signing are taken; each fragment's acks come before the next is sent."""
    with RawProducer(kvs.port) as producer:
        status = producer.begin(head(stream, style=style))
        producer.chunk(HEADER)
        acks = []
        for piece in PIECES:
            producer.chunk(stream_fragment(piece))
            acks.append([producer.ack() for _ in range(3)])
        producer.chunk(b"")
        rest = producer.acks()

    assert (200, "application/json") == (status, producer.headers["content-type"])
    assert [said("BUFFERING", "RECEIVED", "PERSISTED", index=index) for index in range(3)] == acks
    assert [] == rest
    assert [0, 1, 2] == kept(kvs, stream)


def test_a_producer_that_waits_for_it_is_told_to_go_on(kvs: LocalKvs, stream: str) -> None:
    """`100 Continue`, then the answer; one that is refused is told so instead, before it sends anything."""
    with RawProducer(kvs.port) as producer:
        first = producer.begin(head(stream, expect=True))
        second = producer.answer()
    with RawProducer(kvs.port) as other:
        refused = other.begin(head("no-such-stream", expect=True))

    assert (100, 200) == (first, second)
    assert 404 == refused


def test_a_connection_takes_one_recording_after_another(kvs: LocalKvs, stream: str) -> None:
    """A body that ended in good order leaves the connection open."""
    with RawProducer(kvs.port) as producer:
        statuses = []
        for piece in PIECES[:2]:
            statuses.append(producer.begin(head(stream)))
            producer.chunk(HEADER + stream_fragment(piece))
            producer.chunk(b"")
            producer.acks()

    assert [200, 200] == statuses
    assert [0, 1] == kept(kvs, stream)


def test_a_stream_can_be_named_by_its_arn(kvs: LocalKvs) -> None:
    """By name or by ARN, it is the same stream."""
    arn = kvs.stream("by-arn")

    assert said("BUFFERING", "RECEIVED", "PERSISTED") == send_all(kvs.port, arn, PIECES[:1])
    assert [0] == kept(kvs, "by-arn")


def test_a_stream_has_one_place(kvs: LocalKvs, stream: str) -> None:
    """A second connection is refused with its type, and taken once the first has gone, badly or not."""
    with RawProducer(kvs.port) as first, RawProducer(kvs.port) as second:
        first.begin(head(stream))
        status = second.begin(head(stream))
        error = second.error()

    assert (400, "ConnectionLimitExceededException") == (status, second.headers["x-amzn-errortype"])
    assert "allowed client connections" in error["Message"]
    assert said("BUFFERING", "RECEIVED", "PERSISTED") == _when_free(kvs, stream)


def _when_free(kvs: LocalKvs, stream: str) -> list[tuple[Any, ...]]:
    """What is said to one fragment when the place is free."""
    until = time.monotonic() + 60
    while not (acks := send_all(kvs.port, stream, PIECES[:1])) and time.monotonic() < until:
        pass
    return acks


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"at": datetime.now(UTC) - timedelta(hours=1)}, 403, "InvalidSignatureException"),
        ({"region": "eu-west-1"}, 403, "InvalidSignatureException"),
        ({"changed": {"x-amzn-stream-name": "another"}}, 403, "InvalidSignatureException"),
        ({"credential": replace(CREDENTIAL, access_key="AKIDNOBODY")}, 403, "UnrecognizedClientException"),
        ({"credential": LIMITED}, 403, "AccessDeniedException"),
        ({"changed": {"x-amzn-stream-arn": ARN}}, 400, "InvalidArgumentException"),
        ({"stream": ARN}, 404, "ResourceNotFoundException"),
        ({"stream": "arn:aws:office"}, 400, "InvalidArgumentException"),
        ({"timecodes": "LATER"}, 400, "InvalidArgumentException"),
        ({"start": "yesterday"}, 400, "InvalidArgumentException"),
        ({"stream": "gone"}, 404, "ResourceNotFoundException"),
        ({"stream": "not a name"}, 400, "InvalidArgumentException"),
    ],
)
def test_a_head_that_is_not_good_is_refused_before_the_body(
    kvs: LocalKvs, stream: str, changes: dict[str, Any], status: int, code: str
) -> None:
    """Time, region, key, policy, what was changed after signing, and what is malformed."""
    with RawProducer(kvs.port) as producer:
        found = producer.begin(head(**{"stream": stream, **changes}))

        assert (status, code) == (found, producer.headers["x-amzn-errortype"])
        assert producer.error()
        assert "close" == producer.headers["connection"]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ClientLimitExceededException", 400),
        ("NotAuthorizedException", 401),
        ("AccessDeniedException", 403),
        ("ResourceNotFoundException", 404),
        ("InternalFailureException", 500),
        ("ServiceUnavailableException", 503),
    ],
)
def test_every_status_can_be_switched_on(kvs: LocalKvs, stream: str, code: str, status: int) -> None:
    """The next recording is refused, the one after it is not."""
    kvs.fail(Refuse(code, status=status))
    with RawProducer(kvs.port) as producer:
        found = producer.begin(head(stream))

    assert (status, code) == (found, producer.headers["x-amzn-errortype"])
    assert said("BUFFERING", "RECEIVED", "PERSISTED") == send_all(kvs.port, stream, PIECES[:1])


def test_what_was_received_before_an_error_is_persisted_before_it(kvs: LocalKvs, stream: str) -> None:
    """Then ERROR is said and the answer ends, though the body has not."""
    kvs.fail(ErrorAck(5000, 2))
    with RawProducer(kvs.port) as producer:
        producer.begin(head(stream))
        producer.chunk(HEADER + b"".join(stream_fragment(each) for each in PIECES))
        acks = producer.acks()

    assert sorted(
        [
            *said("BUFFERING", "RECEIVED", "PERSISTED"),
            *said("BUFFERING", index=1),
            ("ERROR", BEGIN_MS + 2000, 5000),
        ]
    ) == sorted(acks)
    assert ("ERROR", BEGIN_MS + 2000, 5000) == acks[-1]
    assert [0] == kept(kvs, stream)


def test_an_error_after_the_end_of_the_body_closes_the_connection(kvs: LocalKvs, stream: str) -> None:
    """The answer ends, and no other recording is taken on this connection."""
    kvs.fail(ErrorAck(5001, 1, when="received"))
    with RawProducer(kvs.port) as producer:
        producer.begin(head(stream))
        producer.chunk(HEADER + stream_fragment(PIECES[0], close=False))
        producer.chunk(b"")
        acks = producer.acks()
        try:
            again = producer.begin(head(stream))
        except OSError:
            again = 0

    assert (("ERROR", BEGIN_MS, 5001), 0) == (acks[-1], again)


@pytest.mark.parametrize(
    ("moment", "last", "stays"),
    [("received", "RECEIVED", []), ("stored", "RECEIVED", [0]), ("persisted", "PERSISTED", [0])],
)
def test_a_cut_leaves_stored_what_it_says(
    kvs: LocalKvs, stream: str, moment: Any, last: str, stays: list[int]
) -> None:
    """Before PERSISTED a fragment may be stored or not, and its producer cannot know."""
    kvs.fail(Cut(moment, 1))
    acks = said_until_reset(kvs, stream)

    assert acks[-1:] in ([(last, BEGIN_MS)], [])  # a reset may overtake what was said
    assert stays == kept(kvs, stream)
    assert said("BUFFERING", "RECEIVED", "PERSISTED") == _when_free(kvs, stream)


def test_a_place_can_stay_taken_after_a_cut(kvs: LocalKvs, stream: str) -> None:
    """As by a predecessor that is half open."""
    kvs.fail(Cut("persisted", 1, held_s=600))
    said_until_reset(kvs, stream)
    with RawProducer(kvs.port) as producer:
        status = producer.begin(head(stream))

    assert (400, "ConnectionLimitExceededException") == (status, producer.headers["x-amzn-errortype"])


def said_until_reset(kvs: LocalKvs, stream: str) -> list[tuple[Any, ...]]:
    """Send one fragment; what is said before the connection is reset."""
    acks = []
    with RawProducer(kvs.port) as producer:
        producer.begin(head(stream))
        producer.chunk(HEADER + stream_fragment(PIECES[0]))
        try:
            while ack := producer.ack():
                acks.append(ack)
        except OSError:
            return acks
    pytest.fail("the answer ended in good order")


def test_a_producer_that_dies_in_a_fragment_loses_that_one_alone(kvs: LocalKvs, stream: str) -> None:
    """What was complete is kept, the half is not, and the place is free again."""
    body = stream_fragment(PIECES[1])
    with RawProducer(kvs.port) as producer:
        producer.begin(head(stream))
        producer.chunk(HEADER + stream_fragment(PIECES[0]) + body[: len(body) // 2])
        [producer.ack() for _ in range(4)]
        producer.reset()

    assert said("BUFFERING", "RECEIVED", "PERSISTED") == _when_free(kvs, stream)
    assert [0, 0] == kept(kvs, stream)


def test_a_session_of_stray_tags_or_of_nothing_is_answered_in_good_order(kvs: LocalKvs, stream: str) -> None:
    """The C producer opens one after a fragment was refused."""
    with RawProducer(kvs.port) as producer:
        statuses = []
        for body in (tags([("label", "dog")]), b""):
            statuses.append(producer.begin(head(stream)))
            if body:
                producer.chunk(body)
            producer.chunk(b"")
            statuses.append(producer.acks())

    assert [200, [], 200, []] == statuses


def test_acks_can_be_late_or_not_come_at_all(kvs: LocalKvs, stream: str) -> None:
    """Of a muted fragment nothing is said, though it is stored."""
    kvs.fail(Delay("RECEIVED", 0.01), Mute(2))

    assert said("BUFFERING", "RECEIVED", "PERSISTED") == send_all(kvs.port, stream, PIECES[:2])
    assert [0, 1] == kept(kvs, stream)


def test_a_slow_reader_takes_everything_all_the_same(kvs: LocalKvs, stream: str) -> None:
    """Pieces of a few bytes, with pauses, and the acks of any other."""
    kvs.fail(SlowReader(200_000))

    assert said("BUFFERING", "RECEIVED", "PERSISTED") == send_all(kvs.port, stream, PIECES[:1])


def test_a_deleted_stream_ends_its_connection(kvs: LocalKvs) -> None:
    """4008 at once, without waiting for data."""
    arn = kvs.stream("deleted")
    with RawProducer(kvs.port) as producer:
        producer.begin(head("deleted"))
        producer.chunk(HEADER)
        kvs.client().delete_stream(StreamARN=arn)
        acks = producer.acks()

    assert [("ERROR", 4008)] == acks


def test_a_connection_ends_by_itself() -> None:
    """Without data after IDLE; by age with 4003, which tells the producer to come again."""
    ended = []
    for limits in (Limits(idle_s=0.02, silence_s=0.05), Limits(age_s=0.05)):
        with local_kvs(limits=limits) as kvs:
            kvs.stream("office")
            with RawProducer(kvs.port) as producer:
                producer.begin(head("office"))
                producer.chunk(HEADER)
                ended.append(producer.acks())

    assert [("IDLE",), ("IDLE",)] == ended[0]
    assert [("ERROR", 4003)] == ended[1]


def test_calls_that_come_too_often_are_refused() -> None:
    """Five a second for each stream; the documented name of the header that says so can be had."""
    with local_kvs(manners=replace(PROMPT, calls_per_s=2, type_header="x-amz-ErrorType")) as kvs:
        kvs.stream("office")
        for _ in range(2):
            send_all(kvs.port, "office", PIECES[:1])
        with RawProducer(kvs.port) as producer:
            status = producer.begin(head("office"))

    assert (400, "ClientLimitExceededException") == (status, producer.headers["x-amz-errortype"])


def test_a_strict_server_does_not_take_forty_fragments_at_once() -> None:
    """Counted over a stream's connections, too: the next one is not better off for being new."""
    pieces = footage(40)
    still = ManualClock(datetime.now(UTC))
    with local_kvs(manners=replace(PROMPT, quotas=Quotas()), clock=still) as kvs:
        kvs.stream("office")
        found = [send_all(kvs.port, "office", pieces) for _ in range(2)]
        stored = kept(kvs, "office")

    assert [("ERROR",), ("ERROR",)] == [acks[-1] for acks in found]
    assert list(range(10)) == stored


def test_control_over_tls_and_media_over_plain_http(tmp_path: Path) -> None:
    """As the official C producer needs it; the certificate is for the address itself."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with local_kvs(tls=(tls, str(tmp_path / "ca.pem")), plain_data=True) as kvs:
        kvs.stream("office")
        endpoint = kvs.client().get_data_endpoint(StreamName="office", APIName="PUT_MEDIA")["DataEndpoint"]
        plain = send_all(kvs.port, "office", PIECES[:1])
        trusting = ssl.create_default_context(cafile=tmp_path / "ca.pem")
        with RawProducer(int(kvs.address.rpartition(":")[2]), trusting) as producer:
            status = producer.begin(head("office"))
            producer.chunk(HEADER + stream_fragment(PIECES[1]))
            producer.chunk(b"")
            sealed = producer.acks()
        schemes = [each.partition(":")[0] for each in (kvs.address, endpoint)]

    assert ["https", "http"] == schemes
    assert said("BUFFERING", "RECEIVED", "PERSISTED") == plain
    assert (200, said("BUFFERING", "RECEIVED", "PERSISTED", index=1)) == (status, sealed)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01 a handshake",
        b"POST /putMedia HTTP/1.1\r\n" + b"a: b\r\n" * 20_000,
        b"POST /listStreams HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 2_000_000,
        b"GET /hls/v1/getHLSMasterPlaylist.m3u8 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /putMedia HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"",
    ],
)
def test_garbage_ends_its_own_connection_and_no_other(kvs: LocalKvs, stream: str, sent: bytes) -> None:
    """No HTTP, endless heads, large bodies, no signature: the server goes on."""
    with socket.create_connection(("127.0.0.1", kvs.port), timeout=10) as plain:
        try:
            plain.sendall(sent)
            plain.shutdown(socket.SHUT_WR)
            answer = plain.recv(1 << 16)
        except OSError:
            answer = b""

    assert not answer.startswith(b"HTTP/1.1 2")
    assert said("BUFFERING", "RECEIVED", "PERSISTED") == send_all(kvs.port, stream, PIECES[:1])


class FullArchive(MemoryArchive):
    """An archive whose disk is full."""

    def add(self, stream: str, row: FragmentRow, media: FragmentMedia) -> None:
        """Nothing fits.

        Raises:
            VideoError: Always.
        """
        raise VideoError("the disk is full")


def test_what_the_archive_does_not_take_is_told_with_5001() -> None:
    """And the connection ends; nothing is called persisted that is not."""
    with local_kvs(FullArchive()) as kvs:
        kvs.stream("office")
        acks = send_all(kvs.port, "office", PIECES[:1])

    assert [*said("BUFFERING", "RECEIVED"), ("ERROR", BEGIN_MS, 5001)] == acks
