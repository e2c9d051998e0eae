"""`appliance deeplens port` on what is not deployed: read in a view, told, and nothing kept."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from appliance.deeplens.porting.report import from_json

pytestmark = pytest.mark.debian(reason="bubblewrap")

OLD = "import os\nprint 'ported', 7 / 2\nopen(os.environ['HOME'] + '/was_run', 'w')\n"


def appliance(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, with a home and a state of its own."""
    words = [sys.executable, "-m", "appliance", "--state", str(home / "state"), "deeplens", "port"]
    return subprocess.run(
        [*words, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "HOME": str(home)},
        timeout=120,
    )


def test_a_zip_is_shown_as_a_difference_and_nothing_of_it_runs(tmp_path: Path) -> None:
    """What would be changed is printed; the function is neither run nor deployed."""
    package = tmp_path / "lambda.zip"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("lambda_function.py", OLD)

    done = appliance(tmp_path, str(package), "--diff")

    assert 0 == done.returncode, done.stderr
    assert "-print 'ported', 7 / 2\n" in done.stdout
    assert "+print('ported', python2_divide(7, 2))\n" in done.stdout
    assert not (tmp_path / "was_run").exists()
    assert not (tmp_path / "state/deeplens/functions").exists()


def test_a_folder_is_told_by_file(tmp_path: Path) -> None:
    """Every file that was changed or could not be, with the lines; as JSON it is the whole report."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "lambda_function.py").write_text(OLD)
    (folder / "junk.py").write_bytes(b"x\n\0")

    told = appliance(tmp_path, str(folder)).stdout
    report = from_json(appliance(tmp_path, str(folder), "--json").stdout)

    assert "lambda_function.py: ported" in told
    assert "print: line 2" in told
    assert "junk.py: failed: line 2 has null bytes: not a Python file" in told
    assert ["junk.py"] == [each.path for each in report.failed]


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    """A path that leads nowhere is a fault of whoever typed it."""
    done = appliance(tmp_path, str(tmp_path / "nowhere.zip"))

    assert 2 == done.returncode
    assert "there is no file or folder" in done.stderr
