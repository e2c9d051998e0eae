"""What the safety report and the calibration open of what is sealed: each template once, and no details."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from people_vectors import looks
from seals import ToySeal
from stores import AGREED, store

from appliance.app.calibrating import calibrate
from appliance.app.safety import gallery_safety
from appliance.settings import RecognitionSettings
from appliance.store import NewReference, Store, sqlite_url


class Counting(ToySeal):
    """A seal that counts what it opens, by row.

    Attributes:
        opened: Row → how often.
    """

    def __init__(self) -> None:
        super().__init__()
        self.opened: Counter[str] = Counter()

    def open(self, wrapped_key: bytes, subject: str, sealed: bytes, *, row: str) -> bytes:
        """Count, and open."""
        self.opened[row] += 1
        return super().open(wrapped_key, subject, sealed, row=row)

    def counts(self, kind: str) -> list[int]:
        """How often each row of a kind was opened."""
        return [count for row, count in sorted(self.opened.items()) if row.startswith(kind)]


@pytest.fixture
def seal() -> Counting:
    """Counts from the beginning of the test on."""
    return Counting()


@pytest.fixture
def people(tmp_path: Path, seal: Counting) -> Iterator[Store]:
    """Three people with a reference each, of quality 41, 42 and 43."""
    with store(sqlite_url(tmp_path / "store.sqlite3"), seal=seal) as opened:
        for number, angle in enumerate((0, 90, 180), 1):
            new = NewReference(looks(angle), 40 + number, {"sha256": str(number)})
            opened.add_subject(f"Person {number}", consent=AGREED, references=[new])
        seal.opened.clear()
        yield opened


def test_the_safety_report_opens_templates_only(people: Store, seal: Counting) -> None:
    """It is made after each change: of a reference only the quality is needed, which is beside them."""
    report = gallery_safety(people, RecognitionSettings())

    assert (3, 3) == (report.people, len(report.poor))
    assert [41, 42, 43] == sorted(people.qualities().values())
    assert [] == seal.counts("references/")
    assert [1] * 6 == seal.counts("templates/")


def test_a_calibration_reads_the_gallery_once(people: Store, seal: Counting) -> None:
    """For what is set, for what is wanted and for the check: the same gallery, opened once."""
    found = calibrate(people, RecognitionSettings(), fpir=0.01)

    assert found.changes
    assert [1] * 6 == seal.counts("templates/")
    assert [] == seal.counts("references/")
