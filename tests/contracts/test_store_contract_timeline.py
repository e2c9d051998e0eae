"""The log as entries, the same promises on SQLite and on PostgreSQL."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count

import pytest
import stores
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import NOON, OPENED, SHUT, identified

from appliance.decision import DECIDED
from appliance.errors import ChainBrokenError
from appliance.events import CoffeeAdded, CoffeeTaken, Event, PersonUndecided, StrangerSeen
from appliance.store import NewEvent, Store, sqlite_url
from appliance.store.timeline import Entry, Wanted
from appliance.values import Grade

MakeStore = Callable[..., Store]
ANN, BEN = "ann", "ben"


def said(encounter: str, who: str | None, grade: Grade = Grade.GREETING, door: str = "main") -> Event:
    """A decision about an encounter: somebody's name, `?` for undecided, None for a stranger."""
    decided = identified(who or "s", grade=grade).model_copy(update={"encounter": encounter, "door": door})
    if who is not None and who != "?":
        return decided
    kind = PersonUndecided if who == "?" else StrangerSeen
    return kind(encounter=encounter, grade=grade, facts=decided.facts, door=door)


def all_of(log: Store, wanted: Wanted, size: int = 1000) -> list[Entry]:
    """Every entry, read in pages of this size."""
    found: list[Entry] = []
    before: int | None = None
    while page := log.entries(wanted, DECIDED, before=before, limit=size):
        found += page
        before = page[-1].position
    return found


def placed(entries: list[Entry]) -> list[list[int]]:
    """The positions of the events of each entry."""
    return [[event.position for event in entry.events] for entry in entries]


def test_an_encounter_is_one_entry_where_it_began(make_store: MakeStore) -> None:
    """Its decisions come together though others happened in between; the newest beginning comes first."""
    log = make_store()
    log.append_all(
        [
            NewEvent(OPENED),
            NewEvent(said("a", ANN)),
            NewEvent(said("b", BEN)),
            NewEvent(SHUT),
            NewEvent(said("a", ANN, Grade.FINAL)),
        ]
    )

    assert [[4], [3], [2, 5], [1]] == placed(all_of(log, Wanted()))
    assert ["b", "a"] == [e.encounter for e in all_of(log, Wanted(types=()))]


def test_a_page_stays_while_the_log_goes_on(make_store: MakeStore) -> None:
    """What is appended to an encounter of an older page moves nothing from page to page."""
    log = make_store()
    log.append_all([NewEvent(said(name, ANN)) for name in "abcd"])
    first = log.entries(Wanted(), DECIDED, limit=2)
    log.append_all([NewEvent(said("a", ANN, Grade.FINAL)), NewEvent(SHUT)])

    assert ["d", "c"] == [entry.encounter for entry in first]
    assert [[2], [1, 5]] == placed(log.entries(Wanted(), DECIDED, before=first[-1].position, limit=2))
    assert [[6]] == placed(log.entries(Wanted(), DECIDED, after=first[0].position, limit=2))


def test_filters(make_store: MakeStore) -> None:
    """By person, by what was said last, by door, by time and by kind."""
    log = make_store()
    said_so = [
        OPENED,
        said("a", ANN),
        said("a", "?", Grade.FINAL),
        said("b", None, Grade.CONFIRMED, "back"),
        said("c", ANN),
        said("c", ANN, Grade.FINAL),
        SHUT,
    ]
    log.append_all([NewEvent(event, at=NOON + timedelta(hours=i)) for i, event in enumerate(said_so)])

    def found(wanted: Wanted) -> list[list[int]]:
        return placed(all_of(log, wanted, 1))

    assert [[5, 6], [2, 3]] == found(Wanted(subject=ANN))
    assert [] == found(Wanted(subject=BEN))
    assert [[2, 3]] == found(Wanted(verdicts=("person_undecided",)))
    assert [[5, 6]] == found(Wanted(verdicts=("subject_identified",)))
    assert [[4]] == found(Wanted(door="back"))
    assert [[7], [1]] == found(Wanted(encounters=False, types=("door_opened", "door_shut")))
    assert [[1]] == found(Wanted(encounters=False, types=("door_opened",)))
    assert [] == found(Wanted(encounters=False, verdicts=("stranger_seen",)))
    assert [] == found(Wanted(corrected=True))
    assert [[4], [2, 3]] == found(Wanted(since=NOON + timedelta(hours=1), until=NOON + timedelta(hours=4)))


def test_encounters_are_found_by_what_happened_in_them(make_store: MakeStore) -> None:
    """A coffee is found in the entry of whoever took it, and by itself where it belongs to nobody's stay."""
    log = make_store()
    taken = CoffeeTaken(encounter="b", subject=ANN)
    happened = [said("a", ANN), said("b", ANN), taken, OPENED, CoffeeAdded(subject=ANN)]
    log.append_all([NewEvent(each) for each in happened])
    coffees = ("coffee_taken", "coffee_added")

    assert [[5], [2, 3]] == placed(all_of(log, Wanted(within=coffees, types=coffees), 1))
    assert [[5]] == placed(all_of(log, Wanted(encounters=False, types=coffees), 1))
    assert [[4], [2, 3]] == placed(all_of(log, Wanted(within=coffees, types=("door_opened",)), 1))


