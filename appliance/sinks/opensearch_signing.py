"""Requests to OpenSearch signed with credentials of AWS, as its services want them (Signature Version 4).

botocore is loaded when a signer is made; a box that signs nothing loads none. Credentials that end are
fetched anew by botocore's own chain before a request is signed.
"""

from collections.abc import Callable, Mapping
from typing import Any

from appliance.errors import SinkError
from appliance.settings import OpenSearchSettings

Sign = Callable[[str, str, Mapping[str, str], bytes], Mapping[str, str]]
"""Given method, address, headers and body: the headers to send, all of them."""


def signer(settings: OpenSearchSettings) -> Sign:
    """What signs requests by these settings.

    Raises:
        SinkError: There are no credentials, or it is not said of which region.
    """
    import botocore.session  # noqa: PLC0415 - takes a tenth of a second
    from botocore.auth import SigV4Auth  # noqa: PLC0415
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    session = botocore.session.Session()
    if settings.credentials_file is not None:
        session.set_config_variable("credentials_file", str(settings.credentials_file))
    if settings.profile is not None or settings.credentials_file is not None:
        session.set_config_variable("profile", settings.profile or "default")
    try:
        credentials: Any = session.get_credentials()
        region = settings.region or session.get_config_variable("region")
    except BotoCoreError as error:
        raise SinkError(
            "the credentials of AWS cannot be read",
            reason="credentials",
            hint="look at index.opensearch.credentials_file and profile",
        ) from error
    if credentials is None:
        raise SinkError(
            "there are no credentials of AWS",
            reason="no_credentials",
            hint="name a file of them in index.opensearch.credentials_file",
        )
    if not region:
        raise SinkError(
            "it is not said in which region of AWS the service is",
            reason="credentials",
            hint="set index.opensearch.region",
        )

    def sign(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
        request = AWSRequest(method, url, data=body, headers=dict(headers))
        if settings.aws == "aoss":
            # A collection wants the body's digest told, too.
            signing = SigV4Auth(credentials.get_frozen_credentials(), settings.aws, region)
            request.headers["X-Amz-Content-SHA256"] = signing.payload(request)
        SigV4Auth(credentials.get_frozen_credentials(), settings.aws, region).add_auth(request)
        return dict(request.headers.items())

    return sign
