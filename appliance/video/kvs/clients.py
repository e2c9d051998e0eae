"""Clients of AWS's library: time limits, whom to trust, and the credentials of now.

A client is kept until the credentials change; making one takes a hundredth of a second. What is asked with it
is others' business.
"""

import functools
import os
import threading
from typing import Any, Final

from appliance.settings import KvsSettings
from appliance.video.kvs.credentials import Credentials, CredentialSource

CONNECT_S: Final = 5.0
READ_S: Final = 10.0
_KEPT: Final = 16


class Clients:
    """Clients for one set of settings; may be used by several threads.

    Args:
        settings: Whom to trust.
        credentials: Whose name questions go in.
    """

    def __init__(self, settings: KvsSettings, credentials: CredentialSource) -> None:
        self._settings = settings
        self._credentials = credentials
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str | None], tuple[Credentials, Any]] = {}

    def get(self, service: str, endpoint: str | None) -> Any:
        """A client of a service with the credentials of now.

        Args:
            service: What the library calls it.
            endpoint: Where to; None: where the library thinks.

        Raises:
            StreamError: There are no credentials.
        """
        credentials = self._credentials.fresh()
        region = self._credentials.region
        with self._lock:
            kept = self._kept.get((service, endpoint))
            if kept is None or kept[0] != credentials:
                if len(self._kept) >= _KEPT:
                    self._kept.clear()
                made = client_of(service, self._settings, credentials, region, endpoint)
                kept = self._kept[service, endpoint] = (credentials, made)
            return kept[1]


def client_of(
    service: str, settings: KvsSettings, credentials: Credentials, region: str, endpoint: str | None
) -> Any:
    """A client of the library; it asks for nothing yet. Each request is made once.

    Args:
        service: What the library calls it.
        settings: Whom to trust.
        credentials: To sign with.
        region: The streams'.
        endpoint: Where to; None: where the library thinks, AWS_ENDPOINT_URL_KINESIS_VIDEO included.
    """
    import boto3  # noqa: PLC0415 - takes a tenth of a second and some sixty megabytes
    import botocore.session  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    core = botocore.session.Session()
    core.register_component("data_loader", _models())
    session = boto3.session.Session(
        botocore_session=core,
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.token,
        region_name=region,
    )
    return session.client(
        service,
        endpoint_url=endpoint,
        verify=ca_file(settings),
        config=Config(connect_timeout=CONNECT_S, read_timeout=READ_S, retries={"total_max_attempts": 1}),
    )


@functools.cache
def _models() -> Any:
    """The library's descriptions of services, read once: a client is made for every change of credentials."""
    from botocore.loaders import create_loader  # noqa: PLC0415

    return create_loader()


def ca_file(settings: KvsSettings) -> str:
    """The file of certificates that are trusted, for questions and for video alike."""
    from botocore.httpsession import get_cert_path  # noqa: PLC0415

    named = settings.ca_file or os.environ.get("AWS_CA_BUNDLE")
    return str(named or get_cert_path(True))  # noqa: FBT003 - as it is called there
