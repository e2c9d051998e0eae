"""A log that was exported, checked elsewhere: what was cut, edited, moved or told in two ways is found."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from seals import ToySeal
from stores import AGREED, NOON, OPENED, SHUT, store

from appliance.errors import ApplianceError, ChainBrokenError, InputError, StoreError
from appliance.events import Personal
from appliance.store import SEGMENT, ChainReport, NewEvent, SignedHead, sqlite_url
from appliance.store.exported import parse_heads, verify_export

SEAL = ToySeal()
KEY = SEAL.public_key.hex()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[bytes], list[SignedHead]]:
    """An exported log with a checkpoint, something sealed in it, and heads exported while it grew."""
    heads = []
    with store(sqlite_url(tmp_path_factory.mktemp("log") / "s.db"), seal=SEAL) as opened:
        ann = opened.add_subject("Ann", consent=AGREED)
        opened.append(OPENED, personal=Personal(subject=ann.id, payload={"note": "Ann's own"}))
        heads.append(opened.head())
        opened.append_all([NewEvent(OPENED)] * SEGMENT)
        heads.append(opened.head())
        opened.append_all([NewEvent(SHUT)] * 3)
        heads.append(opened.head())
        return [line.encode() for line in opened.exported()], heads


def check(lines: list[bytes], heads: list[SignedHead], key: str = KEY) -> ChainReport:
    """Verify, as somebody with the public key alone."""
    return verify_export(lines, heads=heads, key=key, verify=ToySeal("another").verify_signature)


def test_an_export_verifies_with_the_public_key_and_heads(
    log: tuple[list[bytes], list[SignedHead]],
) -> None:
    """From the first event to the last; every head is found; nothing sealed and no name is in it."""
    lines, heads = log
    report = check(*log)

    assert (1, heads[-1].position, 3, 0) == (report.first, report.last, report.heads, report.heads_before)
    assert (SEGMENT, 1) == (report.signed_up_to, report.checkpoints)
    assert b"Ann" not in b"".join(lines)


def test_a_pruned_log_verifies_as_well(tmp_path: Path) -> None:
    """A checkpoint vouches for what is gone; heads of that time vouch for nothing, and are counted."""
    with store(sqlite_url(tmp_path / "s.db"), seal=SEAL) as opened:
        opened.append(OPENED)
        heads = [opened.head()]
        opened.append_all([NewEvent(OPENED)] * (SEGMENT + 1))
        opened.prune_events(before=NOON + timedelta(days=1), max_bytes=None)
        lines = [line.encode() for line in opened.exported()]
        heads.append(opened.head())
    report = check(lines, heads)

    assert (SEGMENT + 1, 1, 1) == (report.first, report.heads, report.heads_before)


def test_an_empty_log_can_be_exported(tmp_path: Path) -> None:
    """It verifies, with nothing in it."""
    with store(sqlite_url(tmp_path / "s.db"), seal=SEAL) as opened:
        lines = [line.encode() for line in opened.exported()]

    assert (0, 0) == (check(lines, []).first, check(lines, []).last)


def edited(line: bytes, **changes: Any) -> bytes:
    """An event's line, changed."""
    said = json.loads(line)
    said["event"].update(changes)
    return json.dumps(said).encode()


