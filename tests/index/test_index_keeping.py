"""What frames show on its way to the index: in order, once, bounded, and nobody waits for it."""

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stores import NOON, OPENED

from appliance.app.function_inferences import also_told
from appliance.app.function_sightings import labels_of, seen_by
from appliance.app.indexing import DROPPED, Indexing, remade
from appliance.app.sighting import Sightings, told_to
from appliance.clock import ManualClock
from appliance.deeplens.messages import FunctionMessage
from appliance.deeplens.project import Project
from appliance.errors import StoreError, WireError
from appliance.settings import IndexSettings
from appliance.store import MomentsWanted, Store
from appliance.wire import Message, Reply, Request
from appliance.wire.address import Peer
from appliance.wire.messages import Done, NoteSeen

SETTINGS = IndexSettings()


class Line:
    """The way to the dispatch process, which may be away.

    Attributes:
        indexing: Who keeps moments.
        away: How many messages from now on are lost; with `answered`, their answers alone.
    """

    def __init__(self, indexing: Indexing) -> None:
        self.indexing = indexing
        self.away = 0
        self.answered = False
        self.came: list[NoteSeen] = []

    def call(
        self, message: Message, answer: type[Done], *, blob: bytes = b"", timeout_s: float
    ) -> Reply[Done]:
        """Hand a message over."""
        assert isinstance(message, NoteSeen)
        if self.away and not self.answered:
            self.away -= 1
            raise WireError("nobody is there")
        self.came.append(message)
        given: Request[NoteSeen] = Request(message, b"", (), Peer(1, 1))
        reply = self.indexing.note(given)
        if self.away:
            self.away -= 1
            raise WireError("no answer came")
        return reply


@pytest.fixture
def clock() -> ManualClock:
    """Noon."""
    return ManualClock(NOON)


@pytest.fixture
def indexing(box: Store, clock: ManualClock) -> Indexing:
    """Who keeps moments, in the box's store."""
    return Indexing(box, SETTINGS, clock)


def write(indexing: Indexing) -> None:
    """Write all that waits."""
    while indexing.turn():
        pass


def minutes(box: Store) -> list[float]:
    """When what is kept was seen, minutes since noon, in the order in which it was written."""
    return [(each.at - NOON).total_seconds() / 60 for each in box.moments_after(0, 10_000)]


def add(sightings: Sightings, *at: float) -> None:
    """A dog, so many minutes after noon."""
    for each in at:
        sightings.add(NOON + timedelta(minutes=each), "entrance", {"dog": 0.5})


def test_what_was_seen_is_kept_in_order(box: Store, indexing: Indexing) -> None:
    """In batches, however many; and a frame without anything is none."""
    sightings = Sightings(Line(indexing), "loop")
    add(sightings, *range(450))
    sightings.add(NOON, "entrance", {})
    rounds = 1
    while sightings.hand_over():
        rounds += 1
    write(indexing)

    assert 3 == rounds
    assert [float(each) for each in range(450)] == minutes(box)


@pytest.mark.parametrize("answered", [False, True])
def test_what_could_not_be_handed_over_comes_once(box: Store, indexing: Indexing, answered: bool) -> None:  # noqa: FBT001
    """Whether the message was lost or only its answer: it is sent again, and kept once."""
    line = Line(indexing)
    line.away, line.answered = 2, answered
    sightings = Sightings(line, "loop")
    add(sightings, 1, 2)
    sightings.hand_over()
    add(sightings, 3)
    sightings.hand_over()
    add(sightings, 4)
    sightings.hand_over()
    write(indexing)

    assert [1.0, 2.0, 3.0, 4.0] == minutes(box)
    assert (0, 0) == (sightings.waiting, sightings.dropped)


def test_too_much_goes_from_the_oldest_on_and_is_counted(box: Store, indexing: Indexing) -> None:
    """While nobody takes it no more waits than is set; how much went is told with what comes through."""
    line = Line(indexing)
    line.away = 1
    sightings = Sightings(line, "loop", kept=3)
    add(sightings, *range(5))
    sightings.hand_over()
    dropped = sightings.dropped
    sightings.hand_over()
    write(indexing)

    assert (2, 0) == (dropped, sightings.dropped)
    assert [2.0, 3.0, 4.0] == minutes(box)
    assert [2] == [each.many for each in box.cursors() if each.name == DROPPED]


def test_two_senders_are_not_taken_for_each_other(box: Store, indexing: Indexing) -> None:
    """Each numbers its own; one that was started anew begins anew."""
    for name, at in (("loop", 1), ("functions", 2), ("loop, started anew", 3)):
        sightings = Sightings(Line(indexing), name)
        add(sightings, at)
        sightings.hand_over()
    write(indexing)

    assert [1.0, 2.0, 3.0] == minutes(box)


class Locked:
    """A store whose database is locked for so many calls.

    Args:
        box: The store behind it.
        times: How often.
    """

    def __init__(self, box: Store, times: int) -> None:
        self._box = box
        self._times = times

    def __getattr__(self, name: str) -> Any:
        """Whatever the store has."""
        if self._times and name in {"note_seen", "follow_log"}:
            self._times -= 1
            raise StoreError("the database stayed locked by somebody else for too long")
        return getattr(self._box, name)


