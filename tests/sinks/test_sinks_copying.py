"""Captures copied to a real S3 server through all that goes wrong on the way: none lost, none doubled."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from copies import PART, copy, until_done
from s3_server import Fault, FaultyS3
from sealed_spool import SealedSpool

from appliance.app.copies import SpoolFiles, sync_state
from appliance.clock import SystemClock
from appliance.errors import SinkError
from appliance.events import CaptureRemoved
from appliance.evidence.spool_folder import SpoolEntry
from appliance.services import Services
from appliance.settings import S3Settings
from appliance.sinks.bucket import Bucket
from appliance.sinks.copying import Copying
from appliance.sinks.naming import target_of
from appliance.values import CopyState

Make = Callable[..., S3Settings]


def test_a_capture_is_copied_once_and_noted(
    s3: FaultyS3, settings: Make, services: Services, spool: SealedSpool
) -> None:
    """The same bytes under a name that says which box and which capture, and nothing about anybody."""
    small, large = spool.put(1000), spool.put(3 * PART)

    assert [small, large] == copy(settings(), services)
    assert [] == copy(settings(), services)
    assert sorted((spool.key(each), len(spool.content(each))) for each in (small, large)) == s3.versions()
    assert spool.content(small) == s3.content(spool.key(small))
    assert spool.content(large) == s3.content(spool.key(large))
    noted = services.store.remote_copy(target_of(settings()), large)
    assert noted is not None
    assert CopyState.VERIFIED is noted.state
    assert noted.version


@pytest.mark.parametrize(
    ("method", "kinds"),
    [
        ("PUT", ("500", "lost", "cut", "503", "damaged", "slow")),
        ("HEAD", ("500", "lost", "wrong checksum")),
        ("POST", ("500", "lost", "cut")),
        ("GET", ("500", "lost")),
    ],
)
def test_faults_on_the_way_lose_and_double_nothing(
    method: str, kinds: tuple[str, ...], s3: FaultyS3, settings: Make, spool: SealedSpool
) -> None:
    """Whatever requests they hit, of captures sent at once or in parts: each is there exactly once."""
    captures, store = [spool.put(1000), spool.put(3 * PART), spool.put(500)], spool.services.store
    s3.faults = [Fault(kind, method) for kind in kinds]
    until_done(settings(), spool.services)

    assert sorted((spool.key(each), len(spool.content(each))) for each in captures) == s3.versions()
    assert all(spool.content(each) == s3.content(spool.key(each)) for each in captures)
    assert {CopyState.VERIFIED} == set(store.remote_copies(target_of(settings())).values())
    assert method == "GET" or not any(fault.times for fault in s3.faults)


def test_nothing_but_what_is_sealed_leaves(
    s3: FaultyS3, settings: Make, services: Services, spool: SealedSpool
) -> None:
    """A picture among the captures stays, is refused, and is told of; the others go on."""
    picture, before = spool.put(content=b"\xff\xd8\xff\xe0 JFIF a face" * 100), spool.put()
    cut = spool.put(content=spool.content(before)[:120])

    assert [before] == copy(settings(), services)
    assert [spool.key(before)] == [key for key, _ in s3.versions()]
    assert {picture, cut} == {each.capture for each in services.store.refused_copies(target_of(settings()))}
    assert not any(b"JFIF" in s3.content(key) for key, _ in s3.versions())


def test_an_upload_in_parts_goes_on_where_it_was(s3: FaultyS3, settings: Make, spool: SealedSpool) -> None:
    """After a process died in the middle: parts that are there are not sent again, and no upload is left."""
    capture = spool.put(5 * PART)
    s3.faults = [Fault("500", when=lambda asked: "partNumber=4" in asked.path)]
    wrong = until_done(settings(), spool.services)
    parts = [asked.path.partition("partNumber=")[2] for asked in s3.asked if "partNumber=" in asked.path]

    assert ["server"] == [error.reason for error in wrong]
    assert ["1", "2", "3", "4", "4", "5", "6"] == [part.partition("&")[0] for part in parts]
    assert spool.content(capture) == s3.content(spool.key(capture))
    assert 0 == s3.unfinished()


def test_a_capture_that_went_meanwhile_leaves_no_upload_behind(
    s3: FaultyS3, settings: Make, spool: SealedSpool
) -> None:
    """Its expiry or its admin was quicker: what was begun is given up, and no longer noted."""
    capture = spool.put(5 * PART)
    s3.faults = [Fault("500", when=lambda asked: "partNumber=4" in asked.path)]
    with pytest.raises(SinkError):
        copy(settings(), spool.services)
    (spool.services.layout.spool / f"{capture}.age").unlink()

    assert 1 == s3.unfinished()
    assert [] == copy(settings(), spool.services)
    assert 0 == s3.unfinished()
    assert {} == spool.services.store.remote_copies(target_of(settings()))


def test_a_fresh_capture_waits_and_one_from_the_future_does_not(
    s3: FaultyS3, settings: Make, spool: SealedSpool
) -> None:
    """Until it is sure not to be taken back; a clock that was wrong when it was sealed holds nothing up."""
    now = SystemClock().wall()
    old, fresh, ahead = (spool.put(at=now + timedelta(seconds=each)) for each in (-600, -5, 6000))

    assert [old, ahead] == copy(settings(wait_s=120), spool.services)
    state = sync_state(settings(wait_s=120), spool.services)
    assert (3, 2, 1, 0) == (
        state.backlog.captures,
        state.backlog.verified,
        state.backlog.waiting,
        len(state.backlog.due),
    )
    assert 0 == state.lag_s(now)
    assert 600 <= sync_state(settings(prefix="elsewhere"), spool.services).lag_s(now) < 700
    assert spool.key(fresh) not in [key for key, _ in s3.versions()]


def test_the_one_here_goes_when_the_copy_is_verified_and_it_is_wanted(
    s3: FaultyS3, settings: Make, spool: SealedSpool
) -> None:
    """Not without the setting, not before its days are over, not without the bucket having it still."""
    kept, lost = spool.put(), spool.put()
    folder = spool.services.layout.spool
    for given in ({}, {"remove_local_days": 1}):
        copy(settings(**given), spool.services)

        assert {kept, lost} == {file.stem for file in folder.glob("*.age")}

    for version in s3.client.list_object_versions(Bucket=s3.bucket, Prefix=spool.key(lost))["Versions"]:
        s3.client.delete_object(Bucket=s3.bucket, Key=version["Key"], VersionId=version["VersionId"])
    copy(settings(remove_local_days=0), spool.services)

    assert [lost] == [file.stem for file in folder.glob("*.age")]
    removed = spool.services.store.events(types=("capture_removed",), newest_first=True, limit=1)[0].event
    assert isinstance(removed, CaptureRemoved)
    assert (kept, "copied") == (removed.capture, removed.reason)
    assert [lost] == copy(settings(), spool.services)


def test_a_lock_and_a_key_are_asked_for_when_they_are_set(
    server: FaultyS3, settings: Make, spool: SealedSpool
) -> None:
    """Of captures sent at once and in parts; what is locked says until when."""
    server.fresh(locks=True)
    captures = [spool.put(), spool.put(3 * PART)]
    locked = settings(
        bucket=server.bucket, object_lock="governance", object_lock_days=30, kms_key="alias/evidence"
    )

    assert captures == copy(locked, spool.services)
    sent = [
        asked.headers for asked in server.asked if asked.method in {"PUT", "POST"} and "Id=" not in asked.path
    ]
    assert 2 == len(sent)
    for headers in sent:
        until = datetime.fromisoformat(headers["x-amz-object-lock-retain-until-date"])
        assert ("GOVERNANCE", "aws:kms", "alias/evidence") == (
            headers["x-amz-object-lock-mode"],
            headers["x-amz-server-side-encryption"],
            headers["x-amz-server-side-encryption-aws-kms-key-id"],
        )
        assert timedelta(days=29) < until - SystemClock().wall() < timedelta(days=31)


def test_bandwidth_is_kept_to(s3: FaultyS3, settings: Make, spool: SealedSpool) -> None:
    """Half a second's worth, after the quarter that may be sent at once, takes a quarter at least."""
    spool.put(16 * 1024)
    began = time.monotonic()
    copied = copy(settings(max_kib_s=32), spool.services)

    assert 1 == len(copied)
    assert 0.25 <= time.monotonic() - began


