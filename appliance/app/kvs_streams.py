"""Kinesis Video Streams, put together for whoever asks: what checks a stream, and how sending is.

What sends, and to which streams, is `video_streams`' business; what plays from there is `video_archive`'s.
"""

from collections.abc import Iterable

from appliance.app.stream_folders import STATE, noted
from appliance.clock import Clock
from appliance.services import Layout
from appliance.settings import KvsSettings, Settings, stream_of
from appliance.video.kvs.checking import Checking, CheckParts
from appliance.video.kvs.connecting import Connecting
from appliance.video.kvs.control import Control
from appliance.video.kvs.credentials import CredentialSource
from appliance.video.kvs.endpoints import Endpoints
from appliance.video.kvs.preparing import StreamWish
from appliance.video.kvs.reading import Reader
from appliance.video.kvs.upload_state import UploadState, read_state


def camera_streams(settings: Settings) -> dict[str, str]:
    """Each camera's stream, by the camera's id."""
    return {each.id: stream_of(settings.video.kvs, settings.site, each.id) for each in settings.cameras}


def sent_before(settings: Settings, layout: Layout) -> tuple[str, ...]:
    """Names of streams that were sent to before; functions' only where what they record may leave.

    Args:
        settings: Whether it may.
        layout: Where their notes are.
    """
    functions = settings.deeplens.send_recordings
    return tuple(each.name for each in noted(layout.kvs) if functions or each.camera is not None)


def checking_of(settings: KvsSettings, stream: str, clock: Clock, *, raise_retention: bool) -> Checking:
    """What tries the whole path to a stream and back.

    Args:
        settings: Where the service is, and with whose credentials.
        stream: The stream's name.
        clock: Of this machine.
        raise_retention: Let a stream keep video for as long as the settings want, whatever they say of that.
    """
    wish = StreamWish(
        stream, settings.retention_hours, settings.create, settings.raise_retention or raise_retention
    )
    credentials = CredentialSource(settings)
    control = Control(settings, credentials, clock)
    endpoints = Endpoints(control, clock)
    parts = CheckParts(
        control,
        endpoints,
        credentials,
        Connecting(stream, settings, endpoints, credentials, clock),
        Reader(settings, endpoints, credentials, clock),
    )
    return Checking(wish, parts, clock)


def states(layout: Layout, streams: Iterable[str] = ()) -> tuple[UploadState, ...]:
    """How sending to each stream is, by name: those that were ever sent to, and those named.

    Args:
        layout: Where they tell it.
        streams: Names of streams that are told of even if nothing was ever sent there.
    """
    found = [read_state(path) for path in sorted(layout.kvs.glob(f"*/{STATE}"))]
    told = {name: UploadState(name) for name in streams}
    told |= {each.stream: each for each in found if each is not None}
    return tuple(told[name] for name in sorted(told))
