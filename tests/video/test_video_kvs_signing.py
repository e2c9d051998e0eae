"""The head of a PutMedia, held against a second implementation of the signature."""

from datetime import UTC, datetime, timedelta

import pytest

from appliance.video.kvs.credentials import Credentials
from appliance.video.kvs.signing import SignedHead, signed_head
from appliance.video.kvs_server.requests import RefusedError, Request
from appliance.video.kvs_server.signatures import EMPTY_SHA256, Credential, SignatureCheck

KEY, SECRET, TOKEN = "AKIDSIGN", "secret/with+signs=", "a token that is long/and+odd=="
REGION = "ap-southeast-2"
ARN = "arn:aws:kinesisvideo:eu-west-1:1:stream/hall/1"


def head(
    endpoint: str = "https://s-1.kinesisvideo.example", stream: str = "hall", *, token: str | None = TOKEN
) -> SignedHead:
    """A head."""
    return signed_head(endpoint, stream, 1_612_524_911_049, Credentials(KEY, SECRET, token), REGION)


def request_of(found: SignedHead, **changed: str) -> Request:
    """A head as a server receives it."""
    headers = tuple((name.lower(), changed.get(name.lower(), value)) for name, value in found.headers)
    return Request("POST", found.target, headers)


def check(request: Request) -> Credential:
    """Who signed it, by the server's own reckoning."""
    known = SignatureCheck([Credential(KEY, SECRET, TOKEN), Credential("OTHER", "o")], region=REGION)
    return known.check(request, payload_sha256=EMPTY_SHA256, now=datetime.now(UTC))


@pytest.mark.parametrize("stream", ["hall", ARN, "deeplens-x.y_z"])
@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:8080", "https://s-1.example", "http://[::1]:99/"])
def test_another_implementation_finds_the_same_signature(endpoint: str, stream: str) -> None:
    """Over an empty body, for names and ARNs, with a port and without."""
    assert check(request_of(head(endpoint, stream))).access_key == KEY


@pytest.mark.parametrize(
    "name", ["x-amzn-stream-name", "x-amzn-producer-start-timestamp", "host", "x-amz-date"]
)
def test_whatever_says_what_is_asked_is_signed(name: str) -> None:
    """Nobody on the way can turn it to another stream, time or host."""
    later = (datetime.now(UTC) + timedelta(minutes=1)).strftime("%Y%m%dT%H%M%SZ")

    with pytest.raises(RefusedError):
        check(request_of(head(), **{name: later}))


def test_what_a_head_says_is_what_the_service_wants_to_know() -> None:
    """Absolute times, milliseconds with their leading zeros, acknowledgements, no length."""
    headers = dict(head().headers)

    assert headers["x-amzn-producer-start-timestamp"] == "1612524911.049"
    assert headers["x-amzn-fragment-timecode-type"] == "ABSOLUTE"
    assert headers["x-amzn-fragment-acknowledgment-required"] == "1"
    assert headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in headers


@pytest.mark.parametrize(
    ("endpoint", "host", "port", "sent"),
    [
        ("https://s-1.example", "s-1.example", 443, "s-1.example"),
        ("http://127.0.0.1:8080/", "127.0.0.1", 8080, "127.0.0.1:8080"),
        ("http://[::1]:99", "::1", 99, "[::1]:99"),
    ],
)
def test_where_to_is_as_the_endpoint_says(endpoint: str, host: str, port: int, sent: str) -> None:
    """The usual port is not written; an address of IPv6 stands in brackets."""
    found = head(endpoint)

    assert (host, port, sent) == (found.host, found.port, dict(found.headers)["Host"])
    assert found.target == "/putMedia"


def test_exactly_one_of_name_and_arn_is_said() -> None:
    """The service refuses both together."""
    arn = dict(head(stream=ARN).headers)

    assert ("x-amzn-stream-arn" in arn, "x-amzn-stream-name" in arn) == (True, False)


def test_no_secret_is_shown() -> None:
    """Neither credentials nor a signed head say what is in them, wherever they are printed."""
    shown = f"{head()!r} {Credentials(KEY, SECRET, TOKEN)!r}"

    assert not [each for each in (KEY, SECRET, TOKEN, "Signature") if each in shown]


def test_an_endpoint_that_is_no_address_is_told() -> None:
    """What is not http or https is not connected to."""
    with pytest.raises(ValueError, match="no address"):
        head("ftp://s-1.example")
