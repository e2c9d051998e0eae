"""Makes connections to a stream: asks where to, with which credentials, signs, and opens a PutMedia.

Credentials are looked up for every connection, so those that were rotated are taken up with the next. What
goes over the connection is `sending`'s business.
"""

import asyncio
import ssl

from appliance.clock import Clock
from appliance.errors import StreamError
from appliance.settings import KvsSettings
from appliance.video.kvs.clients import ca_file
from appliance.video.kvs.credentials import CredentialSource
from appliance.video.kvs.duplex import trusting
from appliance.video.kvs.endpoints import Endpoints
from appliance.video.kvs.put_media import Ears, PutMedia
from appliance.video.kvs.signing import SignedHead, signed_head
from appliance.video.kvs.spooled import SpooledFragment


class Connecting:
    """To one stream.

    Args:
        stream: Its name.
        settings: Whom to trust, and how long the service may be silent.
        endpoints: Where to.
        credentials: Whose name it goes in.
        clock: Held against the service's.
    """

    def __init__(
        self,
        stream: str,
        settings: KvsSettings,
        endpoints: Endpoints,
        credentials: CredentialSource,
        clock: Clock,
    ) -> None:
        self.stream = stream
        self._endpoints = endpoints
        self._credentials = credentials
        self._settings = settings
        self._clock = clock

    async def open(self, first: SpooledFragment, ears: Ears) -> PutMedia:
        """A connection on which this fragment is the first; nothing of it is sent yet.

        Args:
            first: The fragment.
            ears: Who hears what the service says.

        Raises:
            StreamError: There are no credentials, no endpoint, or nobody there.
        """
        head = await asyncio.to_thread(self._head, first.timecode_ms)
        return await PutMedia.open(
            head, ears, self._clock, trust=self._trust, silent_s=self._settings.silent_s
        )

    def forget(self) -> None:
        """Ask anew where to, the next time."""
        self._endpoints.forget(self.stream)

    def forget_credentials(self) -> None:
        """Look for credentials anew, also for those that AWS's library keeps fresh."""
        self._credentials.forget()

    def _head(self, start_ms: int) -> SignedHead:
        endpoint = self._endpoints.get(self.stream, "PUT_MEDIA")
        if endpoint.startswith("http:") and self._settings.endpoint is None:
            # Only somebody who named a service of their own may be sent to one that does not encrypt.
            raise StreamError("the service's answer where to send to is not encrypted", reason="endpoint")
        try:
            return signed_head(
                endpoint, self.stream, start_ms, self._credentials.fresh(), self._credentials.region
            )
        except ValueError as error:
            raise StreamError(
                "the service's answer where to send to is no address", reason="endpoint"
            ) from error

    def _trust(self) -> ssl.SSLContext:
        return trusting(ca_file(self._settings))
