"""Signed heads of the log, written out: one after the other, through every sink, whatever one does."""

import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import stores
from structlog.testing import capture_logs

from appliance.app.heads import HeadFile, HeadObjects, Heads, head_sinks
from appliance.errors import EvidenceError
from appliance.services import Layout, Services, open_services
from appliance.settings import HeadsSettings, Settings
from appliance.store import SignedHead
from appliance.store.exported import parse_heads, verify_export
from appliance.vault import verify_signature


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """A box after its first boot, with a spool."""
    with open_services(Settings(), Layout(tmp_path / "state"), create=True) as opened:
        opened.layout.spool.mkdir(mode=0o700)
        yield opened


class Kept:
    """A sink in memory that can be told to refuse.

    Attributes:
        heads: What was kept.
        refuses: Whether it does.
    """

    name = "memory"

    def __init__(self) -> None:
        self.heads: list[SignedHead] = []
        self.refuses = False

    def keep(self, head: SignedHead) -> None:
        """Keep it, or refuse."""
        if self.refuses:
            raise EvidenceError("no room")
        self.heads.append(head)


def kept(path: Path) -> list[int]:
    """Positions of the heads in a file."""
    return [head.position for head in parse_heads(path.read_bytes())[0]]


def test_every_sink_gets_each_head_once(services: Services, tmp_path: Path) -> None:
    """State directory, spool and folder; nothing while nothing was logged; private files."""
    (tmp_path / "share").mkdir()
    sinks = head_sinks(HeadsSettings(folder=tmp_path / "share"), services.layout, services.device)
    heads = Heads(services.store, sinks, 1)
    heads.export()
    services.store.append(stores.OPENED)
    heads.export()
    heads.export()
    services.store.append(stores.SHUT)
    heads.export()
    name = f"heads-{services.device}.jsonl"
    files = [services.layout.heads, services.layout.spool / "heads.jsonl", tmp_path / "share" / name]

    assert [[1, 2]] * 3 == [kept(path) for path in files]
    assert [0o600] * 3 == [stat.S_IMODE(path.stat().st_mode) for path in files]


def test_what_was_written_out_holds_the_log(services: Services) -> None:
    """The file that it writes is the one that verifying takes, with the real signatures."""
    heads = Heads(services.store, head_sinks(HeadsSettings(), services.layout, services.device), 1)
    for event in (stores.OPENED, stores.SHUT):
        services.store.append(event)
        heads.export()
    found, damaged = parse_heads(services.layout.heads.read_bytes())
    lines = [line.encode() for line in services.store.exported()]
    key = services.vault.public_key.hex()

    assert 0 == damaged
    assert 2 == services.store.verify(heads=found).heads
    assert 2 == verify_export(lines, heads=found, key=key, verify=verify_signature).heads


def test_a_sink_that_cannot_is_told_of_and_gets_the_next(services: Services) -> None:
    """The others are not kept from theirs."""
    bad, good = Kept(), Kept()
    heads = Heads(services.store, [bad, good], 1)
    services.store.append(stores.OPENED)
    bad.refuses = True
    with capture_logs() as said:
        heads.export()
    bad.refuses = False
    heads.export()

    assert ["log_head_not_exported"] == [line["event"] for line in said]
    assert ([1], [1]) == tuple([head.position for head in sink.heads] for sink in (bad, good))


def test_it_is_done_at_intervals(services: Services) -> None:
    """For as long as it is not stopped."""
    sink, stop = Kept(), threading.Event()
    services.store.append(stores.OPENED)
    thread = threading.Thread(target=Heads(services.store, [sink], 0.01).run, args=(stop,))
    thread.start()
    for _ in range(500):
        if sink.heads:
            break
        stop.wait(0.01)
    stop.set()
    thread.join(10)

    assert [1] == [head.position for head in sink.heads]


def test_a_torn_line_stays_one_of_its_own(services: Services) -> None:
    """What a power cut left is not mended, and does not spoil the next head."""
    services.layout.heads.write_bytes(b'{"device": "b')
    services.store.append(stores.OPENED)
    HeadFile(services.layout.heads).keep(services.store.head())

    assert ([1], 1) == (kept(services.layout.heads), parse_heads(services.layout.heads.read_bytes())[1])


def test_in_a_spool_that_a_group_may_read_heads_may_be_read_too(services: Services) -> None:
    """Otherwise the account that fetches captures would not see them."""
    services.layout.spool.chmod(0o2750)
    services.store.append(stores.OPENED)
    path = services.layout.spool / "heads.jsonl"
    HeadFile(path).keep(services.store.head())

    assert 0o640 == stat.S_IMODE(path.stat().st_mode)


def test_a_folder_that_is_not_there_is_said(services: Services, tmp_path: Path) -> None:
    """A share that is not mounted is not made in its place."""
    services.store.append(stores.OPENED)

    with pytest.raises(EvidenceError, match="cannot be kept"):
        HeadFile(tmp_path / "nowhere" / "heads.jsonl").keep(services.store.head())
    assert not (tmp_path / "nowhere").exists()


def test_a_link_in_its_place_is_not_followed(services: Services, tmp_path: Path) -> None:
    """Whoever may write the share cannot have another file of the box written to."""
    services.store.append(stores.OPENED)
    (tmp_path / "heads.jsonl").symlink_to(tmp_path / "other")

    with pytest.raises(EvidenceError):
        HeadFile(tmp_path / "heads.jsonl").keep(services.store.head())
    assert not (tmp_path / "other").exists()


class Objects:
    """A bucket in memory.

    Attributes:
        kept: Content by name.
    """

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put_small(self, name: str, content: bytes) -> str:
        """Keep it; a name is never given twice."""
        assert self.kept.setdefault(name, content) == content
        return name


def test_heads_in_a_bucket_sort_as_the_log_grew(services: Services) -> None:
    """Put together by name they are a file that verifies; one signed again is another object."""
    bucket = Objects()
    for event in [stores.OPENED] * 11:
        services.store.append(event)
        Heads(services.store, [HeadObjects(bucket)], 1).export()
    Heads(services.store, [HeadObjects(bucket)], 1).export()
    found, damaged = parse_heads(b"".join(content for _, content in sorted(bucket.kept.items())))

    assert ([*range(1, 12), 11], 0) == ([head.position for head in found], damaged)
    assert 12 == services.store.verify(heads=found).heads
