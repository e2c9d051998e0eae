"""Imports by page while things go wrong: the models process ends, pictures are large, a row is odd."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
import stores
from catalogue_things import MODEL, jpeg, unit
from desk_box import DeskBox, desk_box
from search_box import SearchBox, png
from search_items import photographs

from appliance.app.catalogue_changing import CatalogueChanges
from appliance.app.catalogue_import_report import RowFault
from appliance.app.catalogue_import_table import TableRow
from appliance.app.desk.catalogue_import_describing import Described, Describing, needless, ready
from appliance.app.featurizing import FeatureHandlers
from appliance.errors import ModelError, PeerGoneError
from appliance.models.folder import ModelFolder
from appliance.store import ItemEntry, NewPicture, Store, sqlite_url
from appliance.wire import Message, Reply, Server
from appliance.wire.messages import AskFeaturizer, FeaturizerTold, PictureFeaturized

M = TypeVar("M", bound=Message)
THINGS = {each.id: each for each in photographs()}
CUP, CAT = png(THINGS["coffee"].bgr), png(THINGS["chelsea"].bgr)
MB = 1 << 20


@pytest.fixture
def box(tmp_path: Path) -> Iterator[SearchBox]:
    """A box whose models process is the test's to start."""
    made = SearchBox(tmp_path)
    made.layout.settings_file.write_text("[search]\nenabled = true\n", encoding="utf-8")
    yield made
    made.close()


@pytest.fixture
def desk(box: SearchBox) -> Iterator[DeskBox]:
    """Its desk."""
    with desk_box(box.services) as made:
        yield made


def begun(desk: DeskBox, admin: str, *rows: str) -> int:
    """An import of rows: id, title, pictures; its number."""
    table = "\n".join(["id,title,pictures", *rows]).encode()
    return int(desk.ask("catalogue.import_begin", admin, blob=table)["number"])


def test_a_models_process_that_is_started_again_costs_no_row(box: SearchBox, desk: DeskBox) -> None:
    """It is waited for, and the picture is described then."""
    admin = desk.first_admin()
    number = begun(desk, admin, "cup,A cup,a.png")
    with ThreadPoolExecutor(1) as sending:
        sent = sending.submit(
            desk.ask, "catalogue.import_picture", admin, blob=CUP, number=number, index=0, path="a.png"
        )
        threading.Event().wait(1)
        with box.describing():
            told = sent.result()

    assert (True, 1, 0) == (told["row_done"], told["added"], told["refused"])


def test_a_last_picture_that_failed_is_sent_again_alone(
    box: SearchBox, desk: DeskBox, tmp_path: Path
) -> None:
    """The others of its row wait for it."""
    admin = desk.first_admin()
    number = begun(desk, admin, "cup,A cup,a.png;b.png")

    def send(content: bytes, path: str) -> Any:
        return desk.ask("catalogue.import_picture", admin, blob=content, number=number, index=0, path=path)

    with box.describing():
        assert not send(CUP, "a.png")["row_done"]
    handlers = FeatureHandlers(box.settings.search, ModelFolder(tmp_path / "none")).handlers()
    with Server(box.layout.socket("models"), handlers), pytest.raises(ModelError):
        send(CAT, "b.png")
    with box.describing():
        told = send(CAT, "b.png")

    assert (True, 1, 2) == (told["row_done"], told["added"], told["pictures"])


@pytest.mark.parametrize("gone", ["catalogue.remove", "catalogue.remove_picture"])
def test_a_row_whose_item_loses_a_picture_meanwhile_is_sent_again(
    box: SearchBox, desk: DeskBox, gone: str
) -> None:
    """The file of what was there already was let go of: the row is not done, and then it is, with both."""
    admin = desk.first_admin()
    with box.describing():
        had = desk.ask("catalogue.put", admin, blob=CUP, item="cup", title="A cup")["item"]
        number = begun(desk, admin, "cup,A cup,a.png;b.png")

        def send(content: bytes, path: str) -> Any:
            return desk.ask(
                "catalogue.import_picture", admin, blob=content, number=number, index=0, path=path
            )

        send(CUP, "a.png")
        picture = {} if gone == "catalogue.remove" else {"picture": had["pictures"][0]["picture"]}
        desk.ask(gone, admin, item="cup", **picture)
        first = send(CAT, "b.png")
        send(CUP, "a.png")
        again = send(CAT, "b.png")

    assert (False, 0, 0) == (first["row_done"], first["added"], first["changed"])
    assert (True, 1, 2) == (again["row_done"], again["added"] + again["changed"], again["pictures"])
    assert 2 == len(desk.ask("catalogue.items", admin)["items"][0]["pictures"])


def test_ordinary_photos_of_several_rows_wait_without_their_files(box: SearchBox, desk: DeskBox) -> None:
    """Three rows with four of 8 MB each, sent side by side as the page's script does."""
    admin = desk.first_admin()
    names = [f"{each}.png" for each in range(4)]
    number = begun(desk, admin, *(f"i{row},Item,{';'.join(names)}" for row in range(3)))
    with box.describing():
        for path, tail in zip(names, b"abcd", strict=True):
            content = CUP + bytes([tail]) * (8 * MB)
            told = [
                desk.ask("catalogue.import_picture", admin, blob=content, number=number, index=row, path=path)
                for row in range(3)
            ]

    assert [True] * 3 == [each["row_done"] for each in told]
    assert (3, 12, 0, []) == tuple(told[-1][name] for name in ("added", "pictures", "incomplete", "faults"))


