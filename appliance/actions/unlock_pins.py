"""PINs on their way to a decision: which lock's keypad has one, and what it says of whom.

The PIN itself never comes here: the desk compares it with the hash of whoever a decision names, and tells
the outcome for that decision alone. What is not told within its time is not there. Nothing is kept on disk.
"""

import threading
from dataclasses import dataclass, field
from typing import Final

from appliance.actions.unlock_policy import PinWord
from appliance.clock import Clock

HELD_S: Final = 15.0
"""Seconds for which a PIN is held after it was typed, in which its person has to be recognised."""
_MOST_WORDS: Final = 64
"""Decisions that one typed PIN is held against."""
_POLL_S: Final = 0.1


@dataclass(slots=True)
class _Typed:
    """A PIN at a keypad.

    Attributes:
        turn: Names this typing of one; another replaces it.
        until_s: Monotonic seconds.
        words: By decision.
    """

    turn: str
    until_s: float
    words: dict[str, PinWord] = field(default_factory=dict)


class Pins:
    """Safe to be used by several threads.

    Args:
        clock: The monotonic one is used.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._typed: dict[str, _Typed] = {}
        self._closed = False

    def typed(self, lock: str, turn: str) -> None:
        """A PIN was typed at a lock's keypad; one that was typed there before is void."""
        with self._changed:
            self._typed[lock] = _Typed(turn, self._clock.monotonic() + HELD_S)
            self._changed.notify_all()

    def gone(self, lock: str, turn: str) -> None:
        """It is not to be used any more; of another turn: nothing happens."""
        with self._changed:
            if lock in self._typed and self._typed[lock].turn == turn:
                del self._typed[lock]
                self._changed.notify_all()

    def judged(self, lock: str, turn: str, decision: str, word: PinWord) -> None:
        """What it says of the person whom a decision names; of another turn: nothing happens."""
        with self._changed:
            typed = self._there(lock)
            if typed is not None and typed.turn == turn and len(typed.words) < _MOST_WORDS:
                typed.words[decision] = word
                self._changed.notify_all()

    def take(self, lock: str, decision: str, until_s: float) -> PinWord:
        """What the PIN at a lock's keypad says of a decision; waits for it if one was typed.

        A PIN that fits is used up by this: it opens once.

        Args:
            lock: Whose keypad.
            decision: Id of its event.
            until_s: Monotonic seconds until which it is waited for, at most.
        """
        with self._changed:
            while not self._closed:
                typed = self._there(lock)
                if typed is None:
                    return PinWord.NONE
                word = typed.words.get(decision)
                if word is PinWord.FITS:
                    del self._typed[lock]
                if word is not None:
                    return word
                left = min(until_s, typed.until_s) - self._clock.monotonic()
                if left <= 0:
                    return PinWord.NONE
                self._changed.wait(min(left, _POLL_S))
        return PinWord.NONE

    def close(self) -> None:
        """Nobody waits any more."""
        with self._changed:
            self._closed = True
            self._typed.clear()
            self._changed.notify_all()

    def _there(self, lock: str) -> _Typed | None:
        """The PIN at a lock's keypad, unless its time is over."""
        typed = self._typed.get(lock)
        if typed is not None and self._clock.monotonic() >= typed.until_s:
            del self._typed[lock]
            return None
        return typed
