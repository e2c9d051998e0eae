"""Imports into the catalogue: what becomes of each row, again, with bad pictures, and when somebody dies."""

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import stores
from catalogue_things import MODEL, Follower, catalogue, jpeg, unit

from appliance.app.catalogue_export import export_catalogue
from appliance.app.catalogue_import import CatalogueImport, Describes
from appliance.app.catalogue_import_report import ImportReport
from appliance.app.catalogue_import_table import read_table
from appliance.app.catalogue_pictures import FolderPictures
from appliance.errors import InputError, PeerGoneError, PhotoError, UnknownItemError, VaultError
from appliance.store import CatalogueItem, ItemEntry, NewPicture, Store, sqlite_url

HEAD = "id,title,link,price,notes,pictures\n"


class Describing:
    """Makes features of a file's bytes; refuses some, and dies of others.

    Attributes:
        looked_at: How many pictures it described.
        opened: How often it was begun anew.
    """

    def __init__(self) -> None:
        self.looked_at = 0
        self.opened = 0
        self._dead = False
        self._lock = threading.Lock()

    def describe(self, content: bytes, sha256: str) -> NewPicture:
        """As the models process would."""
        with self._lock:
            if content.startswith(b"deadly"):
                self._dead = True
            if self._dead:
                raise PeerGoneError("the process died")
            if content.startswith(b"bad"):
                raise PhotoError("the file is no picture", reason="not_a_picture", hint="save it as JPEG")
            self.looked_at += 1
        seed = int(hashlib.sha256(content).hexdigest()[:8], 16)
        return NewPicture(sha256, jpeg(seed), 64, 48, {MODEL: unit(seed)})

    def reopen(self) -> None:
        """Another process."""
        with self._lock:
            self._dead = False
            self.opened += 1


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Store]:
    """A store with a seal."""
    with stores.store(sqlite_url(tmp_path / "box.db")) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the table lies, with ten pictures, one that is none and one that kills."""
    there = tmp_path / "table"
    (there / "more").mkdir(parents=True)
    for number in range(10):
        (there / f"{number}.jpg").write_bytes(b"picture %d" % number)
    (there / "more" / "again.jpg").write_bytes(b"picture 0")
    (there / "bad.jpg").write_bytes(b"bad")
    (there / "deadly.jpg").write_bytes(b"deadly")
    (tmp_path / "secret.jpg").write_bytes(b"not to be read")
    (there / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    return there


def imported(
    box: Store, folder: Path, table: str, models: Describes | None = None, *, replace: bool = False
) -> ImportReport:
    """What became of a table."""
    rows = read_table((HEAD + table).encode())
    report = ImportReport(len(rows))
    work = CatalogueImport(box, FolderPictures(folder), models or Describing(), replace=replace)
    work.run(rows, report)
    return report


def test_each_row_becomes_an_item_and_again_does_nothing(box: Store, folder: Path) -> None:
    """Twice the same table: the second time nothing is described, nothing is written."""
    table = "cup,A cup,https://example.com/cup,12 €,white,0.jpg;more/again.jpg;1.jpg\nball,A ball,,,,2.jpg\n"
    first = imported(box, folder, table)
    version, models = box.catalogue_version(), Describing()
    second = imported(box, folder, table, models)

    assert (2, 0, 0, 0, 3, []) == (
        *(first.added, first.changed, first.same, first.refused, first.pictures),
        first.faults,
    )
    assert (0, 0, 2, 0, 0, 0) == (
        *(second.added, second.changed, second.same, second.refused, second.pictures),
        models.looked_at,
    )
    assert version == box.catalogue_version()
    assert ItemEntry("cup", "A cup", "https://example.com/cup", "12 €", "white") == box.item("cup").entry
    hashes = [hashlib.sha256(b"picture %d" % each).hexdigest() for each in (0, 1, 2)]
    assert {"cup": tuple(hashes[:2]), "ball": (hashes[2],)} == catalogue(box)


class Removing(Describing):
    """Somebody removes items, or pictures of them, while the first picture is described."""

    def __init__(self, box: Store, *, items: bool) -> None:
        super().__init__()
        self._box = box
        self._items = items
        self._removed = False

    def describe(self, content: bytes, sha256: str) -> NewPicture:
        """And they are gone."""
        with self._lock:
            there, self._removed = () if self._removed else self._box.items(), True
            for item in there:
                if self._items:
                    self._box.remove_item(item.entry.id)
                else:
                    self._box.remove_picture(item.pictures[0].id)
        return super().describe(content, sha256)


@pytest.mark.parametrize("items", [True, False])
@pytest.mark.parametrize("replace", [True, False])
def test_what_is_removed_meanwhile_is_described_again(
    box: Store, folder: Path, *, items: bool, replace: bool
) -> None:
    """What an item had when it was looked up may be gone when its row is kept."""
    names = [f"i{number}" for number in range(5)]
    imported(box, folder, "".join(f"{each},Item,,,,0.jpg\n" for each in names))
    models = Removing(box, items=items)
    again = "".join(f"{each},Item,,,,0.jpg;1.jpg\n" for each in names)
    report = imported(box, folder, again, models, replace=replace)
    hashes = {hashlib.sha256(b"picture %d" % each).hexdigest() for each in (0, 1)}

    assert dict.fromkeys(names, hashes) == {name: set(had) for name, had in catalogue(box).items()}
    assert (5, 0, []) == (report.added + report.changed, report.refused, report.faults)


def test_a_changed_table_changes_what_it_says_and_no_more(box: Store, folder: Path) -> None:
    """Pictures are added; with `replace` the item has exactly those named; none named: they stay."""
    imported(box, folder, "cup,A cup,,,,0.jpg;1.jpg\nball,A ball,,,,2.jpg")
    models = Describing()
    more = imported(box, folder, "cup,A blue cup,,,,1.jpg;3.jpg\nball,A ball,,,,2.jpg", models)
    of_cup = len(box.item("cup").pictures)
    fewer = imported(box, folder, "cup,A blue cup,,,,3.jpg\nball,A ball,,,,", replace=True)
    careful = imported(box, folder, "cup,A blue cup,,,,4.jpg;bad.jpg", replace=True)

    assert ((1, 1), 1, 3) == ((more.changed, more.same), models.looked_at, of_cup)
    assert (1, 1) == (fewer.changed, fewer.same)
    assert (1, 1) == (careful.changed, careful.incomplete)
    assert [hashlib.sha256(b"picture %d" % each).hexdigest() for each in (3, 4)] == [
        each.sha256 for each in box.item("cup").pictures
    ]
    assert 1 == len(box.item("ball").pictures)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("none.jpg", "there is no such file"),
        ("", ""),
        ("../secret.jpg", "outside the table's folder"),
        ("/etc/hostname", "outside the table's folder"),
        ("link.jpg", "outside the table's folder"),
        ("more/../../secret.jpg", "outside the table's folder"),
        ("..\\secret.jpg", "outside the table's folder"),
        ("more", "there is no such file"),
        ("x" * 4096, "there is no such file"),
        ("a\x00b.jpg", "no path of a file"),
        ("bad.jpg", "the file is no picture; save it as JPEG"),
    ],
)
def test_a_picture_that_cannot_be_had_is_told_and_the_rest_imported(
    box: Store, folder: Path, path: str, words: str
) -> None:
    """The row is refused if that was its only picture; with another it is taken without this one."""
    table = f'one,One,,,,"{path}"\ntwo,Two,,,,"1.jpg;{path}"\nthree,Three,,,,2.jpg'
    report = imported(box, folder, table)

    if not words:
        assert (3, 0, []) == (report.added, report.refused, report.faults)
        return
    assert (2, 1, 1, 2) == (report.added, report.refused, report.incomplete, report.pictures)
    assert [(2, "one", "pictures"), (3, "two", "pictures")] == [
        (each.row, each.item, each.column) for each in report.faults
    ]
    assert all(words in each.told() and each.told().isprintable() for each in report.faults)
    assert {"two": 1, "three": 1} == {item: len(had) for item, had in catalogue(box).items()}


def test_a_path_written_with_backslashes_is_found(box: Store, folder: Path) -> None:
    """As other systems write them."""
    assert 1 == imported(box, folder, "cup,A cup,,,,more\\again.jpg").pictures


def test_who_dies_of_a_picture_is_replaced_and_only_that_one_refused(box: Store, folder: Path) -> None:
    """Those under way at the same time are looked at again."""
    names = [*(f"{number}.jpg" for number in range(5)), "deadly.jpg", *(f"{n}.jpg" for n in range(5, 10))]
    table = "\n".join(f"item{at},Thing {at},,,,{name}" for at, name in enumerate(names))
    models = Describing()
    report = imported(box, folder, table, models)

    assert (10, 1) == (report.added, report.refused)
    assert ["item5"] == [each.item for each in report.faults]
    assert "ended over it twice" in report.faults[0].what
    assert models.opened >= 2
    assert 10 == box.picture_count()


def test_told_to_stop_it_ends_and_goes_on_where_it_ended(box: Store, folder: Path) -> None:
    """Nothing is doubled, nothing is lost, and the report says what was not reached."""
    table = HEAD + "\n".join(f"item{at},Thing {at},,,,{at}.jpg" for at in range(10))
    rows, stop = read_table(table.encode()), threading.Event()
    report = ImportReport(len(rows))
    work = CatalogueImport(box, FolderPictures(folder), Describing())
    work.run(rows, report, stop=stop, tell=lambda now: stop.set() if now.done == 4 else None)
    again = imported(box, folder, table.removeprefix(HEAD))

    assert (4, True, 4) == (report.added, report.stopped, report.done)
    assert "6 rows were not reached: run it again to go on" in list(report.lines())[-1]
    assert (6, 4) == (again.added, again.same)
    assert 10 == box.picture_count()


def test_the_report_counts_what_it_does_not_tell() -> None:
    """Of hundreds of faults some are told one by one; as JSON all."""
    rows = read_table(("id,title\n" + "\n".join(f"i{at}," for at in range(30))).encode())
    report = ImportReport(len(rows), refused=30, faults=[fault for row in rows for fault in row.faults])

    assert ["and 10 more", "0 added, 0 changed, 0 there already, 30 refused; 0 new pictures"] == list(
        report.lines()
    )[20:]
    assert (30, 0) == (len(report.as_json()["faults"]), report.as_json()["not_reached"])


@pytest.mark.parametrize("form", ["csv", "json"])
def test_an_export_is_imported_as_the_same_catalogue(
    box: Store, folder: Path, tmp_path: Path, form: str
) -> None:
    """Into an empty one: the same items and pictures; into its own: nothing changes."""
    said = '"=1+1, ""x""; y",https://example.com/?a=1&b=2,"1,50 €","two\nlines; ünïcode 猫"'
    imported(box, folder, f"a/../b,{said},0.jpg;1.jpg\nno-picture,Nothing,,,,\nball,A ball,,,,0.jpg")
    out = tmp_path / "out"
    table, items, pictures = export_catalogue(box, out, "csv" if form == "csv" else "json")
    rows = read_table(table.read_bytes())
    again = ImportReport(len(rows))
    CatalogueImport(box, FolderPictures(out), Describing()).run(rows, again)
    with stores.store(sqlite_url(tmp_path / "other.db"), device="other") as other:
        CatalogueImport(other, FolderPictures(out), Describing()).run(rows, ImportReport(len(rows)))
        entries = [[each.entry for each in which.items(oldest_first=True)] for which in (box, other)]
        catalogues = [catalogue(which) for which in (box, other)]

    assert (3, 3, f"items.{form}") == (items, pictures, table.name)
    assert (3, 0) == (again.same, len(again.faults))
    assert entries[0] == entries[1]
    assert catalogues[0] == catalogues[1]
    assert all(each.stat().st_mode & 0o077 == 0 for each in (out / "pictures").iterdir())
    with pytest.raises(InputError, match="is there already"):
        export_catalogue(box, out, "csv" if form == "csv" else "json")


def test_an_exported_picture_that_was_worked_on_is_another(box: Store, folder: Path, tmp_path: Path) -> None:
    """Its name alone proves nothing."""
    imported(box, folder, "cup,A cup,,,,0.jpg")
    table, _, _ = export_catalogue(box, tmp_path / "out", "json")
    (file,) = (table.parent / "pictures").iterdir()
    file.write_bytes(b"cropped")
    rows = read_table(table.read_bytes())
    report = ImportReport(len(rows))
    CatalogueImport(box, FolderPictures(table.parent), Describing()).run(rows, report)

    assert (1, 1) == (report.changed, report.pictures)
    assert hashlib.sha256(b"cropped").hexdigest() in catalogue(box)["cup"]


def test_whoever_follows_has_what_was_imported(box: Store, folder: Path) -> None:
    """Features come with their pictures."""
    imported(box, folder, "\n".join(f"item{at},Thing {at},,,,{at}.jpg" for at in range(10)))
    follower = Follower(box)
    follower.read()

    assert {f"item{at}" for at in range(10)} == {item for item, _ in follower.known.values()}
    assert all(8 == len(np.frombuffer(each, np.float32)) for _, each in follower.known.values())


class Losing:
    """A catalogue of which a picture does not open, and another is removed while it is exported."""

    def __init__(self, box: Store, *, damaged: str, removed: str) -> None:
        self._box = box
        self._damaged = damaged
        self._removed = removed

    def items(
        self, after: int | None = None, limit: int = 100, text: str = "", *, oldest_first: bool = False
    ) -> list[CatalogueItem]:
        """All of them."""
        return self._box.items(after, limit, text, oldest_first=oldest_first)

    def picture_jpeg(self, picture: str) -> bytes:
        """A picture, unless it is one of those."""
        if picture == self._damaged:
            raise VaultError("the picture does not open")
        if picture == self._removed:
            raise UnknownItemError("there is no such picture")
        return self._box.picture_jpeg(picture)


def test_a_picture_that_cannot_be_had_does_not_end_an_export(
    box: Store, folder: Path, tmp_path: Path
) -> None:
    """One that was removed is not there; of one that does not open it is told whose it is."""
    imported(box, folder, "a,A,,,,0.jpg;1.jpg\nb,B,,,,2.jpg\nc,C,,,,3.jpg")
    (damaged, _), (removed,) = (box.item(each).pictures for each in ("a", "b"))
    told: list[tuple[str, str]] = []
    table, items, pictures = export_catalogue(
        Losing(box, damaged=damaged.id, removed=removed.id),
        tmp_path / "out",
        left_out=lambda item, why: told.append((item, why)),
    )

    assert (3, 2, 2) == (items, pictures, len(list((table.parent / "pictures").iterdir())))
    assert [("a", "the picture does not open")] == told
    assert [1, 0, 1] == [len(each.pictures) for each in read_table(table.read_bytes())]