def test_faults_are_told_at_the_end_alone(desk: DeskBox) -> None:
    """With each picture there are counts, so that many faults do not make each answer long."""
    admin = desk.first_admin()
    number = begun(desk, admin, "a,,", "b,B,big.png", "c,C,")
    send = {"number": number}
    large = desk.ask("catalogue.import_picture", admin, index=1, path="big.png", too_large=True, **send)
    ended = desk.ask("catalogue.import_picture", admin, index=2, **send)
    again = desk.ask("catalogue.import_end", admin, number=number)

    assert (True, 2) == (large["row_done"], large["refused"])
    assert "faults" not in large
    assert [(2, "it is missing"), (3, "big.png: the file has more than the 25 MiB that a page can send")] == [
        (each["row"], each["what"]) for each in ended["faults"]
    ]
    assert ended["faults"] == again["faults"]


def test_rows_with_many_long_paths_come_in_several_answers(desk: DeskBox) -> None:
    """None is too long for a message, and none is left out."""
    admin = desk.first_admin()
    paths = ";".join(f"{each}{'x' * 4000}.png" for each in range(60))
    number, after, found = begun(desk, admin, *(f"i{row},Item,{paths}" for row in range(10))), 0, []
    while after is not None:
        page = desk.ask("catalogue.import_rows", admin, number=number, after=after)
        assert sum(len(path) for row in page["rows"] for path in row["pictures"]) < MB // 2
        found += [each["index"] for each in page["rows"]]
        after = page["next"]

    assert list(range(10)) == found


class Mortal:
    """A models process in memory: it ends over some files, all under way with it, and is started again.

    Attributes:
        ended: How often.
    """

    def __init__(self, *, comes_back: bool = True) -> None:
        self.ended = 0
        self._comes_back = comes_back
        self._under_way = 0
        self._change = threading.Condition()

    def call(
        self, message: Message, expect: type[M], *, blob: bytes = b"", timeout_s: float | None = None
    ) -> Reply[M]:
        """As a client's."""
        del timeout_s
        if not self._comes_back:
            raise PeerGoneError("models is not there")
        if isinstance(message, AskFeaturizer):
            told = FeaturizerTold(featurizer=MODEL, numbers=8)
            assert isinstance(told, expect)
            return Reply(told)
        with self._change:
            life = self.ended
            if blob.startswith(b"deadly"):
                self.ended += 1
                self._change.notify_all()
            else:
                # In the middle of another's end as often as there is one.
                self._change.wait_for(lambda: self.ended > life, timeout=0.2)
            if self.ended > life:
                raise PeerGoneError("models ended")
        features = {MODEL: tuple(float(each) for each in unit(1))}
        made = PictureFeaturized(
            width=64, height=48, box=(0, 0, 64, 48), width_px=64, height_px=48, features=features
        )
        assert isinstance(made, expect)
        return Reply(made, jpeg(1))


@pytest.fixture
def changes(tmp_path: Path) -> Iterator[Store]:
    """A store with a seal."""
    with stores.store(sqlite_url(tmp_path / "box.db")) as opened:
        yield opened


def test_who_ends_it_is_blamed_and_nobody_else(changes: Store) -> None:
    """Pictures under way beside it are described again once it was tried alone."""
    models = Mortal()
    describing, made = Describing(models), CatalogueChanges(changes, models, "network")

    def described(content: bytes) -> Described:
        row = TableRow(2, ItemEntry("cup", "A cup"), ("a.png",))
        return describing.described(made, row, "a.png", content, ())

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(described, [b"one", b"deadly", b"two", b"three"]))

    assert [NewPicture, RowFault, NewPicture, NewPicture] == [type(each) for each in found]
    assert 3 == models.ended


def test_one_that_stays_away_is_said_to_be_away(changes: Store) -> None:
    """No picture is blamed for it."""
    models = Mortal(comes_back=False)
    row = TableRow(2, ItemEntry("cup", "A cup"), ("a.png",))
    with pytest.raises(PeerGoneError):
        Describing(models, back_s=0.1).described(
            CatalogueChanges(changes, models, "network"), row, "a.png", b"one", ()
        )


@pytest.mark.parametrize(("replace", "known"), [(False, {"a", "b"}), (True, set())])
def test_what_an_item_has_is_not_described_again(changes: Store, *, replace: bool, known: set[str]) -> None:
    """Unless others of it may have to go: then those that stay are handed over, too."""
    pictures = {name: NewPicture(name * 64, jpeg(1), 64, 48, {MODEL: unit(1)}) for name in "abc"}
    changes.put_item(ItemEntry("cup", "A cup"), [pictures["a"], pictures["b"]])
    had = changes.item("cup")
    fewer = TableRow(2, had.entry, ("a", "c"))
    same = TableRow(2, had.entry, ("a", "b"))

    assert {each * 64 for each in known} == needless(had, replace=replace)
    found = [ready(row, pictures, had, replace=replace) for row in (fewer, same)]
    assert [(2, 0) if replace else (1, 1), (0, 2)] == [(len(each.new), len(each.known)) for each in found]