Cheat = Callable[[list[bytes]], list[bytes]]
CHEATS: dict[str, Cheat] = {
    "the last event cut": lambda lines: lines[:-1],
    "all events cut": lambda lines: lines[:2],
    "the first event cut": lambda lines: [*lines[:2], *lines[3:]],
    "one in the middle cut": lambda lines: [*lines[:50], *lines[51:]],
    "two exchanged": lambda lines: [*lines[:50], lines[51], lines[50], *lines[52:]],
    "one twice": lambda lines: [*lines[:50], lines[50], *lines[50:]],
    "a body edited": lambda lines: [
        *lines[:50],
        edited(lines[50], body=json.loads(lines[50])["event"]["body"].replace("0.25", "0.26")),
        *lines[51:],
    ],
    "a time edited": lambda lines: [
        *lines[:50],
        edited(lines[50], at="2020-01-01T00:00:00.000000Z"),
        *lines[51:],
    ],
    "a body taken away": lambda lines: [*lines[:50], edited(lines[50], body=None), *lines[51:]],
    "the checkpoint cut": lambda lines: [lines[0], *lines[2:]],
    "another device": lambda lines: [*lines[:50], edited(lines[50], device="other"), *lines[51:]],
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_whatever_was_done_to_it_is_found(log: tuple[list[bytes], list[SignedHead]], cheat: str) -> None:
    """Without any head from before, too: the export carries one of its own."""
    with pytest.raises(ChainBrokenError):
        check(CHEATS[cheat](log[0]), [])


@pytest.fixture(scope="module")
def pruned(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[bytes], list[SignedHead]]:
    """An exported log of five segments, of which retention dropped one, then a second; and heads."""
    heads = []
    with store(sqlite_url(tmp_path_factory.mktemp("pruned") / "s.db"), seal=SEAL) as opened:
        for day in range(5):
            opened.append_all([NewEvent(OPENED, at=NOON + timedelta(days=day))] * SEGMENT)
            heads.append(opened.head())
        for day in range(2):
            opened.prune_events(before=NOON + timedelta(days=day, hours=1), max_bytes=None)
            opened.append_all([NewEvent(SHUT, at=NOON + timedelta(days=5))] * 3)
            heads.append(opened.head())
        return [line.encode() for line in opened.exported()], heads


def parts(lines: list[bytes]) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """The first line, the checkpoints, the events."""
    first = next(number for number, line in enumerate(lines) if line.startswith(b'{"event"'))
    return lines[:1], lines[1:first], lines[first:]


def without_events(lines: list[bytes], many: int) -> list[bytes]:
    """So many of the oldest events cut; every checkpoint stays."""
    head, signed, events = parts(lines)
    return [*head, *signed, *events[many:]]


def without_checkpoint(lines: list[bytes], number: int) -> list[bytes]:
    """One checkpoint cut."""
    head, signed, events = parts(lines)
    return [*head, *signed[:number], *signed[number + 1 :], *events]


def with_said(lines: list[bytes], **changes: Any) -> list[bytes]:
    """The newest event that says that the log was pruned, edited, and two more segments cut."""
    number = max(number for number, line in enumerate(lines) if b'"type":"log_pruned"' in line)
    return without_events(
        [*lines[:number], edited(lines[number], **changes), *lines[number + 1 :]], 2 * SEGMENT
    )


PRUNED_CHEATS: dict[str, Cheat] = {
    "the first event cut": lambda lines: without_events(lines, 1),
    "a whole segment cut": lambda lines: without_events(lines, SEGMENT),
    "all but the newest segment cut": lambda lines: without_events(lines, 3 * SEGMENT),
    "all but the last event cut": lambda lines: without_events(lines, 3 * SEGMENT + 7),
    "all events cut": lambda lines: without_events(lines, 3 * SEGMENT + 8),
    "a checkpoint of a dropped segment cut": lambda lines: without_checkpoint(lines, 0),
    "the checkpoint of the newest dropped segment cut": lambda lines: without_checkpoint(lines, 1),
    "a checkpoint of a kept segment cut": lambda lines: without_checkpoint(lines, 2),
    "the checkpoint of the first pruning cut": lambda lines: without_checkpoint(lines, 5),
    "the checkpoint of the second pruning cut": lambda lines: without_checkpoint(lines, 6),
    "what the pruning says taken away": lambda lines: with_said(
        lines, body=None, dropped_at="2026-01-09T12:00:00.000000Z"
    ),
    "what the pruning says edited": lambda lines: with_said(
        lines, body='{"events":256,"reason":"age","type":"log_pruned","up_to":1024,"version":1}'
    ),
    "the prunings cut with the tail": lambda lines: lines[:-8],
}


def test_of_a_log_that_was_pruned_twice_the_newest_says_where_it_begins(
    pruned: tuple[list[bytes], list[SignedHead]],
) -> None:
    """Every dropped segment has its checkpoint, and heads of that time are held against them."""
    lines, heads = pruned
    report = check(lines, heads)

    assert (2 * SEGMENT + 1, 5 * SEGMENT + 8) == (report.first, report.last)
    assert (5 * SEGMENT + 5, 7, 7) == (report.pruned_by, report.checkpoints, report.heads)
    assert 7 == len(parts(lines)[1])


@pytest.mark.parametrize("cheat", PRUNED_CHEATS)
def test_whatever_was_done_to_a_pruned_one_is_found(
    pruned: tuple[list[bytes], list[SignedHead]], cheat: str
) -> None:
    """What was cut tidily, by whole segments, is told from what retention dropped, by the file alone."""
    with pytest.raises(ChainBrokenError):
        check(PRUNED_CHEATS[cheat](pruned[0]), [])


@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_byte_of_it_can_be_changed(log: tuple[list[bytes], list[SignedHead]], data: st.DataObject) -> None:
    """Whatever digit or letter becomes another: refused, never a report of another log."""
    lines, heads = log
    number = data.draw(st.integers(0, len(lines) - 1))
    place = data.draw(st.integers(0, len(lines[number]) - 1))
    line = bytearray(lines[number])
    line[place] = data.draw(st.integers(32, 126))
    changed = [*lines[:number], bytes(line), *lines[number + 1 :]]
    try:
        report = check(changed, heads)
    except ApplianceError:
        return

    # What is said in the same way but written differently (a space, the case of a hash's digit) may pass.
    assert check(lines, heads) == report
    assert (
        json.loads(lines[number]) == json.loads(bytes(line)) or bytes(line).lower() == lines[number].lower()
    )


def regrown(tmp_path: Path, heads: list[SignedHead], *, shuts: int) -> list[bytes]:
    """Another history, signed with the box's own key by whoever has root on it."""
    del heads
    with store(sqlite_url(tmp_path / "again.db"), seal=SEAL, seed=9) as opened:
        opened.append_all([NewEvent(SHUT)] * shuts)
        return [line.encode() for line in opened.exported()]


def test_a_history_that_root_wrote_anew_does_not_fit_a_head(
    log: tuple[list[bytes], list[SignedHead]], tmp_path: Path
) -> None:
    """It verifies by itself; any head that left the box before shows it."""
    forged = regrown(tmp_path, log[1], shuts=SEGMENT + 50)
    assert SEGMENT + 50 == check(forged, []).last

    for head in log[1]:
        with pytest.raises(ChainBrokenError, match="differs from the head that was exported"):
            check(forged, [head])


def test_a_log_cut_and_signed_again_does_not_reach_its_heads(
    log: tuple[list[bytes], list[SignedHead]], tmp_path: Path
) -> None:
    """Fewer events than a head was signed for: they are missing."""
    forged = regrown(tmp_path, log[1], shuts=2)

    with pytest.raises(ChainBrokenError, match="signed for are missing"):
        check(forged, [log[1][-1]])


def test_a_fork_is_found_in_the_heads_alone(
    log: tuple[list[bytes], list[SignedHead]], tmp_path: Path
) -> None:
    """Two histories signed for one position, and a log that was set back and grew anew."""
    lines, heads = log
    with store(sqlite_url(tmp_path / "fork.db"), seal=SEAL, seed=9) as opened:
        opened.append_all([NewEvent(SHUT)] * heads[0].position)
        fork = opened.head()

    with pytest.raises(ChainBrokenError, match="two different histories"):
        check(lines, [heads[0], fork])
    with pytest.raises(ChainBrokenError, match="was set back"):
        check(lines, [heads[1], heads[0]])


def test_heads_of_others_do_not_count(log: tuple[list[bytes], list[SignedHead]], tmp_path: Path) -> None:
    """Signed with another key, or of another device: an error, never a pass."""
    lines, _ = log
    with store(sqlite_url(tmp_path / "a.db"), seal=ToySeal("thief"), seed=9) as opened:
        opened.append(OPENED)
        stolen = opened.head()
    with store(sqlite_url(tmp_path / "b.db"), seal=SEAL, device="other", seed=9) as opened:
        opened.append(OPENED)
        other = opened.head()

    with pytest.raises(ChainBrokenError, match="another key"):
        check(lines, [stolen])
    with pytest.raises(StoreError, match="of device 'other'"):
        check(lines, [other])
    with pytest.raises(ChainBrokenError, match="another key"):
        check(lines, [], key=ToySeal("thief").public_key.hex())


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [b"{}"],
        [b"nonsense"],
        [b"[" * 100_000],
        [b'{"log":2,"head":{}}'],
        [b"FIRST", b'{"event":7}'],
        [b"FIRST", b'{"event":{}}'],
        [b"FIRST", b'{"of":{}}'],
        [b"FIRST", b"[]"],
    ],
)
def test_what_is_no_export_is_refused(log: tuple[list[bytes], list[SignedHead]], lines: list[bytes]) -> None:
    """One error of ours, whatever comes."""
    with pytest.raises(InputError):
        check([log[0][0] if line == b"FIRST" else line for line in lines], [])


def test_a_torn_line_among_the_heads_is_counted(log: tuple[list[bytes], list[SignedHead]]) -> None:
    """A power cut leaves part of one; those before and after it count."""
    first, second = (head.model_dump_json().encode() for head in log[1][:2])

    assert (log[1][:2], 1) == parse_heads(first + b"\n" + second[:50] + b"\n\n" + second + b"\n")
