"""What is told of sending to a stream: its state for whoever looks, and news for whoever has to act.

Nothing is decided here. News is what lasts or needs somebody: a cut that is over within a minute is none.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog

from appliance.clock import Clock
from appliance.errors import ApplianceError, StreamError
from appliance.video.kvs.upload_state import UploadState, UploadWord, write_state

_log = structlog.get_logger()

_TELL_S: Final = 2.0
"""How often the state is written while it only grows."""
_TELL_OF: Final = 3
_TELL_SELDOM_S: Final = 30.0
"""After so many failures in a row it is written this seldom: a box may be offline for days."""
_NEWS_AFTER_S: Final = 60.0
"""Trouble that passes sooner is no news."""


@dataclass(frozen=True, slots=True)
class StreamNews:
    """Something that an admin may want to know.

    Attributes:
        stream: Name of the stream.
        reason: Stable code of what is in the way, as `StreamError` has it; `lost`: fragments were given up,
            and nothing else is in the way that is news; empty: it works again.
        message: The same in words.
        lost: Fragments that were given up since the last news.
    """

    stream: str
    reason: str
    message: str
    lost: int


class Telling:
    """One stream's; told by one thread, asked for its state by any.

    Args:
        stream: Its name.
        clock: For times that are told.
        fill: Puts into a state what is counted elsewhere.
        tell: Told news.
        state_file: Where the state is written; None: nowhere.
    """

    def __init__(
        self,
        stream: str,
        clock: Clock,
        fill: Callable[[UploadState], UploadState],
        *,
        tell: Callable[[StreamNews], object],
        state_file: Path | None,
    ) -> None:
        self._clock = clock
        self._fill = fill
        self._tell = tell
        self._state_file = state_file
        self._told = UploadState(stream)
        self._written = ("", "")
        self._written_at = float("-inf")
        self._trouble_since: float | None = None
        self._news = ""
        self._lost_told = 0

    @property
    def state(self) -> UploadState:
        """How it is now."""
        return self._fill(replace(self._told, at=self._clock.wall().isoformat()))

    @property
    def failures(self) -> int:
        """Failures in a row."""
        return self._told.failures

    @property
    def reason(self) -> str:
        """Code of what is in the way; empty: nothing."""
        return self._told.reason

    @property
    def word(self) -> UploadWord:
        """The state in a word."""
        return self._told.state

    def works(self) -> None:
        """Nothing is in the way."""
        if self._told.reason:
            _log.info("kvs_sent_again", stream=self._told.stream)
        self._trouble_since = None
        self._told = replace(self._told, failures=0, reason="", trouble="", hint="", next_try_at=None)
        if self._news:
            self._tell_of("", "")

    def rests(self) -> None:
        """Nothing is to be sent. What was in the way may be so still: that it works is told when it does."""
        self._trouble_since = None
        self._told = replace(self._told, failures=0, reason="", trouble="", hint="", next_try_at=None)
        self.say("idle")

    def failed(self, fault: StreamError, pause_s: float, *, acts: bool) -> None:
        """Something is in the way.

        Args:
            fault: What.
            pause_s: Seconds until the next try.
            acts: Whether somebody has to act.
        """
        if self._told.failures == 0 or fault.reason != self._told.reason:
            _log.warning("kvs_not_sent", stream=self._told.stream, reason=fault.reason, message=fault.message)
        now = self._clock.monotonic()
        self._trouble_since = now if self._trouble_since is None else self._trouble_since
        self._told = replace(
            self._told,
            failures=self._told.failures + 1,
            reason=fault.reason,
            trouble=fault.message,
            hint=fault.hint,
            next_try_at=(self._clock.wall() + timedelta(seconds=pause_s)).isoformat(),
        )
        if acts or now - self._trouble_since >= _NEWS_AFTER_S:
            self._tell_of(fault.reason, fault.message)
        self.say("stopped" if acts else "waiting")

    def say(self, word: UploadWord) -> None:
        """Keep the state, and write it: at once when it is another, else now and then."""
        self._told = replace(self._told, state=word)
        state, now = self.state, self._clock.monotonic()
        if state.lost > self._lost_told:
            self._tell_of("lost", "fragments were given up")
        if self._state_file is None or word == "connecting":
            return  # that is over soon, one way or the other
        often = state.failures <= _TELL_OF
        news = (word, state.reason) != self._written
        if (news and often) or now - self._written_at >= (_TELL_S if often else _TELL_SELDOM_S):
            self._written, self._written_at = (word, state.reason), now
            write_state(self._state_file, state)

    def _tell_of(self, reason: str, message: str) -> None:
        """Tell the admin, unless it is told already."""
        lost = self.state.lost
        if reason != self._news or lost > self._lost_told:
            more, self._lost_told = lost - self._lost_told, lost
            self._news = self._news if reason == "lost" else reason
            try:
                self._tell(StreamNews(self._told.stream, reason, message, more))
            except ApplianceError as error:
                _log.error("kvs_not_told", stream=self._told.stream, reason=error.message)