def test_a_small_file_of_a_name_of_its_own_is_put_once(
    s3: FaultyS3, settings: Make, services: Services
) -> None:
    """The same content twice is one object; another content under that name is refused."""
    bucket = Bucket(settings(), services.device, SystemClock())
    first, again = bucket.put_small("heads/1.json", b"{}"), bucket.put_small("heads/1.json", b"{}")
    with pytest.raises(SinkError, match="something else") as caught:
        bucket.put_small("heads/1.json", b"[]")
    bucket.close()

    assert f"captures/{services.device}/heads/1.json" == first == again
    assert "occupied" == caught.value.reason
    assert [(first, 2)] == s3.versions()


def test_a_spool_that_is_copied_is_left_in_peace_until_it_changes(
    s3: FaultyS3, settings: Make, spool: SealedSpool
) -> None:
    """Ten thousand files are not listed every twenty seconds for nothing; what comes is seen at once."""
    spool.put()
    files = CountingFiles(spool.services.layout.spool, spool.services.store)
    bucket = Bucket(settings(), spool.services.device, SystemClock())
    copying = Copying(files, spool.services.store, bucket, settings(), SystemClock())
    for _ in range(6):
        list(copying.round(lambda: False))
    listed = files.listed
    for _ in range(6):
        list(copying.round(lambda: False))
    late = spool.put()
    copied = [each.capture for each in copying.round(lambda: False)]
    bucket.close()

    assert listed + 1 <= files.listed <= listed + 3
    assert [late] == copied


class CountingFiles(SpoolFiles):
    """The spool; counts how often it is listed."""

    listed = 0

    def list(self) -> tuple[SpoolEntry, ...]:
        """As the spool."""
        self.listed += 1
        return super().list()
