"""`appliance search`: a catalogue from a table and back, items, looking; with a running appliance or none."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
from commands import Ended, call
from hostile_pictures import honest_bomb
from models_process import lend, models_process
from search_items import photographs
from searching_at_hand import searching_at_hand
from shop_things import stock
from table_of_things import write_table

from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.wire.messages import CalibrateSearch, MatchTold, RefeaturizeSearch

MANY = 24


@pytest.fixture(scope="module")
def models_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A models process for all of them."""
    with models_process(tmp_path_factory.mktemp("models") / "state") as socket:
        yield socket


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Things with their pictures."""
    return write_table(tmp_path_factory.mktemp("table"), MANY)


@pytest.fixture
def state(tmp_path: Path, models_socket: Path) -> Path:
    """A new box that has a models process and no catalogue."""
    layout = Layout(tmp_path / "state")
    with open_services(Settings(), layout, create=True):
        pass
    lend(models_socket, layout)
    return layout.state


def search(state: Path, *words: object) -> Ended:
    """The command on that box."""
    return call("--state", state, "search", *words)


def test_a_table_is_imported_found_exported_and_imported_elsewhere(
    state: Path, table: Path, tmp_path: Path, models_socket: Path
) -> None:
    """The whole way of a catalogue, with the real network, each time telling what comes next."""
    empty, nothing = search(state, "list"), search(state, "query", table.parent / "3.jpg")
    imported = search(state, "import", table, "--report", tmp_path / "report.json")
    again = search(state, "import", table)
    status = json.loads(search(state, "status", "--json").out)
    found = search(state, "query", table.parent / "3.jpg", "--json")
    strange = tmp_path / "strange.jpg"
    cv2.imwrite(str(strange), photographs()[0].bgr)
    missed = search(state, "query", strange)
    exported = search(state, "export", tmp_path / "out", "--format", "json")
    other = Layout(tmp_path / "other")
    with open_services(Settings(), other, create=True):
        pass
    lend(models_socket, other)
    moved = search(other.state, "import", tmp_path / "out" / "items.json", "--no-calibrate", "--json")
    lists = [search(box, "list", "--json").out.splitlines() for box in (state, other.state)]
    items = [
        [{k: v for k, v in json.loads(e).items() if k in {"id", "title", "link"}} for e in o] for o in lists
    ]
    shas = [[[p["sha256"] for p in json.loads(each)["pictures"]] for each in of] for of in lists]

    assert (0, 16) == (empty.code, nothing.code)
    assert "appliance search import" in empty.out
    assert nothing.hints == ["import a table of things, or add one; appliance search import items.csv"]
    assert (0, 0) == (imported.code, again.code), imported.err
    assert f"{MANY} added" in imported.out
    assert "the threshold is" in imported.out
    assert "appliance search query" in imported.out
    assert f"{MANY} there already" in again.out
    assert "threshold" not in again.out
    assert json.loads((tmp_path / "report.json").read_text())["added"] == MANY
    assert (MANY, "catalogue", False) == (status["items"], status["basis"], status["running"])
    told = json.loads(found.out)
    assert (0, True, "key-3") == (found.code, told["known"], told["matches"][0]["item"])
    assert (1, "nothing like it") == (missed.code, missed.out[:15])
    assert "appliance search import" in exported.out
    assert (MANY, 0) == (json.loads(moved.out)["added"], json.loads(moved.out)["refused"])
    assert items[0] == items[1]
    assert shas[0] == shas[1]


def test_bad_rows_are_told_with_their_numbers_and_the_rest_imported(
    state: Path, table: Path, tmp_path: Path
) -> None:
    """Missing, no picture, too large, outside, twice: each with its row; exit code 3; the rest is there."""
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / "good.jpg").write_bytes((table.parent / "1.jpg").read_bytes())
    (folder / "cut.jpg").write_bytes((table.parent / "1.jpg").read_bytes()[:500])
    (folder / "text.jpg").write_text("no picture")
    (folder / "huge.png").write_bytes(honest_bomb())
    (folder / "items.csv").write_text(
        "id,title,link,pictures\ngood,Good,,good.jpg\nnone,None,,none.jpg\ncut,Cut,,cut.jpg\n"
        "text,Text,,text.jpg\nhuge,Huge,,huge.png\nout,Out,,../table/1.jpg\ngood,Twice,,good.jpg\n"
        "link,Link,ftp://x,good.jpg\nlast,Last,,good.jpg;none.jpg\n"
    )
    ended = search(state, "import", folder / "items.csv", "--json", "--no-calibrate")
    told = json.loads(ended.out)

    assert (3, 2, 7, 1) == (ended.code, told["added"], told["refused"], told["incomplete"])
    assert [3, 4, 5, 6, 7, 8, 9, 10] == [each["row"] for each in told["faults"]]
    assert all(each["what"] and each["hint"] for each in told["faults"]), told["faults"]
    assert "megapixel" in told["faults"][3]["what"] or "large" in told["faults"][3]["what"]


def test_columns_that_are_not_known_are_named_with_the_nearest(state: Path, tmp_path: Path) -> None:
    """Before anything is imported."""
    (tmp_path / "items.csv").write_text("id,titel,picture\ncup,Cup,cup.jpg\n")
    code, error = search(state, "import", tmp_path / "items.csv").refusal

    assert 3 == code
    assert "'titel' is no column (did you mean title?)" in error
    assert "'picture' is no column (did you mean pictures?)" in error
    assert "empty" in search(state, "list").out


def test_an_item_is_added_changed_shown_and_removed(state: Path, table: Path) -> None:
    """By its id; what is not given stays; what is near is named."""
    added = search(state, "add", "cup-7", table.parent / "0.jpg", "--title", "Blue cup", "--price", "12 €")
    more = search(state, "add", "cup-7", table.parent / "1.jpg", "--notes", "on the shelf")
    same = search(state, "add", "cup-7", table.parent / "1.jpg")
    bare = search(state, "add", "idea")
    shown = json.loads(search(state, "show", "cup-7", "--json").out)
    wrong = search(state, "show", "cup")
    of_picture = search(state, "remove", "cup-7", "--picture", shown["pictures"][0]["id"][-8:], "--yes")
    unasked = search(state, "remove", "cup-7")
    removed = search(state, "remove", "cup-7", "idea", "--yes")

    assert [0] * 4 == [each.code for each in (added, more, same, bare)], added.err
    assert ["added", "changed", "same", "added"] == [
        each.out.split(":")[0] for each in (added, more, same, bare)
    ]
    assert "never found" in bare.out
    assert ("Blue cup", "12 €", "on the shelf", 2) == (
        *(shown["title"], shown["price"], shown["notes"]),
        len(shown["pictures"]),
    )
    assert (6, "there is no item 'cup'") == wrong.refusal
    assert ["nearest: cup-7; appliance search list"] == wrong.hints
    assert "it has 1" in of_picture.out
    assert (3, ["say that you know: --yes"]) == (unasked.code, unasked.hints)
    assert 2 == removed.out.count("removed: ")
    assert "empty" in search(state, "list").out


def test_missing_features_are_made_and_the_threshold_found_anew(state: Path, table: Path) -> None:
    """What `refeaturize` has to do is told; `calibrate` explains; the settings may say the threshold."""
    search(state, "import", table, "--no-calibrate")
    before = json.loads(search(state, "status", "--json").out)["basis"]
    anew, calibrated = search(state, "refeaturize"), search(state, "calibrate", "--false-matches", 0.1)
    after = json.loads(search(state, "status", "--json").out)["basis"]
    (state / "appliance.toml").write_text("[search]\nthreshold = 0.7\n")
    fixed, unneeded = json.loads(search(state, "status", "--json").out), search(state, "calibrate")
    unknown = search(state, "refeaturize", "--model", "resnet")

    assert ("default", "catalogue") == (before, after)
    assert "0 pictures were described" in anew.out
    assert "wanted: 10.0%" in calibrated.out
    assert ("settings", 0.7) == (fixed["basis"], fixed["threshold"])
    assert (16, "the settings say from which similarity on something counts") == unneeded.refusal
    assert 5 == unknown.code


def test_what_runs_is_asked(state: Path, table: Path) -> None:
    """Looking, watching, calibrating and describing anew are the running appliance's then."""
    layout = Layout(state)
    with (
        open_services(Settings(), layout) as services,
        searching_at_hand(layout, services.store) as searching,
    ):
        searching.answer = (MatchTold(item="cup", title="Blue cup", picture="p", score=0.83),)
        found = search(state, "query", table.parent / "0.jpg", "--matches", 1)
        status = search(state, "status")
        begun = [search(state, "calibrate"), search(state, "refeaturize", "--model", "mine")]
        own_view = search(state, "watch", "--view", "all")

        assert (0, "0.83  cup") == (found.code, found.out[:9])
        assert [(table.parent / "0.jpg").read_bytes()] == searching.asked
        assert "camera entrance: watching" in status.out
        assert ["begun; see: appliance search status\n"] * 2 == [each.out for each in begun]
        assert [CalibrateSearch(), RefeaturizeSearch(model="mine")] == searching.told
        assert 3 == own_view.code


