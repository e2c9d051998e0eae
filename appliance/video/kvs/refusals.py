"""What the service's refusals mean, of PutMedia and of everything else, in plain words with a next step.

Foreign exceptions become a `StreamError` here. Nothing that the service says is repeated in one beyond its
own code and the right that is missing: answers may hold keys and addresses.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from appliance.clock import Clock
from appliance.errors import StreamError, StreamReason

_CODES: Final[Mapping[str, StreamReason]] = {
    "AccessDeniedException": "denied",
    "AccessDenied": "denied",
    "NotAuthorizedException": "denied",
    "UnauthorizedOperation": "denied",
    "ExpiredToken": "credentials",
    "ExpiredTokenException": "credentials",
    "RequestExpired": "clock",
    "RequestTimeTooSkewed": "clock",
    "InvalidSignatureException": "credentials",
    "SignatureDoesNotMatch": "credentials",
    "UnrecognizedClientException": "credentials",
    "InvalidClientTokenId": "credentials",
    "InvalidAccessKeyId": "credentials",
    "IncompleteSignature": "credentials",
    "IncompleteSignatureException": "credentials",
    "MissingAuthenticationToken": "credentials",
    "MissingAuthenticationTokenException": "credentials",
    "ResourceNotFoundException": "no_stream",
    "ResourceInUseException": "not_active",
    "VersionMismatchException": "busy",
    "ClientLimitExceededException": "busy",
    "ThrottlingException": "busy",
    "Throttling": "busy",
    "TooManyRequestsException": "busy",
    "ConnectionLimitExceededException": "occupied",
    "InvalidEndpointException": "endpoint",
    "AccountStreamLimitExceededException": "limit",
    "DeviceStreamLimitExceededException": "limit",
    "InvalidArgumentException": "argument",
    "ValidationException": "argument",
    "InvalidResourceFormatException": "argument",
    "InvalidDeviceException": "argument",
    "NoDataRetentionException": "retention",
    "MissingCodecPrivateDataException": "media",
    "InvalidCodecPrivateDataException": "media",
    "InvalidMediaFrameException": "media",
    "UnsupportedStreamMediaTypeException": "media",
}
"""By the service's own code."""
_STATUS: Final[Mapping[int, StreamReason]] = {
    401: "denied",
    403: "denied",
    404: "no_stream",
    408: "unreachable",
    413: "argument",
    429: "busy",
    503: "busy",
}
"""Where there is no code that is known."""
_CODE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_RIGHT: Final = re.compile(r"not authorized to perform: ([a-z0-9-]{2,32}:[A-Za-z]{2,64})\b")
_LEAST_SKEW_S: Final = 60.0
_SERVER_FAULT: Final = 500


def refused(*, code: str, status: int, action: str, said: str, date: str | None, clock: Clock) -> StreamError:
    """A refusal in words.

    Args:
        code: The service's own code, as far as it gave one; what stands behind a colon is not part of it.
        status: The HTTP status.
        action: What was asked, as IAM calls it: PutMedia.
        said: The service's own words: looked at, never repeated.
        date: The answer's Date header, held against the clock.
        clock: This machine's.
    """
    code = code.partition(":")[0].rpartition("#")[2]
    code = code if _CODE.fullmatch(code) and not code.isdigit() else ""
    reason = _CODES.get(code) or _STATUS.get(status)
    if reason is None:
        reason = "server" if status >= _SERVER_FAULT else "failed"
    lower = said.lower()
    if reason in {"credentials", "denied", "clock"} and (
        "signature expired" in lower or "not yet current" in lower
    ):
        reason = "clock"
    elif reason == "denied" and not code and ("token" in lower or "signature" in lower):
        reason = "credentials"
    apart = _apart(date, clock.wall())
    if reason == "credentials" and "Signature" in code and apart:
        reason = "clock"
    if code.startswith("KMS") or (reason == "denied" and "kms:" in said):
        reason = "key"
    message, hint = _words(reason, code, action, said)
    return StreamError(message + (apart if reason == "clock" else ""), reason=reason, hint=hint)


