"""Whole packages: siblings, packages within, libraries, junk, and what is said of each file."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ported_runs import commanded, of, port, ported, run, write

from appliance.deeplens.porting.package import Limit, port_package
from appliance.deeplens.porting.report import Change, FileReport, PackageReport, from_json, to_json

OLD = "print 'old'\n"
NAMES = st.text(min_size=1, max_size=20)
FILES = st.builds(
    FileReport,
    path=NAMES,
    outcome=st.sampled_from(["ported", "unchanged", "left alone", "copied", "failed"]),
    runtime=st.sampled_from([None, "python2", "python3"]),
    reasons=st.tuples(NAMES),
    changes=st.tuples(st.builds(Change, NAMES, st.tuples(st.integers(1, 9)))),
    notes=st.tuples(NAMES),
    error=st.none() | NAMES,
    error_line=st.none() | st.integers(1, 9),
)


def test_siblings_and_packages_of_the_function_are_ported_too(tmp_path: Path) -> None:
    """What the function imports from its own folder is Python 2 as well; inside packages as siblings."""
    files = {
        "lambda_function.py": "import utils\nfrom shapes import area as a\n"
        "print utils.half(5), a.of(7), a.deep()\n",
        "utils.py": "def half(x): return x / 2\n",
        "shapes/__init__.py": "import sizes, os as system\nfrom sizes import UNIT\n",
        "shapes/area.py": "import sizes\nimport inner.most as m, string\nfrom inner import most\n"
        "def of(x): return sizes.UNIT * x / 2\n"
        "def deep(): return m.DEEP / 2 + most.DEEP, string.letters[:1]\n",
        "shapes/sizes.py": "UNIT = 3\nprint 'once'\n",
        "shapes/inner/__init__.py": "",
        "shapes/inner/most.py": "DEEP = 9\n",
        "labels.txt": "a\r\nb\r\n",
    }

    folder, report = ported(tmp_path, files)

    assert {"lambda_function.py": "once\n2 10 (13, 'a')\n"} == run(folder, ["lambda_function.py"])
    assert b"a\r\nb\r\n" == (folder / "labels.txt").read_bytes()
    assert "copied" == of(report, "labels.txt").outcome
    assert "lambda_function.py" == report.files[0].path


def test_a_functions_own_module_wins_over_python_2s(tmp_path: Path) -> None:
    """A file called like a module of Python 2's library is the one that is imported, as it was."""
    folder, _ = ported(
        tmp_path, {"lambda_function.py": "import Queue\nprint Queue.MINE\n", "Queue.py": "MINE = 1\n"}
    )

    assert {"lambda_function.py": "1\n"} == run(folder, ["lambda_function.py"])


def test_what_the_host_brings_is_left_alone(tmp_path: Path) -> None:
    """The Greengrass SDK that zips carry, and numpy beside a function, are not touched."""
    files = {
        "lambda_function.py": OLD,
        "greengrasssdk/__init__.py": OLD,
        "greengrass_common/env_vars.py": "print 1\n",
        "numpy/core/numeric.py": "x = f'' / 2\n",
    }

    folder, report = ported(tmp_path, files)

    assert OLD == (folder / "greengrasssdk/__init__.py").read_text()
    assert {"left alone"} == {each.outcome for each in report.files if "/" in each.path}
    assert "python2" == report.runtime


def test_libraries_that_pip_put_there_are_ported_only_if_they_must(tmp_path: Path) -> None:
    """What Python 3 takes was made for both; what it does not take is Python 2."""
    files = {
        "lambda_function.py": "print 1\nimport both, old\nprint both.half(5), old.half(5)\n",
        "both.py": "def half(x): return x / 2\n",
        "both-1.0.dist-info/top_level.txt": "both\n",
        "old/__init__.py": "def half(x):\n    exec 'y = x / 2'\n    return x / 2\n",
        "old-2.0-py2.7.egg-info/PKG-INFO": "",
    }

    folder, report = ported(tmp_path, files)

    assert "left alone" == of(report, "both.py").outcome
    assert "ported" == of(report, "old/__init__.py").outcome
    assert {"lambda_function.py": "1\n2.5 2\n"} == run(folder, ["lambda_function.py"])


