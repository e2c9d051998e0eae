"""The rows of moments in a transaction: documents with their marks and counts, put and taken away together.

What a document says is for the callers; nothing here begins or ends a transaction.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, bindparam, delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from appliance.store.chain import canonical
from appliance.store.moment_records import LABEL_CHARS, MOST_LABELS
from appliance.store.moment_tables import moment_counts, moment_labels, moment_marks, moment_places, moments

SPANS: Final = (900, 3600)
"""Seconds of the spans that are counted: a quarter of an hour divides the day of every time zone."""
WHOLE: Final = ""
"""The label that stands for a document as a whole."""
MOST_KNOWN: Final = 1000
"""Labels that there may be in all: the next is not kept. A function that makes its labels up would fill the
counts otherwise."""
_DOCUMENT_BYTES: Final = 50
_MARK_BYTES: Final = 25
_COUNT_BYTES: Final = 20
"""What rows take on a SQLite disk, about: six million moments with two marks each were 611 MB."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_TOGETHER: Final = 400
"""Values of one list in a statement: far below what the databases take."""


@dataclass(frozen=True, slots=True)
class Document:
    """What one is made of; see `moment_records.Moment`.

    Attributes:
        camera: Empty: none.
        at_ms: Milliseconds since the epoch.
        kind: As there.
        labels: Label → score.
        more: The other columns of the table `moments`.
    """

    camera: str
    at_ms: int
    kind: str
    labels: Mapping[str, float]
    more: Mapping[str, Any]


def millis(at: datetime) -> int:
    """An aware time in whole milliseconds since the epoch, rounded down."""
    return (at - _EPOCH) // _MS


def time_of(ms: int) -> datetime:
    """The aware UTC time of so many milliseconds since the epoch."""
    return _EPOCH + ms * _MS


def stored_score(score: float) -> int:
    """A score as it is kept: ten-thousandths, 0 to 10,000; what is beyond is the nearest of these."""
    return round(min(max(score, 0.0), 1.0) * 10_000)