@contextlib.contextmanager
def explained(action: str, clock: Clock) -> Iterator[None]:
    """Turn what AWS's library raises within the block into a `StreamError`.

    Args:
        action: What is asked, where the library does not say it.
        clock: Held against the service's, where that is what is wrong.

    Raises:
        StreamError: Something went wrong; `reason` says what.
    """
    from botocore.exceptions import (  # noqa: PLC0415 - a box without a stream loads none of it
        BotoCoreError,
        ClientError,
        HTTPClientError,
        SSLError,
    )
    from botocore.exceptions import ConnectionError as BotoConnectionError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        raise _of_library(error, clock) from error
    except SSLError as error:
        raise certificate_fault() from error
    except (BotoConnectionError, HTTPClientError, OSError) as error:
        raise unreachable() from error
    except (BotoCoreError, ValueError) as error:
        raise StreamError(
            f"{action} cannot be asked of the service ({type(error).__name__})",
            reason="argument",
            hint="look at what stands under video.kvs in the settings",
        ) from error


def unreachable() -> StreamError:
    """Nobody is there, or went away in the middle."""
    return StreamError(
        "the service cannot be reached, or went away in the middle",
        reason="unreachable",
        hint="look at the network and at video.kvs.endpoint; it is tried again by itself",
    )


def certificate_fault() -> StreamError:
    """It is not whom it should be."""
    return StreamError(
        "the service's certificate is not trusted",
        reason="certificate",
        hint="look at video.kvs.endpoint, at the clock, and at video.kvs.ca_file if it is your own",
    )


def _of_library(error: Any, clock: Clock) -> StreamError:
    response: Mapping[str, Any] = error.response
    about = response.get("ResponseMetadata", {})
    said = response.get("Error", {})
    return refused(
        code=str(said.get("Code") or ""),
        status=int(about.get("HTTPStatusCode") or 0),
        action=error.operation_name,
        said=str(said.get("Message") or ""),
        date=about.get("HTTPHeaders", {}).get("date"),
        clock=clock,
    )


def _words(reason: StreamReason, code: str, action: str, said: str) -> tuple[str, str]:
    """What is wrong, and what to do."""
    if reason == "credentials":
        if "Expired" in code or "expired" in said.lower():
            return (
                "the credentials have expired",
                "put fresh ones in their place; they are read anew by themselves",
            )
        return (
            "the service does not accept the credentials",
            "look for a key that was deleted or cut off; they are read anew by themselves",
        )
    if reason == "denied":
        named = _RIGHT.search(said)
        right = named.group(1) if named else f"kinesisvideo:{action}"
        denied = " by a rule that says deny" if "explicit deny" in said else ""
        return (
            f"the credentials may not do this: {right} was denied{denied}",
            "give them the rights of the policy that comes with the appliance",
        )
    return _PLAIN.get(reason) or (
        f"the service refused {action}: {code or 'without a reason'}",
        "look at what stands under video.kvs in the settings",
    )


_AGAIN: Final = "it is tried again by itself"
_PLAIN: Final[Mapping[StreamReason, tuple[str, str]]] = {
    "clock": (
        "this machine's clock is wrong, so the service does not believe its signature",
        "set it, or let NTP do it",
    ),
    "busy": ("the service is busy", "it is tried again by itself, more slowly"),
    "server": ("the service has a fault of its own", _AGAIN),
    "unreachable": ("the service cannot be reached, or went away in the middle", _AGAIN),
    "no_stream": (
        "there is no such stream",
        "look at its name and at video.kvs.region, or let the box make it: video.kvs.create",
    ),
    "not_active": ("the stream is being made, changed or deleted", _AGAIN),
    "occupied": (
        "the stream's only connection is taken",
        "a stream takes video from one sender: give each camera its own; one that was cut off frees it soon",
    ),
    "endpoint": ("the address for this stream is not the right one any more", _AGAIN),
    "limit": ("the account has as many streams as it may have", "delete one, or have the limit raised"),
    "retention": (
        "the stream keeps nothing: its retention is 0",
        "raise it, or let the box do so: video.kvs.raise_retention",
    ),
    "media": (
        "the service has the video and cannot play it",
        "look at what the camera sends: it must be H.264, of one size throughout",
    ),
    "key": (
        "the service may not use the stream's KMS key",
        "look at the key in AWS KMS, and at whom its own policy allows",
    ),
}
"""By reason, where the code adds nothing."""


def _apart(date: str | None, now: datetime) -> str:
    """How far the clocks are apart, by the answer's own date; nothing if it has none, or they agree."""
    try:
        seconds = (now - parsedate_to_datetime(str(date))).total_seconds()
    except (TypeError, ValueError):
        return ""
    if abs(seconds) < _LEAST_SKEW_S:
        return ""
    return f": it is {abs(seconds) / 60:.0f} minutes {'ahead' if seconds > 0 else 'behind'}"
