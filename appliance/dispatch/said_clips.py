"""In words: clips of video, and the streams that what is recorded is sent to."""

from collections.abc import Mapping
from typing import Final

from appliance.dispatch.said import SHORT, Call, count, place, said
from appliance.events import ClipBegun, ClipDeleted, ClipEnded, ClipExported, ClipFailed, StreamTrouble
from appliance.phrases import CLIP_ENDS, NO_CLIP, lasting

_DELETED: Final[Mapping[str, str]] = {
    "age": "it was too old",
    "size": "clips were too large together",
    "room": "the disk was nearly full",
    "asked": "somebody deleted it",
    "damaged": "nothing of it could be read",
}
_STREAM: Final[Mapping[str, str]] = {
    "": "",
    "unreachable": ": the service is not reached",
    "credentials": ": the service takes none of the credentials",
    "denied": ": the credentials do not allow it",
    "stream": ": there is no such stream, or it keeps nothing",
    "encryption": ": the stream's own key cannot be used",
    "clock": ": this box's clock is wrong",
    "refused": ": the service refuses what it is sent",
    "lost": ": fragments had to be given up",
}
_MIB: Final = 1024 * 1024


@said.register
def _(event: ClipBegun, _call: Call) -> str:
    return f"clip {event.clip[-SHORT:]} began{place(event)}"


@said.register
def _(event: ClipEnded, _call: Call) -> str:
    size = f"{count(event.fragments, 'fragment')}, {event.size_bytes / _MIB:.1f} MiB"
    lasted = lasting((event.end_ms - event.begin_ms) / 1000)
    return f"clip {event.clip[-SHORT:]} of {lasted}{place(event)} ended: {CLIP_ENDS[event.why]} ({size})"


@said.register
def _(event: ClipFailed, _call: Call) -> str:
    return f"no clip was recorded{place(event)}: {NO_CLIP[event.reason]}"


@said.register
def _(event: ClipExported, _call: Call) -> str:
    return f"clip {event.clip[-SHORT:]}{place(event)} left the box as a file, in the clear"


@said.register
def _(event: ClipDeleted, _call: Call) -> str:
    return f"clip {event.clip[-SHORT:]} was deleted with its key: {_DELETED[event.reason]}"


@said.register
def _(event: StreamTrouble, _call: Call) -> str:
    lost = f" ({count(event.fragments_lost, 'fragment')} given up)" if event.fragments_lost else ""
    if event.type == "stream_recovered":
        return f"stream {event.stream}: what is recorded arrives again{lost}"
    return f"stream {event.stream}: what is recorded does not arrive{_STREAM[event.reason]}{lost}"
