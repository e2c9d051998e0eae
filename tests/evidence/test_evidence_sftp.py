"""Fetching over SSH without a server: how hosts are read, what sftp is started with, what it says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import RetrievalError
from appliance.evidence.sftp import SftpSession
from appliance.evidence.sftp_causes import explained
from appliance.evidence.sftp_target import Target


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("door", "door", None),
        ("door.example.org:2222", "door.example.org", 2222),
        ("192.0.2.7:22", "192.0.2.7", 22),
        ("::1", "::1", None),
        ("[2001:db8::7]", "2001:db8::7", None),
        ("[fe80::1%eth0]:2222", "fe80::1%eth0", 2222),
    ],
)
def test_hosts_as_people_write_them(text: str, host: str, port: int | None) -> None:
    """Names, addresses of both kinds, with a port or without; shown again as they were meant."""
    target = Target.parse(text)

    assert (host, port) == (target.host, target.port)
    assert target == Target.parse(target.shown)


@given(text=st.text(max_size=60), account=st.text(max_size=20))
def test_nothing_that_is_written_becomes_an_option(text: str, account: str) -> None:
    """Whatever is taken: one word after `--`, and one `User=` without blanks."""
    try:
        arguments = Target.parse(text, account=account).arguments(may_ask=False)
    except RetrievalError:
        return
    usual = Target.parse("door", account="captures").arguments(may_ask=False)

    assert "--" == arguments[-2]
    assert not arguments[-1].startswith("-")
    assert re.fullmatch(r"[\w.%:\[\]-]+", arguments[-1])
    assert [each.partition("=")[0] for each in usual[:-1]] == [
        each.partition("=")[0] for each in arguments[:-1] if each != "-P" and not each.isdigit()
    ]


def test_who_signs_in_with_a_key_shows_no_other(tmp_path: Path) -> None:
    """Not those of the agent either; and nothing is forwarded to the box."""
    arguments = Target.parse("door", key=tmp_path / "key").arguments(may_ask=True)

    assert {"IdentitiesOnly=yes", "BatchMode=no", "ForwardAgent=no", "ClearAllForwardings=yes"} <= set(
        arguments
    )
    assert arguments.index("BatchMode=no") < arguments.index("-b")


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (
            "@@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@@\nHost key verification failed.",
            "host_key_changed",
        ),
        ("No ED25519 host key is known for door and you have requested strict checking.", "host_key_unknown"),
        ("captures@door: Permission denied (publickey).", "key_refused"),
        ("Received disconnect from door port 22:2: Too many authentication failures", "key_refused"),
        ("ssh: connect to host door port 22: Connection refused", "refused"),
        ("ssh: connect to host door port 22: Connection timed out", "unreachable"),
        ("ssh: connect to host door port 22: No route to host", "unreachable"),
        ("ssh: Could not resolve hostname door: Name or service not known", "unreachable"),
        ("subsystem request failed on channel 0", "no_sftp"),
        ("Received message too long 1416586337", "no_sftp"),
        ("/home/a/.ssh/config: line 1: Bad configuration option: x", "client"),
        ("client_loop: send disconnect: Broken pipe\nConnection closed.", "cut"),
        ("", "cut"),
    ],
)
def test_what_openssh_says_is_turned_into_one_sentence_and_a_next_step(said: str, fault: str) -> None:
    """Each with what to do; the host is named as it was given."""
    error = explained(said.splitlines(), Target.parse("door:2222"))

    assert fault == error.fault
    assert error.hint
    assert "door:2222" in error.message or "client" == fault


@given(st.lists(st.text(max_size=300), max_size=5))
def test_what_the_other_side_says_is_shown_tamely(said: list[str]) -> None:
    """No control characters, no line breaks, no long stories."""
    message = explained(said, Target.parse("door")).message

    assert message.isprintable()
    assert len(message) < 300


ASKING = """
import resource, sys
from pathlib import Path
from appliance.errors import RetrievalError
from appliance.evidence.sftp import SftpSession
from appliance.evidence.sftp_target import Target
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    with SftpSession(Target.parse("door"), Path(sys.argv[1])) as session:
        session.get("captures.index")
except RetrievalError as error:
    print(error.fault, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.debian(reason="openssh-client")
@pytest.mark.parametrize("flood", ["yes words of a hostile box", "tr '\\0' a < /dev/zero"])
def test_a_box_that_talks_without_end_is_not_listened_to(flood: str, tmp_path: Path) -> None:
    """In lines or in one: it is said, at once, and what it says is kept nowhere."""
    sftp = shutil.which("sftp")
    if sftp is None:
        pytest.skip("there is no sftp here")
    for name, does in (("box", f"{flood} >&2"), ("sftp", f'{sftp} -D "{tmp_path}/box"')):
        (tmp_path / name).write_text(f"#!/bin/sh\nexec {does}\n")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    asked = subprocess.run(
        [sys.executable, "-c", ASKING, tmp_path],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    fault, grown_kib = asked.stdout.split()

    assert "no_sftp" == fault
    assert int(grown_kib) < 32 * 1024


@pytest.mark.parametrize("name", ["../x", "a b", "-x", "", "A\n", "x\nrm y", '"'])
def test_only_names_of_ours_are_asked_for(tmp_path: Path, name: str) -> None:
    """A name from an index that is none of ours never becomes a command."""
    with pytest.raises(ValueError, match="not the name"):
        SftpSession(Target.parse("door"), tmp_path).get(name)
