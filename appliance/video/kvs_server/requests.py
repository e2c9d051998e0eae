"""A request as it came, and what is said to one that is refused.

No socket, no JSON, no signature.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from appliance.errors import VideoError

_STATUS: Final[Mapping[str, int]] = {
    "AccessDeniedException": 403,
    "ExpiredTokenException": 403,
    "IncompleteSignatureException": 403,
    "InvalidSignatureException": 403,
    "MissingAuthenticationTokenException": 403,
    "UnrecognizedClientException": 403,
    "NotAuthorizedException": 401,
    "ResourceNotFoundException": 404,
    "UnknownOperationException": 404,
    "InternalFailureException": 500,
}
"""Every other type is a 400. The service model says 401 for AccessDenied, the wire 403."""

_LOWER_CASE: Final = frozenset(
    {
        "ExpiredTokenException",
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "UnrecognizedClientException",
    }
)
"""What checks signatures says `message`, the service itself says `Message`."""


class RefusedError(VideoError):
    """A request that the server answers with an error.

    Attributes:
        code: The type, as in `x-amzn-ErrorType`.
        status: Of HTTP.
    """

    def __init__(self, code: str, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = _STATUS.get(code, 400) if status is None else status

    @property
    def body(self) -> dict[str, str]:
        """What stands in the answer."""
        return {"message" if self.code in _LOWER_CASE else "Message": self.message}


@dataclass(frozen=True, slots=True)
class Request:
    """The head of a request, as received.

    Attributes:
        method: `POST`, `GET`, …
        target: Path and query, not decoded.
        headers: (name in lower case, value) in the order in which they came.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]

    @property
    def path(self) -> str:
        """Of the target, not decoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """Of the target, not decoded; empty where there is none."""
        return self.target.partition("?")[2]

    def argument(self, name: str) -> str | None:
        """The one value of this name in the query, decoded; None where there is none or there are several."""
        found = parse_qs(self.query, keep_blank_values=True, max_num_fields=100).get(name, [])
        return found[0] if len(found) == 1 else None

    def headers_named(self, name: str) -> list[str]:
        """Every value of a header.

        Args:
            name: In lower case.
        """
        return [value for each, value in self.headers if each == name]

    def header(self, name: str) -> str | None:
        """The first value of a header; None where there is none."""
        return next(iter(self.headers_named(name)), None)
