"""Sentences about clips of video, and about where they are sent."""

from collections.abc import Mapping
from typing import Final

from appliance.app.desk.saying import Names, camera_of, quoted, said
from appliance.events import ClipBegun, ClipDeleted, ClipEnded, ClipExported, ClipFailed, StreamTrouble
from appliance.phrases import CLIP_ENDS, NO_CLIP, lasting

_DELETED: Final[Mapping[str, str]] = {
    "age": "it was as old as clips may become",
    "size": "clips take no more room than the settings say",
    "room": "the disk was nearly full",
    "asked": "somebody wanted that",
    "damaged": "nothing of it could be read any more",
}
_STREAM: Final[Mapping[str, str]] = {
    "": "",
    "unreachable": ": the service is not reached",
    "credentials": ": the service does not take the box's credentials",
    "denied": ": the box is not allowed to",
    "stream": ": there is no such stream, or it keeps nothing",
    "encryption": ": the stream's own key cannot be used",
    "clock": ": this box's clock is wrong",
    "refused": ": the service refuses what it is sent",
    "lost": ": some of it had to be given up",
}


@said.register
def _(event: ClipBegun, _: Names) -> str:
    return f"a clip of {camera_of(event)} began"


@said.register
def _(event: ClipEnded, _: Names) -> str:
    lasted = lasting((event.end_ms - event.begin_ms) / 1000)
    return f"a clip of {camera_of(event)}, {lasted} long, ended: {CLIP_ENDS[event.why]}"


@said.register
def _(event: ClipFailed, _: Names) -> str:
    return f"no clip of {camera_of(event)} was recorded: {NO_CLIP[event.reason]}"


@said.register
def _(event: ClipExported, _: Names) -> str:
    return f"a clip of {camera_of(event)} left the box as a file, in the clear"


@said.register
def _(event: ClipDeleted, _: Names) -> str:
    return f"a clip of {camera_of(event)} was deleted: {_DELETED[event.reason]}"


@said.register
def _(event: StreamTrouble, _: Names) -> str:
    if event.type == "stream_recovered":
        return f"video arrives at the stream{quoted(event.stream)} again"
    return f"video does not arrive at the stream{quoted(event.stream)}{_STREAM[event.reason]}"
