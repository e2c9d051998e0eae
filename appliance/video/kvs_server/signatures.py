"""Whether a request is signed by somebody this server knows: AWS Signature Version 4, checked.

The signature is computed here from the request as it was received, over the headers that it lists as signed,
and compared in constant time. Nothing of botocore is used, so that what botocore signs is held against a
second opinion. A body is not read here: its hash is handed in.

Source: "Signature Version 4 for API requests" in the IAM user guide; messages as clients report them.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote, unquote

from appliance.video.kvs_server.requests import RefusedError, Request

SERVICE: Final = "kinesisvideo"
SKEW: Final = timedelta(minutes=5)
"""How far a request's time may be from the server's, either way."""
UNSIGNED_PAYLOAD: Final = "UNSIGNED-PAYLOAD"
EMPTY_SHA256: Final = hashlib.sha256(b"").hexdigest()
"""The hash of no payload."""

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_DATE_FORMAT: Final = "%Y%m%dT%H%M%SZ"
_SCOPE_PARTS: Final = 5
_TAIL: Final = "aws4_request"
_WHITE: Final = re.compile(r"[ \t]+")
_HEX: Final = re.compile(r"[0-9a-f]{64}")
_MUST_SIGN: Final = frozenset({"host"})


@dataclass(frozen=True, slots=True)
class Credential:
    """Somebody who may ask this server.

    Attributes:
        access_key: Its name, sent in the clear.
        secret_key: What signs.
        session_token: Must come with each request; None: a lasting key, which has none.
        expires_at: Aware; afterwards its token is refused. None: never.
        denied: Operations it may not call, as policies write them: `kinesisvideo:CreateStream`.
    """

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    denied: frozenset[str] = frozenset()


class SignatureCheck:
    """Finds out who signed a request.

    Args:
        credentials: Whom the server knows.
        region: The one it stands for; requests signed for another are refused.
        service: Likewise.
    """

    def __init__(self, credentials: Iterable[Credential], *, region: str, service: str = SERVICE) -> None:
        self._known = {each.access_key: each for each in credentials}
        self._region = region
        self._service = service

    def check(self, request: Request, *, payload_sha256: str, now: datetime) -> Credential:
        """Who signed it.

        Args:
            request: As received; `Host` counts as it was sent.
            payload_sha256: What its payload's hash must be, in hexadecimal: the body's own, or that of
                nothing for a body that is sent without an end. The header `x-amz-content-sha256` may say
                `UNSIGNED-PAYLOAD` instead.
            now: Aware.

        Raises:
            RefusedError: Not signed, not by anybody known, too early or late, or wrongly.
        """
        signature = _Signature.read(request)
        moment = self._moment(request, signature, now)
        known = self._credential(request, signature, now)
        text = "\n".join(
            (
                _ALGORITHM,
                moment,
                "/".join(signature.scope),
                hashlib.sha256(
                    _canonical(request, signature.signed_headers, _payload(request, payload_sha256)).encode()
                ).hexdigest(),
            )
        )
        expected = hmac.new(_signing_key(known.secret_key, signature.scope), text.encode(), hashlib.sha256)
        if not hmac.compare_digest(expected.hexdigest().encode(), signature.value.encode()):
            raise RefusedError(
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided. Check your "
                "AWS Secret Access Key and signing method. Consult the service documentation for details.",
            )
        return known

    def _moment(self, request: Request, signature: "_Signature", now: datetime) -> str:
        """The time it was signed at, as written, if that is now and its scope is ours."""
        written = request.header("x-amz-date") or ""
        try:
            at = datetime.strptime(written, _DATE_FORMAT).replace(tzinfo=UTC)
        except ValueError:
            raise RefusedError(
                "IncompleteSignatureException",
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
            ) from None
        day, region, service, tail = signature.scope
        if day != written[:8]:
            fault = f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date: {day}"
            raise RefusedError("InvalidSignatureException", fault)
        if region != self._region:
            raise RefusedError("InvalidSignatureException", "Credential should be scoped to a valid region. ")
        if service != self._service or tail != _TAIL:
            fault = f"Credential should be scoped to correct service: '{self._service}'. "
            raise RefusedError("InvalidSignatureException", fault)
        here = now.strftime(_DATE_FORMAT)
        if at < now - SKEW:
            bound = (now - SKEW).strftime(_DATE_FORMAT)
            fault = f"Signature expired: {written} is now earlier than {bound} ({here} - 5 min.)"
            raise RefusedError("InvalidSignatureException", fault)
        if at > now + SKEW:
            bound = (now + SKEW).strftime(_DATE_FORMAT)
            fault = f"Signature not yet current: {written} is still later than {bound} ({here} + 5 min.)"
            raise RefusedError("InvalidSignatureException", fault)
        return written

    def _credential(self, request: Request, signature: "_Signature", now: datetime) -> Credential:
        known = self._known.get(signature.access_key)
        token = request.header("x-amz-security-token")
        if known is None or not hmac.compare_digest(
            (token or "").encode(), (known.session_token or "").encode()
        ):
            raise RefusedError(
                "UnrecognizedClientException", "The security token included in the request is invalid."
            )
        if known.expires_at is not None and known.expires_at <= now:
            raise RefusedError(
                "ExpiredTokenException", "The security token included in the request is expired"
            )
        return known


@dataclass(frozen=True, slots=True)
class _Signature:
    """What the header `Authorization` says.

    Attributes:
        access_key: Whose it is.
        scope: Day, region, service, `aws4_request`.
        signed_headers: Names, as listed.
        value: The signature.
    """

    access_key: str
    scope: tuple[str, str, str, str]
    signed_headers: tuple[str, ...]
    value: str

    @classmethod
    def read(cls, request: Request) -> "_Signature":
        """Take the header apart.

        Raises:
            RefusedError: There is none, or parts are missing.
        """
        written = request.header("authorization")
        if written is None:
            raise RefusedError("MissingAuthenticationTokenException", "Missing Authentication Token")
        algorithm, _, rest = written.partition(" ")
        parts = {
            name.strip(): value.strip()
            for name, _, value in (each.partition("=") for each in rest.split(","))
        }
        missing = [name for name in ("Credential", "SignedHeaders", "Signature") if not parts.get(name)]
        if algorithm != _ALGORITHM or missing:
            said = " ".join(f"Authorization header requires '{name}' parameter." for name in missing)
            raise RefusedError("IncompleteSignatureException", said or f"Unsupported algorithm: {algorithm}")
        scope = parts["Credential"].split("/")
        names = tuple(parts["SignedHeaders"].split(";"))
        if len(scope) != _SCOPE_PARTS:
            fault = "Credential must have exactly 5 slash-delimited elements"
            raise RefusedError("IncompleteSignatureException", fault)
        absent = sorted(_MUST_SIGN - set(names)) or [
            each for each in names if not request.headers_named(each)
        ]
        if absent or list(names) != sorted(set(names)):
            fault = (
                f"'SignedHeaders' must name headers of the request in order: {', '.join(absent) or 'sorted'}"
            )
            raise RefusedError("InvalidSignatureException", fault)
        access_key, day, region, service, tail = scope
        return cls(access_key, (day, region, service, tail), names, parts["Signature"])


def sha256(body: bytes) -> str:
    """The hash of a payload, in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def _payload(request: Request, computed: str) -> str:
    """The payload's hash as it was signed."""
    said = request.header("x-amz-content-sha256")
    if said is None or said == UNSIGNED_PAYLOAD:
        return computed if said is None else UNSIGNED_PAYLOAD
    if not _HEX.fullmatch(said) or not hmac.compare_digest(said, computed):
        raise RefusedError(
            "InvalidSignatureException",
            "The value passed in the header x-amz-content-sha256 is not the hash of the payload.",
        )
    return said