def test_a_locked_database_costs_nothing_that_fits(box: Store, clock: ManualClock) -> None:
    """What waits, waits; beyond the bound the oldest goes, and that is counted."""
    indexing = Indexing(Locked(box, 2), SETTINGS, clock, kept=4)
    sightings = Sightings(Line(indexing), "loop")
    add(sightings, 1, 2, 3)
    sightings.hand_over()
    with pytest.raises(StoreError):
        indexing.turn()
    add(sightings, 4, 5)
    sightings.hand_over()
    with pytest.raises(StoreError):
        indexing.turn()
    write(indexing)

    assert [2.0, 3.0, 4.0, 5.0] == minutes(box)
    assert [1] == [each.many for each in box.cursors() if each.name == DROPPED]


def test_the_log_is_followed_beside(box: Store, indexing: Indexing) -> None:
    """Events become moments without anybody saying so, and once."""
    box.append(OPENED)
    write(indexing)
    write(indexing)

    assert ["door_opened"] == [each.kind for _, each in box.moments_page(MomentsWanted())]


def test_what_is_left_at_the_end_is_written(box: Store, indexing: Indexing) -> None:
    """Whoever is stopped writes what was handed over by then."""
    stop = threading.Event()
    stop.set()
    sightings = Sightings(Line(indexing), "loop")
    add(sightings, 1)
    sightings.run(stop)
    indexing.run(stop)

    assert [1.0] == minutes(box)


def test_old_moments_go_once_the_clock_is_believed(box: Store, clock: ManualClock) -> None:
    """Not because of a clock that was just set; after it ran evenly for an hour."""
    indexing = Indexing(box, IndexSettings(keep_days=1), clock)
    sightings = Sightings(Line(indexing), "loop")
    add(sightings, -2000, -1)
    sightings.hand_over()
    counts = []
    for _ in range(3):
        write(indexing)
        counts.append(box.moment_count())
        clock.advance(3601)

    assert [2, 2, 1] == counts


def test_making_anew_keeps_what_only_frames_showed(box: Store, indexing: Indexing) -> None:
    """What comes of the log is as before; what does not is not lost by it."""
    sightings = Sightings(Line(indexing), "loop")
    add(sightings, 1)
    sightings.hand_over()
    box.append(OPENED)
    write(indexing)

    assert (1, 2) == remade(box)
    assert {"seen", "door_opened"} == {each.kind for _, each in box.moments_page(MomentsWanted())}


PROJECT = Project(name="dogs", thing="deeplens_x", camera="entrance", deployed_at=NOON)


def said(topic: str, payload: object) -> FunctionMessage:
    """A message of the function."""
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return FunctionMessage(1, NOON, topic, content)


def test_what_functions_infer_is_kept_with_their_name(box: Store, indexing: Indexing) -> None:
    """On their infer topic, in the form of the samples, at the time of the box; the rest is theirs alone."""
    sightings = Sightings(Line(indexing), "functions")
    told: list[FunctionMessage] = []
    publish = also_told(lambda _, message: told.append(message), None, seen_by(sightings))
    publish(PROJECT, said(PROJECT.infer_topic, {"dog": 0.97, "timestamp": "2018-01-05 14:22:01"}))
    publish(PROJECT, said(PROJECT.infer_topic, "Start streaming video"))
    publish(PROJECT, said("other/topic", {"cat": 0.5}))
    sightings.hand_over()
    write(indexing)
    (found,) = box.moments_after(0, 9)

    assert 3 == len(told)
    assert (NOON, "entrance", "dogs", {"dog": 0.97}) == (
        found.at,
        found.camera,
        found.source,
        dict(found.labels),
    )


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"Loading model",
        b"[0.5]",
        b"null",
        b'{"dog": "0.5"}',
        b'{"dog": true}',
        b'{"dog": 97}',
        b'{"dog": -0.1}',
        b'{"dog": NaN}',
        b'{"dog": {"a": 1}}',
        b"[" * 5000,
        b'{"dog": 0.5, "note": "' + b"x" * 70_000 + b'"}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_inference_is_none(payload: bytes) -> None:
    """Whatever a function publishes: only labels with scores are taken."""
    assert {} == labels_of(payload)


@given(st.dictionaries(st.text(max_size=80), st.floats(0, 1), max_size=50))
def test_every_inference_can_be_handed_over(labels: dict[str, float]) -> None:
    """Labels of any writing and length, and any number of them: what is taken fits the message."""
    box = Sightings(Line(Indexing(_Nowhere(), SETTINGS, ManualClock(NOON))), "functions")
    box.add(datetime(1969, 1, 1, tzinfo=UTC), "", labels_of(json.dumps(labels).encode()))
    box.hand_over()

    assert 0 == box.waiting


class _Nowhere:
    """A store that is never written to."""

    def __getattr__(self, name: str) -> Any:
        """Nothing."""
        raise AssertionError(name)


def test_everybody_who_wants_it_is_told() -> None:
    """Nobody: there is nothing to call. Two: both, with the same."""
    told: list[tuple[str, object]] = []
    both = told_to([lambda *each: told.append(("one", each)), lambda *each: told.append(("two", each))])
    assert both is not None
    both(None, None, None)  # type: ignore[arg-type]

    assert told_to([]) is None
    assert [("one", (None, None, None)), ("two", (None, None, None))] == told


def test_a_week_of_ten_a_second_is_kept_unless_settings_say_otherwise() -> None:
    """What a question is promised to be answered of within a tenth of a second is there."""
    assert SETTINGS.max_moments is not None
    assert SETTINGS.keep_days is not None
    assert 7 * 86_400 * 10 < SETTINGS.max_moments
    assert 7 <= SETTINGS.keep_days