class MomentRows:
    """Puts documents into one device's index and takes them out.

    Args:
        connection: In a writing transaction.
        device: Whose.
    """

    def __init__(self, connection: Connection, device: str) -> None:
        self._connection = connection
        self._device = device
        self._places: dict[str, int] = {}
        self._labels: dict[str, int] = {}
        self._known: int | None = None

    def put(self, documents: Sequence[Document]) -> int:
        """Write documents; how many were: one that has labels but none of those that are kept is not."""
        rows: list[dict[str, Any]] = []
        scores: list[dict[int, int]] = []
        for each in documents:
            kept = self._kept(each.labels)
            if each.labels and not kept:
                continue
            body = canonical({label: score / 10_000 for label, score in kept.items()})
            columns = {"door": None, "verdict": None, "subject": None, "about": None, "event": None}
            rows.append(
                {
                    **columns,
                    "source": None,
                    "corrected": False,
                    **each.more,
                    "place": self.place(each.camera),
                    "at": each.at_ms,
                    "kind": each.kind,
                    "body": body,
                }
            )
            scores.append(self._scores(kept))
        if not rows:
            return 0
        numbers = self._connection.execute(
            insert(moments).returning(moments.c.id, sort_by_parameter_order=True), rows
        ).scalars()
        marks = [
            {"label": label, "place": row["place"], "at": row["at"], "moment": number, "score": score}
            for row, number, of in zip(rows, numbers.all(), scores, strict=True)
            for label, score in of.items()
        ]
        self._connection.execute(insert(moment_marks), marks)
        self._count(marks, 1)
        return len(rows)

    def take_away(self, rows: Iterable[Mapping[Any, Any]], *, counted: bool = True) -> int:
        """Delete documents with their marks.

        Args:
            rows: Of the table `moments`, with `id`, `place`, `at` and `body`.
            counted: Whether the counts still hold them.
        """
        marks = [
            {"label": label, "place": row["place"], "at": row["at"], "moment": row["id"], "score": score}
            for row in rows
            for label, score in self._scores(self._read(row["body"])).items()
        ]
        whole = self.label(WHOLE)
        numbers = [each["moment"] for each in marks if each["label"] == whole]
        if not numbers:
            return 0
        keys = moment_marks.primary_key.columns
        one = delete(moment_marks).where(*(key == bindparam(f"of_{key.name}") for key in keys))
        self._connection.execute(one, [{f"of_{key.name}": mark[key.name] for key in keys} for mark in marks])
        for first in range(0, len(numbers), _TOGETHER):
            part = numbers[first : first + _TOGETHER]
            self._connection.execute(delete(moments).where(moments.c.id.in_(part)))
        if counted:
            self._count(marks, -1)
        return len(numbers)

    def place(self, camera: str) -> int:
        """The number of a camera of this device, given one if it has none."""
        if camera not in self._places:
            self._places[camera] = self._number(
                moment_places, {"device": self._device, "camera": camera[:LABEL_CHARS]}
            )
        return self._places[camera]

    def label(self, label: str) -> int:
        """The number of a label, likewise."""
        if label not in self._labels:
            self._labels[label] = self._number(moment_labels, {"label": label})
        return self._labels[label]

    def _kept(self, labels: Mapping[str, float]) -> dict[str, int]:
        """Labels that are kept, with their scores as they are kept: the best ones."""
        best = sorted(labels.items(), key=lambda each: (-each[1], each[0]))
        found: dict[str, int] = {}
        for label, score in best:
            if len(found) == MOST_LABELS:
                break
            if label and len(label) <= LABEL_CHARS and math.isfinite(score) and self._takes(label):
                found[label] = stored_score(score)
        return found

    def _takes(self, label: str) -> bool:
        """Whether a label is known, or may become so."""
        if label in self._labels:
            return True
        if self._known is None:
            known = select(moment_labels.c.label, moment_labels.c.id)
            self._labels.update((row.label, row.id) for row in self._connection.execute(known))
            self._known = len(self._labels)
        if label in self._labels:
            return True
        if self._known >= MOST_KNOWN:
            return False
        self._known += 1
        self.label(label)
        return True

    def _read(self, body: str) -> dict[str, int]:
        return {label: stored_score(score) for label, score in json.loads(body).items()}

    def _scores(self, kept: Mapping[str, int]) -> dict[int, int]:
        """By number of the label; the document's own is its best."""
        found = {self.label(label): score for label, score in kept.items()}
        return {self.label(WHOLE): max(kept.values(), default=0), **found}

    def _count(self, marks: Sequence[Mapping[str, int]], each: int) -> None:
        many: Counter[tuple[int, int, int, int, int]] = Counter()
        for mark in marks:
            second = mark["at"] // 1000
            for span in SPANS:
                start = second - second % span
                many[span, mark["label"], start, mark["place"], mark["score"] // 100] += each
                many[-span, mark["label"], start, mark["place"], 0] += each
        if not many:
            return
        names = ("span", "label", "start", "place", "percent", "many")
        add: Any = _inserting(self._connection)(moment_counts)
        keys = list(moment_counts.primary_key.columns)
        add = add.on_conflict_do_update(
            index_elements=keys, set_={"many": moment_counts.c.many + add.excluded.many}
        )
        rows = [dict(zip(names, (*key, count), strict=True)) for key, count in sorted(many.items())]
        self._connection.execute(add, rows)

    def _number(self, table: Table, values: Mapping[str, str]) -> int:
        matched: list[ColumnElement[bool]] = [table.c[name] == value for name, value in values.items()]
        wanted = select(table.c.id).where(*matched)
        found = self._connection.execute(wanted).scalar()
        if found is None:
            fresh: Any = _inserting(self._connection)(table).values(dict(values)).on_conflict_do_nothing()
            self._connection.execute(fresh)
            found = self._connection.execute(wanted).scalar_one()
        return int(found)


def _inserting(connection: Connection) -> Any:
    """Both databases know `ON CONFLICT`, each in SQLAlchemy's words for it."""
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert


def moments_bytes(connection: Connection) -> int:
    """About how much of a SQLite database is moments, by their number; 0 on PostgreSQL.

    The log is held to a size of its own, for which PostgreSQL asks the table of events alone: a camera that
    sees much must not push out what happened.
    """
    if connection.dialect.name != "sqlite":
        return 0
    hours = moment_counts.c.span == -max(SPANS)
    whole = moment_labels.c.label == WHOLE
    joined = moment_counts.join(moment_labels, moment_labels.c.id == moment_counts.c.label)
    many = select(func.coalesce(func.sum(moment_counts.c.many), 0)).select_from(joined)
    documents = int(connection.execute(many.where(hours, whole)).scalar_one())
    marks = int(connection.execute(many.where(hours)).scalar_one())
    counts = int(connection.execute(select(func.count()).select_from(moment_counts)).scalar_one())
    return documents * _DOCUMENT_BYTES + marks * _MARK_BYTES + counts * _COUNT_BYTES
