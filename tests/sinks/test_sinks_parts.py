"""The parts of copying that need no service: checksums, names, the policy, what looks sealed, the pace."""

import base64
import hashlib
import io
import json
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import pyrage
import pytest
from captures import ssh_pair
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from appliance.clock import ManualClock
from appliance.evidence import parse_recipients, seal
from appliance.evidence.sealed_file import looks_sealed
from appliance.settings import S3Settings
from appliance.sinks.checksums import Digests, offsets
from appliance.sinks.naming import key_of, target_of
from appliance.sinks.pacing import Pace, PacedBody
from appliance.sinks.policy import policy

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
DEVICE = "01900000-0000-7000-8000-000000000000"


@given(st.binary(max_size=200), st.integers(1, 40))
def test_digests_are_of_the_content_and_of_its_parts(content: bytes, part: int) -> None:
    """Whatever the length: parts cover it without gap or overlap, and both ways of writing it fit."""
    digests = Digests.of(io.BytesIO(content), part)
    pieces = [content[offset : offset + length] for _, offset, length in offsets(digests)]
    together = hashlib.sha256(b"".join(hashlib.sha256(piece).digest() for piece in pieces)).digest()
    whole = base64.b64encode(hashlib.sha256(content).digest()).decode()
    composite = base64.b64encode(together).decode()

    assert content == b"".join(pieces)
    assert hashlib.sha256(content).digest() == digests.sha256
    assert (len(content) > part) == digests.in_parts
    assert digests.fits(whole, len(content))
    assert digests.fits(f"{composite}-{len(pieces)}", len(content))
    assert not digests.fits(whole, len(content) + 1)
    assert not digests.fits(base64.b64encode(bytes(32)).decode(), len(content))


def test_what_the_appliance_seals_looks_sealed() -> None:
    """To keys of every kind, to one or twenty."""
    age = str(pyrage.x25519.Identity.generate().to_public())
    ssh = ssh_pair(ed25519.Ed25519PrivateKey.generate()).public
    for keys in ((age,), (ssh,), (age, ssh) * 10):
        assert looks_sealed(seal(b"a face", parse_recipients(keys)))


@given(st.binary(max_size=300))
def test_what_is_not_sealed_does_not_look_so(content: bytes) -> None:
    """Neither noise, nor noise behind the first line of a sealed file, nor one that is cut in its header."""
    sealed = seal(b"a face", parse_recipients([str(pyrage.x25519.Identity.generate().to_public())]))
    header = sealed.index(b"\n--- ") + 48

    assert not looks_sealed(content)
    assert not looks_sealed(b"age-encryption.org/v1\n" + content)
    assert not looks_sealed(sealed[: min(len(content), header)])
    assert not looks_sealed(b" " + sealed)


@pytest.mark.parametrize(
    ("more", "statements"),
    [
        ({}, {"CopyCaptures", "VerifyCopies"}),
        (
            {"object_lock": "governance", "object_lock_days": 3},
            {"CopyCaptures", "VerifyCopies", "LockCopies"},
        ),
        (
            {"kms_key": "arn:aws:kms:eu-west-1:111122223333:key/1234"},
            {"CopyCaptures", "VerifyCopies", "EncryptCopies"},
        ),
    ],
)
def test_the_policy_is_as_small_as_can_be(more: dict[str, Any], statements: set[str]) -> None:
    """Named actions on this box's names alone; nothing is deleted, listed or given away by it."""
    made = json.loads(json.dumps(policy(S3Settings(bucket="evidence", **more), DEVICE)))
    actions = [action for each in made["Statement"] for action in each["Action"]]
    resources = {each["Resource"] for each in made["Statement"]}

    assert "2012-10-17" == made["Version"]
    assert statements == {each["Sid"] for each in made["Statement"]}
    assert {"Allow"} == {each["Effect"] for each in made["Statement"]}
    assert not any("*" in action for action in actions)
    assert len(actions) == len(set(actions))
    assert resources <= {f"arn:aws:s3:::evidence/captures/{DEVICE}/*", more.get("kms_key")}


def test_the_policys_file_is_what_it_is_made_of() -> None:
    """Valid, with every statement there can be, none twice, and no action that deletes or changes rights."""
    whole = json.loads(files("appliance.sinks").joinpath("policy.json").read_text())
    actions = sorted(action for each in whole["Statement"] for action in each["Action"])

    assert [
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "s3:AbortMultipartUpload",
        "s3:GetObject",
        "s3:ListMultipartUploadParts",
        "s3:PutObject",
        "s3:PutObjectRetention",
    ] == actions


def test_a_policys_key_that_is_no_arn_leaves_what_is_to_be_filled_in() -> None:
    """An id says most of it, an alias nothing."""
    found = [
        policy(S3Settings(bucket="evidence", kms_key=key), DEVICE)["Statement"][-1]["Resource"]
        for key in ("1234-abcd", "alias/evidence")
    ]

    assert ["arn:aws:kms:REGION:ACCOUNT:key/1234-abcd", "arn:aws:kms:REGION:ACCOUNT:key/KEY"] == found


def test_copies_elsewhere_are_other_copies() -> None:
    """Another endpoint, bucket or prefix is noted apart; a bandwidth is no other place."""
    here = S3Settings(bucket="one")
    others = [
        S3Settings(bucket="two"),
        S3Settings(bucket="one", prefix="other"),
        S3Settings(bucket="one", endpoint="https://s3.example.org"),
    ]

    assert 4 == len({target_of(each) for each in [here, *others]})
    assert target_of(here) == target_of(S3Settings(bucket="one", max_kib_s=100))
    assert f"captures/{DEVICE}/x.age" == key_of(here, DEVICE, "x.age")


@pytest.mark.parametrize(
    "wrong",
    [
        {"bucket": "Upper"},
        {"bucket": "b", "prefix": "a/../b"},
        {"bucket": "bucket", "prefix": "/a"},
        {"bucket": "bucket", "endpoint": "https://user:secret@host"},
        {"bucket": "bucket", "endpoint": "file:///etc"},
        {"bucket": "bucket", "object_lock": "compliance"},
        {"bucket": "bucket", "object_lock_days": 3},
        {"remove_local_days": 1},
        {"bucket": "bucket", "secret_access_key": "x"},
    ],
    ids=str,
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, object]) -> None:
    """Names that are none, locks without days, deleting what is not copied, secrets where none belong."""
    with pytest.raises(ValidationError):
        S3Settings.model_validate(wrong)


def test_a_paced_body_is_read_freely_to_be_signed_and_slowly_to_be_sent() -> None:
    """The time it takes is its length by the rate, but for the quarter of a second that may go ahead."""
    clock, slept = ManualClock(NOW), list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.advance(seconds)

    body = PacedBody(bytes(100_000), Pace(10_000, clock, sleep))
    body.sent(now=False)
    signed = body.read()
    body.seek(0)
    free = sum(slept)
    body.sent(now=True)
    sent = b""
    while chunk := body.read(65_536):
        sent += chunk

    assert 0 == free
    assert signed == sent
    assert abs(sum(slept) - 10) <= 0.3
    assert clock.wall() - NOW >= timedelta(seconds=9.7)
