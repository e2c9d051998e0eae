"""`appliance enroll import`: many people at once, on real pictures, again and again."""

import json
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from commands import argv
from people_vectors import looks
from PIL import Image
from stores import AGREED, sql, store

from appliance.app.enrolled_faces import EnrolledFaces
from appliance.app.error_tables import read_tables
from appliance.app.reopening import Reopening
from appliance.errors import ModelError, PeerGoneError, PhotoError
from appliance.services import Layout, open_services
from appliance.settings import RecognitionSettings, Settings
from appliance.store import sqlite_url
from appliance.values import Box, EmbeddedPhoto, PhotoFace
from enroll.importing import Import
from enroll.roster import Entry

CONSENT = ("--consent", "signed forms in binder 3")


@pytest.fixture
def people(tmp_path: Path, portraits: Path) -> Path:
    """Three people: one with two photographs, one with one and its copy, one with one and a gray wall."""
    scene = portraits.parent / "scene"
    folder = tmp_path / "people"
    for name in ("Barack", "Eileen", "Joe"):
        (folder / name).mkdir(parents=True)
    shutil.copy(portraits / "obama.jpg", folder / "Barack" / "1.jpg")
    shutil.copy(scene / "obama.png", folder / "Barack" / "2.png")
    shutil.copy(portraits / "astronaut.jpg", folder / "Eileen" / "1.jpg")
    Image.open(portraits / "astronaut.jpg").save(folder / "Eileen" / "2.jpg", quality=70)
    shutil.copy(scene / "biden.png", folder / "Joe" / "1.png")
    Image.new("RGB", (640, 480), "gray").save(folder / "Joe" / "2.jpg")
    return folder


def told(done: Any) -> dict[str, Any]:
    """What an import says with --json."""
    return json.loads(done.out)  # type: ignore[no-any-return]


def by_person(said: dict[str, Any]) -> dict[str, tuple[str, int, int, int]]:
    """How each ended: accepted, there already, refused."""
    return {
        each["name"]: (each["ended"], each["accepted"], each["already"], each["refused"])
        for each in said["people"]
    }


def test_a_folder_of_people_is_enrolled_once(enrol: Any, people: Path, state: Path) -> None:
    """Each with what was usable; the exit code says that something was refused; again, it adds nothing."""
    first = enrol("import", people, *CONSENT, "--json")
    again = enrol("import", people, *CONSENT, "--json")

    assert (11, 11) == (first.code, again.code)
    assert {
        "Barack": ("enrolled", 2, 0, 0),
        "Eileen": ("enrolled", 1, 0, 1),
        "Joe": ("enrolled", 1, 0, 1),
    } == by_person(told(first))
    assert {
        "Barack": ("unchanged", 0, 2, 0),
        "Eileen": ("unchanged", 0, 2, 0),
        "Joe": ("unchanged", 0, 1, 1),
    } == by_person(told(again))
    with open_services(Settings(), Layout(state)) as services:
        listed = services.store.subjects()
        consents = [services.store.consents(subject.id) for subject in listed]
    assert {"Barack": 2, "Eileen": 1, "Joe": 1} == {each.name: each.references for each in listed}
    assert [[CONSENT[1]]] * 3 == [[each.given_by for each in given] for given in consents]


def test_the_report_names_each_picture_with_its_reason(enrol: Any, people: Path, tmp_path: Path) -> None:
    """The same in the file, for its owner's eyes only, as on standard output; and a table for people."""
    report = tmp_path / "result.json"
    done = enrol("import", people, *CONSENT, "--json", "--report", report)
    words = enrol("import", people, *CONSENT)
    photos = {
        (person["name"], photo["photo"]): photo["reasons"]
        for person in told(done)["people"]
        for photo in person["photos"]
    }

    assert told(done) == json.loads(report.read_text())
    assert 0o600 == stat.S_IMODE(report.stat().st_mode)
    assert {
        ("Barack", "1.jpg"): [],
        ("Barack", "2.png"): [],
        ("Eileen", "1.jpg"): [],
        ("Eileen", "2.jpg"): ["SAME_PHOTO"],
        ("Joe", "1.png"): [],
        ("Joe", "2.jpg"): ["NO_FACE"],
    } == photos
    assert ["Joe", "unchanged", "0", "1", "1"] == next(
        line.split() for line in words.out.splitlines() if line.startswith("Joe")
    )
    assert "2.jpg: no face was found" in words.out
    assert "0 enrolled, 0 reference(s) added, 5 there already, 1 refused" in words.out
    assert "with 3 people and 4 pictures, 1 in 1,000 strangers would pass" in words.out


