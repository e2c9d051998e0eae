"""A box made known to AWS IoT Core, against moto: looked at first, done once, the key at home."""

import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from moto import mock_aws

from appliance.app.iot import BoxAtIot
from appliance.cli import appliance
from appliance.errors import SinkError, VaultError
from appliance.settings import MqttSettings
from appliance.sinks.iot_policy import iot_policy
from appliance.sinks.mqtt_topics import Topics
from appliance.vault.certificate_request import request_certificate

REGION = "eu-central-1"
MQTT = MqttSettings(infer_topic="office/infer", node="front")


@pytest.fixture
def iot(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An account of AWS with nothing in it, and credentials for it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield boto3.client("iot", region_name=REGION)


def box(folder: Path, mqtt: MqttSettings = MQTT) -> BoxAtIot:
    """A box called `door`."""
    return BoxAtIot("door", folder, mqtt, "box", region=REGION, profile=None)


def states(work: BoxAtIot) -> dict[str, str]:
    """What is there and what is not."""
    return {each.what: each.state for each in work.plan()}


def test_a_look_changes_nothing(iot: Any, tmp_path: Path) -> None:
    """What would be made is told; neither at the service nor on the disk is anything afterwards."""
    told = states(box(tmp_path / "iot"))

    assert {"make"} == set(told.values())
    assert [[], [], []] == [
        iot.list_things()["things"],
        iot.list_policies()["policies"],
        iot.list_certificates()["certificates"],
    ]
    assert [] == list(tmp_path.iterdir())


def test_a_box_is_made_known_once(iot: Any, tmp_path: Path) -> None:
    """Thing, certificate and policy, attached to each other; run again, everything is there already."""
    box(tmp_path).apply()
    again = box(tmp_path).apply()
    (principal,) = iot.list_thing_principals(thingName="door")["principals"]
    (certificate,) = iot.list_certificates()["certificates"]
    (policy,) = iot.list_attached_policies(target=principal)["policies"]

    assert [] == again
    assert (certificate["certificateArn"], "ACTIVE") == (principal, certificate["status"])
    assert "door-policy" == policy["policyName"]
    assert {"there"} == set(states(box(tmp_path)).values())


def test_the_private_key_is_private_and_stays_here(tmp_path: Path) -> None:
    """It is of mode 0600 and made once; what is sent is a signed request that holds its public half."""
    key = tmp_path / "private.key.pem"
    requests = [x509.load_pem_x509_csr(request_certificate(key, "door")) for _ in range(2)]
    kept = serialization.load_pem_private_key(key.read_bytes(), password=None)

    assert 0o600 == stat.S_IMODE(key.stat().st_mode)
    assert [kept.public_key()] * 2 == [request.public_key() for request in requests]
    assert all(request.is_signature_valid for request in requests)
    key.write_text("no key")
    with pytest.raises(VaultError, match="no private key of ours"):
        request_certificate(key, "door")


def test_another_run_goes_on_where_one_was_cut(iot: Any, tmp_path: Path) -> None:
    """A certificate that was made and not written is fetched, and no second one made."""
    box(tmp_path).apply()
    certificate = (tmp_path / "certificate.pem").read_text()
    (tmp_path / "certificate.pem").unlink()
    done = [each.what for each in box(tmp_path).apply()]

    assert ["certificate"] == done
    assert certificate == (tmp_path / "certificate.pem").read_text()
    assert 1 == len(iot.list_certificates()["certificates"])


def test_a_certificate_that_cannot_be_kept_is_not_accepted(iot: Any, tmp_path: Path) -> None:
    """Where its id cannot be written it is put out of use, rather than left for whoever finds it."""
    folder = tmp_path / "iot"
    folder.mkdir()
    work = box(folder)
    (folder / "certificate.json").mkdir()
    with pytest.raises(SinkError):
        work.apply()

    assert [] == [each for each in iot.list_certificates()["certificates"] if each["status"] == "ACTIVE"]


def test_a_changed_policy_becomes_the_one_that_holds(iot: Any, tmp_path: Path) -> None:
    """Where the service keeps no more versions of it (five), the oldest goes."""
    older = ["{}", '{"Version": "2012-10-17", "Statement": []}']
    iot.create_policy(policyName="door-policy", policyDocument=older[0])
    for _ in range(4):
        iot.create_policy_version(policyName="door-policy", policyDocument=older[1], setAsDefault=False)
    box(tmp_path).apply()
    document = iot.get_policy(policyName="door-policy")["policyDocument"]
    versions = iot.list_policy_versions(policyName="door-policy")["policyVersions"]

    assert "topic/office/infer" in document
    assert ["1", "3", "4", "5", "6"] == sorted(each["versionId"] for each in versions)


def test_a_certificate_that_is_not_accepted_is_not_built_upon(iot: Any, tmp_path: Path) -> None:
    """One that was revoked, or is of another account, is named with what to do."""
    box(tmp_path).apply()
    (certificate,) = iot.list_certificates()["certificates"]
    iot.update_certificate(certificateId=certificate["certificateId"], newStatus="REVOKED")
    with pytest.raises(SinkError, match="does not accept") as raised:
        box(tmp_path).plan()
    (tmp_path / "certificate.json").unlink()
    with pytest.raises(SinkError, match="not made by this command"):
        box(tmp_path).plan()

    assert "move it away" in raised.value.hint


def test_the_policy_allows_what_the_box_does_and_no_more() -> None:
    """No wildcard but below its own topics; no other client's name."""
    topics = Topics.of(MQTT, "box")
    said = iot_policy("arn:aws:iot:eu-central-1:123456789012", topics, "door")
    resources = [each for statement in said["Statement"] for each in statement["Resource"]]
    names = [each.removeprefix("arn:aws:iot:eu-central-1:123456789012:") for each in resources]

    assert {"iot:Connect", "iot:Publish", "iot:RetainPublish", "iot:Subscribe", "iot:Receive"} == {
        statement["Action"] for statement in said["Statement"]
    }
    assert {"client/door", "client/door-check"} == {each for each in names if each.startswith("client/")}
    assert {"topic/appliance/front/*", "topic/appliance/front/state/*"} == {
        each for each in names if "*" in each
    }
    assert "topic/office/infer" in names


def test_the_command_lists_first_and_never_shows_the_key(iot: Any, tmp_path: Path) -> None:
    """Without --apply nothing is changed; with it the settings are printed, and no key."""
    state = tmp_path / "state"
    from appliance.services import Layout, open_services  # noqa: PLC0415
    from appliance.settings import Settings  # noqa: PLC0415

    with open_services(Settings(), Layout(state), create=True):
        pass
    arguments = ["--state", str(state), "iot", "provision", "--thing", "door", "--region", REGION]
    looked = CliRunner().invoke(appliance, arguments)
    before = iot.list_things()["things"]
    applied = CliRunner().invoke(appliance, [*arguments, "--apply", "--json"])
    told = json.loads(applied.output)
    key = (state / "iot" / "private.key.pem").read_text()

    assert (0, 0) == (looked.exit_code, applied.exit_code)
    assert ([], "Nothing was changed") == (before, re.findall("Nothing was changed", looked.output)[0])
    assert 'client_id = "door"' in told["settings"]
    assert 5 == len(told["steps"])
    assert all(line not in looked.output + applied.output for line in key.splitlines())
