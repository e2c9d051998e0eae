"""Streams outside of the box: a sender for each, fed with what is recorded for it, and how it goes with them.

A camera has one stream, named by the settings; a function's stream is sent only where the settings say that
what functions record may leave. What waits is sealed under a key of the stream's own, wrapped by the device
key. Which fragments there are is the recorder's business, and sending them `appliance.video.kvs`'.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, Protocol

import structlog

from appliance import private_files
from appliance.app.stream_folders import (
    KEY,
    SPOOL,
    STATE,
    OutsideStream,
    drop_at_rest,
    folder_of,
    is_stream_name,
    note,
    noted,
    something_waits,
    spool_subject,
)
from appliance.clock import Clock
from appliance.errors import ApplianceError, VideoError
from appliance.events import Event, StreamTrouble
from appliance.services import Layout
from appliance.settings import Settings
from appliance.settings.kvs import stream_of
from appliance.vault import Vault
from appliance.video.fragment import Fragment
from appliance.video.kvs.telling import StreamNews
from appliance.video.kvs.upload_state import UploadState
from appliance.video.wishes import OURS
from appliance.wire.messages import StreamTold

_log = structlog.get_logger()

MOST_STREAMS: Final = 64
_END_S: Final = 1.5

_REASONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("no_credentials", "credentials"), "credentials"),
    **dict.fromkeys(("denied",), "denied"),
    **dict.fromkeys(("no_stream", "not_active", "retention"), "stream"),
    **dict.fromkeys(("key",), "encryption"),
    **dict.fromkeys(("clock",), "clock"),
    **dict.fromkeys(("limit", "argument", "media", "fragment"), "refused"),
    **dict.fromkeys(("spool", "lost"), "lost"),
}
"""What stands in the way, as the sender has it → as the log does; all else: the service is not reached."""


class Sender(Protocol):
    """Sends one stream; see `kvs.uploader.Uploader`."""

    def offer(self, clip: str, fragment: Fragment) -> bool:
        """Take a fragment; whether it is kept until it is sent."""

    def end(self, clip: str) -> None:
        """Nothing more comes of this clip."""

    def drop(self, clip: str) -> int:
        """Somebody deleted a clip: send nothing more of it. How many fragments waited. Raises StreamError."""

    @property
    def state(self) -> UploadState:
        """How it is."""

    def start(self) -> None:
        """Begin. Raises VideoError."""

    def close(self) -> None:
        """End, leaving what is not stored in the spool."""


Make = Callable[[OutsideStream], Sender]


class VideoStreams:
    """All of them; see `recording.Outlet`.

    Args:
        folder: Where what waits lies, a folder per stream.
        own: Camera → its stream.
        functions: Whether functions' streams are sent.
        retention_hours: For which a function's stream is made that does not say.
        make: Makes a sender.
    """

    def __init__(
        self, folder: Path, own: Callable[[str], str], *, functions: bool, retention_hours: int, make: Make
    ) -> None:
        self._folder = folder
        self._own = own
        self._functions = functions
        self._retention_hours = retention_hours
        self._make = make
        self._lock = threading.Lock()
        self._senders: dict[str, tuple[OutsideStream, Sender]] = {}
        self._open: dict[str, set[str]] = {}

    def open(self, cameras: Iterable[str]) -> None:
        """Begin with every camera's stream, and with those of which something waits from before.

        Of a stream that nothing waits for, nobody asks the service: it may have been deleted there, and would
        be made again.

        Args:
            cameras: Ids of those that the settings name.
        """
        for camera in cameras:
            self._sender(self._of(camera))
        for stream in noted(self._folder):
            wanted = self._functions or stream.camera is not None
            if wanted and something_waits(self._folder, stream.name):
                self._sender(stream)

    def want(self, name: str, retention_hours: float | None) -> None:
        """A function records for a stream: have a sender for it, if such streams are sent."""
        if not self._functions or not is_stream_name(name):
            return
        hours = max(1, round(retention_hours)) if retention_hours else self._retention_hours
        self._sender(OutsideStream(name, None, hours))

    def take(self, camera: str, clip: str, fragment: Fragment, streams: frozenset[str]) -> None:
        """See `recording.Outlet`."""
        if OURS in streams:
            self._sender(self._of(camera))  # a camera may be named on the command line
        wanted = {self._own(camera) if each == OURS else each for each in streams}
        with self._lock:
            known = {name: sender for name, (_, sender) in self._senders.items() if name in wanted}
            ended = self._open.get(clip, set()) - known.keys()
            gone = [self._senders[name][1] for name in ended]
            self._open[clip] = set(known)
        for sender in gone:
            sender.end(clip)
        for sender in known.values():
            sender.offer(clip, fragment)

    def end(self, clip: str) -> None:
        """See `recording.Outlet`."""
        with self._lock:
            senders = [self._senders[name][1] for name in self._open.pop(clip, set())]
        for sender in senders:
            sender.end(clip)

    def drop(self, clip: str) -> int:
        """Somebody deleted a clip: nothing of it is sent any more; how many of its fragments waited.

        It goes from every spool, also from those of streams that are not sent to just now.

        Raises:
            StreamError: Something cannot be deleted, and waits still.
        """
        with self._lock:
            senders = {folder_of(self._folder, name): sender for name, (_, sender) in self._senders.items()}
            return sum(each.drop(clip) for each in senders.values()) + drop_at_rest(
                self._folder, clip, but=senders.keys()
            )

    def told(self) -> tuple[StreamTold, ...]:
        """How it goes with each, by name."""
        with self._lock:
            senders = sorted(self._senders.items())
        return tuple(_told(stream, sender.state) for _, (stream, sender) in senders)

    def close(self) -> None:
        """End all of them; what does not arrive in a moment stays in the spool."""
        with self._lock:
            senders = [sender for _, sender in self._senders.values()]
        threads = [threading.Thread(target=sender.close, daemon=True) for sender in senders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(_END_S)

    def _of(self, camera: str) -> OutsideStream:
        return OutsideStream(self._own(camera), camera, self._retention_hours)

    def _sender(self, stream: OutsideStream) -> None:
        with self._lock:
            if stream.name in self._senders:
                return
            if len(self._senders) >= MOST_STREAMS:
                _log.warning("too_many_streams", limit=MOST_STREAMS)
                return
            try:
                note(self._folder, stream)
                sender = self._make(stream)
                sender.start()
            except (ApplianceError, OSError) as error:
                _log.error("stream_not_sent", stream=stream.name, reason=str(error))
                return
            self._senders[stream.name] = stream, sender


def outside_streams(
    settings: Settings, layout: Layout, vault: Vault, clock: Clock, told: Callable[[Event], object]
) -> VideoStreams | None:
    """Those that the settings name; None: nothing is sent.

    Args:
        settings: Of the video, of functions, of the cameras.
        layout: Where things lie.
        vault: Seals what waits.
        clock: Of the box.
        told: Takes events about streams.
    """
    kvs = settings.video.kvs
    if not kvs.enabled:
        return None
    from appliance.video.kvs.connecting import Connecting  # noqa: PLC0415 - loads boto
    from appliance.video.kvs.control import Control  # noqa: PLC0415
    from appliance.video.kvs.credentials import CredentialSource  # noqa: PLC0415
    from appliance.video.kvs.endpoints import Endpoints  # noqa: PLC0415
    from appliance.video.kvs.preparing import Preparing, StreamWish  # noqa: PLC0415
    from appliance.video.kvs.spool import Spool  # noqa: PLC0415
    from appliance.video.kvs.uploader import Uploader  # noqa: PLC0415

    credentials = CredentialSource(kvs)
    control = Control(kvs, credentials, clock)
    endpoints = Endpoints(control, clock)

    def tell(news: StreamNews) -> None:
        told(event_of(news))

    def make(stream: OutsideStream) -> Sender:
        folder = folder_of(layout.kvs, stream.name)
        sealing = SpoolSealing(folder, vault)
        wish = StreamWish(stream.name, stream.retention_hours, kvs.create, kvs.raise_retention)
        return Uploader(
            Spool(folder / SPOOL, sealing.seal, sealing.unseal, max_bytes=kvs.spool_mib << 20),
            Preparing(wish, control, clock),
            Connecting(stream.name, kvs, endpoints, credentials, clock),
            clock,
            tell=tell,
            state_file=folder / STATE,
        )

    return VideoStreams(
        layout.kvs,
        lambda camera: stream_of(kvs, settings.site, camera),
        functions=settings.deeplens.send_recordings,
        retention_hours=kvs.retention_hours,
        make=make,
    )


class SpoolSealing:
    """Seals what waits to be sent, under the stream's own key, which lies beside it, wrapped.

    Args:
        folder: The stream's.
        vault: Wraps the key.
    """

    def __init__(self, folder: Path, vault: Vault) -> None:
        self._key_file = folder / KEY
        self._subject = spool_subject(folder)
        self._vault = vault

    def seal(self, row: str, content: bytes) -> bytes:
        """Seal something that rests at `row`.

        Raises:
            VaultError: The vault is locked.
            VideoError: The key cannot be written.
        """
        return self._vault.seal(self._key(), self._subject, content, row=row)

    def unseal(self, row: str, sealed: bytes) -> bytes:
        """Open it.

        Raises:
            VaultError: It rests elsewhere, is damaged, or of another box.
            VideoError: The key cannot be read.
        """
        return self._vault.open(self._key(), self._subject, sealed, row=row)

    def _key(self) -> bytes:
        try:
            if not self._key_file.exists():
                private_files.write_once(self._key_file, self._vault.new_subject_key(self._subject))
            return self._key_file.read_bytes()
        except OSError as error:
            raise VideoError(f"the key of a stream cannot be kept: {error.strerror}") from error


def event_of(news: StreamNews) -> StreamTrouble:
    """What the log says of it."""
    if not news.reason:
        return StreamTrouble(type="stream_recovered", stream=news.stream, fragments_lost=news.lost)
    return StreamTrouble.model_validate(
        {
            "type": "stream_trouble",
            "stream": news.stream,
            "reason": _REASONS.get(news.reason, "unreachable"),
            "fragments_lost": news.lost,
        }
    )


def _told(stream: OutsideStream, state: UploadState) -> StreamTold:
    return StreamTold(
        stream=stream.name,
        camera=stream.camera,
        state=state.state,
        waiting=state.waiting,
        waiting_bytes=state.waiting_bytes,
        persisted=state.persisted,
        lost=state.lost,
        newest_ms=state.newest_ms,
        oldest_end_ms=state.oldest_end_ms,
        acks=state.acks,
        trouble=state.trouble,
        hint=state.hint,
    )
