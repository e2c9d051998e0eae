"""A real S3 server on loopback (moto's), and a proxy before it through which things go wrong.

The proxy does what S3 does and moto does not: a body that is not what its checksum says is refused, and who
may not list a bucket is told *forbidden* of what is not there.
"""

import base64
import functools
import hashlib
import http.client
import itertools
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from moto.s3.models import FakeKey
from moto.server import ThreadedMotoServer

# A line for each request on standard error would say no more than `asked` does, and bury what is printed.
logging.getLogger("werkzeug").setLevel(logging.WARNING)

_NUMBERS = itertools.count(1)
REFUSALS = {
    "500": (500, "InternalError"),
    "503": (503, "SlowDown"),
    "denied": (403, "AccessDenied"),
    "no bucket": (404, "NoSuchBucket"),
    "skewed": (403, "RequestTimeTooSkewed"),
    "expired": (400, "ExpiredToken"),
    "no such key id": (403, "InvalidAccessKeyId"),
    "elsewhere": (301, "PermanentRedirect"),
    "kms": (400, "KMS.DisabledException"),
    "no lock": (400, "InvalidRequest"),
    "not built": (501, "NotImplemented"),
}
"""Answers that S3 gives, by what a test calls them: status and code."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came to the proxy."""

    method: str
    path: str
    headers: dict[str, str]
    size_bytes: int


@dataclass(slots=True)
class Fault:
    """Something that goes wrong.

    Attributes:
        kind: A key of `REFUSALS`; `lost` (done, and the answer lost), `cut` (the connection ends in the
            middle of the body), `damaged` (a byte of the body changes), `wrong checksum` (in the answer),
            `no checksum` (neither taken nor told), or `slow`.
        method: Of requests it happens to; empty: any.
        times: How often; counted down.
        when: Of those, to which.
    """

    kind: str
    method: str = "PUT"
    times: int = 1
    when: Callable[[Asked], bool] = field(default=lambda _: True)


