"""What the process that records answers about video at Kinesis Video Streams, so that it is played here.

The service is asked with the box's own credentials, only when somebody looks, and its addresses stay in this
process. Who may look is settled by whoever asks.
"""

from collections.abc import Callable

from appliance.clock import Clock
from appliance.errors import StreamError
from appliance.settings import Settings
from appliance.settings.kvs import stream_of
from appliance.video.kvs.views import HlsViews
from appliance.wire import Handler, Message, Reply, Request
from appliance.wire.messages import ArchiveOpened, ArchiveRead, OpenArchive, ReadArchive


class ArchiveAnswers:
    """Answers; its methods may run at once.

    Args:
        stream: Camera → its stream.
        views: What is looked at; None: nothing is sent anywhere.
    """

    def __init__(self, stream: Callable[[str], str], views: HlsViews | None) -> None:
        self._stream = stream
        self._views = views

    def handlers(self) -> dict[type[Message], Handler]:
        """By message, for a server."""
        return {OpenArchive: self.open, ReadArchive: self.read}

    def open(self, request: Request[OpenArchive]) -> Reply[ArchiveOpened]:
        """Open a view of a camera's stream."""
        asked = request.message
        opened = self._known().open(self._stream(asked.camera), asked.begin_ms, asked.end_ms)
        return Reply(ArchiveOpened(view=opened.view, name=opened.name))

    def read(self, request: Request[ReadArchive]) -> Reply[ArchiveRead]:
        """A playlist or a piece of it."""
        asked = request.message
        kind, content = self._known().read(asked.view, asked.name, asked.query)
        return Reply(ArchiveRead(media_type=kind), blob=content)

    def _known(self) -> HlsViews:
        if self._views is None:
            raise StreamError(
                "no video is sent to Kinesis Video Streams",
                reason="no_stream",
                hint="it is switched on in the settings, [video.kvs]",
            )
        return self._views


def archive_answers(settings: Settings, clock: Clock) -> ArchiveAnswers:
    """Those of a box.

    Args:
        settings: Of the video and the site.
        clock: Of the box.
    """
    kvs = settings.video.kvs

    def stream(camera: str) -> str:
        return stream_of(kvs, settings.site, camera)

    if not kvs.enabled:
        return ArchiveAnswers(stream, None)
    from appliance.video.kvs.control import Control  # noqa: PLC0415 - loads boto
    from appliance.video.kvs.credentials import CredentialSource  # noqa: PLC0415
    from appliance.video.kvs.endpoints import Endpoints  # noqa: PLC0415
    from appliance.video.kvs.reading import Reader  # noqa: PLC0415
    from appliance.video.kvs.views import fetching  # noqa: PLC0415

    credentials = CredentialSource(kvs)
    endpoints = Endpoints(Control(kvs, credentials, clock), clock)
    reader = Reader(kvs, endpoints, credentials, clock)
    return ArchiveAnswers(
        stream, HlsViews(reader, fetching(None if kvs.ca_file is None else str(kvs.ca_file)), clock)
    )
