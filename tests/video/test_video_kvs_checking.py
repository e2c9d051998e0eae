"""Trying the whole path: what works is said, and of what does not, which right or setting is missing."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from kvs_box import credentials_file
from kvs_local import CREDENTIAL, LocalKvs, local_kvs

from appliance.app.kvs_streams import checking_of
from appliance.clock import SystemClock
from appliance.errors import StreamError
from appliance.settings import KvsSettings
from appliance.video.kvs.checking import CheckStep
from appliance.video.kvs.control import Control
from appliance.video.kvs.credentials import CredentialSource
from appliance.video.kvs.endpoints import Endpoints
from appliance.video.kvs.policy import policy
from appliance.video.kvs.reading import Reader
from appliance.video.kvs_server.faults import ErrorAck, Refuse
from appliance.video.kvs_server.server import DEFAULT_REGION
from appliance.video.kvs_server.signatures import Credential

WHOLE = CREDENTIAL
OLD = Credential("AKIDOLD", "old", "token", expires_at=datetime.now(UTC) - timedelta(hours=1))
RIGHTS = (
    *("DescribeStream", "CreateStream", "GetDataEndpoint", "PutMedia"),
    *("UpdateDataRetention", "ListFragments", "GetHLSStreamingSessionURL", "GetClip"),
)
WITHOUT = {
    right: Credential(f"AKID{right}", f"no {right}", denied=frozenset({f"kinesisvideo:{right}"}))
    for right in RIGHTS
}
NAMES = ["credentials", "stream", "retention", "endpoint", "send", "find", "play", "clip"]


@pytest.fixture(scope="module")
def service() -> Iterator[LocalKvs]:
    """One service for all."""
    with local_kvs(credentials=(WHOLE, OLD, *WITHOUT.values())) as running:
        yield running


def settings_for(service: LocalKvs, folder: Path, who: Credential = WHOLE, **more: object) -> KvsSettings:
    """Settings of a box that may ask the service as somebody."""
    file = credentials_file(folder, who.secret_key, key=who.access_key, token=who.session_token or "")
    return KvsSettings.model_validate(
        {"endpoint": service.address, "region": DEFAULT_REGION, "credentials_file": file, **more}
    )


def checked(settings: KvsSettings, stream: str, *, raise_retention: bool = False) -> dict[str, CheckStep]:
    """Every step of a check, by name."""
    steps = checking_of(settings, stream, SystemClock(), raise_retention=raise_retention).steps()
    return {step.name: step for step in steps}


def test_a_path_that_works_is_tried_to_its_end(service: LocalKvs, tmp_path: Path) -> None:
    """The stream is made with retention; the picture is stored, found at its time, and can be played."""
    settings = settings_for(service, tmp_path, retention_hours=36)
    steps = checked(settings, "deeplens-whole")

    assert dict.fromkeys(NAMES, "ok") == {name: step.verdict for name, step in steps.items()}
    assert "was made" in steps["stream"].words
    assert "36 hours" in steps["retention"].words
    assert "is there" in checked(settings, "deeplens-whole")["stream"].words


@pytest.mark.parametrize(
    ("right", "failing"),
    [
        ("DescribeStream", {"stream"}),
        ("GetDataEndpoint", {"endpoint", "send", "find", "play", "clip"}),
        ("PutMedia", {"send"}),
        ("ListFragments", {"find"}),
        ("GetHLSStreamingSessionURL", {"play"}),
        ("GetClip", {"clip"}),
    ],
)
def test_the_right_that_is_missing_is_named(
    service: LocalKvs, tmp_path: Path, right: str, failing: set[str]
) -> None:
    """As IAM calls it, at the step that needs it; what works without it is tried all the same."""
    checked(settings_for(service, tmp_path), "rights")
    steps = checked(settings_for(service, tmp_path, WITHOUT[right]), "rights")
    failed = {name: step for name, step in steps.items() if step.verdict == "failed"}

    assert failing == set(failed)
    assert all(f"kinesisvideo:{right} was denied" in step.words and step.hint for step in failed.values())


def test_a_stream_that_may_not_be_made_ends_the_check(service: LocalKvs, tmp_path: Path) -> None:
    """Without the right, and where the settings say so: told in words, and nothing else is tried."""
    denied = checked(settings_for(service, tmp_path, WITHOUT["CreateStream"]), "not-there")
    unwanted = checked(settings_for(service, tmp_path, create=False), "not-there")

    assert ["credentials", "stream"] == list(denied) == list(unwanted)
    assert "kinesisvideo:CreateStream was denied" in denied["stream"].words
    assert "may not make it" in unwanted["stream"].words


def test_a_stream_that_keeps_nothing_is_told_and_raised_if_asked(service: LocalKvs, tmp_path: Path) -> None:
    """Nothing is sent to it; with the option its retention is raised, and then everything works."""
    service.stream("keeps-nothing", hours=0)
    settings = settings_for(service, tmp_path, retention_hours=24)

    before = checked(settings, "keeps-nothing")
    denied = checked(
        settings_for(service, tmp_path, WITHOUT["UpdateDataRetention"]), "keeps-nothing", raise_retention=True
    )
    after = checked(settings_for(service, tmp_path), "keeps-nothing", raise_retention=True)

    assert ("failed", "skipped") == (before["retention"].verdict, before["send"].verdict)
    assert "--raise-retention" in before["retention"].command
    assert "kinesisvideo:UpdateDataRetention was denied" in denied["retention"].words
    assert "raised from 0 to 24 hours" in after["retention"].words
    assert after["send"].verdict == "ok"


def test_a_stream_that_keeps_less_than_wanted_is_a_warning(service: LocalKvs, tmp_path: Path) -> None:
    """It works; what is wanted and what is there stand side by side."""
    service.stream("keeps-less", hours=2)
    step = checked(settings_for(service, tmp_path), "keeps-less")["retention"]

    assert ("warning", True) == (step.verdict, "for 2 hours; the settings want 24" in step.words)


def test_credentials_that_do_not_work_are_told(service: LocalKvs, tmp_path: Path) -> None:
    """Expired, unknown, of another secret, and none at all: each in its own words."""
    unknown = replace(WHOLE, access_key="AKIDNOBODY")
    wrong = replace(WHOLE, secret_key=WHOLE.secret_key[::-1])
    told = [
        checked(settings_for(service, tmp_path, who), "x")["stream"].words for who in (OLD, unknown, wrong)
    ]
    (tmp_path / "credentials").write_text("[other]\n")
    none = checked(settings_for(service, tmp_path).model_copy(update={"profile": "nobody"}), "x")

    assert "have expired" in told[0]
    assert ["the service does not accept the credentials"] * 2 == told[1:]
    assert ("failed", ["credentials"]) == (none["credentials"].verdict, list(none))
    assert "credentials_file" in none["credentials"].hint


def test_what_goes_wrong_at_the_service_is_told(service: LocalKvs, tmp_path: Path) -> None:
    """A place that is taken is a warning, an error for the picture a failure with its number."""
    settings = settings_for(service, tmp_path)
    checked(settings, "trouble")
    service.fail(Refuse("ConnectionLimitExceededException"))
    taken = checked(settings, "trouble")
    service.fail(ErrorAck(4500, 2))
    refused = checked(settings, "trouble")

    assert ("warning", "ok") == (taken["send"].verdict, taken["find"].verdict)
    assert "only connection is taken" in taken["send"].words
    assert "KMS key (error 4500)" in refused["send"].words


def test_a_right_that_was_not_tried_is_not_said_to_be_there(service: LocalKvs, tmp_path: Path) -> None:
    """Without a picture to play, only an answer that there is none counts: an error is told as an error."""
    settings = settings_for(service, tmp_path, WITHOUT["PutMedia"])
    plain = checked(settings, "untried")
    refused = (
        ("InternalFailureException", "GetClip"),
        ("InvalidArgumentException", "GetHLSStreamingSessionURL"),
    )
    service.fail(*(Refuse(*each) for each in refused))
    broken = checked(settings, "untried")
    unnamed = checked(settings_for(service, tmp_path), "bad name!")

    assert [("ok", "ok"), ("failed", "failed"), ("failed", "failed")] == [
        (steps["play"].verdict, steps["clip"].verdict) for steps in (plain, broken, unnamed)
    ]
    assert all(("allowed" in steps["clip"].words) == (steps is plain) for steps in (plain, broken, unnamed))


def test_nobody_at_the_address_is_told(tmp_path: Path) -> None:
    """The first question already says so."""
    settings = KvsSettings(endpoint="http://127.0.0.1:1", credentials_file=credentials_file(tmp_path))

    assert "cannot be reached" in checked(settings, "x")["stream"].words


def test_what_was_sent_is_read_as_players_need_it(service: LocalKvs, tmp_path: Path) -> None:
    """An address, a file that is one, fragments by time; none of a time when nothing was recorded."""
    settings = settings_for(service, tmp_path)
    checked(settings, "read")
    source, clock = CredentialSource(settings), SystemClock()
    reader = Reader(settings, Endpoints(Control(settings, source, clock), clock), source, clock)
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    fragment = reader.fragments("read", now_ms - 60_000, now_ms)[-1]

    address = reader.hls_address("read", fragment.begin_ms - 1, fragment.end_ms)
    film = b"".join(reader.clip("read", fragment.begin_ms - 1, fragment.end_ms))

    assert address.startswith(service.server.addresses[-1])
    assert b"ftyp" in film[:32]
    assert () == reader.fragments("read", 1000, 2000)
    with pytest.raises(StreamError):
        reader.hls_address("read", 1000, 2000)


def test_a_stream_is_never_made_twice_nor_lowered(service: LocalKvs, tmp_path: Path) -> None:
    """Who makes it second has no error; a retention that is higher than wanted is left as it is."""
    settings = settings_for(service, tmp_path)
    control = Control(settings, CredentialSource(settings), SystemClock())
    control.create("twice", 48)
    control.create("twice", 24)
    facts = control.describe("twice")
    assert facts is not None
    control.raise_retention(facts, 24)

    after = control.describe("twice")

    assert after is not None
    assert (48, "ACTIVE", "video/h264") == (after.retention_hours, after.status, after.media_type)
    assert control.describe("never") is None


def test_the_policy_names_what_is_needed_and_nothing_more() -> None:
    """Every right that the code asks for; for these streams alone; none to delete; less where less is set."""
    whole = policy(KvsSettings(raise_retention=True, kms_key="1234"), ["office-hall", "office-yard"])
    least = policy(KvsSettings(create=False, region="eu-west-1"), ["office-hall"])
    rights = {action for each in whole["Statement"] for action in each["Action"]}

    assert {f"kinesisvideo:{right}" for right in RIGHTS} <= rights
    assert not [right for right in rights if "Delete" in right or "*" in right]
    assert ["SendVideo", "PlayVideo"] == [each["Sid"] for each in least["Statement"]]
    assert {"arn:aws:kinesisvideo:eu-west-1:ACCOUNT:stream/office-hall/*"} == {
        name for each in least["Statement"] for name in each["Resource"]
    }
    assert "arn:aws:kms:REGION:ACCOUNT:key/1234" in json.dumps(whole)