class FaultyS3:
    """The server with its proxy.

    Args:
        hides: Whether what is not there is *forbidden* to look at.
    """

    def __init__(self, *, hides: bool = False) -> None:
        self.hides = hides
        self.bucket = ""
        self.faults: list[Fault] = []
        self.asked: list[Asked] = []
        self.lock = threading.Lock()
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        self.server_port = int(self._server.get_host_and_port()[1])
        faulty = self

        class Handler(_Handler):
            s3 = faulty

        self._proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._proxy.daemon_threads = True
        threading.Thread(
            target=self._proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    @property
    def endpoint(self) -> str:
        """The proxy's address."""
        return f"http://127.0.0.1:{self._proxy.server_address[1]}"

    @functools.cached_property
    def client(self) -> Any:
        """Looks at the server itself, past the proxy."""
        session = boto3.session.Session(botocore_session=botocore.session.Session())
        return session.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.server_port}",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - of a server that asks for none
            config=Config(s3={"addressing_style": "path"}),
        )

    def make_bucket(self, *, locks: bool = False) -> None:
        """A new, empty bucket that keeps every version of everything."""
        client = self.client
        self.bucket = f"bucket-{next(_NUMBERS)}"
        client.create_bucket(Bucket=self.bucket, ObjectLockEnabledForBucket=locks)
        client.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})

    def versions(self) -> list[tuple[str, int]]:
        """Name and length of every version of every object: what was sent twice is in it twice."""
        client = self.client
        pages = client.get_paginator("list_object_versions").paginate(Bucket=self.bucket)
        found = [(each["Key"], each["Size"]) for page in pages for each in page.get("Versions", ())]
        return sorted(found)

    def content(self, key: str) -> bytes:
        """What an object holds."""
        client = self.client
        content: bytes = client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return content

    def unfinished(self) -> int:
        """Uploads in parts that nobody ended."""
        client = self.client
        return len(client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", ()))

    def fresh(self, *, locks: bool = False) -> None:
        """A new bucket, no fault, nothing asked."""
        self.faults = []
        self.asked = []
        self.hides = False
        self._let_go()
        self.make_bucket(locks=locks)

    def close(self) -> None:
        """End both."""
        self._let_go()
        self.client.close()
        self._proxy.shutdown()
        self._proxy.server_close()
        self._server.stop()

    def _let_go(self) -> None:
        """Close the files of the bucket's objects, of which the server keeps one open for each."""
        for each in FakeKey.instances_tracked:  # type: ignore[attr-defined]
            if each.bucket_name == self.bucket:
                each.dispose()

    def fault_for(self, asked: Asked) -> str:
        """What goes wrong with a request; empty: nothing."""
        with self.lock:
            self.asked.append(asked)
            for fault in self.faults:
                if fault.times > 0 and fault.method in {"", asked.method} and fault.when(asked):
                    fault.times -= 1
                    return fault.kind
        return ""


@contextmanager
def faulty_s3() -> Iterator[FaultyS3]:
    """The server with its proxy, until the end of the block."""
    s3 = FaultyS3()
    try:
        yield s3
    finally:
        s3.close()


class _Handler(BaseHTTPRequestHandler):
    """One connection through the proxy."""

    protocol_version = "HTTP/1.1"
    s3: FaultyS3

    def _pass(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        kind = self.s3.fault_for(Asked(self.command, self.path, headers, length))
        if kind == "cut":
            self.rfile.read(length // 2)
            self._hang_up()
            return
        body = self.rfile.read(length)
        if len(body) < length:  # whoever sent it is gone
            self.close_connection = True
            return
        if kind == "slow":
            time.sleep(0.2)
        if kind == "damaged" and body:
            body = bytes([body[0] ^ 1]) + body[1:]
        if kind in REFUSALS:
            self._refuse(*REFUSALS[kind])
        elif _is_damaged(self.command, headers, body):
            self._refuse(400, "BadDigest")
        else:
            self._through(kind, headers, body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass  # noqa: N815 - so they are called there

    def _through(self, kind: str, headers: dict[str, str], body: bytes) -> None:
        """On to the server, and its answer back."""
        if kind == "no checksum":
            headers = {name: value for name, value in headers.items() if "checksum" not in name}
        status, answered, content = self._forward(headers, body)
        if kind == "lost":
            self._hang_up()
            return
        if self.command == "HEAD" and status == 404 and self.s3.hides:
            status = 403
        if "checksum" in kind:
            answered = [(name, value) for name, value in answered if "checksum" not in name.lower()]
        if kind == "wrong checksum":
            answered.append(("x-amz-checksum-sha256", base64.b64encode(bytes(32)).decode()))
        self._answer(status, answered, content)

    def _forward(self, headers: dict[str, str], body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.s3.server_port, timeout=30)
        try:
            onward = {name: value for name, value in headers.items() if name not in {"expect", "connection"}}
            connection.request(self.command, self.path, body=body, headers=onward)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _refuse(self, status: int, code: str) -> None:
        message = (
            "Bucket is missing Object Lock Configuration" if code == "InvalidRequest" else "as a test has it"
        )
        content = (
            f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
        )
        headers = [("Content-Type", "application/xml")]
        if code == "RequestTimeTooSkewed":
            headers.append(("Date", format_datetime(datetime.now(UTC) + timedelta(minutes=42), usegmt=True)))
        self._answer(status, headers, content)

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        told = self.command == "HEAD"
        for name, value in headers:
            if name.lower() not in {"connection", "transfer-encoding"} and (
                told or name.lower() != "content-length"
            ):
                self.send_header(name, value)
        if not told:
            self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        if not told:
            self.wfile.write(content)
        self.close_connection = True

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as it is called there
        """Say nothing."""


def _is_damaged(method: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether a body is not what its checksum says."""
    wanted = headers.get("x-amz-checksum-sha256")
    told = base64.b64encode(hashlib.sha256(body).digest()).decode()
    return method == "PUT" and wanted not in {None, told}