def test_an_entry_is_found_by_any_of_its_events(make_store: MakeStore) -> None:
    """Whole, wherever one looks; of what is not there, nothing."""
    log = make_store()
    log.append_all([NewEvent(OPENED), NewEvent(said("a", ANN)), NewEvent(said("a", ANN, Grade.FINAL))])

    assert [2, 3] == [e.position for e in log.whole(3).events]  # type: ignore[union-attr]
    assert log.whole(2) == log.whole(3)
    assert (1, None) == (log.whole(1).position, log.whole(1).encounter)  # type: ignore[union-attr]
    assert log.whole(4) is None


def test_a_visit_tells_when_its_door_moved(make_store: MakeStore) -> None:
    """The events of the types asked for, by visit; of an unknown visit none."""
    log = make_store()
    moved = [event.model_copy(update={"visit": "v"}) for event in (OPENED, SHUT)]
    log.append_all([NewEvent(moved[0]), NewEvent(said("a", ANN)), NewEvent(OPENED), NewEvent(moved[1])])

    found = log.visits(["v", "w"], ("door_opened", "door_shut"))

    assert {"v": [1, 4], "w": []} == {name: [e.position for e in events] for name, events in found.items()}


def test_encounters_are_counted_by_what_was_said_last(make_store: MakeStore) -> None:
    """One encounter counts once, since when its last decision is."""
    log = make_store()
    log.append(said("old", ANN), at=NOON - timedelta(days=2))
    log.append_all(
        [NewEvent(said("a", ANN)), NewEvent(said("a", "?", Grade.FINAL)), NewEvent(said("b", ANN))]
    )
    counts = log.counted(DECIDED, since=NOON - timedelta(days=1))

    assert {"person_undecided": 1, "subject_identified": 1} == counts.by_type
    assert () == counts.corrections


def test_a_changed_encounter_is_found_out(make_store: MakeStore, address: str) -> None:
    """Columns that events are looked up by are held against what was hashed."""
    log = make_store()
    log.append_all([NewEvent(said("a", ANN)), NewEvent(OPENED)])
    stores.sql(address, "UPDATE events SET encounter = NULL WHERE position = 1")
    with pytest.raises(ChainBrokenError) as caught:
        log.verify()

    assert 1 == caught.value.position


HAPPENING = st.one_of(
    st.sampled_from([OPENED, SHUT]),
    st.builds(
        said,
        st.sampled_from("abcdef"),
        st.sampled_from([ANN, BEN, None, "?"]),
        st.sampled_from(Grade),
        st.sampled_from(["main", "back"]),
    ),
)
WANTED = st.builds(
    Wanted,
    encounters=st.booleans(),
    types=st.sampled_from([None, (), ("door_opened",)]),
    subject=st.sampled_from([None, ANN]),
    verdicts=st.sampled_from([(), ("stranger_seen",), ("subject_identified", "person_undecided")]),
    door=st.sampled_from([None, "main"]),
    since=st.sampled_from([None, NOON + timedelta(seconds=3)]),
    until=st.sampled_from([None, NOON + timedelta(seconds=9)]),
)


def expected(happened: list[Event], wanted: Wanted) -> list[list[int]]:
    """The same in plain Python, from all there is."""
    groups: dict[str, list[int]] = {}
    for position, event in enumerate(happened, start=1):
        groups.setdefault(getattr(event, "encounter", None) or f"#{position}", []).append(position)
    return [
        places
        for name, places in sorted(groups.items(), key=lambda item: -item[1][0])
        if _fits([happened[place - 1] for place in places], places[0], wanted, alone=name.startswith("#"))
    ]


def _fits(events: list[Event], position: int, wanted: Wanted, *, alone: bool) -> bool:
    at = NOON + timedelta(seconds=position)
    types = [str(event.model_dump()["type"]) for event in events]
    if alone:
        kind = not wanted.verdicts and (wanted.types is None or types[0] in wanted.types)
    else:
        kind = wanted.encounters and (not wanted.verdicts or types[-1] in wanted.verdicts)
    return (
        kind
        and (wanted.subject is None or wanted.subject in {getattr(e, "subject", None) for e in events})
        and (wanted.door is None or events[0].door == wanted.door)
        and (wanted.since is None or at >= wanted.since)
        and (wanted.until is None or at < wanted.until)
    )


NUMBERS = count(1)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database for many tries, each of which is a device of its own."""
    return sqlite_url(tmp_path_factory.mktemp("logs") / "log.db")


@settings(deadline=None)
@given(happened=st.lists(HAPPENING, max_size=16), wanted=WANTED, size=st.integers(1, 5))
def test_every_event_once_whatever_the_page_size(
    shared: str, happened: list[Event], wanted: Wanted, size: int
) -> None:
    """Paging through a filter gives what fits it, each once, newest first; without a filter every event."""
    number = next(NUMBERS)
    with stores.store(shared, device=f"box{number}", seed=number) as log:
        log.append_all(
            [NewEvent(event, at=NOON + timedelta(seconds=i)) for i, event in enumerate(happened, start=1)]
        )

        assert expected(happened, wanted) == placed(all_of(log, wanted, size))
        everything = [place for places in placed(all_of(log, Wanted(), size)) for place in places]
        assert list(range(1, len(happened) + 1)) == sorted(everything)