def test_watching_prints_each_look_up_once(state: Path) -> None:
    """What was found before it began is not told; of another camera neither, if one is named."""
    layout = Layout(state)
    with (
        open_services(Settings(), layout) as services,
        searching_at_hand(layout, services.store) as searching,
    ):
        cup = MatchTold(item="cup", title="Blue cup", picture="p", score=0.83)
        searching.found(cup)
        ended: list[Ended] = []
        stop = threading.Event()

        def hold() -> None:
            while not stop.wait(0.1):
                searching.found(cup, camera="hall")
                searching.found(cup, camera="desk")
                searching.found(camera="desk")

        holding = threading.Thread(target=hold)
        holding.start()
        ended.append(search(state, "watch", "--camera", "desk", "--most", 2, "--json"))
        stop.set()
        holding.join()
        told = [json.loads(line) for line in ended[0].out.splitlines()]

    assert (0, ["desk", "desk"]) == (ended[0].code, [each["name"] for each in told])
    assert len({each["number"] for each in told}) == 2
    assert all(each["number"] > 1 for each in told)


def test_without_an_appliance_the_camera_is_opened_here(state: Path, table: Path, tmp_path: Path) -> None:
    """A recording of a thing that is held still is looked up once."""
    search(state, "import", table, "--no-calibrate")
    frames = tmp_path / "frames"
    frames.mkdir()
    shown = cv2.imread(str(table.parent / "3.jpg"))
    for number in range(40):
        cv2.imwrite(str(frames / f"{number:03}.jpg"), shown)
    (state / "appliance.toml").write_text(
        f'[[cameras]]\nid = "desk"\nsource = "{frames}"\nwhen = "always"\n[search]\nview = "all"\n'
    )
    ended = search(state, "watch", "--most", 1, "--json")

    assert 0 == ended.code, ended.err
    assert ("desk", "key-3") == (json.loads(ended.out)["name"], json.loads(ended.out)["matches"][0]["item"])


