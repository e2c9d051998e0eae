"""`appliance enroll report`, strictness and initials: what the gallery risks, and what changes it."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import stores
from commands import Ended, call
from people_vectors import crowd, looks

from appliance.services import Layout, Services, open_services
from appliance.settings import Settings
from appliance.store import NewReference
from enroll.ending import told


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """A box with Ann and Ben who look alike, Cem who has two pictures, and Dan who has none."""
    state = tmp_path / "box"
    with open_services(Settings(), Layout(state), create=True) as opened:
        (state / "appliance.toml").write_text('site = "test"\n', encoding="utf-8")
        for name, angles in (("Ann", (0,)), ("Ben", (60,)), ("Cem", (180, 210)), ("Dan", ())):
            opened.store.add_subject(
                name, consent=stores.AGREED, references=[NewReference(looks(each), 45) for each in angles]
            )
        yield opened


@pytest.fixture
def box(services: Services, tmp_path: Path) -> Path:
    """Its state directory."""
    assert services.store.subjects()
    return tmp_path / "box"


def enrol(box: Path, *arguments: object) -> Ended:
    """A command on that box."""
    return call("--state", box, "enroll", *arguments)


def said(box: Path, *arguments: object) -> Any:
    """What it says with --json, which is all it says."""
    done = enrol(box, *arguments, "--json")
    assert (0, "") == (done.code, done.err)
    return json.loads(done.out)


def test_the_report_names_who_is_like_whom(box: Path) -> None:
    """By name and id; those with one picture, with poor ones, with none; each picture looked up."""
    report = said(box, "report")

    assert [({"Ann", "Ben"}, True)] == [
        ({pair["one"]["name"], pair["other"]["name"]}, pair["confusable"]) for pair in report["alike"]
    ]
    assert {"Ann", "Ben"} == {each["name"] for each in report["one_reference"]}
    assert {"Ann", "Ben", "Cem"} == {each["name"] for each in report["low_quality"]}
    assert ["Dan"] == [each["name"] for each in report["no_reference"]]
    assert (3, 4, 0.001) == (report["people"], report["references"], report["fpir"])
    assert (2, 2) == (report["leave_one_out"]["tried"], report["leave_one_out"]["identified"])


def test_the_report_in_words(box: Path) -> None:
    """The promise, the thresholds, and what to do, without a number that needs a book."""
    out = enrol(box, "report").out

    assert out.startswith(
        "with 3 people and 4 pictures, 1 in 1,000 strangers would pass; we expect to recognise "
    )
    assert "No picture, so never recognised: Dan" in out
    assert "People who look alike:" in out
    assert "appliance enroll strictness PERSON 10" in out


def test_another_rate_can_be_asked_for(box: Path) -> None:
    """A smaller share of strangers takes a higher threshold and misses more."""
    ordinary, rare = said(box, "report"), said(box, "report", "--fpir", "0.0001")
    thresholds = [
        [point["threshold"] for level in report["levels"] for point in level["points"]]
        for report in (ordinary, rare)
    ]

    assert 0.0001 == rare["fpir"]
    assert all(low < high for low, high in zip(*thresholds, strict=True))
    assert rare["expected"][0]["fnir"] > ordinary["expected"][0]["fnir"]
    assert 2 == enrol(box, "report", "--fpir", "0.5").refusal[0]


def test_those_paused_are_no_risk(services: Services, box: Path) -> None:
    """They are not recognised, so nobody is taken for them."""
    services.store.pause(services.store.subject("Ben").id)
    report = said(box, "report")

    assert ([], 2) == (report["alike"], report["people"])


def test_a_stricter_threshold_is_set_shown_and_reported(services: Services, box: Path) -> None:
    """By a factor; 1 is ordinary again; the safety of the gallery is said at once."""
    answer = said(box, "strictness", "Ann", "100")
    listed = {each["name"]: each["strictness"] for each in said(box, "list")}
    shown = enrol(box, "show", "Ann").out
    words = enrol(box, "strictness", "Ben", "10").out
    report = said(box, "report")

    assert (100.0, 3) == (answer["strictness"], answer["safety"]["people"])
    assert {"Ann": 100.0, "Ben": 1.0, "Cem": 1.0, "Dan": 1.0} == listed
    assert 100.0 == said(box, "show", "Ann")["strictness"]
    assert "strictness 100" in shown
    assert "100 times stricter" in enrol(box, "list").out
    assert words.startswith("a stranger is taken for Ben 10 times more rarely than usual\nwith 3 people")
    assert {("Ann", 100.0), ("Ben", 10.0)} == {
        (each["name"], each["strictness"]) for each in report["stricter"]
    }
    assert "Ann has the ordinary threshold" in enrol(box, "strictness", "Ann", "1").out
    assert {} == {k: v for k, v in services.store.gallery(["sface"]).strictness.items() if v == 100}  # type: ignore[list-item]


@pytest.mark.parametrize("factor", ["0.5", "1001", "nan", "inf"])
def test_a_strictness_that_cannot_be(box: Path, factor: str) -> None:
    """Never laxer than ordinary; the hint says what a factor is."""
    done = enrol(box, "strictness", "Ann", factor)

    assert 11 == done.refusal[0]
    assert "a tenth" in done.hints[0]


def test_initials_are_set_alone(services: Services, box: Path) -> None:
    """The name stays."""
    answer = said(box, "initials", "Ann", "XY")
    words = enrol(box, "initials", "Ann", "Z").out

    assert ("Ann", "XY") == (answer["name"], answer["initials"])
    assert "Ann has the initials Z\n" == words
    assert ("Ann", "Z") == ((ann := services.store.subject("Ann")).name, ann.initials)
    assert 11 == enrol(box, "initials", "Ann", "ABCDE").refusal[0]


def test_a_damaged_name_is_told_and_mended(services: Services, box: Path) -> None:
    """Everybody else is listed; the person goes by id until renamed."""
    ann = services.store.subject("Ann").id
    with closing(sqlite3.connect(Layout(box).database)) as raw, raw:
        raw.execute("UPDATE subjects SET sealed_profile = ? WHERE id = ?", (b"\1\1" + b"noise" * 9, ann))
    listed = enrol(box, "list")
    found = json.loads(call("--state", box, "doctor", "--json").out)
    mended = enrol(box, "rename", ann, "Ann")

    assert 0 == listed.code
    assert {"Ben", "Cem", "Dan"} < {word for line in listed.out.splitlines() for word in line.split()}
    assert "(name damaged)" in listed.out
    assert [ann in each["words"] for each in found if "name of" in each["words"]] == [True]
    assert 0 == mended.code
    assert "Ann" == services.store.subject(ann).name


def test_what_is_left_in_the_write_ahead_log_is_said(box: Path) -> None:
    """While somebody reads, SQLite cannot empty it: the JSON says so, and the words until when."""
    with closing(sqlite3.connect(Layout(box).database, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM subjects").fetchone()
        done = enrol(box, "remove", "Ann", "--yes", "--json")
        reader.execute("ROLLBACK")

    assert json.loads(done.out)["write_ahead_log_emptied"] is False
    assert json.loads(done.out)["key_destroyed"] is True
    assert "removed\nanother process was reading: what was destroyed is still in" in told(
        "removed", emptied=False
    )
    assert "removed" == told("removed", emptied=True)


def test_a_large_gallery_is_reported_at_once(services: Services, box: Path) -> None:
    """Sixty people with two pictures each; nothing on standard error, and all are counted."""
    for number, faces in enumerate(crowd([2] * 60, spread=0.4, seed=1)):
        services.store.add_subject(
            f"P{number}", consent=stores.AGREED, references=[NewReference(face, 80) for face in faces]
        )
    report = said(box, "report")

    assert (63, 124) == (report["people"], report["references"])
    assert 122 == report["leave_one_out"]["tried"]
    assert {1: 2, 2: 61} == {level["references"]: level["people"] for level in report["levels"]}
