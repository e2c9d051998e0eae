"""What stands in the way is told in plain words with a next step, and nothing of it is lost or sent twice."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from copies import PART, copy, copying_for, until_done
from s3_server import Fault, FaultyS3
from sealed_spool import SealedSpool

from appliance.errors import SinkError
from appliance.services import Services
from appliance.settings import S3Settings
from appliance.sinks.naming import target_of

Make = Callable[..., S3Settings]


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("denied", ("denied", "may not do this: s3:PutObject was denied", "the policy that comes with")),
        ("no bucket", ("no_bucket", "there is no such bucket", "captures.s3.bucket")),
        ("elsewhere", ("no_bucket", "in another region", "captures.s3.region")),
        ("skewed", ("clock", "clock is wrong", "NTP")),
        ("expired", ("credentials", "credentials have expired", "fresh ones")),
        ("no such key id", ("credentials", "does not accept the credentials", "deleted")),
        ("503", ("busy", "busy", "by itself")),
        ("500", ("server", "fault of its own", "by itself")),
        ("lost", ("unreachable", "went away in the middle", "by itself")),
        ("kms", ("key", "may not use the KMS key", "captures.s3.kms_key")),
        ("no lock", ("lock", "does not lock objects", "object lock switched on")),
        ("damaged", ("mismatch", "not what was sent", "on the way")),
    ],
)
def test_what_is_wrong_is_told_in_words(
    kind: str, told: tuple[str, str, str], s3: FaultyS3, settings: Make, spool: SealedSpool
) -> None:
    """Each by its cause, with what to do, and without the service's own words."""
    s3.faults = [Fault(kind, times=100)]
    wrong = refused(settings(), spool.services, spool.put())
    reason, words, hint = told

    assert reason == wrong.reason
    assert words in wrong.message
    assert hint in wrong.hint
    assert "as a test has it" not in wrong.message + wrong.hint


def refused(settings: S3Settings, services: Services, capture: str) -> SinkError:
    """What went wrong with copying one."""
    with copying_for(settings, services) as copying, pytest.raises(SinkError) as caught:
        copying.copy(capture)
    return caught.value


def test_a_service_that_sends_elsewhere_without_saying_where(
    s3: FaultyS3, settings: Make, services: Services, spool: SealedSpool
) -> None:
    """Whatever it is asked: it is told like any bucket of another region, after a few questions."""
    s3.faults = [Fault("elsewhere", "", times=1000)]
    before = len(s3.asked)
    wrong = refused(settings(), services, spool.put())

    assert ("no_bucket", "the bucket is in another region") == (wrong.reason, wrong.message)
    assert len(s3.asked) - before < 10


def test_how_wrong_the_clock_is_is_told(
    s3: FaultyS3, settings: Make, services: Services, spool: SealedSpool
) -> None:
    """By the service's own clock, so that an admin sees at once which of them is wrong."""
    s3.faults = [Fault("skewed")]

    assert refused(settings(), services, spool.put()).message.endswith("42 minutes behind")


def test_a_service_that_is_not_there(settings: Make, services: Services, spool: SealedSpool) -> None:
    """Nobody listens; the port and the address are in no message."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    wrong = refused(settings(endpoint=f"http://127.0.0.1:{port}"), services, spool.put())

    assert "unreachable" == wrong.reason
    assert str(port) not in wrong.message + wrong.hint


def test_without_credentials(
    s3: FaultyS3, settings: Make, services: Services, spool: SealedSpool, tmp_path: Path
) -> None:
    """A file without any, or none of that profile: told before anything is sent."""
    empty = tmp_path / "empty"
    empty.write_text("[other]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = y\n")
    capture = spool.put()
    for given in ({"credentials_file": str(empty)}, {"profile": "nobody"}):
        wrong = refused(settings(**given), services, capture)

        assert "no_credentials" == wrong.reason
        assert "captures.s3.credentials_file" in wrong.hint
    assert [] == [asked for asked in s3.asked if asked.method == "PUT"]
    assert "AKIATEST" not in wrong.message + wrong.hint


def test_a_service_that_hides_what_it_has_not(
    s3: FaultyS3, settings: Make, services: Services, spool: SealedSpool
) -> None:
    """Without the right to list, S3 forbids to look at what is not there: it is sent, and verified after."""
    s3.hides = True
    captures = [spool.put(), spool.put(3 * PART)]

    assert captures == copy(settings(), services)
    assert sorted(map(spool.key, captures)) == [key for key, _ in s3.versions()]


def test_where_nothing_may_be_looked_at_nothing_is_believed(
    s3: FaultyS3, settings: Make, services: Services, spool: SealedSpool
) -> None:
    """A copy that cannot be verified is none; it is there once when it can be."""
    capture = spool.put()
    s3.faults = [Fault("denied", "HEAD", times=4)]
    wrong = refused(settings(), services, capture)

    assert ("denied", "s3:GetObject" in wrong.hint) == (wrong.reason, True)
    assert services.store.remote_copy("x", capture) is None
    until_done(settings(), services)
    assert [spool.key(capture)] == [key for key, _ in s3.versions()]


def test_a_service_without_checksums_gives_the_bytes_back(
    s3: FaultyS3, settings: Make, services: Services, spool: SealedSpool
) -> None:
    """Then a copy is verified by reading it: at once or in parts."""
    captures = [spool.put(), spool.put(3 * PART)]
    s3.faults = [Fault("no checksum", "", times=1000)]

    assert captures == copy(settings(), services)
    assert 2 == sum(asked.method == "GET" and "uploadId" not in asked.path for asked in s3.asked)


def test_a_service_without_conditional_requests(
    s3: FaultyS3, settings: Make, services: Services, spool: SealedSpool
) -> None:
    """It is asked without, after it was looked whether something is there."""
    capture = spool.put()
    s3.faults = [Fault("not built", "PUT", times=1000, when=lambda asked: "if-none-match" in asked.headers)]
    with copying_for(settings(), services) as copying:
        with pytest.raises(SinkError, match="conditional"):
            list(copying.round(lambda: False))
        copied = [each.capture for each in copying.round(lambda: False)]

    assert [capture] == copied


def test_another_object_of_that_name_is_neither_overwritten_nor_believed(
    s3: FaultyS3, settings: Make, services: Services, spool: SealedSpool
) -> None:
    """Whoever put it there: the capture stays here, and after some tries it is set aside and told of."""
    capture, other = spool.put(), spool.put()
    s3.client.put_object(Bucket=settings().bucket, Key=spool.key(capture), Body=b"somebody else's")
    with copying_for(settings(), services) as copying:
        for _ in range(5):
            list(copying.round(lambda: False))
    noted = services.store.refused_copies(target_of(settings()))

    assert [(capture, "mismatch")] == [(each.capture, each.reason) for each in noted]
    assert b"somebody else's" == s3.content(spool.key(capture))
    assert spool.content(other) == s3.content(spool.key(other))