def test_watching_goes_on_when_who_searches_is_started_again(state: Path) -> None:
    """It says so, and tells what is found from the beginning of the new count."""
    layout = Layout(state)
    ended: list[Ended] = []
    watching = threading.Thread(target=lambda: ended.append(search(state, "watch", "--most", 2, "--json")))
    with open_services(Settings(), layout) as services:
        cup = stock(services.store, rest=1)["coffee"]
        with searching_at_hand(layout, services.store) as searching:
            for _ in range(9):
                searching.found(cup)
            watching.start()
            while searching.number_asked < 9 and watching.is_alive():
                threading.Event().wait(0.05)
            searching.found(cup)
        with searching_at_hand(layout, services.store) as searching:
            searching.found(cup)
            watching.join(60)

    assert 0 == ended[0].code, ended[0].err
    assert [10, 1] == [json.loads(line)["number"] for line in ended[0].out.splitlines()]


def test_a_table_that_is_too_large_is_not_read(state: Path, tmp_path: Path) -> None:
    """Its size is enough: this one has no more bytes in memory than it has on disk, none."""
    with (tmp_path / "items.csv").open("wb") as opened:
        opened.truncate(1 << 42)
    ended = search(state, "import", tmp_path / "items.csv")

    assert 3 == ended.code
    assert "more than the 134 allowed" in ended.err
