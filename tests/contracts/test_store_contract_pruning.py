"""Dropping what is old: whole segments, what hangs on them, and a chain that verifies; on both databases."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from stores import NOON, OPENED, SHUT, identified, on, sql

from appliance.errors import ChainBrokenError, StoreError
from appliance.events import DecisionCorrected, LogPruned, StrangerCaptured
from appliance.store import GREETINGS, SEGMENT, Consent, Counter, NewEvent, OutboxState, SignedHead, Store
from appliance.store.pruning import AT_ONCE
from appliance.values import Verdict

MakeStore = Callable[..., Store]
LATER = NOON + timedelta(days=30)
GREETED = Counter(GREETINGS, "subject_identified")
COUNTED = Consent(purposes=("identify", "leaderboard"), text_version="2026-01", given_by="Ann herself")
YEARS_AGO = date(2000, 1, 1)


def fill(store: Store, segments: int = 3) -> SignedHead:
    """So many full segments, a day apart, and two events more; a head from the middle of the first."""
    store.append_all([NewEvent(OPENED, at=NOON)] * 7)
    head = store.head()
    store.append_all([NewEvent(OPENED, at=NOON)] * (SEGMENT - 7))
    for day in range(1, segments):
        store.append_all([NewEvent(OPENED, at=NOON + timedelta(days=day))] * SEGMENT)
    store.append_all([NewEvent(OPENED, at=LATER)] * 2)
    return head


def captured(capture: str) -> StrangerCaptured:
    """The event of a capture."""
    return StrangerCaptured(
        encounter="e",
        capture=capture,
        file=f"{capture}.age",
        sha256="0" * 64,
        size_bytes=1,
        frames=1,
        recipients=(),
        expires_at=LATER,
    )


def test_segments_go_by_age_and_the_chain_verifies(make_store: MakeStore) -> None:
    """Those whose newest event is old enough; the log says so; heads exported before still hold."""
    store = make_store()
    fill(store)
    exported = store.head()
    gone = store.prune_events(before=NOON + timedelta(days=1, seconds=1), max_bytes=None)
    report = store.verify(against=exported)
    said = store.events(types=("log_pruned",))[0].event

    assert [(1, 256, "age"), (257, 512, "age")] == [(each.first, each.last, each.reason) for each in gone]
    assert (513, 3 * SEGMENT + 3, 3 * SEGMENT + 2) == (report.first, report.last, report.checked_against)
    assert said is not None
    assert (512, 512, "age") == tuple(said.model_dump()[name] for name in ("up_to", "events", "reason"))
    assert [] == store.prune_events(before=NOON + timedelta(days=1, seconds=1), max_bytes=None)


def test_what_is_listed_is_what_goes(make_store: MakeStore) -> None:
    """A dry run changes nothing, and says the same as the run."""
    store = make_store()
    fill(store)
    listed = store.old_segments(before=LATER, max_bytes=None)

    assert 3 * SEGMENT + 2 == store.verify().last
    assert listed == store.prune_events(before=LATER, max_bytes=None)
    assert [] == store.old_segments(before=LATER, max_bytes=None)


def test_a_segment_with_one_young_event_stays(make_store: MakeStore) -> None:
    """And all that follow it, for a log has no holes."""
    store = make_store()
    store.append_all([NewEvent(OPENED, at=NOON)] * (SEGMENT - 1))
    store.append(OPENED, at=LATER)
    store.append_all([NewEvent(OPENED, at=NOON)] * (SEGMENT + 1))

    assert [] == store.old_segments(before=LATER, max_bytes=None)


def test_the_newest_events_stay_however_old(make_store: MakeStore) -> None:
    """A segment that is not full, or that ends with the newest event, is never dropped."""
    store = make_store()
    store.append_all([NewEvent(OPENED, at=NOON)] * SEGMENT)

    assert [] == store.prune_events(before=LATER, max_bytes=0)


def test_a_database_that_is_too_large_loses_its_oldest(make_store: MakeStore) -> None:
    """As many segments as bring it below; by the share of it that an event has."""
    store = make_store()
    fill(store)
    size = store.database_bytes()
    share = size / (3 * SEGMENT + 2)

    assert [] == store.old_segments(before=None, max_bytes=size)
    for wanted, segments in ((1, 1), (SEGMENT, 1), (SEGMENT + 1, 2)):
        found = store.old_segments(before=None, max_bytes=int(size - share * wanted) + 1)
        assert [(1 + SEGMENT * number, "size") for number in range(segments)] == [
            (each.first, each.reason) for each in found
        ]


def test_what_went_makes_the_database_smaller(make_store: MakeStore) -> None:
    """So that the next look does not drop as many again; what empty tables take is small beside it."""
    store = make_store()
    fill(store, 10)
    wanted = int(store.database_bytes() * 0.6)
    gone = store.prune_events(before=None, max_bytes=wanted)

    assert 5 == len(gone)
    assert store.database_bytes() <= wanted * 1.1
    assert [] == store.prune_events(before=None, max_bytes=int(wanted * 1.1))


def test_no_more_than_some_go_at_once(make_store: MakeStore) -> None:
    """So that nobody waits long for the lock; again and again, all do."""
    store = make_store()
    fill(store, AT_ONCE + 2)
    first = store.prune_events(before=LATER, max_bytes=None)
    second = store.prune_events(before=LATER, max_bytes=None)

    assert (AT_ONCE, 2) == (len(first), len(second))
    assert SEGMENT * (AT_ONCE + 2) + 1 == store.verify().first


def test_of_a_list_that_goes_is_what_was_listed(make_store: MakeStore) -> None:
    """And no other, in several turns; what is held by now stays, and what is gone by now is passed over."""
    store = make_store()
    store.append_all([NewEvent(OPENED, at=NOON)] * ((AT_ONCE + 2) * SEGMENT))
    store.append(captured("c1"), at=NOON)
    store.append_all([NewEvent(OPENED, at=NOON)] * (3 * SEGMENT))
    listed = store.old_segments(before=LATER, max_bytes=None)

    assert AT_ONCE + 5 == len(listed)
    assert listed[:1] == store.drop_segments(listed[:1])
    assert listed[1:-3] == store.drop_segments(listed, captures={"c1"})
    assert listed[-3:-1] == store.drop_segments(listed[:-1])
    assert [] == store.drop_segments(listed[:-1])
    assert 1 + listed[-2].last == store.verify().first


def test_an_action_that_is_not_done_holds_its_events(make_store: MakeStore) -> None:
    """Until it is; then its row goes with them."""
    store = make_store(subscriptions=[on("door_shut")])
    store.append(SHUT, at=NOON)
    store.append_all([NewEvent(OPENED, at=NOON)] * (SEGMENT + 1))
    held = store.old_segments(before=LATER, max_bytes=None)
    assert ["action"] == [each.held for each in held]
    assert [] == store.prune_events(before=LATER, max_bytes=None)
    (row,) = store.claim(NOON, 10)
    assert [] == store.prune_events(before=LATER, max_bytes=None)
    store.finish(row.id, OutboxState.DELIVERED)

    assert 1 == len(store.prune_events(before=LATER, max_bytes=None))
    assert [] == store.outbox()


def test_a_capture_in_the_spool_holds_its_event(make_store: MakeStore) -> None:
    """Otherwise start-up would find it without an event, and log it a second time."""
    store = make_store()
    store.append(captured("c1"), at=NOON)
    store.append_all([NewEvent(OPENED, at=NOON)] * (SEGMENT + 1))

    assert ["capture"] == [
        each.held for each in store.old_segments(before=LATER, max_bytes=None, captures={"c1"})
    ]
    assert [] == store.prune_events(before=LATER, max_bytes=None, captures={"c1"})
    assert 1 == len(store.prune_events(before=LATER, max_bytes=None, captures={"c2"}))


def test_what_is_kept_for_corrections_goes_with_its_encounter(make_store: MakeStore, address: str) -> None:
    """The count stands; an encounter that goes on in a later segment keeps what a correction needs."""
    store = make_store(counters=[GREETED])
    ann = store.add_subject("Ann", consent=COUNTED).id
    ben = store.add_subject("Ben", consent=COUNTED).id
    store.append(identified(ann, encounter="over"), at=NOON)
    goes_on = store.append(identified(ann, encounter="goes on"), at=NOON)
    store.append_all([NewEvent(OPENED, at=NOON)] * SEGMENT)
    store.append(identified(ann, encounter="goes on"), at=LATER)
    assert 2 == len(sql(address, "SELECT * FROM counted"))
    store.prune_events(before=LATER, max_bytes=None)

    assert [("goes on",)] == sql(address, "SELECT encounter FROM counted")
    assert {ann: 2} == {each.subject: each.count for each in store.standings(GREETINGS, since=YEARS_AGO)}
    # Its decision is gone, so that nothing is known to be moved, and nothing is counted twice.
    store.append(
        DecisionCorrected(
            encounter="over",
            corrects=goes_on.id,
            was=Verdict.IDENTIFIED,
            was_subject=ann,
            verdict="identified",
            subject=ben,
        )
    )
    assert {ann: 2} == {each.subject: each.count for each in store.standings(GREETINGS, since=YEARS_AGO)}


def test_counts_go_by_their_day(make_store: MakeStore, address: str) -> None:
    """Those before a day, with what is kept for correcting them; that day itself stays."""
    store = make_store(counters=[GREETED])
    ann = store.add_subject("Ann", consent=COUNTED).id
    for day in range(3):
        store.append(identified(ann, encounter=f"e{day}"), at=NOON + timedelta(days=day))
    second = (NOON + timedelta(days=1)).date()

    assert 1 == store.old_counts(second)
    assert (1, 0) == (store.prune_counts(second), store.prune_counts(second))
    assert {ann: 2} == {each.subject: each.count for each in store.standings(GREETINGS, since=YEARS_AGO)}
    assert [("e1",), ("e2",)] == sql(address, "SELECT encounter FROM counted ORDER BY encounter")


def test_each_device_drops_its_own(make_store: MakeStore) -> None:
    """On a shared database nobody prunes somebody else's log."""
    north, south = make_store(device="north"), make_store(device="south", seed=6)
    for store in (north, south):
        store.append_all([NewEvent(OPENED, at=NOON)] * (SEGMENT + 1))
    north.prune_events(before=LATER, max_bytes=None)

    assert (SEGMENT + 1, 1) == (north.verify().first, south.verify().first)


