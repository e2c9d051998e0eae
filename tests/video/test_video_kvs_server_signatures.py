"""Signatures: what botocore signs is verified by a second computation, and whatever is changed is refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st
from kvs_producer import head

from appliance.video.kvs_server.requests import RefusedError, Request
from appliance.video.kvs_server.signatures import (
    EMPTY_SHA256,
    SKEW,
    Credential,
    SignatureCheck,
    may,
    sha256,
)

REGION = "us-west-2"
KNOWN = Credential("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
TOKEN = "a token"  # noqa: S105 - of nobody
PLAIN_TEXT = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=20)


def signed(
    path: str = "/describeStream",
    body: bytes | None = b"{}",
    *,
    credential: Credential = KNOWN,
    headers: dict[str, str] | None = None,
    region: str = REGION,
) -> Request:
    """A request that botocore signs, now."""
    request = AWSRequest("POST", f"https://kinesisvideo.example{path}", headers=headers or {}, data=body)
    keys = Credentials(credential.access_key, credential.secret_key, credential.session_token)
    SigV4Auth(keys, "kinesisvideo", region).add_auth(request)
    told = [("host", "kinesisvideo.example"), *((n.lower(), v) for n, v in request.headers.items())]
    return Request("POST", path, tuple(told))


def changed(request: Request, name: str, value: str) -> Request:
    """The same with another value of a header."""
    kept = [(each, value if each == name else old) for each, old in request.headers]
    return replace(request, headers=tuple(kept))


def check(request: Request, *, payload: str = sha256(b"{}"), now: datetime | None = None) -> Credential:
    """What a server that knows one credential finds."""
    at = now or datetime.now(UTC)
    return SignatureCheck([KNOWN], region=REGION).check(request, payload_sha256=payload, now=at)


def refusal(
    request: Request, *, known: Credential = KNOWN, payload: str = sha256(b"{}"), now: datetime | None = None
) -> RefusedError:
    """What a server says to it."""
    with pytest.raises(RefusedError) as caught:
        SignatureCheck([known], region=REGION).check(
            request, payload_sha256=payload, now=now or datetime.now(UTC)
        )
    return caught.value


def test_the_example_of_the_documentation_verifies() -> None:
    """AWS publishes one request with its signature; neither botocore nor we made it."""
    signature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    scope = "20150830/us-east-1/iam/aws4_request"
    names = "content-type;host;x-amz-date"
    told = (
        ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
        ("host", "iam.amazonaws.com"),
        ("x-amz-date", "20150830T123600Z"),
        (
            "authorization",
            f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders={names}, Signature={signature}",
        ),
    )
    request = Request("GET", "/?Action=ListUsers&Version=2010-05-08", told)
    found = SignatureCheck([KNOWN], region="us-east-1", service="iam").check(
        request, payload_sha256=EMPTY_SHA256, now=datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
    )

    assert KNOWN == found


@settings(max_examples=40)
@given(
    path=st.lists(PLAIN_TEXT, max_size=3),
    query=st.dictionaries(PLAIN_TEXT, PLAIN_TEXT, max_size=3),
    value=PLAIN_TEXT,
    body=st.binary(max_size=40),
)
def test_whatever_botocore_signs_verifies(
    path: list[str], query: dict[str, str], value: str, body: bytes
) -> None:
    """Two implementations agree on paths, queries, headers and bodies of any kind."""
    steps = "/".join(quote(each, safe="") for each in path)
    asked = "&".join(f"{quote(n, safe='-_.~')}={quote(v, safe='-_.~')}" for n, v in query.items())
    request = signed(f"/{steps}{'?' if asked else ''}{asked}", body, headers={"x-amzn-thing": value})

    assert KNOWN == check(request, payload=sha256(body))


@settings(max_examples=40)
@given(index=st.integers(0, 63), name=st.sampled_from(["host", "x-amz-date", "x-amzn-stream-name"]))
def test_whatever_is_signed_cannot_be_changed(index: int, name: str) -> None:
    """Not a digit of the signature, and no header that it lists."""
    request = signed(headers={"X-Amzn-Stream-Name": "office"})
    authorization = request.header("authorization") or ""
    digit = authorization[index - 64]
    begin, end = (
        authorization[: len(authorization) - 64 + index],
        authorization[len(authorization) - 63 + index :],
    )
    forged = f"{begin}{'0' if digit != '0' else '1'}{end}"
    value = request.header(name) or ""
    other = f"{value[:-2]}{'1' if value[-2] != '1' else '2'}{value[-1]}"

    assert "InvalidSignatureException" == refusal(changed(request, "authorization", forged)).code
    assert "InvalidSignatureException" == refusal(changed(request, name, other)).code


def test_another_body_is_not_what_was_signed() -> None:
    """Control calls are signed over their bodies."""
    error = refusal(signed(body=b'{"StreamName":"a"}'), payload=sha256(b'{"StreamName":"b"}'))

    assert ("InvalidSignatureException", 403) == (error.code, error.status)
    assert error.message.startswith("The request signature we calculated does not match")


def test_an_endless_body_is_signed_as_nothing_or_not_at_all() -> None:
    """Both official payload hashes verify; the hash of something else does not."""
    unsigned = signed("/putMedia", None, headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    said = signed("/putMedia", None, headers={"X-Amz-Content-SHA256": EMPTY_SHA256})

    assert [KNOWN] * 3 == [
        check(each, payload=EMPTY_SHA256) for each in (signed("/putMedia", None), unsigned, said)
    ]
    assert "InvalidSignatureException" == refusal(changed(said, "x-amz-content-sha256", "0" * 64)).code


def test_a_request_of_the_c_producers_form_verifies() -> None:
    """It lists hop-by-hop headers as signed, cuts the port off the host and sends white space as it likes."""
    lines = head("office", credential=KNOWN, region=REGION).decode().split("\r\n")[1:-2]
    told = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))

    assert "connection;host;transfer-encoding;user-agent;x-amz-date" in dict(told)["authorization"]
    assert KNOWN == check(Request("POST", "/putMedia", told), payload=EMPTY_SHA256)


@pytest.mark.parametrize(("off_s", "taken"), [(-301, False), (-299, True), (299, True), (301, False)])
def test_five_minutes_either_way_are_taken(off_s: int, taken: bool) -> None:  # noqa: FBT001 - a parameter
    """Beyond, the message says both times, as the service's does."""
    request = signed()
    stamp = datetime.strptime(request.header("x-amz-date") or "", "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    now = stamp + timedelta(seconds=off_s)
    if taken:
        assert KNOWN == check(request, now=now)
        return
    error = refusal(request, now=now)
    written = stamp.strftime("%Y%m%dT%H%M%SZ")
    here = now.strftime("%Y%m%dT%H%M%SZ")
    bound = (now - SKEW if off_s > 0 else now + SKEW).strftime("%Y%m%dT%H%M%SZ")

    assert (
        f"Signature expired: {written} is now earlier than {bound} ({here} - 5 min.)"
        if off_s > 0
        else f"Signature not yet current: {written} is still later than {bound} ({here} + 5 min.)"
    ) == error.message
    assert ("InvalidSignatureException", 403) == (error.code, error.status)


def test_keys_and_tokens_that_are_unknown_or_over_are_refused_in_the_services_words() -> None:
    """An unknown key, a token that is wrong, missing or not wanted, and one that has expired."""
    now = datetime.now(UTC)
    lent = replace(KNOWN, session_token=TOKEN, expires_at=now + timedelta(minutes=1))
    over = replace(lent, expires_at=now - timedelta(seconds=1))
    invalid = "The security token included in the request is invalid."

    assert [invalid] * 4 == [
        refusal(signed(credential=replace(KNOWN, access_key="AKIDOTHER"))).message,
        refusal(signed(), known=lent).message,
        refusal(signed(credential=lent)).message,
        refusal(signed(credential=replace(lent, session_token=TOKEN[1:])), known=lent).message,
    ]
    expired = refusal(signed(credential=lent), known=over)
    assert ("ExpiredTokenException", 403) == (expired.code, expired.status)
    assert {"message": "The security token included in the request is expired"} == expired.body
    assert lent == SignatureCheck([lent], region=REGION).check(
        signed(credential=lent), payload_sha256=sha256(b"{}"), now=now
    )


def test_a_token_that_was_added_after_signing_is_taken() -> None:
    """The C producer sends it unsigned."""
    lent = replace(KNOWN, session_token=TOKEN)
    request = signed()
    request = replace(request, headers=(*request.headers, ("x-amz-security-token", TOKEN)))

    assert lent == SignatureCheck([lent], region=REGION).check(
        request, payload_sha256=sha256(b"{}"), now=datetime.now(UTC)
    )


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("authorization", "", "IncompleteSignatureException"),
        ("authorization", "Basic YTpi", "IncompleteSignatureException"),
        ("authorization", "AWS4-HMAC-SHA256 Credential=a/b/c", "IncompleteSignatureException"),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=0",
            "IncompleteSignatureException",
        ),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=x-amz-date, Signature=0",
            "InvalidSignatureException",
        ),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host;x-gone, Signature=0",
            "InvalidSignatureException",
        ),
        ("x-amz-date", "yesterday", "IncompleteSignatureException"),
    ],
)
def test_what_is_half_signed_is_refused(name: str, value: str, code: str) -> None:
    """Nothing of a header that is malformed leads to an exception of another kind."""
    assert code == refusal(changed(signed(), name, value)).code


