"""Coffees: counted once, of who agreed, moved by corrections and back; on both databases."""

import contextlib
import itertools
import os
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from stores import AGREED, NOON, sql

from appliance.clock import ManualClock
from appliance.errors import StoreError
from appliance.events import CoffeeAdded, CoffeeCorrected, CoffeeTaken
from appliance.store import COFFEES, GREETINGS, Consent, Store, StoredEvent

MakeStore = Callable[..., Store]
COUNTED = Consent(purposes=("identify", "leaderboard"), text_version="2026-01", given_by="Ann herself")
LONG_AGO = date(2000, 1, 1)
NUMBERS = itertools.count()
SEEDS = itertools.count(500)


@contextlib.contextmanager
def machine_in(zone: str) -> Iterator[None]:
    """This machine keeps the time of a zone as POSIX writes it: `OFFICE-13` is 13 h ahead of Greenwich."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()


def counts(store: Store, *, since: date = LONG_AGO) -> dict[str, int]:
    """Who had how many."""
    return {str(each.subject): each.count for each in store.standings(COFFEES, since=since)}


def by_coffee(store: Store) -> dict[str, int]:
    """The same, from the coffees themselves."""
    held = [str(each.subject) for each in store.coffees(held=True) if each.subject is not None]
    return {who: held.count(who) for who in set(held)}


def taken(subject: str | None = None, *, visitor: int | None = None) -> CoffeeTaken:
    """A coffee."""
    return CoffeeTaken(encounter=f"e{next(NUMBERS)}", subject=subject, visitor=visitor, camera="corner")


def corrected(store: Store, coffee: StoredEvent, subject: str | None) -> None:
    """Somebody says whose it was."""
    store.append(CoffeeCorrected(corrects=coffee.id, subject=subject))


def test_each_coffee_counts_once(make_store: MakeStore) -> None:
    """Several of one stay each; those an admin adds, too; none of who did not agree."""
    store = make_store()
    ann, ben = store.add_subject("Ann", consent=COUNTED).id, store.add_subject("Ben", consent=AGREED).id
    coffee = taken(ann)
    for each in (coffee, coffee, CoffeeAdded(subject=ann), taken(ben), CoffeeAdded(subject=ben)):
        store.append(each)

    assert {ann: 3} == counts(store) == by_coffee(store)
    assert {ann} == {each.said for each in store.coffees()}
    assert [] == store.standings(GREETINGS, since=LONG_AGO)


def test_a_correction_moves_a_coffee_and_back(make_store: MakeStore) -> None:
    """To somebody else, to nobody, and as it was; however often it is said."""
    store = make_store()
    ann, ben = (store.add_subject(name, consent=COUNTED).id for name in ("Ann", "Ben"))
    shy = store.add_subject("Shy", consent=AGREED).id
    first, _ = store.append(taken(ann)), store.append(taken(ann))
    told = []
    for whose in (ben, ben, None, None, ann, shy, ann):
        corrected(store, first, whose)
        told.append(counts(store))

    moved, gone, back = {ann: 1, ben: 1}, {ann: 1}, {ann: 2}
    assert [moved, moved, gone, gone, back, gone, back] == told
    assert counts(store) == by_coffee(store)


def test_a_correction_counts_on_the_day_of_the_coffee(make_store: MakeStore) -> None:
    """Not on its own."""
    store = make_store()
    ann, ben = (store.add_subject(name, consent=COUNTED).id for name in ("Ann", "Ben"))
    yesterday = store.append(taken(ann), at=NOON - timedelta(days=1))
    corrected(store, yesterday, ben)

    assert {ben: 1} == counts(store, since=NOON.date() - timedelta(days=1))
    assert {} == counts(store, since=NOON.date())


def test_days_are_the_office_s(make_store: MakeStore) -> None:
    """After midnight by the machine's clock it is one of the new day, whatever day it is in Greenwich."""
    store = make_store()
    ann = store.add_subject("Ann", consent=COUNTED).id
    with machine_in("OFFICE-13"):
        for at in (NOON - timedelta(hours=2), NOON):
            store.append(taken(ann), at=at)

    assert {ann: 2} == counts(store, since=date(2026, 1, 5))
    assert {ann: 1} == counts(store, since=date(2026, 1, 6))


def test_a_visitor_is_a_number(make_store: MakeStore) -> None:
    """Counted by it; whose coffee it was may be said, and then it is theirs and not the visitor's."""
    store = make_store()
    ann = store.add_subject("Ann", consent=COUNTED).id
    seven = [store.append(taken(visitor=7)) for _ in range(2)]
    store.append(taken(visitor=3))
    before = [(each.visitor, each.count) for each in store.visitor_standings(since=NOON.date())]
    corrected(store, seven[0], ann)
    corrected(store, seven[1], None)

    assert [(7, 2), (3, 1)] == before
    assert [(3, 1)] == [(each.visitor, each.count) for each in store.visitor_standings(since=NOON.date())]
    assert {ann: 1} == counts(store)
    assert 7 == store.last_visitor()


