"""Locks: how one is told to open. Told once, in time or not at all; whether it may is not asked here.

Each driver tells its lock within the time that the decision has left and never later: nothing is queued for a
broker, a network or a program that is away now. What a lock is told holds nothing of anybody.
"""

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from appliance.errors import ActionError
from appliance.processes import end_group, how_it_ended

_KEPT: Final = ("PATH", "LANG", "HOME")
"""What a program inherits of our environment: ours may hold secrets."""
_PATH: Final = "/usr/local/bin:/usr/bin:/bin"
_TERM_S: Final = 0.5
_POLL_S: Final = 0.05
_OFFER_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Opening:
    """One opening of a lock.

    Attributes:
        lock: Its id.
        event_id: Of the event that says it was granted.
        key: The same if this were ever told twice.
        at: Now, aware.
        left_s: Seconds in which the lock has to be told.
    """

    lock: str
    event_id: str
    key: str
    at: datetime
    left_s: float

    @property
    def until(self) -> int:
        """The second since 1970 after which it is too late."""
        return int((self.at + timedelta(seconds=max(0.0, self.left_s))).timestamp()) + 1

    def document(self) -> dict[str, Any]:
        """As JSON values, for a lock that reads more than "open"."""
        return {
            "id": self.event_id,
            "type": "unlock",
            "lock": self.lock,
            "at": self.at.isoformat(),
            "until": self.until,
            "key": self.key,
        }


class LockDriver(Protocol):
    """Tells one lock. One opening at a time, always from the same thread."""

    def open(self, opening: Opening) -> None:
        """Tell the lock; returning means that it was told, as far as this kind of lock can say.

        Raises:
            ActionError: It was not told, or did not do it; `unknown` where it may have opened after all.
        """

    def close(self) -> None:
        """Give up what is being told; called from another thread, more than once perhaps."""


class Offering(Protocol):
    """A connection to a broker that sends what can be sent now, and keeps nothing for later."""

    def alive(self, wait_s: float) -> bool:
        """Whether the broker answers within so many seconds."""

    def offer(self, topic: str, payload: bytes, *, wait_s: float, expiry_s: float | None = None) -> bool:
        """Publish if there is a connection; whether it went out. The broker drops it after `expiry_s`."""


class Posting(Protocol):
    """Posts a signed document to one address, once."""

    def post(self, content: dict[str, Any], *, key: str, begin_s: float) -> int:
        """Post it; the status of the answer.

        Raises:
            ActionError: It was not taken, or nothing was sent because that could not begin within so many
                seconds; `unknown` where it was sent and no answer came.
        """

    def close(self) -> None:
        """End the request that is under way."""


class MqttLock:
    """A lock that listens to a topic.

    Published without a receipt and never kept, neither by us nor by the broker: a message that waits for a
    connection would open the door when nobody stands there any more. Nor is one published to a broker that
    does not answer at this moment: it lies in its way until the broker wakes.

    Args:
        broker: The connection.
        topic: The whole topic.
        payload: The message, with `{until}`, which a lock has to look at, and `{key}` where it is wanted.
    """

    def __init__(self, broker: Offering, topic: str, payload: str) -> None:
        self._broker = broker
        self._topic = topic
        self._payload = payload

    def open(self, opening: Opening) -> None:
        """See `LockDriver`."""
        words = self._payload.replace("{until}", str(opening.until)).replace("{key}", opening.key)
        over_s = time.monotonic() + opening.left_s  # the machine's own clock: a broker takes real time
        if opening.left_s <= 0 or not self._broker.alive(min(_OFFER_S, opening.left_s)):
            raise ActionError(
                "the broker does not answer at this moment; the lock was not told",
                permanent=True,
                hint="look at the broker; the next decision tries again",
            )
        left_s = over_s - time.monotonic()
        if left_s <= 0:
            raise ActionError("too late; the lock was not told", permanent=True)
        wait_s = min(_OFFER_S, left_s)
        if not self._broker.offer(self._topic, words.encode(), wait_s=wait_s, expiry_s=left_s):
            raise ActionError(
                "the broker went away in the middle; what the lock may still hear says until when it counts",
                unknown=True,
                hint="look at the broker; the next decision tries again",
            )

    def close(self) -> None:
        """The connection is shared, and closed by whoever made it."""