def _canonical(request: Request, names: Iterable[str], payload: str) -> str:
    """The request in the one form that is signed."""
    headers = "".join(
        f"{name}:{','.join(_WHITE.sub(' ', each.strip()) for each in request.headers_named(name))}\n"
        for name in names
    )
    return "\n".join(
        (
            request.method,
            quote(_normalized(request.path), safe="/~-_."),
            _canonical_query(request.query),
            headers,
            ";".join(names),
            payload,
        )
    )


def _normalized(path: str) -> str:
    """Without `.`, `..` and empty steps (RFC 3986, 5.2.4)."""
    steps: list[str] = []
    for step in path.split("/"):
        if step == "..":
            del steps[-1:]
        elif step not in {"", "."}:
            steps.append(step)
    trailing = "/" if steps and path.endswith("/") else ""
    return f"/{'/'.join(steps)}{trailing}"


def _canonical_query(query: str) -> str:
    pairs = (each.partition("=") for each in query.split("&") if each)
    written = sorted((_encoded(name), _encoded(value)) for name, _, value in pairs)
    return "&".join(f"{name}={value}" for name, value in written)


def _encoded(text: str) -> str:
    return quote(unquote(text), safe="-_.~")


def _signing_key(secret: str, scope: tuple[str, str, str, str]) -> bytes:
    key = f"AWS4{secret}".encode()
    for step in scope:
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    return key


def may(credential: Credential, operation: str, resource: str, account: str) -> None:
    """Refuse what its policies do not allow, in the service's words.

    Args:
        credential: Who asks.
        operation: `DescribeStream`, …
        resource: The stream's name, or its ARN.
        account: Twelve digits.

    Raises:
        RefusedError: It is denied.
    """
    action = f"{SERVICE}:{operation}"
    if action in credential.denied:
        raise RefusedError(
            "AccessDeniedException",
            f"User: arn:aws:iam::{account}:user/local is not authorized to perform: {action} "
            f"on resource: {resource}",
        )
