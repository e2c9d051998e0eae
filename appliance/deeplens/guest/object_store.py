"""The S3 of a trial: keeps what a function uploads, in its own memory, for as long as it runs.

A third of the functions upload pictures. Tried without a network they would be told nothing but that. Here a
server on the view's loopback takes objects, gives them back, lists and deletes them. It checks no signature,
has no multipart uploads, versions or rights, and says so (`NotImplemented`). Only trials have it: what a
deployed function uploads goes where it is granted to go, or fails.
"""

import hashlib
import re
import threading
from collections import OrderedDict
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape, unescape

ENVIRONMENT: Final = "DEEPLENS_OBJECT_STORE"
"""Set for a function that is to have such a store."""
KEPT: Final = "kept in place of S3: "
"""How the line in the function's log begins that is written for each upload."""
MOST_BYTES: Final = 64 << 20
_MOST_LISTED: Final = 1000
_DELETED: Final = re.compile(rb"<Key>([^<]*)</Key>")
_NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"

Key = tuple[str, str]
"""Bucket and key."""


class Objects:
    """Objects by bucket and key, at most so many bytes; the oldest give way. Safe to share."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, bytes] = OrderedDict()
        self._size = 0

    def put(self, key: Key, content: bytes) -> None:
        """Keep an object, in place of an older one."""
        with self._lock:
            self._drop(key)
            self._kept[key] = content
            self._size += len(content)
            while self._size > self._most_bytes and self._kept:
                self._drop(next(iter(self._kept)))

    def get(self, key: Key) -> bytes | None:
        """An object; None: there is none."""
        with self._lock:
            return self._kept.get(key)

    def remove(self, key: Key) -> None:
        """Forget an object, if there is one."""
        with self._lock:
            self._drop(key)

    def named(self, bucket: str, prefix: str) -> list[tuple[str, int]]:
        """Key and size of a bucket's objects that begin so, in order, the first thousand."""
        with self._lock:
            found = [
                (key, len(content))
                for (at, key), content in self._kept.items()
                if at == bucket and key.startswith(prefix)
            ]
        return sorted(found)[:_MOST_LISTED]

    def _drop(self, key: Key) -> None:
        self._size -= len(self._kept.pop(key, b""))


def serve(objects: Objects) -> str:
    """Serve on loopback until the process ends; where.

    Raises:
        OSError: There is no loopback.
    """
    made = type("Answers", (_Answers,), {"objects": objects})
    server = ThreadingHTTPServer(("127.0.0.1", 0), made)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="object-store", daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


class _Answers(BaseHTTPRequestHandler):
    """S3's answers, with the bucket in the path."""

    protocol_version = "HTTP/1.1"
    objects: Objects

    def do_PUT(self) -> None:
        """Keep an object or a copy of one; a bucket is there once it is named."""
        bucket, key, asked = self._asked()
        content = self._body()
        if "uploadId" in asked:
            self._refuse(501, "NotImplemented")
        elif not key:
            self._answer(200)
        elif (source := self.headers.get("x-amz-copy-source")) is not None:
            kept = self.objects.get(_key(source))
            if kept is None:
                self._refuse(404, "NoSuchKey")
                return
            self.objects.put((bucket, key), kept)
            self._answer(200, _xml("CopyObjectResult", f"<ETag>{_etag(kept)}</ETag>"))
        elif set(asked) <= {"x-id"}:
            self.objects.put((bucket, key), content)
            print(f"{KEPT}{bucket}/{key} ({len(content):,} bytes)", flush=True)  # noqa: T201 - its log
            self._answer(200, headers={"ETag": _etag(content)})
        else:
            self._answer(200)  # rights and labels of an object

    def do_GET(self) -> None:
        """Give an object, a bucket's list, or all buckets, of which nobody knows."""
        bucket, key, asked = self._asked()
        if not bucket:
            self._answer(200, _xml("ListAllMyBucketsResult", "<Buckets/>"))
        elif not key:
            self._answer(200, self._listed(bucket, asked))
        elif (kept := self.objects.get((bucket, key))) is None:
            self._refuse(404, "NoSuchKey")
        else:
            self._answer(200, kept, headers={"ETag": _etag(kept), "Content-Type": "binary/octet-stream"})

    def do_HEAD(self) -> None:
        """Say whether there is such an object."""
        bucket, key, _ = self._asked()
        kept = self.objects.get((bucket, key)) if key else b""
        self._answer(200 if kept is not None else 404, kept or b"")

    def do_DELETE(self) -> None:
        """Forget an object."""
        bucket, key, _ = self._asked()
        self.objects.remove((bucket, key))
        self._answer(204)

    def do_POST(self) -> None:
        """Forget several objects; refuse uploads in parts, and forms."""
        bucket, _, asked = self._asked()
        content = self._body()
        if "delete" not in asked:
            self._refuse(501, "NotImplemented")
            return
        keys = [unescape(each.decode("utf-8", "replace")) for each in _DELETED.findall(content)]
        for each in keys:
            self.objects.remove((bucket, each))
        gone = "".join(f"<Deleted><Key>{escape(each)}</Key></Deleted>" for each in keys)
        self._answer(200, _xml("DeleteResult", gone))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: uploads are told one by one."""

    def _asked(self) -> tuple[str, str, dict[str, list[str]]]:
        split = urlsplit(self.path)
        bucket, key = _key(split.path)
        return bucket, key, parse_qs(split.query, keep_blank_values=True)

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        content = self.rfile.read(int(length) if length.isdigit() else 0)
        return _unchunked(content) if "x-amz-decoded-content-length" in self.headers else content

    def _listed(self, bucket: str, asked: dict[str, list[str]]) -> bytes:
        if not set(asked) <= {"list-type", "prefix", "max-keys", "encoding-type", "delimiter", "x-id"}:
            return _xml("LocationConstraint", "")
        found = self.objects.named(bucket, asked.get("prefix", [""])[0])
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        rows = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>{now}</LastModified><Size>{size}</Size></Contents>"
            for key, size in found
        )
        head = (
            f"<Name>{escape(bucket)}</Name><KeyCount>{len(found)}</KeyCount><IsTruncated>false</IsTruncated>"
        )
        return _xml("ListBucketResult", head + rows)

    def _refuse(self, status: int, code: str) -> None:
        words = f"the store of a trial: {code}"
        body = f"<Error><Code>{code}</Code><Message>{words}</Message></Error>"
        self._answer(status, body.encode(), headers={"Content-Type": "application/xml"})

    def _answer(self, status: int, body: bytes = b"", *, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Last-Modified", format_datetime(datetime.now(UTC), usegmt=True))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _key(path: str) -> Key:
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    return bucket, key


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


def _xml(name: str, inside: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><{name} xmlns="{_NAMESPACE}">{inside}</{name}>'.encode()


def _unchunked(body: bytes) -> bytes:
    """The content of a body in AWS's chunks: each its size in hex, a signature maybe, and so many bytes."""
    content = b""
    while body:
        head, _, rest = body.partition(b"\r\n")
        size = int(head.partition(b";")[0] or b"0", 16)
        if not size:
            break
        content += rest[:size]
        body = rest[size + 2 :]
    return content
