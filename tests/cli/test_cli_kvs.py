"""`appliance kvs …` as an admin types it."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import call
from kvs_box import credentials_file
from kvs_local import CREDENTIAL, LocalKvs, local_kvs

from appliance.app.stream_folders import OutsideStream, note
from appliance.video.kvs.upload_state import UploadState, write_state
from appliance.video.kvs_server.server import DEFAULT_REGION
from appliance.video.kvs_server.signatures import Credential

LESS = Credential("AKIDLESS", "less", denied=frozenset({"kinesisvideo:PutMedia"}))
CAMERAS = """
site = "office"
[[cameras]]
id = "hall"
source = "scene:door"
when = "always"
[[cameras]]
id = "yard"
source = "scene:door"
when = "always"
"""


@pytest.fixture(scope="module")
def service() -> Iterator[LocalKvs]:
    """One service for all."""
    with local_kvs(credentials=(CREDENTIAL, LESS)) as running:
        yield running


def settings_file(folder: Path, kvs: str = "", cameras: str = CAMERAS) -> Path:
    """A settings file."""
    path = folder / "appliance.toml"
    path.write_text(f"{cameras}\n[video.kvs]\n{kvs}\n")
    return path


def asking(service: LocalKvs, folder: Path, who: Credential = CREDENTIAL) -> Path:
    """A settings file that leads to the service."""
    file = credentials_file(folder, who.secret_key, key=who.access_key)
    return settings_file(
        folder, f'endpoint = "{service.address}"\nregion = "{DEFAULT_REGION}"\ncredentials_file = "{file}"'
    )


def test_a_check_says_step_by_step_that_it_works(service: LocalKvs, tmp_path: Path) -> None:
    """One camera's stream, named by the settings; nothing of the credentials is printed."""
    ended = call("--settings", asking(service, tmp_path), "kvs", "check", "--camera", "hall")

    assert ended.code == 0
    assert 8 == ended.out.count("office-hall  ok")
    assert CREDENTIAL.access_key not in ended.out + ended.err


def test_a_check_that_fails_says_what_is_missing_and_fails(service: LocalKvs, tmp_path: Path) -> None:
    """The right by its name, for people and as JSON; the command ends with an error."""
    settings = asking(service, tmp_path, LESS)
    ended = call("--settings", settings, "kvs", "check", "--stream", "any.name")
    rows = call("--settings", settings, "kvs", "check", "--stream", "any.name", "--json")
    failed = [row for line in rows.out.splitlines() if (row := json.loads(line))["verdict"] == "failed"]

    assert (15, 15) == (ended.code, rows.code)
    assert "kinesisvideo:PutMedia was denied" in ended.out
    assert [("any.name", "send")] == [(row["stream"], row["name"]) for row in failed]


def test_a_camera_that_there_is_not_is_told(tmp_path: Path) -> None:
    """With those that there are; without any camera, what to do."""
    wrong = call("--settings", settings_file(tmp_path), "kvs", "check", "--camera", "attic")
    none = call("--settings", settings_file(tmp_path, cameras=""), "kvs", "check")

    assert (3, 2) == (wrong.code, none.code)
    assert "hall, yard" in wrong.err
    assert "--stream" in none.err


def test_status_says_how_sending_is(tmp_path: Path) -> None:
    """What is stored, what waits and since when, what is in the way and what to do about it."""
    now_ms = int(time.time() * 1000)
    state = UploadState(
        "office-hall",
        "stopped",
        "2026-03-01T09:00:00+00:00",
        waiting=3,
        waiting_bytes=5 << 20,
        waiting_clips=2,
        oldest_end_ms=now_ms - 7_200_000,
        acks={"PERSISTED": 12, "BUFFERING": 14},
        persisted=12,
        lost=1,
        newest_ms=now_ms - 90_000,
        retention_hours=24,
        failures=4,
        reason="denied",
        trouble="the credentials may not do this",
        hint="give them the rights",
    )
    write_state(tmp_path / "state" / "video" / "kvs" / "office-hall" / "state.json", state)
    asked = (
        "--settings",
        settings_file(tmp_path, "enabled = true"),
        "--state",
        tmp_path / "state",
        "kvs",
        "status",
    )
    ended, rows = call(*asked), json.loads(call(*asked, "--json").out)

    assert "3 fragments of 2 clips wait here, 5.0 MiB; the oldest ended 2 hours ago" in ended.out
    assert "12 stored, 0 sent again, 1 given up" in ended.out
    assert "4 time(s) in a row: the credentials may not do this" in ended.out
    assert "the service answered: 14 BUFFERING, 12 PERSISTED" in ended.out
    assert "office-yard: nothing was ever sent" in ended.out
    assert [("office-hall", 7200), ("office-yard", 0)] == [(row["stream"], row["lag_s"]) for row in rows]


def test_status_says_that_nothing_is_sent_where_it_is_off(tmp_path: Path) -> None:
    """A box without the setting is told so, not that all is well."""
    ended = call("--settings", settings_file(tmp_path), "--state", tmp_path, "kvs", "status")

    assert "video.kvs.enabled is off" in ended.out


def test_the_policy_names_functions_streams_too(tmp_path: Path) -> None:
    """Those that were sent to, if they may be, and those that are named; what names none is refused."""
    for name, camera in (("deeplens-dog", None), ("office-attic", "attic")):
        note(tmp_path / "video" / "kvs", OutsideStream(name, camera, 24))
    settings = settings_file(tmp_path)

    def streams(*given: str) -> set[str]:
        ended = call("--settings", settings, "--state", tmp_path, "kvs", "policy", *given)
        rows = json.loads(ended.out)["Statement"][0]["Resource"]
        return {row.partition("stream/")[2].rpartition("/")[0] for row in rows}

    cameras = {"office-hall", "office-yard", "office-attic"}
    without = streams()
    settings = settings_file(tmp_path, "[deeplens]\nsend_recordings = true")

    assert cameras == without
    assert {*cameras, "deeplens-dog"} == streams()
    assert {*cameras, "deeplens-dog", "deeplens-*", "a.b"} == streams(
        "--stream", "deeplens-*", "--stream", "a.b"
    )
    wrong = call("--settings", settings, "--state", tmp_path, "kvs", "policy", "--stream", "*")
    assert (3, True) == (wrong.code, "names no stream" in wrong.err)


def test_the_policy_is_for_this_boxs_streams(tmp_path: Path) -> None:
    """JSON that IAM takes, with each camera's stream."""
    ended = call("--settings", settings_file(tmp_path, 'region = "eu-west-1"'), "kvs", "policy")
    sent = json.loads(ended.out)["Statement"][0]

    assert [
        f"arn:aws:kinesisvideo:eu-west-1:ACCOUNT:stream/office-{each}/*" for each in ("hall", "yard")
    ] == sent["Resource"]
