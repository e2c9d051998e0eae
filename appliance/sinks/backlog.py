"""What copying works on, by protocol: the spool and the notes; and what is to be done, worked out of both.

Reads and writes nothing by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO, Protocol

from appliance.values import CopyState, RemoteCopy


class SealedFile(Protocol):
    """A sealed capture in the spool, as its file shows it."""

    @property
    def id(self) -> str:
        """Of the capture."""

    @property
    def size_bytes(self) -> int:
        """Of the file."""

    @property
    def sealed_at(self) -> datetime:
        """When, aware UTC."""


class SealedFiles(Protocol):
    """The spool, as far as copying goes."""

    def list(self) -> Sequence[SealedFile]:
        """Every capture, the oldest first."""

    def signature(self) -> int:
        """Another number whenever a capture has come or gone; cheap to ask."""

    def open(self, capture: str) -> BinaryIO | None:
        """To read one; None: it is gone. Raises EvidenceError when it cannot be read."""

    def sealed(self, beginning: bytes) -> bool:
        """Whether a file that begins so is sealed."""

    def remove(self, capture: str) -> bool:
        """Delete one and log why; false when it is gone already."""


class Notes(Protocol):
    """What is noted about copies; see `appliance.store.remote_copies`."""

    def remote_copies(self, target: str) -> Mapping[str, CopyState]:
        """How far every copy is, by capture."""

    def remote_copy(self, target: str, capture: str) -> RemoteCopy | None:
        """What is noted about one."""

    def verified_before(self, target: str, at: datetime) -> set[str]:
        """Captures whose copies were verified at that time or earlier."""

    def note_copy(self, target: str, copy: RemoteCopy) -> None:
        """Note what became of one."""

    def forget_copies(self, target: str, captures: Sequence[str]) -> None:
        """Drop what is noted about these."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """How far copying is.

    Attributes:
        captures: Captures in the spool.
        verified: Of these, copied and verified.
        refused: Of these, not sent.
        waiting: Of these, too fresh to be sent.
        due: Of these, to be sent now.
        due_bytes: Bytes of those.
        oldest_due: When the oldest of those was sealed; None: there is none.
    """

    captures: int
    verified: int
    refused: int
    waiting: int
    due: tuple[SealedFile, ...]
    due_bytes: int
    oldest_due: datetime | None


def backlog(
    entries: Sequence[SealedFile], states: Mapping[str, CopyState], now: datetime, wait_s: float
) -> Backlog:
    """Sort captures by what there is to be done about them; the due ones oldest first.

    A capture dated in the future, by a clock that was wrong, waits no longer than any other.
    """
    wait = timedelta(seconds=wait_s)
    open_ = [each for each in entries if states.get(each.id, CopyState.BEGUN) is CopyState.BEGUN]
    due = tuple(each for each in open_ if not abs(now - each.sealed_at) < wait)
    known = [states[each.id] for each in entries if each.id in states]
    return Backlog(
        captures=len(entries),
        verified=known.count(CopyState.VERIFIED),
        refused=known.count(CopyState.REFUSED),
        waiting=len(open_) - len(due),
        due=due,
        due_bytes=sum(each.size_bytes for each in due),
        oldest_due=due[0].sealed_at if due else None,
    )
