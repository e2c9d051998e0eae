"""`appliance vault …`: the device key changed from the command line, and the public key told."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from commands import Ended, argv

from appliance.services import Layout, open_services
from appliance.settings import Settings
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


def test_a_new_key_is_one_line_for_a_pipe(box: Any) -> None:
    """Another one each time."""
    printed = box.call("vault", "new-key").out

    assert 32 == len(parse_key_line(printed.encode()))
    assert printed != box.call("vault", "new-key").out
