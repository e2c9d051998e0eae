"""A bucket of any S3 service: looking an object up, putting one there at once or in parts. One request each.

Nothing is tried twice here, and nothing decided: that is `copying`'s; what requests share is `service`'s.
Every request that sends bytes carries their SHA-256, and what would make an object does so only where there
is none yet.
"""

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from botocore.exceptions import ClientError

from appliance.clock import Clock
from appliance.errors import SinkError
from appliance.settings import S3Settings
from appliance.sinks.checksums import Digests, encoded
from appliance.sinks.faults import code_of, status_of
from appliance.sinks.naming import key_of, target_of
from appliance.sinks.service import OccupiedError, Service

PART_BYTES = 8 * 1024 * 1024
"""What is larger is sent in parts of this size; captures of ordinary cameras are below it."""
CONTENT_TYPE = "application/octet-stream"
_READ_BACK = 1 << 20
_MISSING = 404
_HIDDEN = frozenset({400, 403})
"""An answer to HEAD has no body, so it does not say whether a right is missing, or the credentials are."""


@dataclass(frozen=True, slots=True)
class RemoteObject:
    """An object as the service tells of it.

    Attributes:
        size_bytes: Its length.
        checksum: SHA-256 as S3 has it; None: the service keeps none.
        etag: What the service calls this content.
        version: What it calls this version; None: it keeps none.
    """

    size_bytes: int
    checksum: str | None
    etag: str
    version: str | None


@dataclass(frozen=True, slots=True)
class RemotePart:
    """A part that is there: its length and what the service calls it."""

    size_bytes: int
    etag: str


class HiddenError(SinkError):
    """What is there may not be asked."""

    def __init__(self) -> None:
        super().__init__(
            "the credentials may not ask what is in the bucket",
            reason="denied",
            hint="they need s3:GetObject, by which copies are verified",
        )