@pytest.mark.parametrize("cut", [1, SEGMENT - 1, SEGMENT + 1])
def test_dropping_anything_but_whole_segments_is_found_out(
    make_store: MakeStore, address: str, cut: int
) -> None:
    """No checkpoint vouches for what was before."""
    store = make_store()
    fill(store)
    sql(address, "DELETE FROM events WHERE position <= :cut", cut=cut)

    with pytest.raises(ChainBrokenError, match="no checkpoint vouches"):
        store.verify()


@pytest.mark.parametrize("cut", [1, 3])
def test_cutting_whole_segments_is_found_out(make_store: MakeStore, address: str, cut: int) -> None:
    """Their checkpoints are there, but nothing says that retention dropped them; heads change nothing."""
    store = make_store()
    fill(store, 4)
    store.prune_events(before=NOON + timedelta(seconds=1), max_bytes=None)
    exported = store.head()
    assert (SEGMENT + 1, 4 * SEGMENT + 3) == (store.verify().first, store.verify().pruned_by)
    sql(address, "DELETE FROM events WHERE position <= :end", end=(1 + cut) * SEGMENT)

    for against in (None, exported):
        with pytest.raises(ChainBrokenError, match="retention does not say") as caught:
            store.verify(against=against)
        assert SEGMENT + 1 == caught.value.position