def test_nothing_refused_is_exit_code_0(enrol: Any, people: Path) -> None:
    """For scripts."""
    (people / "Joe" / "2.jpg").unlink()
    (people / "Eileen" / "2.jpg").unlink()

    assert 0 == enrol("import", people, *CONSENT).code


def test_who_cannot_be_enrolled_stops_nobody(enrol: Any, people: Path, portraits: Path) -> None:
    """Empty folders, folders of folders, files that are none, and one whom others look like."""
    (people / "Aaron").mkdir()
    (people / "Dept" / "Zed").mkdir(parents=True)
    (people / "Kim").mkdir()
    for name, content in {
        "empty.jpg": b"",
        "pdf.jpg": b"%PDF-1.7\n",
        "cut.jpg": (portraits / "obama.jpg").read_bytes()[:9000],
    }.items():
        (people / "Kim" / name).write_bytes(content)
    (people / "Kim" / "loop.jpg").symlink_to(people / "Kim" / "loop.jpg")
    (people / "Obama again").mkdir()
    (people / "Barack" / "2.png").rename(people / "Obama again" / "2.png")
    said = told(enrol("import", people, *CONSENT, "--json"))
    faults = {each["name"]: each["fault"] for each in said["people"] if each["fault"]}
    (alike,) = next(each for each in said["people"] if each["name"] == "Obama again")["photos"]

    assert {"Aaron": "no_pictures", "Dept": "only_folders"} == faults
    assert ("refused", 0, 0, 3) == by_person(said)["Kim"]
    assert (["LOOKS_LIKE"], "Barack") == (alike["reasons"], alike["alike"][0]["name"])
    assert ["enrolled"] * 3 == [by_person(said)[name][0] for name in ("Barack", "Eileen", "Joe")]


def test_a_further_picture_is_added_by_running_it_again(enrol: Any, people: Path) -> None:
    """The person is known by the pictures that were there, not by the name alone."""
    second = people.parent / "2.png"
    (people / "Barack" / "2.png").rename(second)
    enrol("import", people, *CONSENT)
    second.rename(people / "Barack" / "2.png")
    said = told(enrol("import", people, *CONSENT, "--json"))

    assert ("extended", 1, 1, 0) == by_person(said)["Barack"]
    assert 2 == next(
        each["references"] for each in json.loads(enrol("list", "--json").out) if each["name"] == "Barack"
    )


def test_a_name_that_is_enrolled_from_other_pictures_is_asked_about(
    enrol: Any, people: Path, portraits: Path
) -> None:
    """Two people may have one name: nothing is added to either by a folder's name."""
    enrol("add", "Joe", portraits / "obama.jpg", *CONSENT)
    (people / "Barack" / "1.jpg").unlink()
    said = told(enrol("import", people, *CONSENT, "--json"))

    assert "name_taken" == next(each["fault"] for each in said["people"] if each["name"] == "Joe")
    assert ("refused", 0, 0, 0) == by_person(said)["Joe"]


def test_a_table_with_initials(enrol: Any, people: Path) -> None:
    """Names and initials as they stand there; a fault ends it before anybody is enrolled."""
    table = people / "people.csv"
    table.write_text(
        "name,file,initials\nB. Obama,Barack/1.jpg,BO1\nE. Collins,Eileen/1.jpg\n", encoding="utf-8"
    )
    done = enrol("import", table, *CONSENT)
    listed = json.loads(enrol("list", "--json").out)
    table.write_text("Somebody,Joe/1.png\nNobody,gone.jpg\n", encoding="utf-8")
    refused = enrol("import", table, *CONSENT)

    assert 0 == done.code
    assert {("B. Obama", "BO1"), ("E. Collins", "EC")} == {
        (each["name"], each["initials"]) for each in listed
    }
    assert (3, "line 2: there is no such file") == refused.refusal
    assert 2 == len(json.loads(enrol("list", "--json").out))


def test_several_faces_need_a_choice_or_the_largest(enrol: Any, people: Path) -> None:
    """The report lists the faces; with --face largest the largest is taken."""
    group(people, people / "Joe" / "2.jpg")
    asked = told(enrol("import", people, *CONSENT, "--json"))
    (joe,) = (each for each in asked["people"] if each["name"] == "Joe")
    taken = told(enrol("import", people, *CONSENT, "--json", "--face", "largest"))

    assert [["SEVERAL_FACES"]] == [photo["reasons"] for photo in joe["photos"] if photo["faces"]]
    assert ["leftmost", "rightmost"] == [face["place"] for face in joe["photos"][1]["faces"]]
    # The largest is Joe's own, the same picture smaller; it was never stored while nobody had chosen.
    assert ("unchanged", 0, 2, 0) == by_person(taken)["Joe"]
    assert (["SAME_PHOTO"], True) == (
        joe_again(taken)["reasons"],
        joe_again(taken)["same_as"]["name"] == "Joe",
    )


