"""`appliance vault …`: the device key changed from the command line, and the public key told."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import stores
from commands import Ended, argv

from appliance.app.rekeying import Places
from appliance.app.rekeying import rekey as rekey_steps
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.settings.overlay import SettingsFiles
from appliance.vault import CredentialKey, KeyFile, KeySource, PassphraseKey, new_key_line, parse_key_line

NEW = "see how they run again"


def rekey(box: Any, *options: str, given: str = "", **variables: str) -> Ended:
    """`vault rekey` in a process of its own, with something on standard input."""
    done = subprocess.run(
        argv("--state", box.state, "vault", "rekey", *options),
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def people(box: Any, source: KeySource) -> list[str | None]:
    """Names of the enrolled, opened with the key that rests there."""
    with open_services(Settings(), Layout(box.state), source=source) as services:
        return [each.name for each in services.store.subjects()]


def test_the_public_key_is_that_of_the_heads(box: Any) -> None:
    """64 hex digits, alone on a line."""
    head = json.loads(box.call("events", "head").out)
    told = json.loads(box.call("vault", "public-key", "--json").out)

    assert f"{head['public_key']}\n" == box.call("vault", "public-key").out
    assert (head["device"], head["public_key"]) == (told["device"], told["public_key"])


def test_a_key_file_becomes_a_passphrase_and_a_file_again(box: Any) -> None:
    """The settings follow; each time what was there before opens nothing more, and is deleted."""
    there = rekey(box, "--to", "passphrase", "--json", APPLIANCE_NEW_PASSPHRASE=NEW)
    assert 0 == there.code, there.err
    kept = {path.name for path in box.state.iterdir()}
    named = people(box, PassphraseKey(box.state / "device.passphrase.json", NEW.encode()))
    back = rekey(box, "--to", "file", APPLIANCE_PASSPHRASE=NEW)

    assert "finished" == json.loads(there.out)["steps"][-1]["step"]
    assert "device.passphrase.json" in kept
    assert "device.key" not in kept
    assert ["Ann"] == named
    assert (0, ["Ann"]) == (back.code, people(box, KeyFile(box.state / "device.key")))
    assert "the old key opens nothing any more" in back.out
    assert not (box.state / "device.passphrase.json").exists()


def test_a_credential_s_key_was_decrypted_before_anything_depends_on_it(box: Any, tmp_path: Path) -> None:
    """It comes on standard input, rests with systemd alone, and opens everything from there."""
    line = new_key_line()
    done = rekey(box, "--to", "credential", given=line)
    (tmp_path / "device.key").write_text(line)

    assert 0 == done.code, done.err
    assert not (box.state / "device.key").exists()
    assert ["Ann"] == people(box, CredentialKey(tmp_path / "device.key"))


@pytest.mark.parametrize(
    ("options", "given", "variables", "says"),
    [
        (("--to", "credential"), "nonsense", {}, "what was handed over is not a device key"),
        (("--to", "passphrase"), "", {"APPLIANCE_NEW_PASSPHRASE": "short"}, "12 characters at least"),
        (("--from", "credential", "--to", "file"), "", {}, "systemd handed over no credentials"),
    ],
)
def test_what_cannot_be_changes_nothing(
    box: Any, options: tuple[str, ...], given: str, variables: dict[str, str], says: str
) -> None:
    """One sentence, no secret in it, and the box as it was."""
    before = {path.name: path.read_bytes() for path in box.state.iterdir() if path.is_file()}
    code, sentence = rekey(box, *options, given=given, **variables).refusal

    assert 7 == code
    assert says in sentence
    assert not {given, *variables.values()} - {""} & set(sentence.split())
    assert before.keys() == {path.name for path in box.state.iterdir() if path.is_file()}
    with open_services(Settings(), Layout(box.state)) as services:
        assert ["Ann"] == [each.name for each in services.store.subjects()]


def test_the_key_is_not_changed_beside_another_command(box: Any) -> None:
    """One that holds the present key, as anybody's does between two words: refused, and nothing is lost.

    Whoever is enrolled by it meanwhile opens after the change, which is then made.
    """
    with subprocess.Popen(
        argv("--state", box.state, "enroll", "remove", "Ann"),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdin is not None
        assert other.stderr is not None
        asked = other.stderr.read(len("Remove Ann"))
        code, sentence = rekey(box).refusal
        still = sorted(path.name for path in box.state.iterdir())
        other.stdin.write("n\n")
        other.stdin.close()
        other.stderr.read()
    with open_services(Settings(), Layout(box.state)) as services:
        refused = rekey(box)
        services.store.add_subject("Ben", consent=stores.AGREED)
    done = rekey(box)

    assert "Remove Ann" == asked
    assert 7 == code == refused.code
    assert "the appliance is running, or one of its commands, and holds the present key" == sentence
    assert "rekey.json" not in still
    assert (0, ["Ann", "Ben"]) == (done.code, people(box, KeyFile(box.state / "device.key")))


def test_a_command_waits_for_a_change_of_the_key_that_is_under_way(box: Any) -> None:
    """And then works with the new one."""
    files = SettingsFiles(box.state / "appliance.toml", box.state / "overlay.toml")
    place = KeyFile(box.state / "device.key")
    going = rekey_steps(files.read().settings, files, Layout(box.state), Places("file", place, "file", place))
    first = next(going).name
    with subprocess.Popen(
        argv("--state", box.state, "enroll", "list"), stdout=subprocess.PIPE, text=True
    ) as other:
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(timeout=2.5)
        rest = [step.name for step in going]
        told, _ = other.communicate(timeout=20)

    assert ("joined", "finished") == (first, rest[-1])
    assert 0 == other.returncode
    assert "Ann" in told


def test_who_opens_no_more_is_removed_by_id(box: Any) -> None:
    """The only person, under a key that nobody has: named by no name, removed all the same; then rekeyed."""
    stores.sql(f"sqlite:///{box.state / 'appliance.db'}", "UPDATE subjects SET wrapped_key = x'01'")
    ((ann,),) = stores.sql(f"sqlite:///{box.state / 'appliance.db'}", "SELECT id FROM subjects")
    by_name = box.call("enroll", "remove", "Ann", "--yes")
    stopped = rekey(box)
    removed = box.call("enroll", "remove", ann[:13], "--yes", "--json")
    done = rekey(box)

    assert [7, 7, 0, 0] == [each.code for each in (by_name, stopped, removed, done)]
    assert f"subjects/{ann}/wrapped_key opens neither" in stopped.err
    assert {"subject": ann, "key_destroyed": True}.items() <= json.loads(removed.out).items()
    assert 0 == box.call("enroll", "list").code
    assert not (box.state / "rekey.json").exists()


def test_a_new_key_is_one_line_for_a_pipe(box: Any) -> None:
    """Another one each time."""
    printed = box.call("vault", "new-key").out

    assert 32 == len(parse_key_line(printed.encode()))
    assert printed != box.call("vault", "new-key").out
