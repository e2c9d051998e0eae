"""Moments as documents of OpenSearch or Elasticsearch: in the form of the DeepLens story, labels with scores.

`{"dog": 0.97, "sofa": 0.31, "timestamp": "…", "camera": "entrance", …}`. Who was seen is in none of them: a
stay has a verdict at most. Sending them is `opensearch`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

_KEYWORDS: Final = ("device", "camera", "kind", "source", "door", "verdict", "clip")
_OWN: Final = frozenset({"timestamp", *_KEYWORDS})
_LABEL: Final = "label_"
"""Before a label that is called like a field of ours, or begins as no field may."""
_DATE: Final = "strict_date_optional_time||yyyy-MM-dd HH:mm:ss.SSS||yyyy-MM-dd HH:mm:ss"
"""Also as DeepLens projects wrote it, and as the box publishes it to a broker: without a zone, in UTC."""
_FIELDS: Final = 2000
"""Fields that an index may have: each label is one."""


@dataclass(frozen=True, slots=True)
class IndexDocument:
    """A document to be sent.

    Attributes:
        id: The same each time it is sent: whoever gets it twice has it once.
        version: Grows when it changes: what is older never takes the place of what is newer.
        at: Its time, aware; says in which index it is.
        fields: What it says besides.
        labels: Label → score.
    """

    id: str
    version: int
    at: datetime
    fields: Mapping[str, str | None]
    labels: Mapping[str, float]


def content(document: IndexDocument) -> dict[str, Any]:
    """The document as JSON values."""
    at = document.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    own = {name: document.fields[name] for name in _KEYWORDS if document.fields.get(name)}
    return {**{_field(label): score for label, score in document.labels.items()}, **own, "timestamp": at}


def index_of(prefix: str, at: datetime) -> str:
    """The index that a document of that time is in: one a month, so that old ones are dropped whole."""
    return f"{prefix}-{at.astimezone(UTC):%Y.%m}"


def bulk(documents: Sequence[IndexDocument], prefix: str, *, versions: bool = True) -> bytes:
    """The body of a request that writes these: two lines for each, as `_bulk` has them.

    Args:
        documents: In this order.
        prefix: Of the indices' names.
        versions: Whether the service takes versions.
    """
    lines: list[str] = []
    for each in documents:
        action: dict[str, Any] = {"_index": index_of(prefix, each.at), "_id": each.id}
        if versions:
            action |= {"version": each.version, "version_type": "external_gte"}
        lines += [_line({"index": action}), _line(content(each))]
    return "".join(lines).encode()


def index_template(prefix: str, *, sized: bool = True) -> dict[str, Any]:
    """The template that the indices are made from: a label's score is a float, whatever it is called.

    Args:
        prefix: Of the indices' names.
        sized: Whether the service lets shards and replicas be chosen (OpenSearch Serverless does not).
    """
    settings: dict[str, Any] = {"index.mapping.total_fields.limit": _FIELDS}
    if sized:
        settings |= {"index.number_of_shards": 1, "index.auto_expand_replicas": "0-1"}
    score = {"type": "float"}
    properties: dict[str, Any] = {name: {"type": "keyword"} for name in _KEYWORDS}
    return {
        "index_patterns": [f"{prefix}-*"],
        "priority": 200,
        "template": {
            "settings": settings,
            "mappings": {
                "dynamic_templates": [
                    {"scores": {"match_mapping_type": "double", "mapping": score}},
                    {"whole_scores": {"match_mapping_type": "long", "mapping": score}},
                ],
                "properties": {**properties, "timestamp": {"type": "date", "format": _DATE}},
            },
        },
    }


def _field(label: str) -> str:
    """A label as the name of a field: a dot would make it a field within another."""
    name = label.replace(".", "_").strip() or "label"
    return f"{_LABEL}{name}" if name in _OWN or name.startswith("_") else name


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"
