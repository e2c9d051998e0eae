"""What is wrong with a camera's stream, in words, and what to set in the camera so that it is not.

A fault is told as a `Trouble` where recording goes on in spite of it, and is the `fault` of an
`UnusableVideoError` where it cannot.
"""

from dataclasses import dataclass
from enum import StrEnum

from appliance.errors import UnusableVideoError


class Fault(StrEnum):
    """What can be wrong; `UnusableVideoError.fault` is one of these, or one of `h264`'s."""

    LONG_GROUP = "long_group"
    OPEN_GROUP = "open_group"
    NO_KEYFRAME = "no_keyframe"
    NO_PARAMETERS = "no_parameters"
    DAMAGED = "damaged"
    NO_TIMES = "no_times"
    OTHER_CODEC = "other_codec"
    SIZE_CHANGED = "size_changed"
    TIMES_BACK = "times_back"
    CLOCK_SET = "clock_set"
    MISSED = "missed"
    NO_ENCODER = "no_encoder"


_INTERVAL = (
    "in the camera's settings, set the I-frame interval (GOP) to 2 s, that is to twice its frames a second, "
    "and switch off smart or dynamic GOP (H.264+, Zipstream, Smart Codec)"
)

_SAID: dict[Fault, tuple[str, str]] = {
    Fault.LONG_GROUP: (
        "the camera sends a picture to begin with less often than every 10 s, or irregularly",
        _INTERVAL,
    ),
    Fault.OPEN_GROUP: (
        "the camera's keyframes lean on pictures before them (open GOP): nothing can begin with one",
        f"switch on closed GOP, or IDR for every I-frame; {_INTERVAL}",
    ),
    Fault.NO_KEYFRAME: (
        "the camera sends no keyframe (it refreshes its picture bit by bit): nothing can begin",
        f"switch off intra refresh; {_INTERVAL}",
    ),
    Fault.NO_PARAMETERS: (
        "the camera's H.264 comes without SPS and PPS, which say how to decode it",
        "in the camera's settings, switch on sending SPS and PPS with every I-frame, or choose profile Main",
    ),
    Fault.DAMAGED: (
        "what the camera sends cannot be read as H.264",
        "look at the network to it, then at its firmware",
    ),
    Fault.NO_TIMES: (
        "the camera shows pictures in another order than it sends them, and gives them no times",
        "switch off B-frames in the camera's settings (profile Baseline), or fetch its video by RTSP",
    ),
    Fault.OTHER_CODEC: (
        "the camera's video is not H.264",
        "choose H.264 in the camera's settings: it is copied, which costs next to nothing",
    ),
    Fault.SIZE_CHANGED: ("the camera's picture is of another size or kind from here on", ""),
    Fault.TIMES_BACK: (
        "the camera's timestamps went back or jumped",
        "if that happens again and again, look at how the camera sets its clock: once a day is enough",
    ),
    Fault.CLOCK_SET: (
        "the clock of this box was set while it recorded; another clip goes on by the new time",
        "let this box set its clock from a time server",
    ),
    Fault.MISSED: (
        "the recorder was too slow for the camera, and pictures are missing",
        "give it less to do",
    ),
    Fault.NO_ENCODER: (
        "no encoder for H.264 is installed, so only cameras that send H.264 can be recorded",
        "install PyAV from the package index, or choose H.264 in the camera's settings",
    ),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a stream that is recorded all the same.

    Attributes:
        fault: A stable code.
        words: What is wrong.
        hint: What to do about it; empty: nothing.
    """

    fault: Fault
    words: str
    hint: str = ""

    @property
    def lasts(self) -> bool:
        """Whether it is so still, and not something that happened once."""
        return self.fault not in {Fault.SIZE_CHANGED, Fault.CLOCK_SET}


def trouble(fault: Fault, words: str = "") -> Trouble:
    """A trouble in its usual words, or in these."""
    usual, hint = _SAID[fault]
    return Trouble(fault, words or usual, hint)


def unusable(fault: Fault, words: str = "") -> UnusableVideoError:
    """The error that says that nothing can be made of a stream."""
    usual, hint = _SAID[fault]
    return UnusableVideoError(words or usual, fault=fault.value, hint=hint)


def trouble_of(error: UnusableVideoError) -> Trouble:
    """What an error says, where something else is done instead."""
    fault = Fault(error.fault) if error.fault in set(Fault) else Fault.DAMAGED
    return Trouble(fault, error.message, error.hint or _SAID[fault][1])
