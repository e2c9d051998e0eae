"""A search service on loopback that is stricter than a real one: every line of a bulk request is checked.

It speaks what OpenSearch and Elasticsearch say alike: `_index_template`, `_bulk` with ids, versions of the
kind `external_gte` and an answer for each document. What a test tells it goes wrong, once each.
"""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_INDEX = re.compile(r"[a-z0-9][a-z0-9_.-]{0,250}")
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@dataclass(frozen=True)
class Went:
    """A request that came: its path, headers and how many bytes."""

    method: str
    path: str
    headers: Mapping[str, str]
    size: int


@dataclass
class Answering:
    """What the next requests are answered instead, first to last.

    Attributes:
        status: Of HTTP, for all of it.
        items: Id of a document → the status it is given, this once.
        retry_after: Of the answer.
        cut: The connection ends without an answer.
        done: Whether what was asked is done before that.
        raw: The body of the answer.
    """

    status: int = 200
    items: Mapping[str, int] = field(default_factory=dict)
    retry_after: str | None = None
    cut: bool = False
    done: bool = False
    raw: bytes | None = None


class SearchServer:
    """The service.

    Attributes:
        documents: What is there: index → id → (version, document).
        templates: Name → template.
        went: Requests, in order.
        answers: What goes wrong.
        authorization: What requests have to bear; None: anything.
        most_bytes: Of a body; more is refused with 413.
    """

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, tuple[int, dict[str, Any]]]] = {}
        self.templates: dict[str, Any] = {}
        self.went: list[Went] = []
        self.answers: list[Answering] = []
        self.authorization: str | None = None
        self.most_bytes = 100 << 20
        self.faults: list[str] = []
        service = self

        class Handler(_Handler):
            of = service

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.daemon = True
        thread.start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def everything(self) -> dict[str, dict[str, Any]]:
        """Every document by id, of all indices."""
        return {id_: found for index in self.documents.values() for id_, (_, found) in index.items()}

    def bulks(self) -> int:
        """How many bulk requests came."""
        return sum(each.path == "/_bulk" for each in self.went)

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()

    # ------------------------------------------------------------ what it does

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Any]:
        """Status and JSON of a request."""
        if self.authorization is not None and headers.get("Authorization") != self.authorization:
            return 401, {"error": "unauthorized", "status": 401}
        if len(body) > self.most_bytes:
            return 413, {"error": "too large", "status": 413}
        if method == "PUT" and path.startswith("/_index_template/"):
            return self._template(path.rpartition("/")[2], headers, body)
        if method == "POST" and path == "/_bulk":
            return self._bulk(headers, body, self.answers[0].items if self.answers else {})
        return self._fault(f"{method} {path} is not spoken here")

    def _template(self, name: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Any]:
        said = json.loads(body)
        if headers.get("Content-Type") != "application/json":
            return self._fault("a template is application/json")
        if set(said) != {"index_patterns", "priority", "template"}:
            return self._fault(f"a template has other parts than {sorted(said)}")
        self.templates[name] = said
        return 200, {"acknowledged": True}

    def _bulk(self, headers: Mapping[str, str], body: bytes, told: Mapping[str, int]) -> tuple[int, Any]:
        if headers.get("Content-Type") != "application/x-ndjson":
            return self._fault("a bulk request is application/x-ndjson")
        if not body.endswith(b"\n"):
            return self._fault("the last line of a bulk request ends with a line feed")
        lines = body.decode().split("\n")[:-1]
        if len(lines) % 2:
            return self._fault("a bulk request of `index` has two lines for each document")
        items = []
        for action, document in zip(lines[::2], lines[1::2], strict=True):
            fault = self._faulty(action, document)
            if fault:
                return self._fault(fault)
            items.append({"index": self._index(json.loads(action)["index"], json.loads(document), told)})
        wrong = any(each["index"]["status"] >= 300 for each in items)
        return 200, {"took": 1, "errors": wrong, "items": items}

    def _faulty(self, action: str, document: str) -> str:
        said, fields = json.loads(action), json.loads(document)
        about = said.get("index", {})
        stamp, version = fields.get("timestamp", ""), about.get("version", 0)
        rules = {
            f"the action is {sorted(said)}": set(said) == {"index"},
            f"it has {sorted(about)}": set(about) == {"_index", "_id", "version", "version_type"},
            "no name of an index": _INDEX.fullmatch(about.get("_index", "")),
            "no id": 0 < len(about.get("_id", "").encode()) <= 512,
            "no version": about.get("version_type") == "external_gte" and version >= 1,
            "a timestamp as the template has it": _DATE.fullmatch(stamp),
            "another month's index": about.get("_index", "")[-7:] == stamp[:7].replace("-", "."),
            "a field's name that is taken otherwise than it is meant": not any(
                "." in name or name.startswith("_") for name in fields
            ),
        }
        return next((words for words, holds in rules.items() if not holds), "")

    def _index(self, about: Any, document: Any, told: Mapping[str, int]) -> dict[str, Any]:
        status = told.get(about["_id"], 0)
        if status:
            kind = "es_rejected_execution_exception" if status == 429 else "mapper_parsing_exception"
            reason = f"failed to parse {json.dumps(document)}"
            return {"_id": about["_id"], "status": status, "error": {"type": kind, "reason": reason}}
        index = self.documents.setdefault(about["_index"], {})
        version, _ = index.get(about["_id"], (0, {}))
        if version > about["version"]:
            kind = "version_conflict_engine_exception"
            return {"_id": about["_id"], "status": 409, "error": {"type": kind, "reason": "newer"}}
        index[about["_id"]] = (about["version"], document)
        return {"_id": about["_id"], "status": 200 if version else 201}

    def _fault(self, words: str) -> tuple[int, Any]:
        """A request that is against the rules; a test looks that there was none."""
        self.faults.append(words)
        return 400, {"error": words, "status": 400}


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    of: SearchServer
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        """A template."""
        self._do()

    def do_POST(self) -> None:
        """A bulk request."""
        self._do()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
        """Nothing: the test knows what came."""

    def _do(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        service = self.of
        service.went.append(Went(self.command, self.path, dict(self.headers), len(body)))
        wrong = service.answers[0] if service.answers and self.path == "/_bulk" else None
        status, said = 200, None
        if wrong is None or wrong.done or (not wrong.cut and wrong.status == 200 and wrong.raw is None):
            status, said = service.answer(self.command, self.path, dict(self.headers), body)
        if wrong is not None:
            service.answers.pop(0)
            if wrong.cut:
                self.close_connection = True
                return
            status = wrong.status if wrong.status != 200 else status
        content = wrong.raw if wrong is not None and wrong.raw is not None else json.dumps(said).encode()
        self.send_response(status)
        if wrong is not None and wrong.retry_after is not None:
            self.send_header("Retry-After", wrong.retry_after)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def search_server() -> Iterator[SearchServer]:
    """The service, until the end of the block."""
    server = SearchServer()
    try:
        yield server
    finally:
        server.close()
