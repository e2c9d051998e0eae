"""How sending to a stream is: counted while it is done, told as values, written for whoever asks.

What is told holds a stream's name, numbers and plain words; nothing of what is in a clip.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import structlog

_log = structlog.get_logger()

UploadWord = Literal["idle", "connecting", "sending", "waiting", "stopped"]
"""Nothing is to be sent; a connection is being made; one is there; the next try is due later; somebody has to
do something first (it is tried now and then)."""

_MS: Final = 1000.0


@dataclass(slots=True)
class Counts:
    """What happened since the start.

    Attributes:
        acks: Answers, by what they said.
        connections: Made.
        persisted: Fragments stored.
        resent: Fragments that were sent once more.
        newest_ms: When the newest stored fragment began, milliseconds since the epoch; None: there is none.
        furthest: The highest place in the spool's order that was sent.
    """

    acks: dict[str, int] = field(default_factory=dict)
    connections: int = 0
    persisted: int = 0
    resent: int = 0
    newest_ms: int | None = None
    furthest: int = 0


@dataclass(frozen=True, slots=True)
class UploadState:
    """How it is.

    Attributes:
        stream: Name of the stream.
        state: In a word.
        at: When this was so, ISO 8601.
        waiting: Fragments that are not known to be stored.
        waiting_bytes: What they take on the disk.
        waiting_clips: Clips that they belong to.
        oldest_end_ms: When the oldest of them ended, milliseconds since the epoch; None: none waits.
        acks: Answers since the start, by what they said.
        connections: Since the start.
        persisted: Fragments stored since the start.
        resent: Fragments that were sent once more.
        lost: Fragments that were given up since the start.
        lost_clips: Clips that went because there was no room, since the start.
        newest_ms: When the newest stored fragment began; None: there is none.
        retention_hours: For how long the service keeps video; None: not known yet.
        failures: In a row.
        reason: Code of what is in the way; empty: nothing.
        trouble: The same in words.
        hint: What to do about it.
        next_try_at: When it is tried again, ISO 8601; None: it is not waiting.
    """

    stream: str
    state: UploadWord = "idle"
    at: str = ""
    waiting: int = 0
    waiting_bytes: int = 0
    waiting_clips: int = 0
    oldest_end_ms: int | None = None
    acks: dict[str, int] = field(default_factory=dict)
    connections: int = 0
    persisted: int = 0
    resent: int = 0
    lost: int = 0
    lost_clips: int = 0
    newest_ms: int | None = None
    retention_hours: int | None = None
    failures: int = 0
    reason: str = ""
    trouble: str = ""
    hint: str = ""
    next_try_at: str | None = None

    def lag_s(self, now_s: float) -> float:
        """Seconds since the oldest fragment ended that is not known to be stored; 0: none waits.

        Args:
            now_s: Now, seconds since the epoch.
        """
        return 0.0 if self.oldest_end_ms is None else max(0.0, now_s - self.oldest_end_ms / _MS)


def write_state(path: Path, state: UploadState) -> None:
    """Write it for whoever asks; that it cannot be written stops nothing."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.new")
        beside.touch(mode=0o600)
        beside.write_text(json.dumps(asdict(state), indent=1) + "\n", encoding="utf-8")
        beside.replace(path)  # whole or not at all; what it says is not worth waiting for the disk
    except OSError as error:
        _log.warning("kvs_state_not_written", reason=error.strerror)


def read_state(path: Path) -> UploadState | None:
    """What was written last; None: nothing, or nothing that can be read."""
    try:
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return UploadState(**{name: raw[name] for name in UploadState.__slots__})
    except (OSError, ValueError, KeyError, TypeError):
        return None
