"""A local Kinesis Video Streams for a trial without AWS: its keys, its certificate, what it keeps.

Keys of its own are made once and lie in a file of AWS's own form, mode 0600; nothing of them is printed. The
server is in `appliance.video.kvs_server`, which says what it checks and what it does not.
"""

import asyncio
import configparser
import contextlib
import ipaddress
import secrets
import signal
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from appliance import private_files
from appliance.clock import SystemClock
from appliance.errors import VideoError
from appliance.vault import Vault
from appliance.vault.certificate import ensure_certificate
from appliance.video.kvs_server.archive import Archive, MemoryArchive
from appliance.video.kvs_server.archive_folder import FolderArchive
from appliance.video.kvs_server.faults import Fault, Faults
from appliance.video.kvs_server.quotas import Quotas
from appliance.video.kvs_server.server import DEFAULT_REGION, KvsServer, Listener, Manners
from appliance.video.kvs_server.signatures import SERVICE, Credential

FOLDER: Final = "kvs-local"
"""In the state directory: keys, certificate, and sealed media where they are to be kept."""
_MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """What lies beside the server.

    Attributes:
        folder: Of all of it.
    """

    folder: Path

    @property
    def credentials(self) -> Path:
        """Keys, as AWS's own tools write and read them."""
        return self.folder / "credentials"

    @property
    def certificate(self) -> Path:
        """What clients of the control plane trust; the official C client wants a name that ends so."""
        return self.folder / "certificate.pem"

    @property
    def key(self) -> Path:
        """The certificate's private key."""
        return self.folder / "certificate.key"

    @property
    def archive(self) -> Path:
        """Streams and fragments, sealed."""
        return self.folder / "archive"


@dataclass(frozen=True, slots=True)
class LocalServing:
    """How to serve.

    Attributes:
        host: Where to listen.
        port: Of the control plane; 0: whichever is free.
        media_port: Of media, over plain HTTP; None: media take the control plane's port and TLS.
        region: The one it stands for.
        max_mib: Media held in memory.
        faults: What is to go wrong.
        denied: Operations that the keys may not call, such as `PutMedia`.
        strict: Whether fragments and bytes a second are counted, and short fragments refused.
    """

    host: str = "127.0.0.1"
    port: int = 0
    media_port: int | None = None
    region: str = DEFAULT_REGION
    max_mib: int = 512
    faults: Sequence[Fault] = ()
    denied: Sequence[str] = ()
    strict: bool = False


def local_credential(files: LocalFiles) -> Credential:
    """The server's own keys, made the first time.

    Raises:
        VideoError: The file cannot be read, or is none.
    """
    written = (
        "[default]\n"
        f"aws_access_key_id = LOCAL{secrets.token_hex(8).upper()}\n"
        f"aws_secret_access_key = {secrets.token_urlsafe(30)}\n"
    )
    try:
        files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        private_files.write_once(files.credentials, written.encode())
        parser = configparser.RawConfigParser()
        parser.read_string(files.credentials.read_text(encoding="utf-8"))
        found = parser["default"]
        return Credential(
            found["aws_access_key_id"], found["aws_secret_access_key"], found.get("aws_session_token")
        )
    except (OSError, KeyError, UnicodeDecodeError, configparser.Error):
        raise VideoError(
            f"the keys in {files.credentials} cannot be read", hint="delete the file: others are made"
        ) from None


def serve_local(
    serving: LocalServing,
    files: LocalFiles,
    *,
    vault: Vault | None,
    ready: Callable[[KvsServer], None],
) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        serving: How.
        files: Where keys and certificate lie.
        vault: Seals what is to be kept on the disk; None: everything stays in memory.
        ready: Told the server when it listens.

    Raises:
        VideoError: A port is taken, the host is no single address, or a file cannot be read or written.
        VaultError: The certificate cannot be made.
    """
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(serving.host).is_unspecified:
            raise VideoError(
                f"{serving.host} is every address and none: clients are told where to send media",
                hint="name one address of this machine",
            )
    denied = frozenset(f"{SERVICE}:{each}" for each in serving.denied)
    credential = replace(local_credential(files), denied=denied)
    ensure_certificate(files.certificate, files.key, [serving.host], SystemClock().wall())
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files.certificate, files.key)
    listeners = [Listener(serving.host, serving.port, tls)]
    if serving.media_port is not None:
        listeners.append(Listener(serving.host, serving.media_port))
    archive: Archive = MemoryArchive(max_bytes=serving.max_mib * _MIB)
    if vault is not None:
        archive = FolderArchive(files.archive, vault)
    server = KvsServer(
        archive,
        credentials=[credential],
        listeners=listeners,
        region=serving.region,
        faults=Faults(serving.faults),
        manners=Manners(quotas=Quotas() if serving.strict else None),
    )
    asyncio.run(_serve(server, ready))


async def _serve(server: KvsServer, ready: Callable[[KvsServer], None]) -> None:
    asked_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked_to_stop.set)
    async with server.running():
        ready(server)
        await asked_to_stop.wait()
