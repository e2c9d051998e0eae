"""The head of a PutMedia request: its headers, signed by botocore as the official producers sign it.

SigV4 over the head and the hash of an empty body, whatever follows in the real one. No part of the body is
signed. Connecting and sending is `put_media`'s business.
"""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from appliance.video.kvs.credentials import Credentials

SERVICE: Final = "kinesisvideo"
PATH: Final = "/putMedia"
USER_AGENT: Final = "office-door-appliance"
_UNSIGNED: Final = (
    ("Connection", "keep-alive"),
    ("Transfer-Encoding", "chunked"),
    ("User-Agent", USER_AGENT),
)
"""Headers that whoever stands between may touch; botocore signs none of them."""


@dataclass(frozen=True, slots=True)
class SignedHead:
    """What a request begins with.

    Attributes:
        host: Where to connect to.
        port: The port there.
        tls: Whether the connection is encrypted.
        target: Path of the request.
        headers: Every header, in the order in which they are sent; not shown, they hold a token.
    """

    host: str
    port: int
    tls: bool
    target: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)


def signed_head(
    endpoint: str, stream: str, start_ms: int, credentials: Credentials, region: str
) -> SignedHead:
    """The head of a request that sends fragments to a stream.

    Args:
        endpoint: The service's data endpoint, https://host or http://host:port.
        stream: The stream's name, or its ARN.
        start_ms: When what is sent begins, milliseconds since the epoch.
        credentials: To sign with.
        region: The stream's.

    Raises:
        ValueError: The endpoint is no address.
    """
    from botocore.auth import SigV4Auth  # noqa: PLC0415 - a box without a stream loads none of it
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415

    parts = urlsplit(endpoint.rstrip("/") + PATH)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("the endpoint is no address")
    tls = parts.scheme == "https"
    usual = 443 if tls else 80
    port = parts.port or usual
    bare = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    signed = {
        "Host": bare if port == usual else f"{bare}:{port}",
        ("x-amzn-stream-arn" if stream.startswith("arn:") else "x-amzn-stream-name"): stream,
        "x-amzn-fragment-timecode-type": "ABSOLUTE",
        "x-amzn-producer-start-timestamp": f"{start_ms // 1000}.{start_ms % 1000:03d}",
        "x-amzn-fragment-acknowledgment-required": "1",
    }
    request = AWSRequest("POST", parts.geturl(), headers=signed)
    SigV4Auth(credentials, SERVICE, region).add_auth(request)
    headers = tuple((name, str(value)) for name, value in request.headers.items())
    return SignedHead(parts.hostname, port, tls, parts.path, headers + _UNSIGNED)
