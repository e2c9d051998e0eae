"""`appliance kvs serve-local`: a server of one's own, its keys, and the faults that are asked for."""

import json
import signal
import stat
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from kvs_footage import footage
from kvs_producer import send_all

from appliance.app.kvs_local import LocalFiles, local_credential
from appliance.cli import appliance
from appliance.errors import InputError, VideoError
from appliance.video.kvs_server.faults import (
    Cut,
    Delay,
    ErrorAck,
    Fault,
    Mute,
    Refuse,
    SlowReader,
    parse_fault,
)


def test_a_trial_without_aws_from_the_command_to_a_kept_fragment(tmp_path: Path) -> None:
    """What it prints is enough for AWS's own library; media go over plain HTTP; Ctrl-C ends it well."""
    state = tmp_path / "state"
    options = [
        "kvs",
        "serve-local",
        "--port",
        "0",
        "--media-port",
        "0",
        "--keep",
        "--deny",
        "TagStream",
        "--json",
    ]
    command = [sys.executable, "-m", "appliance", "--state", str(state), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            told = json.loads(process.stdout.readline() if process.stdout else "")
            files = LocalFiles(state / "kvs-local")
            credential = local_credential(files)
            client = boto3.client(
                "kinesisvideo",
                endpoint_url=told["control"],
                region_name=told["region"],
                verify=told["certificate"],
                aws_access_key_id=credential.access_key,
                aws_secret_access_key=credential.secret_key,
            )
            client.create_stream(StreamName="office", DataRetentionInHours=1)
            endpoint = client.get_data_endpoint(StreamName="office", APIName="PUT_MEDIA")["DataEndpoint"]
            with pytest.raises(ClientError, match="not authorized to perform: kinesisvideo:TagStream"):
                client.tag_stream(StreamName="office", Tags={"k": "v"})
            acks = send_all(int(endpoint.rpartition(":")[2]), "office", footage(1), credential=credential)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)

    assert told["media"] == endpoint
    assert endpoint.startswith("http://127.0.0.1:")
    assert ["BUFFERING", "RECEIVED", "PERSISTED"] == [ack[0] for ack in acks]
    assert 0 == process.returncode
    assert 1 == len(list(files.archive.glob("*/*.row.sealed")))


def test_every_address_at_once_is_none_that_clients_can_be_told(tmp_path: Path) -> None:
    """The data endpoint is the address that is listened at; nothing is made before that is known."""
    options = ["--state", str(tmp_path), "kvs", "serve-local", "--host", "0.0.0.0"]  # noqa: S104 - refused
    found = CliRunner().invoke(appliance, options)

    assert isinstance(found.exception, VideoError)
    assert [] == list(tmp_path.iterdir())


def test_keys_are_made_once_for_their_owner_alone(tmp_path: Path) -> None:
    """Another start finds the same; another folder has others."""
    files = LocalFiles(tmp_path / "a")
    first, again = local_credential(files), local_credential(files)

    assert first == again
    assert local_credential(LocalFiles(tmp_path / "b")).secret_key != first.secret_key
    assert 0o600 == stat.S_IMODE(files.credentials.stat().st_mode)


def test_keys_that_cannot_be_read_are_told_of_without_what_is_in_them(tmp_path: Path) -> None:
    """With what to do about it."""
    files = LocalFiles(tmp_path)
    files.credentials.write_text("aws_secret_access_key = hidden\n")
    with pytest.raises(VideoError, match="cannot be read") as caught:
        local_credential(files)

    assert "hidden" not in f"{caught.value.message}{caught.value.hint}"
    assert "delete the file" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("error:4006@3", ErrorAck(4006, 3)),
        ("error:5000=bare@2*4", ErrorAck(5000, 2, bare=True, times=4)),
        ("cut:persisted@2", Cut("persisted", 2)),
        ("cut:received=30@1", Cut("received", 1, held_s=30.0)),
        ("delay:persisted=2.5", Delay("PERSISTED", 2.5)),
        ("delay:received=1@4", Delay("RECEIVED", 1.0, 4)),
        ("mute@4", Mute(4)),
        ("slow:20000", SlowReader(20000)),
        ("refuse:500", Refuse("InternalFailureException", status=500)),
        ("refuse:ConnectionLimitExceededException*3", Refuse("ConnectionLimitExceededException", times=3)),
        ("refuse:403=DescribeStream", Refuse("AccessDeniedException", "DescribeStream", 403)),
    ],
)
def test_faults_are_written_as_the_help_says(text: str, fault: Fault) -> None:
    """Each switch, with and without what may be left out."""
    assert fault == parse_fault(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "error",
        "error:x",
        "cut:later@1",
        "delay:idle",
        "delay:never=1",
        "refuse",
        "refuse:418",
        "slow:0",
        "delay:idle=nan",
    ],
)
def test_what_is_no_fault_is_refused_with_those_there_are(text: str) -> None:
    """Before anything listens."""
    found = CliRunner().invoke(appliance, ["kvs", "serve-local", "--fault", text])

    assert isinstance(found.exception, InputError)
    assert "refuse:TYPE_OR_STATUS" in found.exception.hint


@settings(max_examples=30)
@given(
    st.from_regex(
        r"(error|cut|delay|slow|refuse):[a-zA-Z0-9]{1,6}(=[a-z0-9.]{1,4})?(@[0-9])?", fullmatch=True
    )
)
def test_no_text_leads_to_a_fault_that_cannot_be(text: str) -> None:
    """It is refused, or its numbers are numbers and happen some time."""
    try:
        found = parse_fault(text)
    except InputError:
        return
    numbers = [value for value in asdict(found).values() if isinstance(value, int | float)]

    assert all(0 <= value < float("inf") for value in numbers)
    assert found.times >= 1