def joe_again(said: dict[str, Any]) -> dict[str, Any]:
    """What became of his second picture."""
    (joe,) = (each for each in said["people"] if each["name"] == "Joe")
    return joe["photos"][1]  # type: ignore[no-any-return]


def group(people: Path, target: Path) -> None:
    """Joe, large, beside Eileen, small."""
    joe, eileen = Image.open(people / "Joe" / "1.png").convert("RGB"), Image.open(people / "Eileen" / "1.jpg")
    joe.thumbnail((700, 700))
    eileen.thumbnail((350, 350))
    both = Image.new("RGB", (joe.width + eileen.width, max(joe.height, eileen.height)), "white")
    both.paste(joe, (0, 0))
    both.paste(eileen, (joe.width, 0))
    both.save(target, quality=95)


def test_names_are_in_no_log_and_no_error(enrol: Any, people: Path, state: Path) -> None:
    """Not on standard error, not in any file of the state directory; only in the report."""
    (people / "Joe").rename(people / "Zachariasmus")
    done = enrol("import", people, *CONSENT)
    kept = b"".join(path.read_bytes() for path in state.rglob("*") if path.is_file())

    assert "Zachariasmus" in done.out
    assert "Zachariasmus" not in done.err
    assert b"Zachariasmus" not in kept


def test_a_report_that_cannot_be_written_is_said_before(enrol: Any, people: Path, tmp_path: Path) -> None:
    """Nobody is enrolled for nothing."""
    done = enrol("import", people, *CONSENT, "--report", tmp_path / "gone" / "result.json")

    assert (3, "the folder for --report does not exist") == done.refusal
    assert (6, "") == (enrol("list", "--json").code, enrol("list", "--json").out)


def test_a_report_that_cannot_be_written_in_the_end(enrol: Any, people: Path, tmp_path: Path) -> None:
    """Everybody is enrolled, what became of them is told, and the error says what is missing."""
    done = enrol("import", people, *CONSENT, "--json", "--report", f"{tmp_path}/{'x' * 250}.json")

    assert (3, 3) == (done.code, len(told(done)["people"]))
    assert ["the report could not be written: File name too long"] == done.errors


