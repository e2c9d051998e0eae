"""The local Kinesis Video Streams server in a thread, with clients of it: boto3 as it is."""

import asyncio
import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import boto3
from botocore.config import Config

from appliance.clock import Clock
from appliance.video.kvs_server.archive import Archive, MemoryArchive
from appliance.video.kvs_server.faults import Fault
from appliance.video.kvs_server.ingest import Limits
from appliance.video.kvs_server.server import DEFAULT_REGION, KvsServer, Listener, Manners
from appliance.video.kvs_server.signatures import Credential

CREDENTIAL = Credential("AKIDLOCAL", "a secret of the tests")
PROMPT = Manners(settle_s=0.0, calls_per_s=None, quiet_s=0.2)
"""No pauses and no quota of calls."""


class LocalKvs:
    """A server that runs, and what reaches it."""

    def __init__(
        self, server: KvsServer, archive: Archive, loop: asyncio.AbstractEventLoop, ca: str | None
    ) -> None:
        self.server = server
        self.archive = archive
        self._loop = loop
        self._ca = ca

    @property
    def address(self) -> str:
        """Of the control plane."""
        return self.server.addresses[0]

    @property
    def port(self) -> int:
        """Of the data endpoint."""
        return int(self.server.addresses[-1].rpartition(":")[2])

    def fail(self, *faults: Fault) -> None:
        """Let things go wrong, from now on."""
        done = threading.Event()

        def switch() -> None:
            self.server.faults.add(*faults)
            done.set()

        self._loop.call_soon_threadsafe(switch)
        done.wait(10)

    def client(
        self,
        service: str = "kinesisvideo",
        *,
        credential: Credential = CREDENTIAL,
        address: str | None = None,
    ) -> Any:
        """A client of boto3, that tries once."""
        return boto3.client(
            service,
            endpoint_url=address or self.address,
            region_name=DEFAULT_REGION,
            aws_access_key_id=credential.access_key,
            aws_secret_access_key=credential.secret_key,
            aws_session_token=credential.session_token,
            verify=self._ca,
            config=Config(retries={"total_max_attempts": 1}),
        )

    def media_client(self, stream: str, api: str) -> Any:
        """A client of the archive or of live media, at the endpoint that the server names for it."""
        endpoint = self.client().get_data_endpoint(StreamName=stream, APIName=api)["DataEndpoint"]
        service = "kinesis-video-media" if api == "GET_MEDIA" else "kinesis-video-archived-media"
        return self.client(service, address=endpoint)

    def stream(self, name: str, *, hours: int = 24) -> str:
        """Make a stream; returns its ARN."""
        arn: str = self.client().create_stream(StreamName=name, DataRetentionInHours=hours)["StreamARN"]
        return arn


@contextmanager
def local_kvs(
    archive: Archive | None = None,
    *,
    credentials: Iterable[Credential] = (CREDENTIAL,),
    clock: Clock | None = None,
    limits: Limits | None = None,
    manners: Manners = PROMPT,
    tls: tuple[ssl.SSLContext, str] | None = None,
    plain_data: bool = False,
) -> Iterator[LocalKvs]:
    """A server on loopback, stopped at the end of the block.

    Args:
        archive: In memory unless given.
        credentials: Who may ask.
        clock: The system's unless given.
        limits: Of time.
        manners: Otherwise.
        tls: What the control plane is served with, and the file of the authority that clients trust.
        plain_data: The data endpoint is another port, without TLS.
    """
    listeners = [Listener(tls=tls[0] if tls else None)]
    if plain_data:
        listeners.append(Listener())
    loop = asyncio.new_event_loop()
    kept = archive or MemoryArchive()
    server = KvsServer(
        kept,
        credentials=credentials,
        listeners=listeners,
        clock=clock,
        manners=replace(manners, limits=limits) if limits is not None else manners,
    )
    thread = threading.Thread(target=loop.run_forever, name="local-kvs")
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
        yield LocalKvs(server, kept, loop, tls[1] if tls else None)
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