def test_checkpoints_of_dropped_segments_are_missed(make_store: MakeStore, address: str) -> None:
    """Heads that were exported then are held against them."""
    store = make_store()
    fill(store)
    store.prune_events(before=LATER, max_bytes=None)
    sql(address, "DELETE FROM checkpoints WHERE position = :end", end=2 * SEGMENT)

    with pytest.raises(ChainBrokenError, match="its checkpoint is missing") as caught:
        store.verify()
    assert 2 * SEGMENT == caught.value.position


def test_what_says_that_the_log_was_pruned_may_go_when_a_newer_one_says_more(make_store: MakeStore) -> None:
    """Pruned again and again, the log keeps the newest of them, and verifies; however old it is."""
    store = make_store()
    fill(store, 2)
    found = []
    for days in range(4):
        at = LATER + timedelta(days=days)
        store.prune_events(before=at, max_bytes=None)
        report = store.verify(against=store.head())
        said = store.events(types=("log_pruned",))
        assert said[-1].event is not None
        assert report.first == said[-1].event.model_dump()["up_to"] + 1
        found.append((report.first, report.pruned_by, len(said)))
        store.append_all([NewEvent(OPENED, at=at)] * (2 * SEGMENT))
    store.prune_events(before=LATER + timedelta(days=900), max_bytes=None)

    assert [1 + 2 * SEGMENT * number for number in range(1, 5)] == [first for first, _, _ in found]
    assert 1 == found[-1][2]
    assert store.verify().pruned_by == store.events(types=("log_pruned",))[-1].position


