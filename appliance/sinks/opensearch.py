"""Documents to a service of OpenSearch or Elasticsearch, by its bulk interface: what was taken, what was not.

Each document is judged by its own: one that the service refuses does not hold up the others, one that came
twice is there once. What an answer says beyond status and type of error is not kept: it may quote a document.
Retrying, and how long to wait, is for whoever sends.
"""

import base64
import json
import ssl
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import urllib3
from urllib3.exceptions import HTTPError, SSLError

from appliance.errors import SinkError
from appliance.settings import OpenSearchSettings
from appliance.sinks.opensearch_documents import IndexDocument, bulk, index_template
from appliance.sinks.opensearch_signing import Sign, signer

_AGENT: Final = "office-door-appliance"
_NDJSON: Final = "application/x-ndjson"
_MOST_ANSWER: Final = 64 << 20
_BUSY: Final = frozenset({429, 502, 503, 504})
_LONGEST_PAUSE_S: Final = 3600.0
_TYPE: Final = 64
"""Characters of a type of error that are told."""
_UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a batch.

    Attributes:
        taken: How many are there now, or were there in a newer version.
        again: Those that are to be sent again, in their order.
        refused: Type of error → how many are never taken.
    """

    taken: int
    again: Sequence[IndexDocument] = ()
    refused: Mapping[str, int] = field(default_factory=dict)


class BusyError(SinkError):
    """The service takes nothing now, or not so much at once.

    Attributes:
        retry_after_s: When it wants to be asked again, seconds; None: it does not say.
        too_large: Whether the batch is too large for it.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None, too_large: bool = False) -> None:
        super().__init__(message, reason="busy", hint="it is tried again by itself, with less at once")
        self.retry_after_s = retry_after_s
        self.too_large = too_large


class OpenSearch:
    """One service.

    Args:
        settings: Where, and how to log on.
        sign: Signs requests; made of the settings where they want it.

    Raises:
        SinkError: The certificates to check against cannot be read.
    """

    def __init__(self, settings: OpenSearchSettings, sign: Sign | None = None) -> None:
        self._settings = settings
        self._sign = sign
        self._url = settings.url.rstrip("/")
        self._pool = urllib3.PoolManager(
            num_pools=1,
            maxsize=1,
            timeout=urllib3.Timeout(total=settings.timeout_s),
            retries=False,
            ssl_context=_trust(settings.ca_file),
        )

    def put_template(self) -> None:
        """Tell the service what the fields are.

        Raises:
            SinkError: It did not take that.
        """
        prefix = self._settings.index
        body = json.dumps(index_template(prefix, sized=self._settings.aws != "aoss")).encode()
        self._ask("PUT", f"/_index_template/{prefix}", body, "application/json")

    def send(self, documents: Sequence[IndexDocument]) -> Sent:
        """Write a batch of documents.

        Raises:
            BusyError: None was judged; another try makes sense, maybe with fewer.
            SinkError: None was judged; something has to be put right first.
        """
        # Serverless collections keep no versions.
        body = bulk(documents, self._settings.index, versions=self._settings.aws != "aoss")
        answer = self._ask("POST", "/_bulk", body, _NDJSON)
        items = answer.get("items")
        if not isinstance(items, list) or len(items) != len(documents):
            raise _no_answer()
        again: list[IndexDocument] = []
        refused: Counter[str] = Counter()
        for document, item in zip(documents, items, strict=True):
            status, kind = _judged(item)
            if status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                again.append(document)
            elif status >= HTTPStatus.BAD_REQUEST and status != HTTPStatus.CONFLICT:
                # A conflict: a newer version is there.
                refused[kind] += 1
        return Sent(len(documents) - len(again) - refused.total(), again, dict(refused))

    def close(self) -> None:
        """Let go of the connection."""
        self._pool.clear()

    def _ask(self, method: str, path: str, body: bytes, media: str) -> Mapping[str, Any]:
        url = f"{self._url}{path}"
        try:
            answer = self._pool.request(
                method,
                url,
                body=body,
                headers=self._headers(method, url, body, media),
                preload_content=False,
                redirect=False,
            )
            try:
                content = answer.read(_MOST_ANSWER)
            finally:
                answer.release_conn()
        except SSLError as error:
            raise SinkError(
                "the certificate of the search service is not trusted, or it speaks no TLS",
                reason="unreachable",
                hint="look at index.opensearch.url and ca_file, and at the clock",
            ) from error
        except (HTTPError, OSError) as error:
            raise SinkError(
                "the search service cannot be reached, or went away in the middle",
                reason="unreachable",
                hint="look at index.opensearch.url, at the network and at the service",
            ) from error
        _judge(answer.status, answer.headers.get("Retry-After"))
        try:
            said = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise _no_answer() from error
        if not isinstance(said, dict):
            raise _no_answer()
        return said

    def _headers(self, method: str, url: str, body: bytes, media: str) -> dict[str, str]:
        settings = self._settings
        headers = {"Content-Type": media, "User-Agent": _AGENT}
        if settings.aws != "off":
            if self._sign is None:
                self._sign = signer(settings)
            return dict(self._sign(method, url, headers, body))
        if settings.api_key is not None:
            headers["Authorization"] = f"ApiKey {settings.api_key.get_secret_value()}"
        elif settings.username is not None and settings.password is not None:
            both = f"{settings.username}:{settings.password.get_secret_value()}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(both).decode()}"
        return headers


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    """What the service's certificate is checked against.

    Raises:
        SinkError: The file cannot be read.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        raise SinkError(
            "the certificates in index.opensearch.ca_file cannot be read",
            hint="a PEM file is needed that dispatch may read",
        ) from error


def _judged(item: Any) -> tuple[int, str]:
    """Status of one document, and the type of error."""
    said = item.get("index") if isinstance(item, dict) else None
    status = said.get("status") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(status, int):
        raise _no_answer()
    error = said.get("error")
    kind = error.get("type") if isinstance(error, dict) else None
    if not isinstance(kind, str) or not kind.replace("_", "").isalnum():
        kind = _UNKNOWN
    return status, kind[:_TYPE]


def _judge(status: int, retry_after: str | None) -> None:
    """What an answer as a whole means.

    Raises:
        SinkError: Nothing was taken.
    """
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        raise BusyError("the search service takes less at once", too_large=True)
    if status in _BUSY or status == HTTPStatus.REQUEST_TIMEOUT:
        pause = retry_after.strip() if retry_after else ""
        seconds = min(float(pause), _LONGEST_PAUSE_S) if pause.isascii() and pause.isdigit() else None
        raise BusyError(f"the search service is busy (it answered {status})", retry_after_s=seconds)
    if status == HTTPStatus.UNAUTHORIZED:
        raise SinkError(
            "the search service does not know these credentials (401)",
            reason="credentials",
            hint="look at username and password, api_key or aws in [index.opensearch]",
        )
    if status == HTTPStatus.FORBIDDEN:
        raise SinkError(
            "the search service does not allow this (403)",
            reason="denied",
            hint="it needs the rights to write to the indices, to make them, and to put an index template",
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise BusyError(f"the search service failed (it answered {status})")
    raise SinkError(
        f"the search service refuses the request (it answered {status})",
        reason="failed",
        hint="is this the address of the service itself, and not of its pages?",
    )


def _no_answer() -> SinkError:
    return SinkError(
        "what answers is no OpenSearch and no Elasticsearch",
        reason="failed",
        hint="look at index.opensearch.url",
    )
