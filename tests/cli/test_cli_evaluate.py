"""`appliance evaluate`: a folder of photos in, rates out; what is wrong with the folder is said."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from commands import Ended, call

PORTRAITS = Path(__file__).parents[2] / "data" / "portraits"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people with two photos, one with one; beside them what is no photo, no face, and one twice."""
    folder = tmp_path_factory.mktemp("album")
    for person, photos in {
        "Ada": ("enrol/obama.jpg", "scene/obama.png"),
        "Bo": ("enrol/astronaut.jpg", "scene/astronaut.png"),
        "Cy": ("scene/biden.png",),
    }.items():
        (folder / person).mkdir()
        for number, photo in enumerate(photos):
            shutil.copy(PORTRAITS / photo, folder / person / f"{number}{Path(photo).suffix}")
    (folder / "Cy" / "junk.jpg").write_bytes(b"no picture at all")
    shutil.copy(PORTRAITS / "scene/biden.png", folder / "Cy" / "again.png")
    (folder / "Cy" / "notes.txt").write_text("not looked at", encoding="utf-8")
    (folder / "Dee").mkdir()
    return folder


@pytest.fixture(scope="module")
def ended(album: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, Path]:
    """One person enrolled, two strangers, with everything written; the real networks."""
    folder = tmp_path_factory.mktemp("evaluated")
    done = call(
        *("--state", folder / "state", "evaluate", album, "--people", 1, "--rounds", 6),
        *("--every-face", "--out", folder / "new" / "out", "--json"),
    )
    assert 0 == done.code, done.err
    return done, folder / "new" / "out"


@pytest.fixture(scope="module")
def document(ended: tuple[Ended, Path]) -> dict[str, Any]:
    """The JSON it printed."""
    found: dict[str, Any] = json.loads(ended[0].out)
    return found


def test_photos_are_counted_and_what_was_left_out_by_reason(document: dict[str, Any]) -> None:
    """Four folders, seven pictures of which five can be used; a person without any is no search."""
    assert {
        "people": 4,
        "people_used": 3,
        "unreadable_folders": 0,
        "files": 7,
        "used": 5,
        "unusable": {"SAME_PHOTO": 1, "not_a_picture": 1},
        "every_face": True,
    } == {
        name: document["photos"][name]
        for name in document["photos"]
        if name not in {"several_faces", "unusable_rate"}
    }
    assert 2 == document["photos"]["unusable_rate"]["count"]


def test_what_the_photos_allow_is_measured_and_the_rest_is_said(document: dict[str, Any]) -> None:
    """Two photos each: one reference and one probe, under every composition."""
    assert (1, 2) == (document["enrolled"], document["strangers"])
    assert [("fused", 1, 1), ("sface", 1, 1), ("dlib-mirror", 1, 1), ("dlib", 1, 1)] == [
        (row["composition"], row["references"], row["probes"]) for row in document["rows"]
    ]
    assert [(1, 3, 4), (2, 2, 4), (3, 1, 4), (3, 3, 6)] == [
        (each["references"], each["probes"], each["photos_needed"]) for each in document["not_possible"]
    ]
    for row in document["rows"]:
        assert (6, 12) == (row["fnir"]["searches"], row["fpir"]["searches"])


def test_people_who_are_not_alike_are_told_apart(document: dict[str, Any]) -> None:
    """The same photos through the real networks, tables and rule: named, and no stranger is."""
    [fused] = [row for row in document["rows"] if row["composition"] == "fused"]
    [rule] = [row for row in document["verdicts"] if row["composition"] == "fused"]

    assert (0, 0) == (fused["fpir"]["count"], fused["fnir"]["count"])
    assert 0 < fused["fpir"]["upper"]
    assert (6, 0, 12) == (
        rule["enrolled"]["named"]["count"],
        rule["strangers"]["named"]["count"],
        rule["strangers"]["stranger"]["count"],
    )


def test_what_is_written_is_what_was_said_and_names_nobody(ended: tuple[Ended, Path]) -> None:
    """JSON, page and plots, in a folder that was made; neither people's names nor files' in any of it."""
    done, out = ended

    assert {"det.png", "det.svg", "results.json", "results.md"} == {path.name for path in out.iterdir()}
    assert done.out == (out / "results.json").read_text(encoding="utf-8")
    assert (out / "det.png").read_bytes().startswith(PNG)
    for text in (
        done.out,
        done.err,
        *((out / name).read_text(encoding="utf-8") for name in ("results.md", "det.svg")),
    ):
        assert not [name for name in ("Ada", "Bo/", "Cy", "junk", "again.png") if name in text]


def test_the_page_is_printed_without_json(album: Path, tmp_path: Path) -> None:
    """The same figures, to be read; no strangers is possible and said."""
    done = call(
        "--state",
        tmp_path / "state",
        "evaluate",
        album,
        "--people",
        2,
        "--strangers",
        0,
        "--rounds",
        1,
        "--every-face",
    )

    assert 0 == done.code
    assert "N = 2 enrolled, 0 strangers" in done.out
    assert "not measured" in done.out
    assert "| fused       | 1          | 1" in done.out


@pytest.mark.parametrize(
    ("folders", "files", "sentence"),
    [
        ((), (), "holds no folder of a person"),
        (("Ada",), (), "holds no pictures"),
        (("Ada",), ("Ada/a.txt",), "holds no pictures"),
    ],
)
def test_a_folder_without_people_or_pictures_is_refused(
    tmp_path: Path, folders: tuple[str, ...], files: tuple[str, ...], sentence: str
) -> None:
    """At once, with the layout that is wanted."""
    for name in folders:
        (tmp_path / name).mkdir()
    for name in files:
        (tmp_path / name).write_bytes(b"x")
    done = call("--state", tmp_path / ".state", "evaluate", tmp_path)

    assert 3 == done.refusal[0]
    assert done.refusal[1].endswith(sentence)
    assert "FOLDER/person/photo.jpg" in done.hints[0]


def test_a_folder_that_is_not_there_is_a_wrong_command_line(tmp_path: Path) -> None:
    """Exit code 2, and nothing is started."""
    assert 2 == call("--state", tmp_path, "evaluate", tmp_path / "none").refusal[0]


def test_a_place_for_results_that_cannot_be_made_is_found_before_the_work(
    album: Path, tmp_path: Path
) -> None:
    """Not after minutes of embedding."""
    (tmp_path / "file").write_bytes(b"")
    done = call("--state", tmp_path / "state", "evaluate", album, "--out", tmp_path / "file" / "out")

    assert 3 == done.refusal[0]


@pytest.mark.parametrize(
    "option", [("--people", 0), ("--fpir", 0.5), ("--fpir", 0), ("--rounds", 0), ("--strangers", -1)]
)
def test_numbers_that_mean_nothing_are_refused(
    album: Path, tmp_path: Path, option: tuple[str, float]
) -> None:
    """By the command line's grammar."""
    assert 2 == call("--state", tmp_path, "evaluate", album, *option).refusal[0]