def test_an_import_can_be_stopped_and_gone_on_with(
    state: Path, people: Path, enrol: Any, portraits: Path
) -> None:
    """Ctrl-C: whoever was done is whole and told of, and the next run does the rest."""
    for number in range(300):
        (people / f"Wall {number}").mkdir()
        shutil.copy(people / "Joe" / "2.jpg", people / f"Wall {number}" / "1.jpg")
    process = subprocess.Popen(
        argv("--state", state, "enroll", "import", people, *CONSENT, "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while len(json.loads(enrol("list", "--json").out or "[]")) < 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    said = json.loads(out)

    assert (130, True) == (process.returncode, said["stopped"])
    assert said["not_reached"] > 0
    assert "Traceback" not in err
    assert len(json.loads(enrol("list", "--json").out)) == sum(
        each["ended"] == "enrolled" for each in said["people"]
    )


def full_from(state: Path, people: int) -> None:
    """From so many people on, the database takes nobody more, as if the disk were full."""
    with open_services(Settings(), Layout(state), create=True):
        pass
    when = f"(SELECT count(*) FROM subjects) >= {people:d}"  # noqa: S608 - a number of ours
    sql(
        sqlite_url(state / "appliance.db"),
        f"CREATE TRIGGER full BEFORE INSERT ON subjects WHEN {when} BEGIN SELECT RAISE(ABORT, 'full'); END",
    )


@pytest.mark.parametrize("json_or_table", ["--json", None])
def test_whoever_was_reached_before_a_failure_is_told_of(
    enrol: Any, people: Path, state: Path, tmp_path: Path, json_or_table: str | None
) -> None:
    """The disk is full at the third: the other two are in table, JSON and report; then comes the error."""
    full_from(state, 2)
    report = tmp_path / "result.json"
    options = ("--report", report, *filter(None, [json_or_table]))
    done = enrol("import", people, *CONSENT, *options)
    written = json.loads(report.read_text())

    assert (6, 1) == (done.code, len(done.errors))
    assert {"Barack": ("enrolled", 2, 0, 0), "Eileen": ("enrolled", 1, 0, 1)} == by_person(written)
    assert (1, False, done.errors[0]) == (written["not_reached"], written["stopped"], written["error"])
    assert 2 == written["safety"]["people"]
    if json_or_table:
        assert written == told(done)
    else:
        assert "Barack" in done.out
        assert "with 2 people and 3 pictures" in done.out


def test_a_failure_before_anybody_was_reached_is_the_error_alone(
    enrol: Any, people: Path, state: Path
) -> None:
    """There is nothing else to tell."""
    full_from(state, 0)

    done = enrol("import", people, *CONSENT, "--json")

    assert (6, "", 1) == (done.code, done.out, len(done.errors))


class Painted:
    """Embeds what the bytes say: degrees, as text."""

    def embed(self, content: bytes) -> EmbeddedPhoto:
        """One face in that direction."""
        return EmbeddedPhoto.of([PhotoFace(Box(0, 0, 90, 90), (), 80.0, looks(float(content)))])


def test_each_person_is_held_against_those_before(tmp_path: Path) -> None:
    """The gallery grows as they are enrolled; stopped between pictures, nothing of a person is stored."""
    entries = []
    for name, angles in (("Ann", (0, 40)), ("Ben", (180,)), ("Ann again", (-35,)), ("Cem", (100,))):
        files = [tmp_path / f"{name} {angle}.jpg" for angle in angles]
        for file, angle in zip(files, angles, strict=True):
            file.write_text(str(angle))
        entries.append(Entry(name, files))
    with store(sqlite_url(tmp_path / "store.sqlite3")) as people:
        faces = EnrolledFaces(RecognitionSettings(), read_tables())
        work = Import(people, Painted(), faces, faces.add, AGREED, None, {})
        done = [work.one(entry, {}, lambda: True) for entry in entries[:3]]
        stopped = work.one(entries[3], {}, lambda: False)
        names = {subject.name: subject.references for subject in people.subjects()}

    assert [[(), ()], [()], [("LOOKS_LIKE",)]] == [
        [verdict.reasons for verdict in each.verdicts] for each in done if each is not None
    ]
    assert (None, {"Ann": 2, "Ben": 1}) == (stopped, names)
    assert [{}] * 4 == [verdict.templates for each in done if each is not None for verdict in each.verdicts]


def test_somebody_removed_meanwhile_stops_nobody(tmp_path: Path) -> None:
    """Another command removes Ann while her new picture is looked at: hers is refused, and it goes on."""
    first, second = tmp_path / "1.jpg", tmp_path / "2.jpg"
    first.write_text("0")
    second.write_text("30")
    with store(sqlite_url(tmp_path / "store.sqlite3")) as people:
        faces = EnrolledFaces(RecognitionSettings(), read_tables())
        work = Import(people, Painted(), faces, faces.add, AGREED, None, {})
        assert work.one(Entry("Ann", [first]), {}, lambda: True) is not None
        ann = people.subjects()[0]

        def looked() -> bool:
            if people.subjects():
                people.remove_subject(ann.id)
            return True

        outcome = work.one(Entry("Ann", [first, second]), {"Ann": [ann]}, looked)

    assert outcome is not None
    assert ("refused", "no subject with that id") == (outcome.ended, outcome.fault)


class Dying:
    """A models process in this process: it is gone whenever it is asked for a picture that kills it.

    Attributes:
        opened: How many there were.
    """

    def __init__(self) -> None:
        self.opened = 0
        self._alive = False

    @contextmanager
    def open(self) -> Iterator["Dying"]:
        """Another one."""
        self.opened += 1
        self._alive = True
        yield self
        self._alive = False

    def embed(self, content: bytes) -> EmbeddedPhoto:
        """Nothing, unless it dies of it."""
        assert self._alive
        if content == b"poison" or (content == b"once" and self.opened == 1):
            raise PeerGoneError("it is gone")
        return EmbeddedPhoto.of([])


def test_a_models_process_that_dies_is_replaced() -> None:
    """Once for a picture that goes through then; one it always dies of is refused, the next is read."""
    dying = Dying()
    with Reopening(dying.open) as models:
        assert 0 == models.embed(b"fine").faces
        assert 0 == models.embed(b"once").faces
        assert 2 == dying.opened
        with pytest.raises(PhotoError) as caught:
            models.embed(b"poison")
        assert "unreadable" == caught.value.reason
        assert 0 == models.embed(b"fine").faces

    assert 4 == dying.opened


def test_a_models_process_that_does_not_start_ends_it() -> None:
    """Weights that are missing are not the picture's fault."""

    @contextmanager
    def missing() -> Iterator[Dying]:
        raise ModelError("the models process did not start")
        yield Dying()

    with pytest.raises(ModelError), Reopening(missing):
        pass
