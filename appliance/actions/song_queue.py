"""Whose turn it is when several songs are due at once. Pure: times are seconds of any steady clock."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """What happens when a song is due while another is played; see `AudioSettings`."""

    kind: Literal["one_after_another", "latest", "skip"] = "one_after_another"
    max_waiting: int = 3
    wait_s: float = 45.0


@dataclass(frozen=True, slots=True)
class Offered(Generic[T]):
    """What came of offering a song.

    Attributes:
        taken: It plays now or will; otherwise it is not played at all.
        dropped: Those that waited and are not played any more.
        cut: The one that plays, if it has to end now.
    """

    taken: bool
    dropped: tuple[T, ...] = ()
    cut: T | None = None


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[T]):
    song: T
    until: float


class SongQueue(Generic[T]):
    """The song that plays and those that wait.

    A song that is cut still plays until `ended` is called: outputs play one at a time.
    """

    def __init__(self) -> None:
        self._playing: T | None = None
        self._waiting: list[_Waiting[T]] = []

    @property
    def playing(self) -> T | None:
        """Which one plays."""
        return self._playing

    @property
    def waiting(self) -> tuple[T, ...]:
        """Which wait, the next first."""
        return tuple(each.song for each in self._waiting)

    def offer(self, song: T, policy: QueuePolicy, now: float) -> Offered[T]:
        """A song is due."""
        dropped = self.late(now)
        busy = self._playing is not None or bool(self._waiting)
        if policy.kind == "latest":
            dropped += self.clear()
            self._waiting.append(_Waiting(song, now + policy.wait_s))
            return Offered(taken=True, dropped=dropped, cut=self._playing)
        if busy and (policy.kind == "skip" or len(self._waiting) >= policy.max_waiting):
            return Offered(taken=False, dropped=dropped)
        self._waiting.append(_Waiting(song, now + policy.wait_s))
        return Offered(taken=True, dropped=dropped)

    def begin(self, now: float) -> T | None:
        """The song whose turn it is, which plays from now on; None: one plays already, or none waits."""
        if self._playing is not None:
            return None
        self._waiting = [each for each in self._waiting if each.until > now]
        if self._waiting:
            self._playing = self._waiting.pop(0).song
        return self._playing

    def ended(self) -> None:
        """The song that played is over."""
        self._playing = None

    def late(self, now: float) -> tuple[T, ...]:
        """Let those go that have waited too long."""
        gone = tuple(each.song for each in self._waiting if each.until <= now)
        self._waiting = [each for each in self._waiting if each.until > now]
        return gone

    def clear(self) -> tuple[T, ...]:
        """Let all go that wait."""
        gone, self._waiting = self.waiting, []
        return gone

    def next_late(self) -> float | None:
        """When the first of those that wait has waited too long."""
        return min((each.until for each in self._waiting), default=None)
