"""`appliance events …`: listing, explaining, verifying and following the log."""

import json
import os
import select
import signal
import subprocess
from pathlib import Path
from typing import Any

import decided
import pytest
import stores
from commands import argv, call

from appliance.decision import RULES
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.store import NewEvent, sqlite_url

TYPES = [
    "subject_enrolled",
    "consent_given",
    "reference_added",
    "door_opened",
    "subject_identified",
    "stranger_seen",
    "stranger_captured",
]
IDENTIFIED, STRANGER = 5, 6


def rows(box: Any, *options: object) -> list[dict[str, Any]]:
    """What `events list --json` says."""
    return [json.loads(line) for line in box.call("events", "list", "--json", *options).out.splitlines()]


def tamper(box: Any, statement: str) -> None:
    """Change the database as somebody with its file could."""
    stores.sql(sqlite_url(box.state / "appliance.db"), statement)


def append(box: Any) -> None:
    """Another process writes an event."""
    with open_services(Settings(), Layout(box.state)) as services:
        services.store.append(stores.SHUT)


def test_the_newest_are_listed_oldest_first(box: Any) -> None:
    """`--limit` takes from the end, `--type` chooses, and names are shown to whoever may read the state."""
    assert TYPES == [row["type"] for row in rows(box)]
    assert TYPES[-2:] == [row["type"] for row in rows(box, "--limit", 2)]
    assert [IDENTIFIED] == [row["position"] for row in rows(box, "--type", "subject_identified")]
    assert "Ann was seen" in box.call("events", "list").out


def test_json_names_nobody(box: Any) -> None:
    """The machine's form carries opaque ids, never a name."""
    assert "Ann" not in box.call("events", "list", "--json").out


@pytest.mark.parametrize("arguments", [("--type", "door_openned"), ("--limit", "0"), ("--limit", "many")])
def test_a_wrong_option_is_one_sentence(box: Any, arguments: tuple[str, ...]) -> None:
    """In the form of every other error, with where to look."""
    done = box.call("events", "list", *arguments)

    assert 2 == done.refusal[0]
    assert ["see: appliance events list --help"] == done.hints


def test_an_event_is_shown_by_number_and_by_the_beginning_of_its_id(box: Any) -> None:
    """All ways lead to the same document."""
    found = rows(box)[IDENTIFIED - 1]
    shown = json.loads(box.call("events", "show", IDENTIFIED).out)

    assert found == {key: shown[key] for key in found}
    assert {"previous", "hash", "boot"} <= set(shown)
    assert shown == json.loads(box.call("events", "show", f"#{IDENTIFIED}").out)
    assert shown == json.loads(box.call("events", "show", found["id"]).out)


@pytest.mark.parametrize("key", ["0", "99", "-1", "", "nonsense", "../../etc", "0000000000000000"])
def test_an_event_that_is_not_there(box: Any, key: str) -> None:
    """One sentence, whatever was asked for."""
    assert 6 == box.call("events", "show", "--", key).refusal[0]


def test_a_decision_is_explained(box: Any) -> None:
    """Rule, threshold and lead, in words by name and as JSON by id, for either decision."""
    words = box.call("events", "explain", IDENTIFIED).out
    document = json.loads(box.call("events", "explain", STRANGER, "--json").out)

    assert "Ann was seen" in words
    assert "why: the score reached the threshold" in words
    assert "gallery: version 1 with 1 person" in words
    assert STRANGER == document["event"]["position"]
    assert (0.1, "stranger", None) == (document["threshold"], document["verdict"], document["subject"])


def test_every_rule_is_explained_by_name_to_people_and_by_id_to_programs(box: Any) -> None:
    """The second person and the first, frames, thresholds and what was needed; JSON names nobody."""
    with open_services(Settings(), Layout(box.state)) as services:
        made = services.store.append_all([NewEvent(event) for event in decided.events(box.subject, "ben")])
    for stored in made:
        out = box.call("events", "explain", stored.position).out
        found = json.loads(box.call("events", "explain", stored.position, "--json").out)

        assert f"why: {RULES[found['rule']]}" in out
        assert stored.event is not None
        assert found["rule"] == found["event"]["body"]["facts"]["rule"]
        assert "Ann" not in json.dumps(found)
        if found["people"]:
            assert "nearest: Ann, score" in out
            assert "second: person ben, score" in out
            assert "lead over the second: " in out
            assert f"frame {found['frames'][0]['sequence']} (at " in out
            assert [box.subject, "ben"] == [person["subject"] for person in found["people"]]


