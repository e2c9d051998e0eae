"""`appliance calibrate`: what an error rate means for the people enrolled, and how to set it."""

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stores
from commands import call

from appliance.decision import ErrorTables
from appliance.services import Layout, open_services
from appliance.settings import Settings, load
from appliance.values import DLIB, DLIB_MIRROR, SFACE, FaceTemplate

PEOPLE = 20


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty people who look like nobody else: six with three references each, the others with one."""
    state = tmp_path_factory.mktemp("calibrated") / "state"
    rng = np.random.default_rng(20260105)
    with open_services(Settings(), Layout(state), create=True) as services:
        for number in range(PEOPLE):
            subject = services.store.add_subject(f"Person {number}", consent=stores.AGREED)
            vector = rng.normal(size=128)
            for _ in range(3 if number < 6 else 1):
                near = (vector + 0.1 * rng.normal(size=128)).astype(np.float32)
                near /= np.linalg.norm(near)
                faces = {model: FaceTemplate(model, near) for model in (DLIB, DLIB_MIRROR, SFACE)}
                services.store.add_reference(subject.id, faces, quality=80.0, details={})
    return state


@pytest.fixture(scope="module")
def tables() -> ErrorTables:
    """The measured error rates."""
    file = Path(__file__).parents[2] / "data" / "score-tails.json"
    return ErrorTables.from_json(json.loads(file.read_text(encoding="utf-8")))


def document(state: Path, *options: object) -> dict[str, Any]:
    """The JSON of a call that went well."""
    done = call("--state", state, "calibrate", "--json", *options)
    assert (0, "") == (done.code, done.err)
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_the_names_of_the_json_are_stable(state: Path) -> None:
    """Scripts read them; two points for each number of references."""
    found = document(state, "--fpir", "0.01")

    assert {
        *("composition", "people", "references", "meaning", "fmr"),
        *("wanted", "current", "gallery", "folder", "toml"),
    } == set(found)
    assert {"fpir", "expected_fnir", "levels"} == set(found["wanted"]) == set(found["current"])
    assert {"references", "people", "points"} == set(found["wanted"]["levels"][0])
    assert [{"probes", "fnir", "fnir_at_least", "threshold"}] * 2 == [
        set(point) for point in found["wanted"]["levels"][0]["points"]
    ]
    assert (PEOPLE, 6 * 3 + 14, "fused") == (found["people"], found["references"], found["composition"])
    assert [(1, 14), (3, 6)] == [(each["references"], each["people"]) for each in found["wanted"]["levels"]]
    assert None is found["folder"]


@pytest.mark.parametrize("fpir", [0.05, 0.001, 0.00001])
def test_thresholds_are_those_the_door_will_use(state: Path, tables: ErrorTables, fpir: float) -> None:
    """For the number of people enrolled, at each number of references, with one probe and with three."""
    found = document(state, "--fpir", f"{fpir:.5f}")
    for level in found["wanted"]["levels"]:
        for point in level["points"]:
            wanted = tables.operating_point(
                "fused",
                references=level["references"],
                probes=point["probes"],
                gallery_size=PEOPLE,
                fpir=fpir,
            )
            assert pytest.approx(wanted.threshold, abs=1e-6) == point["threshold"]
            assert wanted.fnmr == point["fnir"]
    assert pytest.approx(1 - (1 - fpir) ** (1 / PEOPLE)) == found["fmr"]


def test_the_lines_to_paste_are_settings_that_mean_it(state: Path, tmp_path: Path) -> None:
    """TOML that the program reads, in figures that people write; it wrote none itself."""
    before = sorted(path.name for path in state.iterdir())
    found = document(state, "--fpir", "0.00005")
    (tmp_path / "pasted.toml").write_text(found["toml"], encoding="utf-8")

    assert {"recognition": {"fpir": 0.00005}} == tomllib.loads(found["toml"])
    assert "0.00005" in found["toml"]
    assert 0.00005 == load(tmp_path / "pasted.toml").recognition.fpir
    assert before == sorted(path.name for path in state.iterdir())


@pytest.mark.parametrize(
    ("fpir", "words"),
    [
        ("0.001", "Of 1,000 strangers whom the camera sees, one would be taken for one of the 20 people"),
        ("0.05", "Of 100 strangers whom the camera sees, 5 would be taken for one of the 20 people"),
        ("0.00001", "Of 100,000 strangers whom the camera sees, one would be taken for one of the 20"),
        ("0.0025", "Of 1,000 strangers whom the camera sees, 2.5 would be taken for one of the 20"),
    ],
)
def test_a_rate_is_said_in_people(state: Path, fpir: str, words: str) -> None:
    """In round numbers of strangers."""
    assert document(state, "--fpir", fpir)["meaning"].startswith(words)


def test_another_rate_is_compared_with_the_one_that_is_set(state: Path) -> None:
    """In words: both thresholds side by side, the lines to paste, what is set now."""
    done = call("--state", state, "calibrate", "--fpir", "0.01")
    found = document(state, "--fpir", "0.01")
    now, then = (found[which]["levels"][0]["points"][0]["threshold"] for which in ("current", "wanted"))

    assert 0 == done.code
    assert f"{then:.3f} (now {now:.3f})" in done.out
    assert done.out.endswith("[recognition]\nfpir = 0.01\n")
    assert "Set now: recognition.fpir = 0.001" in done.out


def test_the_rate_that_is_set_is_the_default(state: Path) -> None:
    """Then there is nothing to compare and nothing to paste."""
    done = call("--state", state, "calibrate")

    assert 0 == done.code
    assert "That is what is set now (recognition.fpir = 0.001)." in done.out
    assert "(now " not in done.out
    assert "[recognition]" not in done.out


def test_the_tables_are_held_against_the_people_enrolled(state: Path) -> None:
    """Every pair of references of different people: 32 references, of which six people have three."""
    found = document(state)["gallery"]

    assert (32 * 31 // 2 - 6 * 3, PEOPLE) == (found["pairs"], found["people"])
    assert [0.01] == [each["fmr"] for each in found["levels"]]


def test_a_folder_is_looked_at_beside_the_gallery(state: Path, tmp_path: Path) -> None:
    """Embedded by the models process; of three people with a photo each, three pairs."""
    portraits = Path(__file__).parents[2] / "data" / "portraits"
    for name, photo in {"a": "enrol/obama.jpg", "b": "enrol/astronaut.jpg", "c": "scene/biden.png"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / Path(photo).name).write_bytes((portraits / photo).read_bytes())
    found = document(state, "--folder", tmp_path)

    assert {"pairs": 3, "people": 3, "levels": []} == found["folder"]


def test_without_anybody_enrolled_there_is_nothing_to_calibrate(tmp_path: Path) -> None:
    """It is said, with how to begin."""
    with open_services(Settings(), Layout(tmp_path / "state"), create=True):
        pass
    done = call("--state", tmp_path / "state", "calibrate")

    assert (11, "nobody is enrolled, so there is no gallery to calibrate for") == done.refusal
    assert "appliance enroll add" in done.hints[0]


def test_a_box_that_never_ran_has_no_gallery(tmp_path: Path) -> None:
    """No database is made for looking."""
    assert 6 == call("--state", tmp_path / "state", "calibrate").refusal[0]
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("fpir", ["0", "0.5", "-1", "much"])
def test_what_is_no_rate_is_refused(state: Path, fpir: str) -> None:
    """By the command line's grammar, within the bounds of the setting."""
    assert 2 == call("--state", state, "calibrate", "--fpir", fpir).refusal[0]
