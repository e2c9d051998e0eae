"""The registry of deployed functions on disk: whole or not at all, across crashes and damage."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hosted_functions import project
from hypothesis import given
from hypothesis import strategies as st

from appliance.deeplens.project import Project, runtime_of, thing_for
from appliance.deeplens.projects import FunctionFolder, Projects
from appliance.errors import FunctionError, UnknownFunctionError


@pytest.fixture
def projects(tmp_path: Path) -> Projects:
    """An empty registry."""
    return Projects(tmp_path / "functions")


def deployed(projects: Projects, name: str = "dogs", *, code: str = "one") -> FunctionFolder:
    """Deploy a function whose source is one line."""
    with projects.laying_out(name) as new:
        new.source.mkdir()
        (new.source / "lambda_function.py").write_text(code, encoding="utf-8")
        return projects.put(new, project(name))


def test_what_was_deployed_is_there(projects: Projects) -> None:
    """A function is read back as it was put, with its files, and listed by name."""
    deployed(projects, "dogs")
    folder = deployed(projects, "birds", code="two")

    assert [project("birds"), project("dogs")] == projects.all()
    assert project("dogs") == projects.get("dogs")
    assert "two" == (folder.source / "lambda_function.py").read_text(encoding="utf-8")


def test_an_empty_box_has_none(projects: Projects) -> None:
    """No folder is no fault."""
    projects.tidy()

    assert [] == projects.all()


def test_nothing_is_left_of_what_was_not_put(projects: Projects, tmp_path: Path) -> None:
    """Laying out that ends without being put leaves nothing, also after an error."""
    with projects.laying_out("dogs") as new:
        new.source.mkdir()
    with pytest.raises(RuntimeError), projects.laying_out("dogs"):
        raise RuntimeError

    assert [] == list((tmp_path / "functions").iterdir())


def test_replacing_keeps_the_log_and_nothing_else(projects: Projects) -> None:
    """The new one is in place whole; lines of the old one's log stay, its files do not."""
    old = deployed(projects, code="one")
    (old.source / "labels.txt").write_text("dog", encoding="utf-8")
    old.log.write_text("a line", encoding="utf-8")
    new = deployed(projects, code="two")

    assert "a line" == new.log.read_text(encoding="utf-8")
    assert ["lambda_function.py"] == [each.name for each in new.source.iterdir()]


def test_a_crash_while_replacing_leaves_one_of_both(projects: Projects, tmp_path: Path) -> None:
    """Between the two renames there is no function of that name; the next start puts the old one back."""
    folder = deployed(projects, code="one")
    root = tmp_path / "functions"
    folder.path.rename(root / ".old-01234567-dogs")
    (root / ".new-89abcdef-dogs").mkdir()
    projects.tidy()

    assert "one" == (folder.source / "lambda_function.py").read_text(encoding="utf-8")
    assert {".lock", "dogs"} == {each.name for each in root.iterdir()}


def test_a_crash_after_replacing_leaves_the_new_one(projects: Projects, tmp_path: Path) -> None:
    """What is left of the old one goes at the next start."""
    folder = deployed(projects, code="two")
    (tmp_path / "functions" / ".old-01234567-dogs").mkdir()
    projects.tidy()

    assert "two" == (folder.source / "lambda_function.py").read_text(encoding="utf-8")
    assert {".lock", "dogs"} == {each.name for each in (tmp_path / "functions").iterdir()}


def test_a_damaged_one_is_named_and_left_out(projects: Projects) -> None:
    """The error names the file and what is wrong in it; the others are there."""
    folder = deployed(projects, "dogs")
    deployed(projects, "birds")
    folder.project_file.write_text('{"name": "dogs", "runtime": "cobol"}', encoding="utf-8")

    with pytest.raises(FunctionError, match="is damaged: runtime") as caught:
        projects.get("dogs")
    assert str(folder.project_file) in caught.value.message
    found, damaged = projects.look()
    assert (["birds"], ["dogs"]) == ([each.name for each in found], [each.name for each in damaged])


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b"{" * 100_000, b'{"name": "cats"}'])
def test_whatever_stands_in_a_description_is_a_typed_error(projects: Projects, content: bytes) -> None:
    """Noise is told as ours, whatever it is."""
    folder = deployed(projects)
    folder.project_file.write_bytes(content)

    with pytest.raises(FunctionError, match=r"damaged: [^:]") as caught:
        projects.get("dogs")
    assert ": :" not in caught.value.message


def test_a_description_of_another_function_is_refused(projects: Projects) -> None:
    """A folder that was copied under another name is not taken for that function."""
    folder = deployed(projects)
    folder.path.rename(folder.path.with_name("cats"))

    with pytest.raises(FunctionError, match="another name"):
        projects.get("cats")


