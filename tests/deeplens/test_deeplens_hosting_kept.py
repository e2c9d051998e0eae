"""What of a function is kept for who looks: its messages, its log, and which topics a pattern means."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from appliance.deeplens.function_log import FILE_BYTES, LONGEST_LINE, FunctionLog, Tail, harmless
from appliance.deeplens.messages import MessageRing
from appliance.deeplens.topics import matches

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@given(
    st.lists(st.binary(max_size=60), max_size=60),
    st.integers(1, 20),
    st.integers(1, 200),
    st.integers(0, 70),
    st.integers(1, 30),
)
def test_a_ring_keeps_the_newest(
    payloads: list[bytes], kept: int, kept_bytes: int, after: int, most: int
) -> None:
    """However many come: the newest within both bounds are kept, numbered from 1 without gaps."""
    ring = MessageRing(kept, kept_bytes)
    for each in payloads:
        ring.add("t", each, NOW)
    expected = list(enumerate(payloads, 1))[-kept:]
    while len(expected) > 1 and sum(len(payload) for _, payload in expected) > kept_bytes:
        expected.pop(0)
    found = ring.after(after, most=most)

    assert [each for each in expected if each[0] > after][:most] == [
        (each.sequence, each.payload) for each in found
    ]
    assert len(payloads) == ring.newest


def test_whoever_waits_for_a_message_is_woken() -> None:
    """A reader that has everything gets the next one when it comes."""
    ring = MessageRing()
    ring.add("t", b"old", NOW)
    timer = threading.Timer(0.05, ring.add, ("t", b"new", NOW))
    timer.start()

    assert ["new"] == [each.text for each in ring.after(1, wait_s=60)]
    timer.join()


@pytest.mark.parametrize(
    ("payload", "is_json"), [(b'{"dog": 0.9}', True), (b"Loading model", False), (b"\xff", False)]
)
def test_payloads_are_json_or_not(payload: bytes, *, is_json: bool) -> None:
    """Free text is as good a message as JSON; bytes that are neither are still shown."""
    message = MessageRing().add("t", payload, NOW)

    assert is_json is message.is_json
    assert message.text


@given(st.text())
def test_a_harmless_line_moves_no_cursor(text: str) -> None:
    """Whatever a function prints, what is shown of it is printable, and what was is unchanged."""
    shown = harmless(text)

    assert shown.isprintable() or not shown
    assert text == shown or not text.isprintable()


def test_lines_are_kept_and_cut(tmp_path: Path) -> None:
    """Lines are kept with the time, the host's in brackets; a long one is cut, and says how much it lost."""
    log = FunctionLog(tmp_path / "log")
    log.write("hello \x1b[31m")
    log.write("started", own=True)
    log.write("x" * (LONGEST_LINE + 5))

    lines = [each.partition(" ")[2] for each in log.tail(10)]
    assert "hello \\x1b[31m" == lines[0]
    assert "[started]" == lines[1]
    assert "x" * LONGEST_LINE + " [5 more]" == lines[2]


def test_a_log_is_bounded(tmp_path: Path) -> None:
    """However much is printed, two files of bounded size are kept, and the newest line is there."""
    log = FunctionLog(tmp_path / "log", file_bytes=2000, lines_a_second=1_000_000)
    for number in range(500):
        log.write(f"line {number}")

    assert {"log", "log.1"} == {each.name for each in tmp_path.iterdir()}
    assert all(each.stat().st_size <= 2000 for each in tmp_path.iterdir())
    assert log.tail(1)[0].endswith("line 499")


def test_endless_printing_is_counted_not_kept(tmp_path: Path) -> None:
    """More lines than are taken: the rest is counted, and the host's own words are never left out."""
    log = FunctionLog(tmp_path / "log", lines_a_second=1)
    for _ in range(100):
        log.write("again and again")
    log.write("killed", own=True)

    lines = log.tail(1000)
    assert len(lines) < 50
    assert "lines left out: the function prints too much]" in lines[-2]
    assert lines[-1].endswith("[killed]")


def test_a_log_that_cannot_be_written_is_no_fault_of_the_function(tmp_path: Path) -> None:
    """No folder, a link in the place of the file: nothing is raised, and nothing written elsewhere."""
    FunctionLog(tmp_path / "missing" / "log").write("a line")
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "log").symlink_to(elsewhere)
    FunctionLog(tmp_path / "log").write("a line")

    assert not elsewhere.exists()


def test_following_goes_on_in_the_next_file(tmp_path: Path) -> None:
    """Who follows a log sees every line once, across the change of files."""
    log = FunctionLog(tmp_path / "log", file_bytes=300, lines_a_second=1_000_000)
    log.write("before")
    tail = Tail(log, begin=False)
    assert [] == list(tail.more())
    seen: list[str] = []
    for number in range(40):
        log.write(f"line {number}")
        seen += [each.partition(" ")[2] for each in tail.more()]
    tail.close()

    assert [f"line {number}" for number in range(40)] == seen
    assert FILE_BYTES > 300


LEVELS = st.lists(st.sampled_from(["a", "b", "", "$aws", "infer"]), min_size=1, max_size=4).map("/".join)
PATTERNS = st.lists(st.sampled_from(["a", "b", "+", "", "$aws"]), min_size=1, max_size=4).map("/".join)


@given(st.one_of(PATTERNS, PATTERNS.map(lambda each: f"{each}/#"), st.just("#")), LEVELS)
def test_patterns_mean_what_a_broker_means_by_them(pattern: str, topic: str) -> None:
    """Held against the client library's own rule."""
    assert topic_matches_sub(pattern, topic) is matches(pattern, topic)
