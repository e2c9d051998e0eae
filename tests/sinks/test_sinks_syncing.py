"""Copying kept going: by itself, after failures, by one process at a time, and what is told of it."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from copies import copying_for
from s3_server import Fault, FaultyS3
from sealed_spool import SealedSpool

from appliance.app.copies import SpoolFiles, read_told, sync_state
from appliance.app.dispatching import syncing
from appliance.app.examining.copied import copies
from appliance.app.syncing import Syncing, holding
from appliance.backoff import BackOff
from appliance.cli import appliance
from appliance.cli.captures import captures
from appliance.cli.context import Context
from appliance.errors import SettingsError, SinkError, StoreFullError
from appliance.services import Services
from appliance.settings import CapturesSettings, S3Settings, Settings
from appliance.sinks.bucket import Bucket
from appliance.sinks.copying import Copying
from appliance.store import Store
from appliance.values import CopyState, RemoteCopy

Make = Callable[..., S3Settings]


@contextmanager
def running(settings: S3Settings, services: Services) -> Iterator[None]:
    """Copying in a thread, as dispatch has it, but quicker."""
    stop = threading.Event()
    with copying_for(settings, services) as copying:
        sync = Syncing(
            copying, services.layout, services.clock, poll_s=0.05, back_off=BackOff(first_s=0.05, cap_s=0.1)
        )
        thread = threading.Thread(target=sync.run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(20)


def soon(holds: Callable[[], bool]) -> bool:
    """Whether something comes to hold within some seconds."""
    pause = threading.Event()
    return any(holds() or pause.wait(0.05) for _ in range(400))


def test_it_goes_on_by_itself_after_whatever_failed(s3: FaultyS3, settings: Make, spool: SealedSpool) -> None:
    """What is in the way is told while it is, and not after; captures that come later are copied too."""
    services, first = spool.services, spool.put()
    s3.faults = [Fault("expired", times=1000)]
    with running(settings(), services):
        assert soon(lambda: read_told(services.layout).failures >= 2)
        told = read_told(services.layout)
        assert ("failing", "credentials", "the credentials have expired") == (
            told.state,
            told.reason,
            told.message,
        )
        assert told.next_try_at is not None
        assert sync_state(settings(), services).running
        (found,) = [each for each in copies(_whole(settings()), services.layout) if each.health == "problem"]
        assert "credentials have expired" in found.words

        s3.faults = []
        assert soon(lambda: sync_state(settings(), services).backlog.verified == 1)
        second = spool.put()
        assert soon(lambda: sync_state(settings(), services).backlog.verified == 2)
        assert soon(lambda: read_told(services.layout).state == "idle")

    assert sorted(map(spool.key, (first, second))) == [key for key, _ in s3.versions()]
    assert not sync_state(settings(), services).running
    assert "" == read_told(services.layout).message


def test_one_process_copies_at_a_time(s3: FaultyS3, settings: Make, spool: SealedSpool) -> None:
    """Another one waits until it may, and a command says so at once."""
    services = spool.services
    spool.put()
    with holding(services.layout) as held:
        assert held
        with running(settings(), services):
            assert not soon_copied(services, settings())
        answered = command(services, settings(), "run")
    assert isinstance(answered.exception, SinkError)
    assert "copies already" in answered.exception.message


def soon_copied(services: Services, settings: S3Settings) -> bool:
    """Whether one is copied within half a second."""
    pause = threading.Event()
    return any(sync_state(settings, services).backlog.verified or pause.wait(0.05) for _ in range(10))


def test_dispatch_copies_beside_where_a_bucket_is_set_and_loads_nothing_where_none_is(
    s3: FaultyS3, settings: Make, spool: SealedSpool
) -> None:
    """And when it ends, copying does."""
    services, capture, stop = spool.services, spool.put(), threading.Event()
    with syncing(S3Settings(), services, stop):
        assert "copies" not in [thread.name for thread in threading.enumerate()]
    with syncing(settings(), services, stop):
        assert soon(lambda: [key for key, _ in s3.versions()] == [spool.key(capture)])

    assert stop.is_set()
    assert "copies" not in [thread.name for thread in threading.enumerate()]


def _whole(settings: S3Settings) -> Settings:
    return Settings(captures=CapturesSettings(s3=settings))


def command(services: Services, settings: S3Settings, *words: str) -> Result:
    """`appliance captures sync …` on that box."""
    context = Context(None, services.layout.state, None)
    context.use(_whole(settings))
    # As when it is run below `appliance`: click keeps the help option of a command's first context.
    return CliRunner().invoke(captures, ["sync", *words], obj=context, **appliance.context_settings)


def test_commands_say_how_it_is_and_do_it_once(s3: FaultyS3, settings: Make, spool: SealedSpool) -> None:
    """Status before and after a run, in words and as JSON; a failure ends with its own error."""
    services, capture = spool.services, spool.put()
    before = json.loads(command(services, settings(), "status", "--json").output)
    s3.faults = [Fault("denied")]
    denied = command(services, settings(), "run")
    ran = command(services, settings(), "run", "--json")
    after = command(services, settings(), "status")

    assert (1, 0, 1, False) == tuple(before[name] for name in ("captures", "verified", "due", "running"))
    assert 600 <= before["lag_s"] < 700
    assert isinstance(denied.exception, SinkError)
    assert {"capture": capture} == json.loads(ran.output)
    assert after.output.startswith("1 of 1 captures in the spool are copied and verified\n")


def test_after_a_run_that_failed_status_says_why(s3: FaultyS3, settings: Make, spool: SealedSpool) -> None:
    """While the appliance is stopped, too; and of what was refused by itself, why."""
    services, _, unsealed = spool.services, spool.put(), spool.put(content=b"not sealed")
    s3.faults = [Fault("denied")]
    command(services, settings(), "run")
    failed = command(services, settings(), "status").output
    command(services, settings(), "run")
    after = command(services, settings(), "status").output
    values = json.loads(command(services, settings(), "status", "--json").output)

    assert (
        "in the way, 1 time(s) in a row: the credentials may not do this: s3:PutObject was denied" in failed
    )
    assert "in the way" not in after
    assert f"is not sealed: {unsealed}" in after
    assert [{"capture": unsealed, "reason": "not_sealed"}] == values["refused_captures"]


def test_a_check_says_what_is_wrong(s3: FaultyS3, settings: Make, services: Services) -> None:
    """It puts one small file, the same each time; where that is not possible, in words why."""
    told = command(services, settings(), "check")
    again = command(services, settings(), "check")
    s3.faults = [Fault("no bucket", "", times=9)]
    missing = command(services, settings(), "check")

    assert (0, 0) == (told.exit_code, again.exit_code)
    assert [f"captures/{services.device}/check.txt"] == [key for key, _ in s3.versions()]
    assert isinstance(missing.exception, SinkError)
    assert "no_bucket" == missing.exception.reason


def test_the_policy_is_printed_for_this_box(settings: Make, services: Services) -> None:
    """Ready to be given to the service."""
    printed = json.loads(command(services, settings(), "policy").output)

    assert printed["Statement"][0]["Resource"].endswith(f"/captures/{services.device}/*")


def test_without_a_bucket_the_commands_say_how_to_set_one(services: Services) -> None:
    """None of them guesses."""
    for word in ("status", "run", "check", "policy"):
        answered = command(services, S3Settings(), word)

        assert isinstance(answered.exception, SettingsError)
        assert "[captures.s3]" in answered.exception.hint


def test_the_doctor_knows_what_is_amiss(
    s3: FaultyS3, settings: Make, spool: SealedSpool, credentials: Path
) -> None:
    """Credentials that others can read, copies that are late; nothing of a box without a bucket."""
    services = spool.services
    services.layout.sync_file.unlink(missing_ok=True)
    credentials.chmod(0o644)
    spool.put(content=b"not sealed")
    with copying_for(settings(), services) as copying:
        list(copying.round(lambda: False))
    found = [(each.subject, each.health) for each in copies(_whole(settings()), services.layout)]

    plain = [each.words for each in copies(_whole(settings(endpoint="http://nas.example")), services.layout)]

    assert [] == list(copies(Settings(), services.layout))
    assert [("credentials", "problem"), ("copies", "note")] == found
    assert "plain HTTP" in plain[1]


class FullNotes:
    """Notes that cannot be written while the disk is full; a store otherwise.

    Args:
        store: What they are written to.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.full = True

    def note_copy(self, target: str, copy: RemoteCopy) -> None:
        """Write it, or say that there is no room."""
        if self.full:
            raise StoreFullError("the disk is full")
        self._store.note_copy(target, copy)

    def remote_copies(self, target: str) -> Mapping[str, CopyState]:
        """As the store."""
        return self._store.remote_copies(target)

    def remote_copy(self, target: str, capture: str) -> RemoteCopy | None:
        """As the store."""
        return self._store.remote_copy(target, capture)

    def verified_before(self, target: str, at: datetime) -> set[str]:
        """As the store."""
        return self._store.verified_before(target, at)

    def forget_copies(self, target: str, captures: Sequence[str]) -> None:
        """As the store."""
        self._store.forget_copies(target, captures)


def test_a_full_disk_here_delays_notes_and_doubles_nothing(
    s3: FaultyS3, settings: Make, spool: SealedSpool
) -> None:
    """Copied, and not noted because the database takes nothing: found there when it does."""
    services, capture = spool.services, spool.put()
    notes = FullNotes(services.store)
    bucket = Bucket(settings(), services.device, services.clock)
    files = SpoolFiles(services.layout.spool, services.store)
    copying = Copying(files, notes, bucket, settings(), services.clock)
    for _ in range(2):
        with pytest.raises(StoreFullError):
            list(copying.round(lambda: False))
    notes.full = False
    copied = [each.capture for each in copying.round(lambda: False)]
    bucket.close()

    assert [capture] == copied
    assert [(spool.key(capture), len(spool.content(capture)))] == s3.versions()
    assert 1 == sum(asked.method == "PUT" for asked in s3.asked)