@pytest.mark.parametrize("how", ["purpose", "all", "removed"])
def test_taking_back_takes_the_coffees_along(make_store: MakeStore, address: str, how: str) -> None:
    """Nothing of theirs is left in the tables of the coffees, nor brought back by a correction."""
    store = make_store()
    ann, ben = (store.add_subject(name, consent=COUNTED).id for name in ("Ann", "Ben"))
    own, was_ann, _ = store.append(taken(ann)), store.append(taken(ann)), store.append(taken(ben))
    for_nobody = store.append(taken(ann))
    corrected(store, was_ann, ben)
    corrected(store, for_nobody, None)
    {
        "purpose": lambda: store.withdraw_purposes(ann, ["leaderboard"]),
        "all": lambda: store.withdraw_consent(ann),
        "removed": lambda: store.remove_subject(ann),
    }[how]()
    corrected(store, own, ben)
    corrected(store, was_ann, ann)
    left = sql(address, "SELECT COUNT(*) FROM coffees WHERE said = :ann OR subject = :ann", ann=str(ann))

    assert 0 == left[0][0]
    assert {ben: 1} == counts(store) == by_coffee(store)


def test_two_who_were_one_have_their_coffees_together(make_store: MakeStore) -> None:
    """And what is corrected afterwards moves from the one who was kept."""
    store = make_store()
    ann, also, ben = (store.add_subject(name, consent=COUNTED).id for name in ("Ann", "Also", "Ben"))
    store.append(taken(ann))
    other = store.append(taken(also))
    store.merge(ann, also)
    together = counts(store)
    corrected(store, other, ben)

    assert {ann: 2} == together
    assert {ann: 1, ben: 1} == counts(store) == by_coffee(store)


def test_what_is_not_written_is_not_counted(make_store: MakeStore) -> None:
    """The transaction fails at its very end: neither event nor coffee; tried again, it counts once."""
    store = make_store()
    ann = store.add_subject("Ann", consent=COUNTED).id

    def fail(*_: Any) -> None:
        raise StoreError("the power went")

    event.listen(store._engine, "commit", fail)
    with pytest.raises(StoreError, match="the power went"):
        store.append(taken(ann))
    event.remove(store._engine, "commit", fail)
    assert ({}, []) == (counts(store), store.coffees())
    store.append(taken(ann))

    assert {ann: 1} == counts(store) == by_coffee(store)


def test_old_coffees_go_with_the_counts_of_their_day(make_store: MakeStore, clock: ManualClock) -> None:
    """By the day that retention names, and not before."""
    store = make_store()
    ann = store.add_subject("Ann", consent=COUNTED).id
    for days in (400, 1, 0):
        store.append(taken(ann), at=NOON - timedelta(days=days))
    store.prune_counts(NOON.date() - timedelta(days=30))

    assert {ann: 2} == counts(store) == by_coffee(store)
    assert 2 == len(store.coffees())


def test_coffees_are_listed_newest_first(make_store: MakeStore) -> None:
    """All, or since a moment, or so many; also those that there were not."""
    store = make_store()
    ann = store.add_subject("Ann", consent=COUNTED).id
    old = store.append(taken(ann), at=NOON - timedelta(hours=30))
    new = store.append(taken(ann), at=NOON)
    corrected(store, old, None)

    assert [new.id, old.id] == [each.event for each in store.coffees()]
    assert [new.id] == [each.event for each in store.coffees(limit=1)]
    assert [new.id] == [each.event for each in store.coffees(since=NOON - timedelta(hours=24))]
    assert [new.id] == [each.event for each in store.coffees(held=True)]
    found = store.coffee(old.id)
    assert found is not None
    assert (ann, None, False, NOON - timedelta(hours=30)) == (
        found.said,
        found.subject,
        found.holds,
        found.at,
    )
    assert store.coffee("no such") is None


def test_who_agreed_is_told_for_one_purpose(make_store: MakeStore) -> None:
    """As long as they did not take it back."""
    store = make_store()
    ann, ben = (store.add_subject(name, consent=COUNTED).id for name in ("Ann", "Ben"))
    store.add_subject("Shy", consent=AGREED)
    before = store.agreed_to("leaderboard")
    store.withdraw_purposes(ben, ["leaderboard"])

    assert {ann, ben} == before
    assert {ann} == store.agreed_to("leaderboard")


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.sampled_from(["take", "correct", "undo", "withdraw", "agree"]),
            st.integers(0, 9),
        ),
        max_size=14,
    )
)
def test_counts_are_the_coffees(make_store: MakeStore, story: list[tuple[int, str, int]]) -> None:
    """Whatever is taken, said and taken back in whatever order: a counter is the number of coffees."""
    store = make_store(seed=next(SEEDS))
    people = [store.add_subject("P", consent=COUNTED).id for _ in range(3)]
    there: list[StoredEvent] = []
    for who, what, which in story:
        person = people[who]
        if what == "take":
            there.append(store.append(taken(person)))
        elif what == "withdraw":
            store.withdraw_purposes(person, ["leaderboard"])
        elif what == "agree":
            store.give_consent(person, COUNTED)
        elif there:
            corrected(store, there[which % len(there)], person if what == "correct" else None)

    assert counts(store) == by_coffee(store)
