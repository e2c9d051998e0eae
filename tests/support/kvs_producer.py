"""A small raw producer: a socket, a head signed as official clients sign it, chunks, acks line by line.

It knows no retries and no rules; tests send with it what a real producer never would. Its signature is
computed here, by neither botocore nor the server.
"""

import hashlib
import hmac
import json
import socket
import ssl
import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, Self

from kvs_local import CREDENTIAL

from appliance.video.fragment import Fragment
from appliance.video.kvs_server.server import DEFAULT_REGION
from appliance.video.kvs_server.signatures import Credential
from appliance.video.matroska import stream_fragment, stream_header

Style = Literal["c", "java"]
"""Whose headers and signature: the C producer's (the hash of nothing) or Java's (UNSIGNED-PAYLOAD)."""

PATIENCE_S = 60.0
OK = 200
_NEVER_SIGNED = frozenset(
    {"x-amz-security-token", "content-type", "content-length", "authorization", "expect"}
)
EMPTY = hashlib.sha256(b"").hexdigest()


def head(
    stream: str,
    *,
    style: Style = "c",
    host: str = "127.0.0.1",
    credential: Credential = CREDENTIAL,
    at: datetime | None = None,
    region: str = DEFAULT_REGION,
    timecodes: str = "ABSOLUTE",
    start: str = "1772355600.000",
    expect: bool = False,
    changed: Mapping[str, str] | None = None,
) -> bytes:
    """PutMedia's head, signed.

    Args:
        stream: Its name, or its ARN.
        style: Whose way.
        host: As sent; the C producer cuts the port off.
        credential: Who signs.
        at: When; now unless given.
        region: For which it is signed.
        timecodes: What they count from.
        start: When the session began.
        expect: Ask for `100 Continue`.
        changed: Headers that are put in or changed after signing.
    """
    stamp = (at or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    headers = {
        "host": host,
        "connection": "keep-alive",
        "transfer-encoding": "chunked",
        "user-agent": "tests/1.0 raw  producer",
        "x-amz-date": stamp,
        "x-amzn-fragment-acknowledgment-required": "1",
        "x-amzn-fragment-timecode-type": timecodes,
        "x-amzn-producer-start-timestamp": start,
        "x-amzn-stream-arn" if stream.startswith("arn:") else "x-amzn-stream-name": stream,
    }
    if style == "java":
        headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD"
    else:
        headers["content-type"] = "application/json"
    if expect:
        headers["expect"] = "100-continue"
    if credential.session_token is not None:
        headers["x-amz-security-token"] = credential.session_token
    headers["authorization"] = _authorization(
        headers, credential, region=region, payload=headers.get("x-amz-content-sha256", EMPTY)
    )
    headers |= changed or {}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /putMedia HTTP/1.1\r\n{lines}\r\n".encode()


def _authorization(
    headers: Mapping[str, str],
    credential: Credential,
    *,
    region: str = DEFAULT_REGION,
    path: str = "/putMedia",
    payload: str,
) -> str:
    stamp = headers["x-amz-date"]
    names = sorted(set(headers) - _NEVER_SIGNED)
    listed = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in names)
    canonical = f"POST\n{path}\n\n{listed}\n{';'.join(names)}\n{payload}"
    scope = f"{stamp[:8]}/{region}/kinesisvideo/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{credential.secret_key}".encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    return (
        f"AWS4-HMAC-SHA256 Credential={credential.access_key}/{scope}, "
        f"SignedHeaders={';'.join(names)}, Signature={signature}"
    )


class RawProducer:
    """One connection.

    Args:
        port: Of the server, on loopback.
        tls: None: plain.
    """

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self._socket = tls.wrap_socket(plain, server_hostname="127.0.0.1") if tls else plain
        self._file = self._socket.makefile("rb")
        self.status = 0
        self.headers: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Close, in order as far as TCP is concerned."""
        self._file.close()
        self._socket.close()

    def reset(self) -> None:
        """Close without good-bye, as a machine that loses its network."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def send(self, data: bytes) -> None:
        """Bytes as they are."""
        self._socket.sendall(data)

    def begin(self, data: bytes) -> int:
        """Send a head, read the answer's; returns its status."""
        self.send(data)
        return self.answer()

    def answer(self) -> int:
        """Read the head of an answer; returns its status."""
        line = self._file.readline().decode()
        self.status = int(line.split()[1]) if line else 0
        self.headers = {}
        while (line := self._file.readline().decode().strip()) != "":
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        return self.status

    def chunk(self, data: bytes) -> None:
        """A piece of the body; one of nothing ends it."""
        self.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def error(self) -> dict[str, Any]:
        """The body of an answer that says what is wrong."""
        told: dict[str, Any] = json.loads(self._file.read(int(self.headers["content-length"])))
        return told

    def piece(self) -> bytes:
        """One chunk of the answer; nothing: it has ended.

        Raises:
            ConnectionError: The connection has ended, and the answer has not.
        """
        size = self._file.readline()
        if not size:
            raise ConnectionResetError
        data = self._file.read(int(size, 16))
        self._file.read(2)
        return data

    def ack(self) -> tuple[Any, ...]:
        """What is said next: event type, timecode, error id as far as they are there; () at the end."""
        data = self.piece()
        if not data:
            return ()
        told = json.loads(data)
        return tuple(told[name] for name in ("EventType", "FragmentTimecode", "ErrorId") if name in told)

    def acks(self) -> list[tuple[Any, ...]]:
        """Everything that is said until the answer ends."""
        found = []
        while said := self.ack():
            found.append(said)
        return found


def send_all(
    port: int,
    stream: str,
    pieces: Sequence[Fragment],
    *,
    credential: Credential = CREDENTIAL,
    at: datetime | None = None,
) -> list[tuple[Any, ...]]:
    """Send fragments in one session, in good order; returns everything that was said."""
    with RawProducer(port) as producer:
        if producer.begin(head(stream, credential=credential, at=at)) != OK:
            return []
        producer.chunk(stream_header(pieces[0].track, segment_uid=bytes(range(16))))
        for piece in pieces:
            producer.chunk(stream_fragment(piece))
        producer.chunk(b"")
        return producer.acks()


def call(
    port: int, operation: str, body: bytes, tls: ssl.SSLContext, *, credential: Credential = CREDENTIAL
) -> tuple[int, dict[str, Any]]:
    """A call of the control plane as the official C producer makes and signs it; status and answer."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {
        "host": "127.0.0.1",
        "user-agent": "tests/1.0 raw  producer",
        "x-amz-date": stamp,
        "content-type": "application/json",
        "content-length": str(len(body)),
    }
    headers["authorization"] = _authorization(
        headers, credential, path=f"/{operation}", payload=hashlib.sha256(body).hexdigest()
    )
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with RawProducer(port, tls) as client:
        status = client.begin(f"POST /{operation} HTTP/1.1\r\n{lines}\r\n".encode() + body)
        return status, client.error()
