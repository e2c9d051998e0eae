"""Copying sealed captures to a bucket: which, in which order, when again, and when the one here may go.

The bucket decides what is true; what is noted is noted after it. A copy that was made and not noted (after a
crash, or where an answer was lost) is found by the look that comes before each upload, and the upload itself
makes an object only where there is none: nothing is doubled. A copy counts once the bucket has said the same
SHA-256 and length, or has given the bytes back: nothing is lost. No capture is opened here.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import BinaryIO

import structlog

from appliance.clock import Clock
from appliance.errors import SinkError, SinkReason
from appliance.settings import S3Settings
from appliance.sinks.backlog import Backlog, Notes, SealedFile, SealedFiles, backlog
from appliance.sinks.bucket import Bucket, RemoteObject, RemotePart
from appliance.sinks.checksums import Digests, offsets
from appliance.sinks.naming import file_of
from appliance.sinks.service import OccupiedError
from appliance.values import CopyState, RemoteCopy

_log = structlog.get_logger()

_OWN: frozenset[SinkReason] = frozenset({"mismatch", "occupied", "changed", "not_sealed"})
"""What is wrong with one capture; anything else is wrong with the service, and holds everything up."""
_TRIES = 5
"""Times that one capture may go wrong by itself before it is set aside."""


_SETTLED_S = 600.0
"""How long a spool that has not changed is not looked at again, once all of it is copied."""
_REMEMBERED = timedelta(days=400)
"""How long a copy is remembered whose capture went from here."""


class Copying:
    """Copies what is due, one capture after the other.

    Args:
        files: The spool.
        notes: What is noted about copies.
        bucket: Where they go.
        settings: When they go, and when those here may.
        clock: The wall clock.
    """

    def __init__(
        self, files: SealedFiles, notes: Notes, bucket: Bucket, settings: S3Settings, clock: Clock
    ) -> None:
        self._files = files
        self._notes = notes
        self._bucket = bucket
        self._settings = settings
        self._clock = clock
        self._wrong: dict[str, int] = {}
        self._settled: tuple[int, float] | None = None

    def backlog(self) -> Backlog:
        """How far it is now.

        Raises:
            EvidenceError: The spool cannot be read.
            StoreError: The notes cannot be read.
        """
        states = self._notes.remote_copies(self._bucket.target)
        return backlog(self._files.list(), states, self._clock.wall(), self._settings.wait_s)

    def look_again(self) -> None:
        """Forget what was refused: it is looked at anew.

        Raises:
            StoreError: The notes cannot be changed.
        """
        states = self._notes.remote_copies(self._bucket.target)
        refused = [capture for capture, state in states.items() if state is CopyState.REFUSED]
        self._notes.forget_copies(self._bucket.target, refused)
        self._settled = None

    def let_go_of_connections(self) -> None:
        """Before a pause after a failure: what comes next begins with fresh ones, and fresh credentials."""
        self._bucket.close()

    def round(self, stopped: Callable[[], bool]) -> Iterator[RemoteCopy]:
        """Copy what is due, and give each copy that was verified; then delete here what may go.

        What went wrong with one capture by itself lets the others go on; it comes last in the next round, and
        after some rounds it is refused.

        Args:
            stopped: Asked between captures.

        Raises:
            SinkError: The service takes nothing now.
            EvidenceError: The spool cannot be read.
            StoreError: The notes cannot be kept.
        """
        signature, now_s = self._files.signature(), self._clock.monotonic()
        if self._settled is not None and self._settled[0] == signature and now_s < self._settled[1]:
            return
        found = self.backlog()
        self._settled = None
        due = sorted(found.due, key=lambda each: self._wrong.get(each.id, 0))
        for entry in due:
            if stopped():
                return
            try:
                copied = self.copy(entry.id)
            except SinkError as error:
                self._wrong[entry.id] = self._wrong.get(entry.id, 0) + 1
                if error.reason not in _OWN:
                    raise
                self._set_aside(entry, error)
                continue
            self._wrong.pop(entry.id, None)
            if copied is not None:
                yield copied
        self._let_go(stopped)
        self._tidy()
        if not due and not found.waiting:
            self._settled = signature, now_s + _SETTLED_S

    def copy(self, capture: str) -> RemoteCopy | None:
        """See that the bucket has this capture; None: it went from the spool.

        Raises:
            SinkError: It has not, or it is not known; or what is here is not sealed.
            EvidenceError: It cannot be read.
            StoreError: It has, and that could not be noted.
        """
        file = self._files.open(capture)
        if file is None:
            return None
        key = self._bucket.key(file_of(capture))
        with file:
            if not self._files.sealed(file.read(self._bucket.part_bytes)):
                raise SinkError(
                    "a file in the spool is not sealed, and stays here",
                    reason="not_sealed",
                    hint="it is not of the appliance's making; look who put it there",
                )
            digests = Digests.of(file, self._bucket.part_bytes)
            noted = self._notes.remote_copy(self._bucket.target, capture)
            found = self._bucket.look(key)
            if found is None:
                same = noted is not None and noted.sha256 == digests.sha256.hex()
                self._send(capture, key, file, digests, noted.upload if noted is not None and same else None)
                found = self._bucket.find(key)
        if found is None:
            raise SinkError("the service took a capture and does not show it", reason="server")
        self._verify(key, found, digests)
        copied = RemoteCopy(
            capture=capture,
            state=CopyState.VERIFIED,
            sha256=digests.sha256.hex(),
            size_bytes=digests.size_bytes,
            changed_at=self._clock.wall(),
            etag=found.etag,
            version=found.version,
        )
        self._notes.note_copy(self._bucket.target, copied)
        return copied

    def _send(self, capture: str, key: str, file: BinaryIO, digests: Digests, upload: str | None) -> None:
        """Send all of it; if somebody else did meanwhile, that is what the verification is about."""
        try:
            if digests.in_parts:
                self._send_parts(capture, key, file, digests, upload)
            else:
                self._bucket.put(key, _read(file, 0, digests.size_bytes))
        except OccupiedError:
            _log.info("copy_was_there", capture=capture)

    def _send_parts(
        self, capture: str, key: str, file: BinaryIO, digests: Digests, upload: str | None
    ) -> None:
        """Send what is missing of it, of an upload that was begun before if there is one."""
        there = self._bucket.parts(key, upload) if upload is not None else None
        if upload is None or there is None:
            upload, there = self._bucket.begin(key), {}
            self._notes.note_copy(
                self._bucket.target,
                RemoteCopy(
                    capture=capture,
                    state=CopyState.BEGUN,
                    sha256=digests.sha256.hex(),
                    size_bytes=digests.size_bytes,
                    changed_at=self._clock.wall(),
                    upload=upload,
                ),
            )
        parts: list[RemotePart] = []
        for number, offset, length in offsets(digests):
            part = there.get(number)
            if part is None or part.size_bytes != length:
                part = self._bucket.put_part(key, upload, number, _read(file, offset, length))
            parts.append(part)
        try:
            self._bucket.complete(key, upload, parts, digests)
        except OccupiedError:
            self._bucket.abort(key, upload)
            raise

    def _verify(self, key: str, found: RemoteObject, digests: Digests) -> None:
        """See that what is there is this.

        Raises:
            SinkError: It is not (`mismatch`).
        """
        same = found.size_bytes == digests.size_bytes and (
            digests.fits(found.checksum, found.size_bytes)
            if found.checksum is not None
            else self._bucket.sha256_of(key) == digests.sha256
        )
        if not same:
            raise SinkError(
                "the bucket holds something else under a capture's name",
                reason="mismatch",
                hint="it is looked at again; if this goes on, see who else writes to this prefix",
            )

    def _set_aside(self, entry: SealedFile, error: SinkError) -> None:
        """Refuse what goes wrong again and again by itself, and at once what is not sealed."""
        _log.warning("capture_not_copied", capture=entry.id, reason=error.reason)
        if error.reason != "not_sealed" and self._wrong[entry.id] < _TRIES:
            return
        self._wrong.pop(entry.id)
        self._notes.note_copy(
            self._bucket.target,
            RemoteCopy(
                capture=entry.id,
                state=CopyState.REFUSED,
                sha256="",
                size_bytes=entry.size_bytes,
                changed_at=self._clock.wall(),
                reason=error.reason,
            ),
        )

    def _let_go(self, stopped: Callable[[], bool]) -> None:
        """Delete here what was copied long enough ago, if the bucket still has it at this moment."""
        if self._settings.remove_local_days is None:
            return
        before = self._clock.wall() - timedelta(days=self._settings.remove_local_days)
        may_go = self._notes.verified_before(self._bucket.target, before)
        for entry in self._files.list():
            if stopped():
                return
            if entry.id not in may_go:
                continue
            noted = self._notes.remote_copy(self._bucket.target, entry.id)
            if noted is not None and self._is_there(noted, entry):
                self._files.remove(entry.id)
            else:
                _log.warning("copy_is_gone", capture=entry.id)
                self._notes.forget_copies(self._bucket.target, [entry.id])

    def _tidy(self) -> None:
        """Drop what is noted about captures that went from here, but for verified copies of the last year."""
        kept = {entry.id for entry in self._files.list()}
        states = self._notes.remote_copies(self._bucket.target)
        gone = {capture: state for capture, state in states.items() if capture not in kept}
        old = self._notes.verified_before(self._bucket.target, self._clock.wall() - _REMEMBERED)
        for capture, state in gone.items():
            if state is not CopyState.BEGUN:
                continue
            noted = self._notes.remote_copy(self._bucket.target, capture)
            if noted is not None and noted.upload is not None:
                self._bucket.abort(self._bucket.key(file_of(capture)), noted.upload)
        done = [each for each, state in gone.items() if state is not CopyState.VERIFIED or each in old]
        self._notes.forget_copies(self._bucket.target, done)

    def _is_there(self, noted: RemoteCopy, entry: SealedFile) -> bool:
        found = self._bucket.find(self._bucket.key(file_of(entry.id)))
        return found is not None and (found.size_bytes, found.etag, found.version) == (
            entry.size_bytes,
            noted.etag,
            noted.version,
        )


def _read(file: BinaryIO, offset: int, length: int) -> bytes:
    """So many bytes of a file from there on.

    Raises:
        SinkError: There are fewer: somebody changes the file.
    """
    file.seek(offset)
    content = file.read(length)
    if len(content) != length:
        raise SinkError(
            "a sealed file changed while it was sent",
            reason="changed",
            hint="nothing of the appliance's changes one; look who does",
        )
    return content
