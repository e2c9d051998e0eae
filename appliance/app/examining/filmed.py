"""Recorded video: whether it is recorded, what there is of it, and whether it arrives where it is sent."""

from collections.abc import Iterator

from appliance.app.examining.finding import Finding, Health
from appliance.app.examining.processes import answers
from appliance.errors import WireError
from appliance.phrases import counted
from appliance.services import Layout
from appliance.settings import Settings
from appliance.video.clip_folder import clip_ids
from appliance.wire import Client
from appliance.wire.messages import AskVideo, StreamTold, VideoTold

_PATIENCE_S = 2.0
_MIB = 1024 * 1024
_SUBJECT = "clips"


def filmed(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """What the process that records says; while none runs, what lies on the disk.

    Raises:
        VideoError: The folder of clips cannot be read.
    """
    if not settings.video.enabled:
        yield Finding(_SUBJECT, "ok", "no video is recorded: that is switched off")
        return
    try:
        told = Client(layout.socket("video"), timeout_s=_PATIENCE_S).call(AskVideo(), VideoTold).message
    except WireError:
        kept = counted(len(clip_ids(layout.clips)), "clip")
        if answers(layout):
            yield Finding(_SUBJECT, "problem", f"{kept} stored; the part that records does not answer")
        else:
            yield Finding(_SUBJECT, "ok", f"{kept} stored; nothing records now")
        return
    room = told.free_bytes - settings.video.min_free_mib * _MIB
    words = f"{counted(told.clips, 'clip')} stored, {told.size_bytes // _MIB} MiB"
    if told.trouble:
        yield Finding(_SUBJECT, "problem", f"{words}; {told.trouble}")
    elif room <= 0 and not told.clips:
        yield Finding(
            _SUBJECT, "problem", f"{words}; there is no room for any", "make room on the disk of the state"
        )
    else:
        now = ", ".join(each.camera for each in told.recording)
        yield Finding(_SUBJECT, "ok", f"{words}; recording {now}" if now else words)
    for stream in told.streams:
        yield _sent(stream)


def _sent(stream: StreamTold) -> Finding:
    """One stream outside of the box."""
    waiting = f"{counted(stream.waiting, 'fragment')} waiting" if stream.waiting else "nothing waits"
    words = f"{waiting}, {stream.persisted} stored there since the start"
    if stream.lost:
        words += f", {stream.lost} given up"
    subject = f"stream {stream.stream}"
    if not stream.trouble:
        return Finding(subject, "ok", words)
    health: Health = "problem" if stream.state == "stopped" else "note"
    return Finding(
        subject, health, f"{words}; in the way: {stream.trouble}", stream.hint, "appliance kvs check"
    )