class HttpLock:
    """A lock with an address: a signed POST, as webhooks are.

    Args:
        posting: Knows the address and the secret.
    """

    def __init__(self, posting: Posting) -> None:
        self._posting = posting

    def open(self, opening: Opening) -> None:
        """See `LockDriver`."""
        if opening.left_s <= 0:
            raise ActionError("too late; the lock was not told", permanent=True)
        self._posting.post(opening.document(), key=opening.key, begin_s=opening.left_s)

    def close(self) -> None:
        """See `LockDriver`."""
        self._posting.close()


class CommandLock:
    """A program that opens the lock: a relay on this machine, a script of the admin's.

    A list of words that no shell sees; what is opened arrives as JSON on standard input. It gets a process
    group of its own, which is ended when it takes too long.

    Args:
        argv: Program and arguments, as they are.
        timeout_s: Seconds it may run.
        environment: Where PATH, LANG and HOME are taken from; this process's, if None.
    """

    def __init__(
        self, argv: Sequence[str], timeout_s: float, environment: Mapping[str, str] | None = None
    ) -> None:
        self._argv = tuple(argv)
        self._timeout_s = timeout_s
        self._environment = environment
        self._closed = threading.Event()

    def open(self, opening: Opening) -> None:
        """See `LockDriver`; exit codes other than 0 did not open, a program cut off is *unknown*."""
        if self._closed.is_set() or opening.left_s <= 0:
            raise ActionError("not begun; the lock was not told", permanent=True)
        ours = os.environ if self._environment is None else self._environment
        kept = {name: ours[name] for name in _KEPT if name in ours}
        try:
            process = subprocess.Popen(
                self._argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"PATH": _PATH, **kept, "APPLIANCE_IDEMPOTENCY_KEY": opening.key},
                process_group=0,
            )
        except (OSError, ValueError) as error:
            raise ActionError(
                "the lock's program cannot be run",
                permanent=True,
                hint="look at argv: its full path, and whether it may be run",
            ) from error
        self._tell(process, json.dumps(opening.document()).encode() + b"\n")
        self._watch(process)

    def close(self) -> None:
        """See `LockDriver`."""
        self._closed.set()

    @staticmethod
    def _tell(process: subprocess.Popen[bytes], body: bytes) -> None:
        """Less than a pipe holds, so writing it waits for nobody."""
        assert process.stdin is not None  # noqa: S101 - asked for above
        try:
            with process.stdin as stream:
                stream.write(body)
        except OSError:
            return  # it does not want to know

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        # The machine's own clock: a program takes real time.
        until_s = time.monotonic() + self._timeout_s
        while process.poll() is None:
            if self._closed.is_set() or time.monotonic() >= until_s:
                end_group(process, _TERM_S)
                late = f"it took longer than {self._timeout_s:g} s"
                why = "dispatch stops" if self._closed.is_set() else late
                raise ActionError(f"the lock's program was ended: {why}; it may have opened", unknown=True)
            time.sleep(_POLL_S)
        if process.returncode < 0:  # by somebody else: what it had done by then it does not say
            how = how_it_ended(process.returncode)
            raise ActionError(f"the lock's program was ended: {how}; it may have opened", unknown=True)
        if process.returncode != 0:
            raise ActionError(
                f"the lock's program failed: {how_it_ended(process.returncode)}",
                permanent=True,
                hint="run it by hand",
            )


class UntoldLock:
    """A lock that the settings do not say how to tell.

    Args:
        error: What is missing.
    """

    def __init__(self, error: ActionError) -> None:
        self._error = error

    def open(self, opening: Opening) -> None:
        """See `LockDriver`; never returns."""
        del opening
        raise ActionError(self._error.message, permanent=True, hint=self._error.hint)

    def close(self) -> None:
        """Nothing to give up."""


def program_of(argv: Sequence[str]) -> str | None:
    """Where the program of a command lock lies; None: there is none that may be run."""
    return shutil.which(argv[0], path=os.environ.get("PATH", _PATH)) if argv else None