def test_what_cannot_be_ported_is_copied_and_told_with_its_line(tmp_path: Path) -> None:
    """Junk with a Python name stops nobody; each says what is wrong, and where if that is known."""
    deep = "x = " + "(" * 3000 + "1" + ")" * 3000 + "\n"
    files: dict[str, str | bytes] = {
        "lambda_function.py": "print 'runs'\n",
        "null.py": b"x = 1\ny = '\0'\n",
        "noise.py": bytes(range(1, 256)) * 20,
        "long.py": b"x = [" + b"1," * 2_500_000 + b"]\n",
        "deep.py": deep,
        "deep_old.py": "print 1\n" + deep,
        "chain.py": "print 1\nx = " + "-" * 20_000 + "1\n",
        "broken.py": "print 'a'\ndef f(:\n    pass\n",
        "unknown.py": "# -*- coding: klingon -*-\nx = 1\n",
        "binary.py": "# -*- coding: hex -*-\nx = 1\n",
        "star.py": "print 1\ndef f():\n    from os import *\n",
        "nothing.py": "",
    }

    folder = tmp_path / "ported"
    report = commanded(write(tmp_path / "source", files), folder)

    failed = {each.path: (each.error, each.error_line) for each in report.failed}
    assert ("has null bytes: not a Python file", 2) == failed["null.py"]
    assert ("larger than 1000 kB: not taken for code written by hand", None) == failed["long.py"]
    assert ("is neither Python 2 nor Python 3", 2) == failed["broken.py"]
    assert ("is declared as klingon, an encoding nobody knows", 1) == failed["unknown.py"]
    assert ("is declared as hex, which is no encoding of text", 1) == failed["binary.py"]
    assert ("is not valid Python (import * only allowed at module level)", 3) == failed["star.py"]
    assert {"null.py", "noise.py", "long.py", "deep.py", "deep_old.py", "chain.py", "broken.py", "unknown.py",
            "binary.py", "star.py"} == set(failed)  # fmt: skip
    assert files["noise.py"] == (folder / "noise.py").read_bytes()
    assert {"lambda_function.py": "runs\n"} == run(folder, ["lambda_function.py"])


def test_a_file_that_takes_too_long_stops_nobody(tmp_path: Path) -> None:
    """The limit ends one file; the next is ported."""
    source = write(tmp_path / "source", {"lambda_function.py": "print 'a'\n", "other.py": "print 'b'\n"})

    class Once(Limit):
        """Ends the first file."""

        used = False

        def __enter__(self) -> None:
            first, self.used = not self.used, True
            if first:
                raise TimeoutError

        def __exit__(self, *_: object) -> None:
            """Nothing to end."""

        def __call__(self) -> "Once":
            return self

    report = port_package(source, tmp_path / "ported", limit=Once())

    assert [("lambda_function.py", "takes too long to port")] == [
        (each.path, each.error) for each in report.failed
    ]
    assert "print('b')\n" == (tmp_path / "ported/other.py").read_text()


def test_links_are_not_followed(tmp_path: Path) -> None:
    """Neither a file nor a folder outside comes in by a link."""
    outside = write(tmp_path / "outside", {"secret.py": OLD, "folder/other.py": OLD})
    source = write(tmp_path / "source", {"lambda_function.py": OLD})
    (source / "link.py").symlink_to(outside / "secret.py")
    (source / "linked").symlink_to(outside / "folder")

    report = port(source, tmp_path / "ported")

    assert ["lambda_function.py"] == [each.path for each in report.files]
    assert ["lambda_function.py"] == [each.name for each in (tmp_path / "ported").iterdir()]


