"""Switches that make the server fail in the ways the service can: for tests, and for trying a producer out.

A fault waits for its moment and then happens as often as it says, once by default. Fragments are counted
from the start of the server, over all connections, each stream for itself, and one that is sent again
counts again. Nothing happens that no switch asks for.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from appliance.errors import InputError
from appliance.video.kvs_server.acks import Saying

Moment = Literal["buffering", "within", "received", "stored", "persisted"]
"""When, in a fragment's life: BUFFERING was said; some of its bytes came, and not all; RECEIVED was said and
nothing is stored; it is stored and nobody was told; PERSISTED was said."""
WITHIN_BYTES: Final = 64
"""The body is looked at in pieces of this size while a connection is to be cut within a fragment."""


@dataclass(frozen=True, slots=True)
class ErrorAck:
    """The server says ERROR, and closes.

    Attributes:
        error_id: As in the table of error ids; others are sent as unknown ones.
        fragment: In which, >= 1.
        bare: Without timecode and number.
        when: At what moment of that fragment; `buffering` or `received`.
        times: How often.
    """

    error_id: int
    fragment: int
    bare: bool = False
    when: Moment = "buffering"
    times: int = 1


@dataclass(frozen=True, slots=True)
class Cut:
    """The server resets the connection without a word.

    Attributes:
        when: At what moment of the fragment.
        fragment: In which, >= 1; if it is sent again, it is another.
        held_s: Seconds for which the stream's one place stays taken afterwards, as by a half-open
            predecessor.
        times: How often.
        after_bytes: `within`: once at least so many bytes of the fragment came.
    """

    when: Moment
    fragment: int
    held_s: float = 0.0
    times: int = 1
    after_bytes: int = 1


@dataclass(frozen=True, slots=True)
class Delay:
    """The server says something later than it could, and what would come after it, too.

    Attributes:
        saying: What.
        seconds: By how much.
        fragment: Of which, >= 1; None: of the next.
        times: How often.
    """

    saying: Saying
    seconds: float
    fragment: int | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Mute:
    """The server reads and stores, and on that connection says nothing of fragments from one on, nor IDLE.

    Attributes:
        fragment: From which on, >= 1.
        times: On how many connections.
    """

    fragment: int
    times: int = 1


@dataclass(frozen=True, slots=True)
class Refuse:
    """A request is answered with an error.

    Attributes:
        code: The type of error, such as `ConnectionLimitExceededException`.
        operation: Which one is refused, such as `PutMedia` or `DescribeStream`.
        status: Of HTTP; None: the one that belongs to the type.
        times: How often.
    """

    code: str
    operation: str = "PutMedia"
    status: int | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class SlowReader:
    """The server takes a body no faster than this.

    Attributes:
        bytes_per_s: > 0.
        times: On how many connections.
    """

    bytes_per_s: int
    times: int = 1


Fault = ErrorAck | Cut | Delay | Mute | Refuse | SlowReader


class Faults:
    """What is to go wrong, and has not yet.

    Args:
        faults: To begin with.
    """

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._waiting: list[tuple[Fault, int]] = [(each, each.times) for each in faults]

    def add(self, *faults: Fault) -> None:
        """Let more go wrong."""
        self._waiting += [(each, each.times) for each in faults]

    @property
    def waiting(self) -> tuple[Fault, ...]:
        """What has not happened as often as it should."""
        return tuple(fault for fault, _ in self._waiting)

    def refusal(self, operation: str) -> Refuse | None:
        """What this request is to be refused with; None: nothing."""
        for fault in self.waiting:
            if isinstance(fault, Refuse) and fault.operation == operation:
                self._spend(fault)
                return fault
        return None

    def slow_reader(self) -> SlowReader | None:
        """How slowly this body is to be taken; None: as fast as can be."""
        for fault in self.waiting:
            if isinstance(fault, SlowReader):
                self._spend(fault)
                return fault
        return None

    def at(self, moment: Moment, fragment: int, *, came_bytes: int = 0) -> ErrorAck | Cut | None:
        """What ends the connection at this moment of a fragment; None: nothing.

        Args:
            moment: Which.
            fragment: Of which.
            came_bytes: `within`: how many bytes of it came.
        """
        for fault in self.waiting:
            if isinstance(fault, ErrorAck | Cut) and (fault.when, fault.fragment) == (moment, fragment):
                if moment == "within" and isinstance(fault, Cut) and came_bytes < fault.after_bytes:
                    continue
                self._spend(fault)
                return fault
        return None

    @property
    def looks_within(self) -> bool:
        """Whether something is to happen within a fragment."""
        return any(isinstance(each, ErrorAck | Cut) and each.when == "within" for each in self.waiting)

    def delay_s(self, saying: Saying, fragment: int) -> float:
        """By how much that is to be said later."""
        for fault in self.waiting:
            if isinstance(fault, Delay) and fault.saying == saying and fault.fragment in {None, fragment}:
                self._spend(fault)
                return fault.seconds
        return 0.0

    def mutes(self, fragment: int) -> bool:
        """Whether nothing more is to be said from this fragment on."""
        for fault in self.waiting:
            if isinstance(fault, Mute) and fault.fragment <= fragment:
                self._spend(fault)
                return True
        return False

    def _spend(self, fault: Fault) -> None:
        index = next(at for at, (each, _) in enumerate(self._waiting) if each is fault)
        left = self._waiting[index][1] - 1
        self._waiting[index : index + 1] = [(fault, left)] if left else []


_SWITCH: Final = re.compile(
    r"(?P<kind>[a-z]+)(:(?P<what>[A-Za-z][A-Za-z0-9]*|[1-9][0-9]{0,8}))?(=(?P<value>[A-Za-z0-9.]+))?"
    r"(@(?P<fragment>[1-9][0-9]{0,8}))?(\*(?P<times>[1-9][0-9]{0,5}))?"
)
_NUMBER: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?")
_MOMENTS: Final[Mapping[str, Moment]] = {each: each for each in get_args(Moment)}
_SAYINGS: Final[Mapping[str, Saying]] = {each: each for each in get_args(Saying)}
_STATUS_CODES: Final = {
    400: "InvalidArgumentException",
    401: "NotAuthorizedException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    500: "InternalFailureException",
}
SWITCHES: Final = (
    "error:ID@N  error:ID=bare@N  cut:MOMENT@N  delay:SAYING=SECONDS@N  mute@N  slow:BYTES_PER_S  "
    "refuse:TYPE_OR_STATUS  refuse:TYPE_OR_STATUS=OPERATION"
)
"""How faults are written. Each may end with `*TIMES`."""


def parse_fault(text: str) -> Fault:
    """A fault as it is written on the command line.

    Raises:
        InputError: It is none; the hint says which there are.
    """
    try:
        return _fault(text)
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{text!r} is no fault", hint=f"one of: {SWITCHES}") from None


def _fault(text: str) -> Fault:
    match = _SWITCH.fullmatch(text)
    if match is None:
        raise ValueError
    what, value = match["what"] or "", match["value"]
    fragment = int(match["fragment"] or 1)
    times = int(match["times"] or 1)
    match match["kind"]:
        case "error":
            if value not in {None, "bare"}:
                raise ValueError
            return ErrorAck(int(what), fragment, bare=value is not None, times=times)
        case "cut":
            return Cut(_MOMENTS[what], fragment, _seconds(value or "0"), times)
        case "delay":
            number = int(match["fragment"]) if match["fragment"] else None
            return Delay(_SAYINGS[what.upper()], _seconds(value or ""), number, times)
        case "mute":
            return Mute(fragment, times)
        case "slow":
            return SlowReader(int(what), times)
        case "refuse":
            status = int(what) if what.isdigit() else None
            code = _STATUS_CODES[status] if status is not None else what
            if not code:
                raise ValueError
            return Refuse(code, value or "PutMedia", status, times)
    raise ValueError


def _seconds(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError
    return float(text)
