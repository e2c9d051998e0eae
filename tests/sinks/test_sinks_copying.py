"""Captures copied to a real S3 server through all that goes wrong on the way: none lost, none doubled."""

import threading
from collections.abc import Callable

import pytest
from s3_server import Fault, FaultyS3
from sealed_spool import SealedSpool

from appliance.app.syncing import copying_of, sync_state
from appliance.errors import SinkError
from appliance.services import Services
from appliance.settings import S3Settings
from appliance.sinks.naming import target_of
from appliance.values import CopyState

Make = Callable[..., S3Settings]
PART = 4096


def copy(settings: S3Settings, services: Services) -> list[str]:
    """One round, as a process that just started does it."""
    copying = copying_of(settings, services, threading.Event(), part_bytes=PART)
    try:
        return [copied.capture for copied in copying.round(lambda: False)]
    finally:
        copying.let_go_of_connections()


def until_done(settings: S3Settings, services: Services, tries: int = 12) -> list[SinkError]:
    """Round after round, each by one that knows nothing of the one before; what went wrong on the way."""
    wrong: list[SinkError] = []
    for _ in range(tries):
        try:
            copy(settings, services)
        except SinkError as error:
            wrong.append(error)
        if not sync_state(settings, services).backlog.due:
            return wrong
    raise AssertionError("it never came to an end")


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
    "fault",
    [
        ("500", "PUT"),
        ("503", "PUT"),
        ("lost", "PUT"),
        ("cut", "PUT"),
        ("damaged", "PUT"),
        ("slow", "PUT"),
        ("500", "HEAD"),
        ("lost", "HEAD"),
        ("wrong checksum", "HEAD"),
        ("500", "POST"),
        ("lost", "POST"),
        ("500", "GET"),
    ],
    ids=" ".join,
)
def test_a_fault_on_the_way_loses_and_doubles_nothing(
    s3: FaultyS3, settings: Make, services: Services, spool: SealedSpool, fault: tuple[str, str]
) -> None:
    """Whatever request it hits, of captures sent at once or in parts: each is there exactly once."""
    captures = [spool.put(1000), spool.put(3 * PART), spool.put(500)]
    s3.faults = [Fault(*fault, times=3)]
    until_done(settings(), services)

    assert sorted((spool.key(each), len(spool.content(each))) for each in captures) == s3.versions()
    assert all(spool.content(each) == s3.content(spool.key(each)) for each in captures)
    assert {CopyState.VERIFIED} == set(services.store.remote_copies(target_of(settings())).values())


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
