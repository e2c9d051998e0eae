"""The contact sheet: one file that loads nothing and runs nothing, whatever a capture says of itself."""

import base64
import hashlib
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from typing import Any

import pytest
from captures import NOW
from hypothesis import given
from hypothesis import strategies as st

from appliance.evidence.contact_sheet import SheetEntry, contact_sheet, read_entry

CAPTURE = "019b8d9e-5d80-7000-8000-000000000001"
WORDS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


class Tags(HTMLParser):
    """Every element of a page, with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember it."""
        self.found.append((tag, dict(attrs)))


def said(**metadata: Any) -> bytes:
    """What a capture says of itself."""
    frames = [{"taken_at": NOW.isoformat(), "camera": "lobby"}]
    return json.dumps({"sealed_at": NOW.isoformat(), "frames": frames, "metadata": metadata}).encode()


def sheet(*entries: SheetEntry, total: int | None = None) -> str:
    """A sheet of these."""
    many = len(entries) if total is None else total
    return contact_sheet(entries, total=many, made_at=NOW, zone=UTC)


def entry(metadata: bytes, face: bytes | None = b"face", frame: bytes | None = b"frame") -> SheetEntry:
    """An entry with that to say."""
    return read_entry(CAPTURE, metadata, 1000, face, frame)


def test_a_stranger_is_shown_with_time_door_and_reason() -> None:
    """And with both pictures, as data."""
    facts = {"rule": "below_threshold", "score": 0.114, "threshold": 0.351}
    page = sheet(entry(said(door="entrance", camera="lobby", facts=facts)))

    assert "entrance · unlike everybody enrolled (likeness 0.11, 0.35 wanted)" in page
    assert '<time datetime="2026-01-05T09:00:00+00:00">09:00<small>00</small></time>' in page
    for content in (b"face", b"frame"):
        assert f"data:image/jpeg;base64,{base64.b64encode(content).decode()}" in page


def test_without_a_door_the_camera_is_named() -> None:
    """A coffee corner has none."""
    assert "<p>lobby · nobody was enrolled</p>" in sheet(entry(said(facts={"rule": "empty_gallery"})))


def test_days_are_those_of_the_reader() -> None:
    """Midnight is where the reader is."""
    late = entry(said(door="a"))
    away = timezone(timedelta(hours=-10))
    page = contact_sheet([late], total=1, made_at=NOW, zone=away)

    assert "<span>Sunday, 4 January 2026</span> <small>1</small>" in page
    assert ">23:00<small>" in page


def test_the_sheet_says_what_it_leaves_out() -> None:
    """The newest of more; all of them; one; none."""
    one = entry(said())

    assert "<em>1</em> of 1,200 strangers at the door" in sheet(one, total=1200)
    assert "<em>2</em> strangers at the door" in sheet(one, one)
    assert "<em>1</em> stranger at the door" in sheet(one)
    assert "No strangers at the door" in sheet()


def test_the_policy_forbids_everything_but_the_sheets_own_style() -> None:
    """No script, no other host; and the hash in it is that of the style there is."""
    page = sheet(entry(said()))
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(each["content"] for tag, each in Tags(page).found if tag == "meta" and "content" in each)

    assert (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
        == policy
    )


@given(door=st.text(), rule=WORDS, frames=WORDS, top=WORDS)
def test_nothing_a_capture_says_becomes_markup(door: str, rule: Any, frames: Any, top: Any) -> None:
    """Whoever has the public key can seal anything: it is text or is left out, and the sheet is made."""
    hostile = {"sealed_at": top, "frames": frames, "metadata": {"door": door, "facts": {"rule": rule}}}
    usual = Tags(sheet(entry(said(door="entrance"))))
    for content in (json.dumps(hostile).encode(), json.dumps(top).encode(), door.encode("utf-8", "replace")):
        tags = Tags(sheet(entry(content)))

        assert {tag for tag, _ in tags.found} <= {tag for tag, _ in usual.found}
        assert {name for _, each in tags.found for name in each} <= {
            name for _, each in usual.found for name in each
        }
        addresses = [each[name] or "" for _, each in tags.found for name in ("src", "href") if name in each]
        assert all(each.startswith(("data:image/jpeg;base64,", f"pictures/{CAPTURE}/")) for each in addresses)


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[]", b"{", b'{"frames": [{"taken_at": "now"}]}', b"null"]
)
def test_what_makes_no_sense_is_left_out(content: bytes) -> None:
    """A capture without a time or a word about itself is still on the sheet."""
    page = sheet(entry(content, None, None))

    assert "Without a time" in page
    assert 2 == page.count("no preview")


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 200_000,
        b'{"frames": ' + b"[" * 200_000,
        b'{"frames": [' + b"[]," * 400_000 + b"[]]}",
        b'{"metadata": {"door": "\\ud800 \\u202e \\u0000"}}',
        said(facts={"rule": "below_threshold", "score": int("1" + "0" * 400), "threshold": 1}),
        said(facts={"rule": "below_threshold", "score": 0.1, "threshold": -(10**4000)}),
        said(facts={"rule": "below_threshold", "score": float("nan"), "threshold": float("inf")}),
        b'{"sealed_at": "0001-01-01T00:00:00+14:00"}',
        b'{"sealed_at": "9999-12-31T23:59:59-14:00"}',
    ],
    ids=["deep", "deep inside", "large", "no text", "endless", "endless below", "no number", "first", "last"],
)
def test_a_hostile_capture_is_on_the_sheet_beside_a_good_one(content: bytes) -> None:
    """What it says is left out where it is none of ours; the sheet is made, is text, and shows the other."""
    page = sheet(entry(content), entry(said(door="entrance")))

    assert 2 == page.count("<li>")
    assert "entrance" in page.encode().decode()
    assert {"\n"} == {each for each in page if not each.isprintable()}
    assert "likeness" not in page


def test_a_time_without_a_zone_is_none() -> None:
    """It could be anybody's."""
    assert entry(json.dumps({"sealed_at": "2026-01-05T09:00:00"}).encode()).at is None
    assert datetime(2026, 1, 5, 9, tzinfo=UTC) == entry(said()).at