def test_nobody_without_the_key_says_that_the_log_was_pruned(make_store: MakeStore, address: str) -> None:
    """Not by the program; and written into the tables, it lacks its signature."""
    keyed, keyless = make_store(), make_store(sealed=False, seed=5)
    fill(keyed)
    said = LogPruned(up_to=SEGMENT, events=SEGMENT, reason="age")
    with pytest.raises(StoreError, match="needs the device key"):
        keyless.append(said)
    with pytest.raises(StoreError, match="needs the device key"):
        keyless.prune_events(before=LATER, max_bytes=None)
    assert 1 == keyed.verify().first
    position = keyed.append(said).position
    sql(address, "DELETE FROM events WHERE position <= :end", end=SEGMENT)
    assert SEGMENT + 1 == keyed.verify().first
    sql(address, "DELETE FROM checkpoints WHERE position = :position", position=position)

    with pytest.raises(ChainBrokenError, match="its checkpoint is missing") as caught:
        keyed.verify()
    assert position == caught.value.position


@pytest.mark.parametrize("up_to", [SEGMENT, 2 * SEGMENT + 1, 4 * SEGMENT, 0, -SEGMENT])
def test_what_it_says_must_be_possible(make_store: MakeStore, up_to: int) -> None:
    """The end of a segment, before itself, after what is gone already: nothing else was ever written."""
    store = make_store()
    fill(store)
    store.prune_events(before=NOON + timedelta(seconds=1), max_bytes=None)
    position = store.append(LogPruned(up_to=up_to, events=1, reason="age")).position

    with pytest.raises(ChainBrokenError, match="does not say up to where") as caught:
        store.verify()
    assert position == caught.value.position


def test_a_pruning_that_was_said_and_not_done_does_not_verify(make_store: MakeStore) -> None:
    """Both are one transaction, so that it is nothing that a crash leaves."""
    store = make_store()
    fill(store)
    store.append(LogPruned(up_to=SEGMENT, events=SEGMENT, reason="age"))

    with pytest.raises(ChainBrokenError, match="though the log says") as caught:
        store.verify()
    assert 1 == caught.value.position