def test_what_is_no_decision_is_not_explained(box: Any) -> None:
    """It says which events can be."""
    done = box.call("events", "explain", 4)

    assert (6, "event 4 (door_opened) is not a decision about a person") == done.refusal
    assert "subject_identified" in done.hints[0]


def test_an_untouched_log_holds(box: Any) -> None:
    """In words, and as JSON with its ends."""
    report = json.loads(box.call("events", "verify", "--json").out)

    assert f"the log holds: events 1 to {len(TYPES)}" in box.call("events", "verify").out
    assert (True, 1, len(TYPES)) == (report["ok"], report["first"], report["last"])


def test_a_log_that_grew_agrees_with_the_head_exported_before(box: Any, tmp_path: Path) -> None:
    """The head is one line of JSON; later events do not disturb it."""
    head = tmp_path / "head.json"
    head.write_text(box.call("events", "head").out, encoding="utf-8")
    append(box)
    done = box.call("events", "verify", "--against", head)

    assert 0 == done.code
    assert f"agrees with the head exported at event {len(TYPES)}" in done.out


def test_a_log_cut_behind_an_exported_head_is_found_out(box: Any, tmp_path: Path) -> None:
    """Whoever drops the newest events and mends the head's row cannot mend what was exported."""
    append(box)
    head = tmp_path / "head.json"
    head.write_text(box.call("events", "head").out, encoding="utf-8")
    tamper(box, "DELETE FROM events WHERE position = (SELECT max(position) FROM events)")
    tamper(box, "UPDATE devices SET position = (SELECT max(position) FROM events)")
    tamper(box, "UPDATE devices SET hash = (SELECT hash FROM events ORDER BY position DESC LIMIT 1)")

    assert 6 == box.call("events", "verify").refusal[0]  # the head kept beside the database
    (box.state / "log.head").unlink()
    assert 0 == box.call("events", "verify").code
    assert 6 == box.call("events", "verify", "--against", head).refusal[0]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET body = replace(body, '0.25', '0.26') WHERE position = 4",
        "UPDATE events SET at = '2020-01-01T00:00:00.000000Z' WHERE position = 5",
        "DELETE FROM events WHERE position = 6",
        "UPDATE events SET at = 'x' WHERE position = 5",
        "UPDATE events SET at = 7 WHERE position = 5",
        "UPDATE events SET at = substr(at, 1, 22) || 'Z' WHERE position = 5",
        "UPDATE events SET body = NULL, dropped_at = 'x' WHERE position = 5",
        "UPDATE events SET body = 5 WHERE position = 5",
        "UPDATE events SET body = x'ff' WHERE position = 5",
        "UPDATE events SET version = 'v' WHERE position = 5",
        "UPDATE events SET position = 'x' WHERE position = 5",
        "UPDATE events SET sealed_personal = 'x' WHERE position = 5",
        "UPDATE devices SET position = 'x'",
        "UPDATE devices SET created_at = 'x', hash = 'x'",
        "INSERT INTO checkpoints SELECT device, position, hash, 'x', hash, hash FROM events WHERE position = 5",  # noqa: E501
    ],
)
def test_a_tampered_log_is_found_out(box: Any, statement: str) -> None:
    """An edited body, an edited time, a dropped event, rubbish: exit code 6, where, and what to do."""
    tamper(box, statement)
    done = box.call("events", "verify")

    assert 6 == done.refusal[0]
    assert 1 == len(done.hints)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff\xfe", b'{"device": 1}'])
def test_a_file_that_is_no_head(box: Any, tmp_path: Path, content: bytes) -> None:
    """It is input from outside: exit code 3."""
    path = tmp_path / "head.json"
    path.write_bytes(content)

    assert 3 == box.call("events", "verify", "--against", path).refusal[0]