def test_a_mixed_package_is_ported_file_by_file(tmp_path: Path) -> None:
    """The handler decides for what both would take; what Python 2 could not load stays."""
    files = {"lambda_function.py": OLD, "a.py": "x = 1 / 2\n", "new.py": "x = f'{1 / 2}'\n"}

    folder, report = ported(tmp_path, files)

    assert ("python2", "python2", "python3") == tuple(of(report, name).runtime for name in files)
    assert "x = python2_divide(1, 2)\n" == (folder / "a.py").read_text()
    assert files["new.py"] == (folder / "new.py").read_text()


def test_the_named_handler_goes_first(tmp_path: Path) -> None:
    """Of two files that speak for different Pythons the handler's decides."""
    files = {"a.py": OLD, "main.py": "x = f''\n", "c.py": "x = 1 / 2\n"}

    _, report = ported(tmp_path, files, handler="main.py")

    assert "python3" == report.runtime
    assert "main.py" == report.files[0].path
    assert "python2" == of(report, "a.py").runtime  # Python 3 does not take it


def test_a_declared_runtime_is_not_discussed(tmp_path: Path) -> None:
    """Python 2 in a package declared as Python 3 fails, and says so."""
    _, report = ported(tmp_path, {"lambda_function.py": OLD}, "python3")

    assert ("failed", 1) == (report.files[0].outcome, report.files[0].error_line)


def test_the_difference_shows_what_was_changed(tmp_path: Path) -> None:
    """A unified difference, of ported files only, when it is asked for."""
    files = {"lambda_function.py": "x = 1\nprint x\n", "same.py": "x = 1\n"}

    _, report = ported(tmp_path, files, diff=True)

    assert (
        "--- lambda_function.py\n+++ lambda_function.py\n@@ -1,3 +1,3 @@\n x = 1\n-print x\n+print(x)\n \n"
        == report.diff
    )
    assert (Change("print", (2,)),) == of(report, "lambda_function.py").changes


def test_a_difference_without_end_is_cut(tmp_path: Path) -> None:
    """The report stays small enough to be held in memory, and says what it leaves out."""
    files = {"lambda_function.py": OLD, **{f"f{n}.py": f"print '{'x' * 1000}'\n" * 150 for n in range(3)}}

    _, report = ported(tmp_path, files, diff=True)

    assert 500_000 > len(report.diff)
    assert report.diff.endswith("(what else changed is not shown: it is too much)\n")


@given(
    st.builds(
        PackageReport, st.sampled_from(["python2", "python3"]), st.tuples(NAMES), st.tuples(FILES), NAMES
    )
)
def test_a_report_is_read_as_it_was_written(report: PackageReport) -> None:
    """What crosses to the host is what was meant."""
    assert report == from_json(to_json(report))


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", "null", "[" * 100_000,
        '{"runtime":"python4","reasons":[],"files":[],"diff":""}',
        '{"runtime":"python2","reasons":"a","files":[],"diff":""}',
        '{"runtime":"python2","reasons":[],"files":[1],"diff":""}',
        '{"runtime":["python2"],"reasons":[],"files":[],"diff":""}',
        '{"runtime":"python2","reasons":[],"files":[],"diff":1}',
    ],
)  # fmt: skip
def test_what_is_no_report_is_refused(text: str) -> None:
    """A contained child may print anything."""
    with pytest.raises(ValueError, match="not what it should be"):
        from_json(text)


def test_a_sum_of_hundreds_is_ported(tmp_path: Path) -> None:
    """Long texts were put together by hand; whoever did is not told that it is nested too deeply."""
    total = " + ".join(["'a'"] * 900)
    files = {"lambda_function.py": f"print len({total}), 7 / 2\n", "both.py": f"x = {total}\n"}

    folder = tmp_path / "ported"
    report = commanded(write(tmp_path / "source", files), folder)

    assert () == report.failed
    assert {"lambda_function.py": "900 3\n"} == run(folder, ["lambda_function.py"])
