"""What uploads, whole, against a local server of Kinesis Video Streams, in time that flies."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from swift_loop import LoopClock

from appliance.errors import VaultError
from appliance.settings import KvsSettings
from appliance.video.fragment import Fragment
from appliance.video.kvs.clients import client_of
from appliance.video.kvs.connecting import Connecting
from appliance.video.kvs.control import Api, Control, StreamFacts
from appliance.video.kvs.credentials import Credentials, CredentialSource
from appliance.video.kvs.endpoints import Endpoints
from appliance.video.kvs.preparing import Preparing, StreamWish
from appliance.video.kvs.reading import Reader
from appliance.video.kvs.spool import Seal, Spool
from appliance.video.kvs.still import STILL_MS, still
from appliance.video.kvs.telling import StreamNews
from appliance.video.kvs.uploader import Uploader
from appliance.video.kvs_server.archive import MemoryArchive
from appliance.video.kvs_server.faults import Fault, Faults
from appliance.video.kvs_server.server import KvsServer, Listener, Manners
from appliance.video.kvs_server.signatures import Credential

NOON_MS = 1_790_000_000_000
REGION = "eu-central-1"
STREAM = "office-door"
ACCESS_KEY, SECRET_KEY = "AKIDTRIAL", "a secret that nobody guesses"
MIB = 1024 * 1024
CLIP_MS = 60_000


def toy_seal(row: str, content: bytes) -> bytes:
    """Binds content to its place, as the vault does; hides nothing."""
    return len(row.encode()).to_bytes(2, "big") + row.encode() + len(content).to_bytes(8, "big") + content


def toy_unseal(row: str, sealed: bytes) -> bytes:
    """Opens what `toy_seal` sealed at the same place, whole."""
    head = toy_seal(row, b"")[:-8]
    content = sealed[len(head) + 8 :]
    if not sealed.startswith(head) or len(content) != int.from_bytes(
        sealed[len(head) : len(head) + 8], "big"
    ):
        raise VaultError("it does not open")
    return content


def credentials_file(
    folder: Path, secret: str = SECRET_KEY, *, key: str = ACCESS_KEY, token: str = ""
) -> Path:
    """A file as AWS's tools write it."""
    lines = ["[default]", f"aws_access_key_id = {key}", f"aws_secret_access_key = {secret}"]
    path = folder / "credentials"
    path.write_text("\n".join([*lines, *([f"aws_session_token = {token}"] if token else [])]) + "\n")
    return path


def clip(
    begin_ms: int,
    count: int,
    *,
    tags: tuple[tuple[str, str], ...] = (),
    each_ms: int = STILL_MS,
    more_bytes: int = 0,
) -> list[Fragment]:
    """Fragments one after the other.

    Args:
        begin_ms: When the first begins.
        count: How many.
        tags: Of each.
        each_ms: How long each lasts.
        more_bytes: Filler in each.
    """
    return [
        stretched(still(begin_ms + place * each_ms, tags=tags, last=place == count - 1), each_ms, more_bytes)
        for place in range(count)
    ]


def stretched(fragment: Fragment, each_ms: int, more_bytes: int = 0) -> Fragment:
    """A fragment that lasts longer and weighs more."""
    step = each_ms // len(fragment.frames)
    filler = (more_bytes.to_bytes(4, "big") + b"\x0c" + b"\xff" * (more_bytes - 1)) if more_bytes else b""
    frames = tuple(
        replace(
            frame,
            timecode_ms=fragment.timecode_ms + place * step,
            duration_ms=step,
            data=frame.data + (filler if frame.key else b""),
        )
        for place, frame in enumerate(fragment.frames)
    )
    return replace(fragment, frames=frames)


class Signpost:
    """The service's control plane, that may name another place to send to.

    Attributes:
        to: That place; None: the service's own.
    """

    def __init__(self, control: Control, to: str | None = None) -> None:
        self._control = control
        self.to = to

    def endpoint(self, stream: str, api: Api) -> str:
        """Where to."""
        return self.to if self.to is not None else self._control.endpoint(stream, api)

    def describe(self, stream: str) -> StreamFacts | None:
        """As the service says."""
        return self._control.describe(stream)

    def create(self, stream: str, retention_hours: int) -> None:
        """As the service does."""
        self._control.create(stream, retention_hours)

    def raise_retention(self, facts: StreamFacts, retention_hours: int) -> None:
        """As the service does."""
        self._control.raise_retention(facts, retention_hours)


