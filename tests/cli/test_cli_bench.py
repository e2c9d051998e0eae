"""`appliance bench`: which scripts it runs, what it does with what they print. No figure is looked at."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import call

from appliance.cli.bench import FOLDER, ROWS, belongs, run_script, table_line
from appliance.errors import ApplianceError

PROMISED = (
    "frame_dlib frame_fused embed_dlib idle greet confirm match_1m objects rss_loop start viewers"
    " hosted_models last_frame project_stream index matroska remux kvs_first search search_demo"
    " search_import search_page"
)


def _script(folder: Path, text: str) -> Path:
    path = folder / "bench_example.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_there_is_a_script_for_each_of_the_figures() -> None:
    """No row is promised that nothing measures, and each script gives the rows it is listed for."""
    assert set(PROMISED.split()) == set(ROWS)
    for name, script in ROWS.items():
        text = (FOLDER / f"{script}.py").read_text(encoding="utf-8")
        assert re.search(rf'"{name}["_]', text), f"{script}.py does not name {name}"


def test_a_question_to_the_index_is_timed_by_the_clock_on_the_wall() -> None:
    """Somebody waits for the disk, too, which takes the processor no time: 50 ms of sleep are 50 ms."""
    asked = "import time, bench_index; print(bench_index._ms(lambda: time.sleep(0.05), 1))"
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=FOLDER, capture_output=True, text=True, check=True
    )

    assert float(done.stdout) >= 50


@pytest.mark.parametrize(
    ("name", "wanted", "belonging"),
    [
        ("idle", ["idle"], True),
        ("idle_h264", ["idle"], True),
        ("embed_dlib_difference", ["embed_dlib"], True),
        ("confirm", ["greet"], False),
        ("frame_dlib", ["frame"], False),
        ("idle", ["greet", "idle"], True),
        ("idler", ["idle"], False),
    ],
)
def test_a_chosen_row_brings_those_added_to_it(name: str, wanted: list[str], belonging: bool) -> None:  # noqa: FBT001
    """Choosing `idle` gives its kinds of stream too, and not what the same script measures besides."""
    assert belonging == belongs(name, wanted)


def test_a_row_that_does_not_exist_is_refused_with_those_that_do() -> None:
    """Before anything is measured."""
    code, words = call("bench", "--row", "coffee").refusal

    assert 2 == code
    assert "match_1m" in words


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        ({"ours": 5.0, "peer": 10.0, "ratio": 2.0, "reached": True}, ["peer       10", "2.00", "reached"]),
        ({"ours": 5.0, "peer": None, "ratio": None, "reached": False}, ["peer        -", "MISSED"]),
    ],
)
def test_a_line_says_figures_and_verdict(row: dict[str, object], parts: list[str]) -> None:
    """With a peer or without."""
    line = table_line({"name": "example", "unit": "ms", "goal": 3.0, "sense": "at most", **row})

    for part in ("example", *parts, "goal at most 3"):
        assert part in line


def test_what_a_script_prints_is_read(tmp_path: Path) -> None:
    """It is asked for JSON."""
    script = _script(tmp_path, "import json, sys; print(json.dumps({'rows': sys.argv[1:]}))")

    assert {"rows": ["--json"]} == run_script(script)


@pytest.mark.parametrize(
    ("text", "words"),
    [("raise SystemExit(3)", r"failed \(exit 3\)"), ("print('hello')", "printed no figures")],
)
def test_a_script_that_fails_ends_the_command_with_an_error(tmp_path: Path, text: str, words: str) -> None:
    """Rather than with a table that lacks rows."""
    with pytest.raises(ApplianceError, match=words):
        run_script(_script(tmp_path, text))


def test_a_script_that_hangs_is_ended_in_good_order(tmp_path: Path) -> None:
    """It is interrupted, so that it ends the appliance it measures; and the command fails."""
    note = tmp_path / "ended"
    text = f"""
import pathlib, time
try:
    time.sleep(60)
except KeyboardInterrupt:
    pathlib.Path({str(note)!r}).touch()
"""
    began = time.monotonic()
    with pytest.raises(ApplianceError, match="has not ended"):
        run_script(_script(tmp_path, text), patience_s=5.0)

    assert note.exists()
    assert time.monotonic() - began < 30