def test_a_description_is_not_read_through_a_link(projects: Projects, tmp_path: Path) -> None:
    """A link in its place leads nowhere."""
    folder = deployed(projects)
    elsewhere = tmp_path / "elsewhere.json"
    folder.project_file.rename(elsewhere)
    folder.project_file.symlink_to(elsewhere)

    with pytest.raises(FunctionError, match="cannot be read"):
        projects.get("dogs")


def test_a_pipe_in_the_place_of_a_description_is_not_waited_for(projects: Projects) -> None:
    """Nobody writes into it; the function is damaged, and the others are found."""
    folder = deployed(projects)
    deployed(projects, "birds")
    folder.project_file.unlink()
    os.mkfifo(folder.project_file)
    found, (damaged,) = projects.look()

    assert ["birds"] == [each.name for each in found]
    assert ("dogs", True) == (
        damaged.name,
        damaged.reason.endswith("cannot be read: it is not a regular file"),
    )


def test_whether_it_is_wanted_is_kept(projects: Projects) -> None:
    """Stopping a function is written down."""
    deployed(projects)
    projects.save(projects.get("dogs").wanting("stopped"))

    assert "stopped" == projects.get("dogs").wanted


def test_a_removed_one_is_gone(projects: Projects) -> None:
    """Also a damaged one can be removed; removing twice is a typed error, as is asking for it."""
    folder = deployed(projects)
    folder.project_file.write_text("noise", encoding="utf-8")
    projects.remove("dogs")

    assert [] == projects.all()
    for ask in (projects.remove, projects.get):
        with pytest.raises(UnknownFunctionError):
            ask("dogs")


@given(st.text(max_size=80))
def test_a_name_is_a_plain_one_or_refused(text: str) -> None:
    """Whatever somebody types, what is taken lies right below the folder of functions."""
    root = Path("/functions")
    try:
        path = Projects(root).folder(text).path
    except FunctionError:
        return

    assert (root, text) == (path.parent, path.name)
    assert not text.startswith(".")


@given(
    st.builds(
        project,
        st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z"),
        runtime=st.sampled_from(["python2", "python3"]),
        network=st.lists(st.sampled_from(["a.example", "10.0.0.1:9000", "[::1]:80"]), max_size=3),
        variables=st.dictionaries(
            st.from_regex(r"\AMY_[A-Z]{1,9}\Z"), st.text('aß =\n"', max_size=9), max_size=3
        ),
        subscriptions=st.lists(st.sampled_from(["a/+", "#", "door"]), max_size=3),
        wanted=st.sampled_from(["running", "stopped"]),
        pinned=st.sampled_from([None, True, False]),
    )
)
def test_a_description_is_read_as_it_was_written(found: Project) -> None:
    """Written and read again it is the same."""
    assert found == Project.model_validate(json.loads(found.model_dump_json()))


@pytest.mark.parametrize(
    "changes",
    [
        {"publishes": ["a/#"]},
        {"network": ["http://a.example"]},
        {"network": ["a b"]},
        {"variables": {"LD_PRELOAD": "/tmp/mine.so"}},
        {"variables": {"PYTHONPATH": "/tmp"}},
        {"variables": {"https_proxy": "http://elsewhere"}},
        {"variables": {"DEEPLENS_CHANNEL": "3"}},
        {"variables": {"1ST": "x"}},
        {"variables": {"A=B": "x"}},
        {"variables": {"LONG": "x" * 4097}},
        {"variables": {f"N{number}": "x" * 1000 for number in range(5)}},
        {"variables": {"NUL": "\0"}},
        {"variables": {"HALF": "\udc80"}},
        {"variables": {"AWS_LAMBDA_FUNCTION_NAME": "x"}},
        {"variables": {f"N{number}": "" for number in range(65)}},
        {"handler": "no_function"},
        {"handler": "../../etc.passwd"},
        {"thing": "a/b"},
        {"deployed_at": datetime(2026, 1, 1)},  # noqa: DTZ001 - that is what is refused
        {"limits": {"memory_mb": 1}},
        {"colour": "blue"},
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any]) -> None:
    """A description holds what it should or is none."""
    with pytest.raises(ValueError, match="validation error"):
        project("little", **changes)


def test_variables_are_not_shown_with_a_description() -> None:
    """They may be secrets: a description that is printed somewhere tells none."""
    assert "hush" not in repr(project("little", variables={"TOKEN": "hush"}))


def test_words_for_runtimes_and_things() -> None:
    """What Lambda called its runtimes, and the form of a device's name."""
    assert ("python2", "python3", None) == (
        runtime_of("python2.7"),
        runtime_of("python3.7"),
        runtime_of("nodejs"),
    )
    assert "deeplens_01a2-b" == thing_for("01a2-b")
    assert "deeplens_local" == thing_for("")
    assert "$aws/things/deeplens_test/infer" == project().infer_topic
    assert ("a.b", "c") == (project(handler="a/b.c").module, project(handler="a/b.c").function)