@dataclass
class Box:
    """A server, and one stream's sender.

    Attributes:
        server: The service.
        archive: What it stored.
        settings: Of the sender.
        clock: The loop's.
        folder: Where the spool is.
        news: What the admin was told.
    """

    server: KvsServer
    archive: MemoryArchive
    settings: KvsSettings
    clock: LoopClock
    folder: Path
    news: list[StreamNews] = field(default_factory=list)
    tell: Callable[[StreamNews], object] | None = None
    uploader: Uploader = field(init=False)
    spool: Spool = field(init=False)
    control: Control = field(init=False)
    reader: Reader = field(init=False)
    signpost: Signpost = field(init=False)

    def __post_init__(self) -> None:
        """Put the sender together."""
        self.renew()

    def renew(self, kind: type[Spool] = Spool, seal: Seal = toy_seal, *, max_bytes: int = 64 * MIB) -> None:
        """A sender as after a restart: nothing is left but what is on the disk."""
        source = CredentialSource(self.settings)
        self.control = Control(self.settings, source, self.clock)
        self.signpost = Signpost(self.control)
        endpoints = Endpoints(self.signpost, self.clock)
        self.reader = Reader(self.settings, endpoints, source, self.clock)
        wish = StreamWish(
            STREAM, self.settings.retention_hours, self.settings.create, self.settings.raise_retention
        )
        self.spool = kind(self.folder / "spool", seal, toy_unseal, max_bytes=max_bytes)
        self.spool.load()
        self.uploader = Uploader(
            self.spool,
            Preparing(wish, self.control, self.clock),
            Connecting(STREAM, self.settings, endpoints, source, self.clock),
            self.clock,
            tell=self.tell or self.news.append,
            state_file=self.folder / "state.json",
        )

    def offer(self, fragments: list[Fragment], name: str = "clip-1") -> list[int]:
        """Hand a clip over; when its fragments begin."""
        assert all(self.uploader.offer(name, fragment) for fragment in fragments)
        return [fragment.timecode_ms for fragment in fragments]

    @contextlib.asynccontextmanager
    async def sending(self) -> AsyncIterator[Uploader]:
        """The sender at work; ended at the end of the block."""
        task = asyncio.create_task(self.uploader.run())
        try:
            yield self.uploader
        finally:
            self.uploader.close()
            await task

    @property
    def stored(self) -> list[int]:
        """When the fragments began that the service stored, in the order in which they came."""
        return [row.producer_ms for row in self.archive.fragments(STREAM)]

    async def make_stream(self, hours: int) -> None:
        """Make the stream as somebody else would, also one that keeps nothing."""
        await asyncio.to_thread(self._make_stream, hours)

    def _make_stream(self, hours: int) -> None:
        credentials = Credentials(ACCESS_KEY, SECRET_KEY)
        client = client_of("kinesisvideo", self.settings, credentials, REGION, self.settings.endpoint)
        client.create_stream(StreamName=STREAM, MediaType="video/h264", DataRetentionInHours=hours)

    async def until(self, what: Callable[[], bool], *, within_s: float = 3600.0) -> None:
        """Wait, in the loop's time."""
        async with asyncio.timeout(within_s):
            while not what():  # noqa: ASYNC110 - what is waited for is looked at, as an admin would
                await asyncio.sleep(0.5)

    async def emptied(self, *, within_s: float = 3600.0) -> None:
        """Wait until nothing waits to be sent."""
        await self.until(lambda: self.spool.state().fragments == 0, within_s=within_s)


@contextlib.asynccontextmanager
async def kvs_box(
    clock: LoopClock,
    folder: Path,
    *faults: Fault,
    archive: MemoryArchive | None = None,
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    manners: Manners | None = None,
    credentials: tuple[Credential, ...] = (Credential(ACCESS_KEY, SECRET_KEY),),
    **settings: object,
) -> AsyncIterator[Box]:
    """A server that listens, and a sender that knows where."""
    archive = archive or MemoryArchive()
    server = KvsServer(
        archive,
        credentials=credentials,
        listeners=(Listener(tls=tls, port=port),),
        region=REGION,
        clock=clock,
        faults=Faults(faults),
        manners=manners,
    )
    async with server.running():
        known = KvsSettings.model_validate(
            {
                "enabled": True,
                "endpoint": server.addresses[0],
                "region": REGION,
                "credentials_file": credentials_file(folder),
                **settings,
            }
        )
        yield Box(server, archive, known, clock, folder)