def test_follow_prints_what_happens_from_now_on_until_interrupted(box: Any) -> None:
    """Nothing old, each new event once, and 130 after Ctrl-C as shells expect."""
    command = argv("--state", box.state, "events", "follow", "--json")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready: list[object] = []
        while not ready and process.poll() is None:
            append(box)
            ready, _, _ = select.select([process.stdout], [], [], 0.2)
        first = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)

    assert ("door_shut", True) == (first["type"], first["position"] > len(TYPES))
    assert 130 == process.returncode
    assert "appliance: stopped" == err.strip()


def test_a_reader_that_has_seen_enough_is_no_traceback(box: Any) -> None:
    """`appliance events list | head` ends without a word."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        argv("--state", box.state, "events", "list"),
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)

    assert "" == done.stderr


def test_what_is_json_anyway_takes_the_option_too(box: Any) -> None:
    """Whoever asks every command for JSON gets it from these as well, the same as without."""
    assert box.call("events", "show", "1").out == box.call("events", "show", "1", "--json").out
    head, asked = (json.loads(box.call("events", "head", *more).out) for more in ((), ("--json",)))
    assert head.keys() == asked.keys()


def exported(box: Any, folder: Path) -> list[object]:
    """The log, its heads and the key, as another machine has them; options that verify them."""
    for name, words in (("heads", ("events", "head")), ("key", ("vault", "public-key"))):
        (folder / name).write_text(box.call(*words).out, encoding="utf-8")
    append(box)
    with (folder / "heads").open("a", encoding="utf-8") as file:
        file.write(box.call("events", "head").out)
    (folder / "log").unlink(missing_ok=True)
    assert 0 == box.call("events", "export", "--out", folder / "log").code
    return ["--log", folder / "log", "--heads", folder / "heads", "--key", folder / "key"]


def test_another_machine_verifies_with_the_public_key_alone(box: Any, tmp_path: Path) -> None:
    """No state directory, no database, no device key; what was cut or edited there is found."""
    options = exported(box, tmp_path)
    elsewhere = ("--state", tmp_path / "nothing", "events", "verify")
    done = call(*elsewhere, *options)
    lines = (tmp_path / "log").read_bytes().splitlines(keepends=True)
    (tmp_path / "log").write_bytes(b"".join(lines[:-1]))
    cut = call(*elsewhere, *options)
    (tmp_path / "log").write_bytes(b"".join(lines).replace(b"door_opened", b"door_openEd"))
    edited = call(*elsewhere, *options)

    assert 0 == done.code, done.err
    assert f"the log holds: events 1 to {len(TYPES) + 1}" in done.out
    assert "agrees with 2 head(s) exported before" in done.out
    assert "Ann" not in b"".join(lines).decode()
    assert (6, 6) == (cut.refusal[0], edited.refusal[0])


def test_a_box_that_was_rewritten_is_found_out_by_its_heads(box: Any, tmp_path: Path) -> None:
    """On the box itself, too: a log that was set back does not reach a head that left it."""
    options = exported(box, tmp_path)
    heads = options[options.index("--heads") :]
    assert 0 == box.call("events", "verify", *heads).code
    tamper(box, "DELETE FROM events WHERE position = (SELECT max(position) FROM events)")
    tamper(box, "UPDATE devices SET position = (SELECT max(position) FROM events)")
    tamper(box, "UPDATE devices SET hash = (SELECT hash FROM events ORDER BY position DESC LIMIT 1)")
    (box.state / "log.head").unlink()

    assert 6 == box.call("events", "verify", *heads).refusal[0]


def test_an_exported_log_needs_the_key(box: Any, tmp_path: Path) -> None:
    """Without it anybody could have signed; what is no key is said."""
    exported(box, tmp_path)
    (tmp_path / "key").write_text("nonsense")

    assert 3 == box.call("events", "verify", "--log", tmp_path / "log").refusal[0]
    assert 3 == box.call("events", "verify", "--log", tmp_path / "log", "--key", tmp_path / "key").refusal[0]


def test_an_export_does_not_overwrite(box: Any, tmp_path: Path) -> None:
    """A file that is there stays."""
    (tmp_path / "log").write_text("mine")

    assert 3 == box.call("events", "export", "--out", tmp_path / "log").refusal[0]
    assert "mine" == (tmp_path / "log").read_text()
