"""What a service's refusals mean: foreign exceptions made one of ours, in plain words with a next step.

Nothing that a service says is repeated in them beyond its own code: answers may hold keys and addresses.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - it is what the library calls it
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSLError,
)

from appliance.clock import Clock
from appliance.errors import SinkError, SinkReason

_RIGHTS: Mapping[str, str] = {
    "PutObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "ListParts": "s3:ListMultipartUploadParts",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
}
"""By operation: the right it needs."""
_CODES: Mapping[str, SinkReason] = {
    "RequestTimeTooSkewed": "clock",
    "RequestExpired": "clock",
    "ExpiredToken": "credentials",
    "ExpiredTokenException": "credentials",
    "TokenRefreshRequired": "credentials",
    "InvalidAccessKeyId": "credentials",
    "InvalidToken": "credentials",
    "InvalidClientTokenId": "credentials",
    "SignatureDoesNotMatch": "credentials",
    "AccessDenied": "denied",
    "AllAccessDisabled": "denied",
    "AccountProblem": "denied",
    "NoSuchBucket": "no_bucket",
    "PermanentRedirect": "no_bucket",
    "AuthorizationHeaderMalformed": "no_bucket",
    "IllegalLocationConstraintException": "no_bucket",
    "SlowDown": "busy",
    "ServiceUnavailable": "busy",
    "Throttling": "busy",
    "RequestLimitExceeded": "busy",
    "BadDigest": "mismatch",
    "InvalidDigest": "mismatch",
    "XAmzContentSHA256Mismatch": "mismatch",
    "XAmzContentChecksumMismatch": "mismatch",
    "MissingUploadObjectWithObjectLockHeaders": "lock",
    "InvalidRetentionPeriod": "lock",
    "ObjectLockConfigurationNotFoundError": "lock",
}
"""By the service's own code."""
_STATUS: Mapping[int, SinkReason] = {
    301: "no_bucket",
    403: "denied",
    404: "no_bucket",
    429: "busy",
    503: "busy",
}
"""Where there is no code that is known, as in answers to HEAD, which have no body."""
_BARE: Mapping[int, str] = {301: "PermanentRedirect"}
"""What an answer to HEAD would have said, had it a body."""
_CODE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LEAST_SKEW_S = 60.0
_NO_SERVER_FAULT = 500


@contextlib.contextmanager
def explained(clock: Clock) -> Iterator[None]:
    """Turn what the library raises within the block into a `SinkError`.

    Args:
        clock: Held against the service's, where that is what is wrong.

    Raises:
        SinkError: Something went wrong; `reason` says what.
    """
    try:
        yield
    except ClientError as error:
        raise _refused(error, clock) from error
    except (NoCredentialsError, PartialCredentialsError, ProfileNotFound) as error:
        raise SinkError(
            "there are no credentials for the bucket",
            reason="no_credentials",
            hint="name a file in captures.s3.credentials_file, or give this machine a role",
        ) from error
    except SSLError as error:
        raise SinkError(
            "the service's certificate is not trusted",
            reason="unreachable",
            hint="look at captures.s3.endpoint and at the clock; AWS_CA_BUNDLE names your own certificates",
        ) from error
    except (ConnectionError, HTTPClientError, OSError) as error:
        raise SinkError(
            "the service cannot be reached, or went away in the middle",
            reason="unreachable",
            hint="look at the network and at captures.s3.endpoint; it is tried again by itself",
        ) from error
    except (BotoCoreError, ValueError) as error:
        raise SinkError(
            f"the service cannot be asked ({type(error).__name__})",
            hint="look at what stands under captures.s3 in the settings",
        ) from error


def status_of(error: ClientError) -> int:
    """The HTTP status of a refusal; 0: it has none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)


def code_of(error: ClientError) -> str:
    """The service's own code for a refusal; empty where it gave none, or nothing that looks like one.

    An answer to HEAD has no body; in place of a code the library puts its status there.
    """
    code = str(error.response.get("Error", {}).get("Code") or "")
    return code if _CODE.fullmatch(code) and not code.isdigit() else ""


def _refused(error: ClientError, clock: Clock) -> SinkError:
    status = status_of(error)
    code = code_of(error) or _BARE.get(status, "")
    reason = _CODES.get(code) or ("key" if code.startswith("KMS") else None) or _STATUS.get(status)
    if reason is None:
        reason = "server" if status >= _NO_SERVER_FAULT else "failed"
    said = str(error.response.get("Error", {}).get("Message", ""))  # looked at, never repeated
    if code == "InvalidRequest" and "Object Lock" in said:
        reason = "lock"
    if reason == "denied" and "kms:" in said:
        reason = "key"
    message, hint = _words(reason, code, error.operation_name)
    if reason == "clock":
        message += _apart(error.response, clock.wall())
    return SinkError(message, reason=reason, hint=hint)


def _words(reason: SinkReason, code: str, operation: str) -> tuple[str, str]:
    """What is wrong, and what to do."""
    if reason == "credentials":
        if "Expired" in code or "Refresh" in code:
            return (
                "the credentials have expired",
                "put fresh ones in their place; they are read anew by themselves",
            )
        return (
            "the service does not accept the credentials",
            "look for a key that was deleted or cut off; they are read anew by themselves",
        )
    if reason == "denied":
        right = _RIGHTS.get(operation, f"s3:{operation}")
        return (
            f"the credentials may not do this: {right} was denied",
            "give them the rights of the policy that comes with the appliance; see the rules of the bucket",
        )
    if reason == "no_bucket":
        if code in {
            "PermanentRedirect",
            "AuthorizationHeaderMalformed",
            "IllegalLocationConstraintException",
        }:
            return "the bucket is in another region", "set captures.s3.region to the bucket's"
        return "there is no such bucket", "look at captures.s3.bucket and at captures.s3.endpoint, or make it"
    return _PLAIN.get(reason) or (
        f"the service refused: {code or 'without a reason'}",
        "look at what stands under captures.s3 in the settings",
    )


_PLAIN: Mapping[SinkReason, tuple[str, str]] = {
    "clock": (
        "this machine's clock is wrong, so the service does not believe its signature",
        "set it, or let NTP do it",
    ),
    "busy": ("the service is busy", "it is tried again by itself, more slowly"),
    "server": ("the service has a fault of its own", "it is tried again by itself"),
    "mismatch": (
        "what arrived is not what was sent",
        "it is sent again; if this goes on, something on the way damages what passes through",
    ),
    "lock": (
        "the bucket does not lock objects",
        "make one with object lock switched on, or set captures.s3.object_lock to off",
    ),
    "key": (
        "the service may not use the KMS key",
        "look at captures.s3.kms_key, and at whom the key's own policy allows",
    ),
}
"""By reason, where the code adds nothing."""


def _apart(response: Any, now: datetime) -> str:
    """How far the clocks are apart, by the answer's own date; nothing if it has none."""
    said = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        seconds = (now - parsedate_to_datetime(str(said))).total_seconds()
    except (TypeError, ValueError):
        return ""
    if abs(seconds) < _LEAST_SKEW_S:
        return ""
    return f": it is {abs(seconds) / 60:.0f} minutes {'ahead' if seconds > 0 else 'behind'}"