class Bucket:
    """One bucket, for one box.

    Args:
        settings: Which, and how.
        device: Id of the box; it is part of every name.
        clock: For locks and paces.
        stop: Ends what waits for the pace.
        part_bytes: Length of a part.
    """

    def __init__(
        self,
        settings: S3Settings,
        device: str,
        clock: Clock,
        *,
        stop: threading.Event | None = None,
        part_bytes: int = PART_BYTES,
    ) -> None:
        self._settings = settings
        self._device = device
        self._service = Service(settings, clock, stop or threading.Event())
        self.part_bytes = part_bytes

    @property
    def target(self) -> str:
        """See `naming.target_of`."""
        return target_of(self._settings)

    def key(self, name: str) -> str:
        """See `naming.key_of`."""
        return key_of(self._settings, self._device, name)

    def look(self, key: str) -> RemoteObject | None:
        """What is there under a name; None: nothing, or it may not be asked before something is there.

        Without the right to list a bucket, S3 says *forbidden* of what is not there; putting it tells.

        Raises:
            SinkError: The service cannot be asked.
        """
        try:
            return self.find(key)
        except HiddenError:
            return None

    def find(self, key: str) -> RemoteObject | None:
        """What is there under a name; None: nothing.

        Raises:
            HiddenError: That may not be asked.
            SinkError: The service cannot be asked.
        """
        with self._service.asked() as client:
            try:
                found = client.head_object(Bucket=self._settings.bucket, Key=key, ChecksumMode="ENABLED")
            except ClientError as error:
                if status_of(error) == _MISSING:
                    return None
                if status_of(error) in _HIDDEN and not code_of(error):
                    raise HiddenError from error
                raise
        version = found.get("VersionId")
        return RemoteObject(
            size_bytes=int(found["ContentLength"]),
            checksum=found.get("ChecksumSHA256"),
            etag=str(found.get("ETag", "")),
            version=None if version in {None, "null"} else str(version),
        )

    def sha256_of(self, key: str) -> bytes:
        """The digest of an object, by reading all of it: for services that keep no checksums.

        Raises:
            SinkError: It cannot be read.
        """
        digest = hashlib.sha256()
        with self._service.asked() as client:
            body = client.get_object(Bucket=self._settings.bucket, Key=key)["Body"]
            try:
                while chunk := body.read(_READ_BACK):
                    digest.update(chunk)
            finally:
                body.close()
        return digest.digest()

    def put(self, key: str, content: bytes) -> None:
        """Put a small object where there is none.

        Raises:
            OccupiedError: There is one.
            SinkError: It was not taken; or it was, and that could not be told.
        """
        with self._service.creating() as (client, only_new):
            client.put_object(
                Bucket=self._settings.bucket,
                Key=key,
                Body=self._service.body(content),
                ContentType=CONTENT_TYPE,
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=encoded(hashlib.sha256(content).digest()),
                **self._service.headers(),
                **only_new,
            )

    def begin(self, key: str) -> str:
        """Begin an upload in parts; its id.

        Raises:
            SinkError: It was not begun.
        """
        with self._service.asked() as client:
            begun = client.create_multipart_upload(
                Bucket=self._settings.bucket,
                Key=key,
                ContentType=CONTENT_TYPE,
                ChecksumAlgorithm="SHA256",
                **self._service.headers(),
            )
        return str(begun["UploadId"])

    def parts(self, key: str, upload: str) -> Mapping[int, RemotePart] | None:
        """The parts that are there, by number; None: there is no such upload (any more).

        Raises:
            SinkError: The service cannot be asked.
        """
        found: dict[int, RemotePart] = {}
        marker = 0
        with self._service.asked() as client:
            while True:
                try:
                    page = client.list_parts(
                        Bucket=self._settings.bucket, Key=key, UploadId=upload, PartNumberMarker=marker
                    )
                except ClientError as error:
                    if code_of(error) == "NoSuchUpload":
                        return None
                    raise
                for part in page.get("Parts", ()):
                    found[int(part["PartNumber"])] = RemotePart(int(part["Size"]), str(part["ETag"]))
                if not page.get("IsTruncated"):
                    return found
                marker = int(page["NextPartNumberMarker"])

    def put_part(self, key: str, upload: str, number: int, content: bytes) -> RemotePart:
        """Send one part.

        Raises:
            SinkError: It was not taken.
        """
        with self._service.asked() as client:
            put = client.upload_part(
                Bucket=self._settings.bucket,
                Key=key,
                UploadId=upload,
                PartNumber=number,
                Body=self._service.body(content),
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=encoded(hashlib.sha256(content).digest()),
            )
        return RemotePart(len(content), str(put["ETag"]))

    def complete(self, key: str, upload: str, parts: Sequence[RemotePart], digests: Digests) -> None:
        """Make the object of its parts, where there is none.

        Raises:
            OccupiedError: There is one.
            SinkError: It was not made; or it was, and that could not be told.
        """
        told = [
            {"PartNumber": number, "ETag": part.etag, "ChecksumSHA256": encoded(digest)}
            for number, (part, digest) in enumerate(zip(parts, digests.parts, strict=True), start=1)
        ]
        with self._service.creating() as (client, only_new):
            client.complete_multipart_upload(
                Bucket=self._settings.bucket,
                Key=key,
                UploadId=upload,
                MultipartUpload={"Parts": told},
                **only_new,
            )

    def abort(self, key: str, upload: str) -> None:
        """Give an upload in parts up; one that is not there is none to give up.

        Raises:
            SinkError: The service cannot be asked.
        """
        with self._service.asked() as client:
            try:
                client.abort_multipart_upload(Bucket=self._settings.bucket, Key=key, UploadId=upload)
            except ClientError as error:
                if code_of(error) != "NoSuchUpload":
                    raise

    def put_small(self, name: str, content: bytes) -> str:
        """Put a small object of a name of its own (a signed head of the log, say); its whole name there.

        The same content twice is one object. It is not for captures: nothing looks at whether it is sealed.

        Args:
            name: Letters, digits, `.`, `-`, `_`, and `/` between parts.
            content: Up to a part's length.

        Raises:
            SinkError: It was not taken, or something else is there under that name (`occupied`).
        """
        key = self.key(name)
        try:
            self.put(key, content)
        except OccupiedError:
            if self.sha256_of(key) != hashlib.sha256(content).digest():
                raise SinkError(
                    "something else is in the bucket under that name already",
                    reason="occupied",
                    hint="whoever else writes to this bucket needs a prefix of their own",
                ) from None
        return key

    def close(self) -> None:
        """Let go of connections, and of credentials: the next request reads them anew."""
        self._service.close()
