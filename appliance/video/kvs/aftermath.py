"""What is done after a connection ended: which fragment is given up, how long to wait, what to ask anew.

Rules alone: nothing is waited for and nothing sent here. They are those of `error_ids` for errors about
fragments, and those below for refusals and for what breaks on the way.
"""

from dataclasses import dataclass
from typing import Final, Literal

from appliance.backoff import BackOff
from appliance.errors import StreamError, StreamReason
from appliance.video.kvs.acks import Ack
from appliance.video.kvs.error_ids import Reaction, is_known, meaning_of
from appliance.video.kvs.sending import Sent
from appliance.video.kvs.spool_files import SpoolEntry

FULL_JITTER: Final = BackOff(first_s=0.5, cap_s=8.0, jitter=1.0)
"""Anything between nothing and 1 s, 2 s, 4 s … 16 s: the official producer's."""
SLOWLY: Final = BackOff(first_s=60.0, cap_s=300.0, jitter=0.2)
"""Where somebody has to act first."""
TAKEN: Final = BackOff(first_s=2.0, cap_s=16.0, jitter=0.9)
"""Where the stream's only place is taken: a connection that was cut off holds it for some seconds."""
TAKEN_S: Final = (1.0, 30.0)
BLAMED: Final = 5
"""So often an error that nobody knows may be held against the same fragment until that is given up."""
BLAMED_UNNAMED: Final = 2
"""So often a refusal that names no fragment that is on its way may be held against the same one."""

_SOMEBODY_ACTS: Final[frozenset[StreamReason]] = frozenset(
    {
        *("denied", "no_stream", "not_active", "no_credentials", "certificate"),
        *("retention", "key", "limit", "argument"),
    }
)
"""Trying again soon cannot help."""
_ASK_ANEW: Final[frozenset[StreamReason]] = frozenset(
    {"unreachable", "no_stream", "not_active", "endpoint", "failed", "argument", "denied", "silent"}
)
"""After these, stream and endpoint are asked for again."""

Pace = Literal["soon", "taken", "slowly"]


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What is done.

    Attributes:
        fault: What is wrong, in words.
        give_up: A fragment that will never be taken; None: none.
        pace: How long until the next try: `soon` (full jitter), `taken` (1 to 30 s), `slowly` (minutes).
        failure: Whether it counts as one, so that pauses grow.
        ask_anew: Whether stream and endpoint are asked for again first.
        new_credentials: Whether credentials are looked for anew.
    """

    fault: StreamError
    give_up: SpoolEntry | None = None
    pace: Pace = "soon"
    failure: bool = True
    ask_anew: bool = False
    new_credentials: bool = False

    def pause_s(self, failures: int) -> float:
        """Seconds until the next try.

        Args:
            failures: In a row, this one included.
        """
        if not self.failure:
            return 0.0
        if self.pace == "slowly":
            return SLOWLY.delay(failures)
        if self.pace == "taken":
            return min(max(TAKEN.delay(failures), TAKEN_S[0]), TAKEN_S[1])
        return FULL_JITTER.delay(failures)


class Judge:
    """Says what is done; remembers which fragments were blamed, so that none stops all others for ever."""

    def __init__(self) -> None:
        self._blamed: dict[int, int] = {}

    def of_fault(self, fault: StreamError) -> Aftermath:
        """After a refusal, a cut, or a question that was not answered."""
        if fault.reason == "occupied":
            return Aftermath(fault, pace="taken")
        return Aftermath(
            fault,
            pace="slowly" if fault.reason in _SOMEBODY_ACTS else "soon",
            ask_anew=fault.reason in _ASK_ANEW,
            new_credentials=fault.reason in {"credentials", "denied", "clock"},
        )

    def of(self, sent: Sent) -> Aftermath | None:
        """After a connection; None: nothing is wrong, the next may follow at once."""
        if sent.ending is None:
            return None
        if sent.ending.error is not None:
            return self._of_error(sent, sent.ending.error)
        if sent.ending.fault is not None:
            return self.of_fault(sent.ending.fault)
        return self.of_fault(
            StreamError(
                "the service ended the connection too soon", reason="cut", hint="it is tried again by itself"
            )
        )

    def _of_error(self, sent: Sent, error: Ack) -> Aftermath:
        meaning = meaning_of(error.error_id, error.error_code)
        number = "" if error.error_id is None else f" (error {error.error_id})"
        fault = StreamError(meaning.words + number, reason=meaning.reason, hint=meaning.hint)
        gone = None
        if meaning.reaction is Reaction.SKIP:
            gone = sent.suspect if sent.named else self._blame(sent.suspect, BLAMED_UNNAMED)
        elif not is_known(error.error_id, error.error_code):
            gone = self._blame(sent.suspect, BLAMED)
        return Aftermath(
            fault,
            give_up=gone,
            pace="slowly" if meaning.reaction is Reaction.ALARM else "soon",
            # The next fragment may follow at once: it was this one that was wrong.
            failure=meaning.failure and not (gone is not None and sent.persisted),
            ask_anew=meaning.anew,
        )

    def _blame(self, entry: SpoolEntry | None, most: int) -> SpoolEntry | None:
        """Hold an error against a fragment; the fragment, if that is enough now."""
        if entry is None:
            return None
        count = self._blamed.pop(entry.sequence, 0) + 1
        if count >= most:
            return entry
        if len(self._blamed) > _REMEMBERED:
            self._blamed.clear()
        self._blamed[entry.sequence] = count
        return None


_REMEMBERED: Final = 1000