def test_what_is_not_signed_or_for_somewhere_else_is_refused() -> None:
    """No header at all, another region, another service."""
    bare = replace(signed(), headers=(("host", "kinesisvideo.example"),))
    elsewhere = signed(region="eu-west-1")
    service = changed(
        signed(), "authorization", (signed().header("authorization") or "").replace("kinesisvideo", "s3")
    )

    assert "MissingAuthenticationTokenException" == refusal(bare).code
    assert "Credential should be scoped to a valid region. " == refusal(elsewhere).message
    assert "Credential should be scoped to correct service: 'kinesisvideo'. " == refusal(service).message


def test_what_a_policy_denies_is_told_with_who_what_and_where() -> None:
    """403 as on the wire, though the service model says 401."""
    caller = replace(KNOWN, denied=frozenset({"kinesisvideo:PutMedia"}))
    may(caller, "DescribeStream", "office", "123456789012")
    with pytest.raises(RefusedError) as caught:
        may(caller, "PutMedia", "office", "123456789012")

    assert ("AccessDeniedException", 403) == (caught.value.code, caught.value.status)
    assert {
        "Message": "User: arn:aws:iam::123456789012:user/local is not authorized to perform: "
        "kinesisvideo:PutMedia on resource: office"
    } == caught.value.body


def test_a_credential_shows_no_secret() -> None:
    """Neither in a log nor in a message."""
    shown = repr(replace(KNOWN, session_token=TOKEN))

    assert KNOWN.secret_key not in shown
    assert TOKEN not in shown
