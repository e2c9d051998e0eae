"""`appliance rules …`: kept, switched, and tried on what happened."""

import json
from pathlib import Path
from typing import Any

import pytest
from rule_bodies import COMMAND, LINE, body


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A rule as somebody wrote it: a line when Ann, or whoever, is recognised."""
    path = tmp_path / "greet.json"
    path.write_text(json.dumps(body("subject_identified", LINE)), encoding="utf-8")
    return path


def test_rules_are_kept_listed_switched_and_removed(box: Any, file: Path) -> None:
    """By name or by id; what is shown can be kept again."""
    none = box.call("rules", "list").out
    added = box.call("rules", "add", file)
    (told,) = [json.loads(line) for line in box.call("rules", "list", "--json").out.splitlines()]
    off = box.call("rules", "off", "Greet").out
    on = box.call("rules", "on", told["id"][-8:]).out
    shown = box.call("rules", "show", "Greet").out
    again = file.with_name("again.json")
    again.write_text(shown, encoding="utf-8")

    assert "there are no rules" in none
    assert (0, "") == (added.code, added.err)
    assert "when somebody is recognised: show “hello {alias}” on the office screens" == told["words"]
    assert [f"{told['id']}  off  Greet", f"{told['id']}  on   Greet"] == [each[:48] for each in (off, on)]
    assert 0 == box.call("rules", "add", again, "--off").code
    assert 0 == box.call("rules", "remove", told["id"]).code
    assert 1 == len(box.call("rules", "list").out.splitlines())


def test_a_rule_that_is_none_is_refused(box: Any, file: Path) -> None:
    """In words, with where it is wrong; nothing is kept."""
    file.write_text(json.dumps(body("door_opened", COMMAND)), encoding="utf-8")
    missing = box.call("rules", "add", file)
    file.write_text("{", encoding="utf-8")
    damaged = box.call("rules", "add", file)
    unknown = box.call("rules", "off", "Nothing")
    file.write_text(json.dumps(body("door_opened", LINE)), encoding="utf-8")
    box.call("rules", "add", file)
    mistyped, other = box.call("rules", "off", "greeet"), box.call("rules", "show", "zzzz")

    assert (3, 3, 6) == (missing.code, damaged.code, unknown.code)
    assert (6, "no rule is called that") == mistyped.refusal
    assert "nearest: Greet" in mistyped.err
    assert "nearest" not in other.err
    assert "actions.0.command: there is no such command" in missing.err
    assert "it is not JSON" in damaged.err
    assert "appliance rules list" in unknown.err


def test_a_dry_run_tells_what_would_have_happened(box: Any, file: Path) -> None:
    """Ann came in this morning: it would have fired for her, by name in words and by id in JSON."""
    words = box.call("rules", "dry-run", file, "--since", "2020-01-01", "--near").out
    told = json.loads(box.call("rules", "dry-run", file, "--since", "2020-01-01", "--json").out)
    box.call("rules", "add", file, "--off")
    kept = json.loads(box.call("rules", "dry-run", "Greet", "--since", "2020-01-01", "--json").out)

    assert "  Ann: it would have fired" in words
    assert "would have fired once on 1 event(s)" in words
    assert (1, 1, [box.subject]) == (
        told["events"],
        told["fired"],
        [each["subject"] for each in told["firings"]],
    )
    assert told == kept
