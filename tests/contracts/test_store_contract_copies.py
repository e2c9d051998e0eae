"""What is noted about copies of captures, on SQLite and on PostgreSQL."""

from collections.abc import Callable
from datetime import timedelta

from stores import NOON

from appliance.store import Store
from appliance.values import CopyState, RemoteCopy

MakeStore = Callable[..., Store]
DIGEST = "ab" * 32


def copy(capture: str, state: CopyState = CopyState.VERIFIED, hours: float = 0, **more: str) -> RemoteCopy:
    """A note, so many hours after noon."""
    return RemoteCopy(capture, state, DIGEST, 300_000, NOON + timedelta(hours=hours), **more)


def test_a_note_takes_the_place_of_the_one_before(make_store: MakeStore) -> None:
    """One per capture; all of it comes back as it was given."""
    opened = make_store()
    begun = copy("one", CopyState.BEGUN, upload="u" * 200)
    there = copy("one", etag='"e"', version="v")
    opened.note_copy("here", begun)

    assert begun == opened.remote_copy("here", "one")
    opened.note_copy("here", there)
    assert there == opened.remote_copy("here", "one")
    assert {"one": CopyState.VERIFIED} == opened.remote_copies("here")
    assert opened.remote_copy("here", "two") is None


def test_each_target_and_each_device_has_notes_of_its_own(make_store: MakeStore) -> None:
    """What was copied elsewhere, or by another box, is no copy of this one's here."""
    opened = make_store()
    opened.note_copy("here", copy("one"))
    opened.note_copy("there", copy("two"))
    other = make_store(device="other")
    other.note_copy("here", copy("three"))

    assert {"three"} == set(other.remote_copies("here"))
    assert {"one"} == set(opened.remote_copies("here"))
    assert {"two"} == set(opened.remote_copies("there"))


def test_when_copies_were_verified(make_store: MakeStore) -> None:
    """The newest, and those up to a moment; what is not verified does not count."""
    opened = make_store()
    assert opened.last_verified("here") is None
    for hours, capture in enumerate(("one", "two", "three")):
        opened.note_copy("here", copy(capture, hours=hours))
    opened.note_copy("here", copy("four", CopyState.REFUSED, hours=9, reason="mismatch"))

    assert NOON + timedelta(hours=2) == opened.last_verified("here")
    assert {"one", "two"} == opened.verified_before("here", NOON + timedelta(hours=1))
    assert [("four", "mismatch")] == [(each.capture, each.reason) for each in opened.refused_copies("here")]


def test_notes_are_dropped_in_any_number(make_store: MakeStore) -> None:
    """More than fit into one statement, some of which are not there; the others stay."""
    opened = make_store()
    opened.note_copy("here", copy("one"))
    opened.note_copy("here", copy("two"))
    opened.forget_copies("here", ["one", *(f"x{number}" for number in range(1200))])

    assert {"two"} == set(opened.remote_copies("here"))
