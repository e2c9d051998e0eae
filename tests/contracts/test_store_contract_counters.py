"""Counters: once for each event, only of who agreed, and gone with the consent; on both databases."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta, timezone
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from seals import ToySeal
from sqlalchemy import event
from stores import AGREED, NOON, OPENED, identified

from appliance.clock import ManualClock
from appliance.errors import StoreError
from appliance.events import DecisionCorrected, StrangerSeen, SubjectIdentified
from appliance.settings import ScreenSettings
from appliance.store import GREETINGS, Consent, Counter, NewEvent, Store, StoredEvent
from appliance.values import Grade, Verdict

MakeStore = Callable[..., Store]
GREETED = Counter(GREETINGS, "subject_identified")
SEEDS = itertools.count(100)
"""One database sees several stories; ids must not come twice."""
LONG_AGO = date(2000, 1, 1)
COUNTED = Consent(purposes=("identify", "leaderboard"), text_version="2026-01", given_by="Ann herself")


def counts(store: Store, *, since: date = LONG_AGO) -> dict[str, int]:
    """Who was greeted how often."""
    return {str(each.subject): each.count for each in store.standings(GREETINGS, since=since)}


def test_a_greeting_counts_once_for_who_agreed(make_store: MakeStore) -> None:
    """One for the encounter, whatever grades follow; nothing for who did not agree to be counted."""
    store = make_store(counters=[GREETED])
    ann, ben = store.add_subject("Ann", consent=COUNTED), store.add_subject("Ben", consent=AGREED)
    for subject in (ann.id, ben.id):
        store.append_all([NewEvent(identified(subject, grade=grade)) for grade in Grade])

    assert {ann.id: 1} == counts(store)


def test_what_is_no_greeting_does_not_count(make_store: MakeStore) -> None:
    """Somebody seen again soon, a later grade alone, doors, and the same person again in one encounter."""
    store = make_store(counters=[GREETED])
    ann, ben = store.add_subject("Ann", consent=COUNTED), store.add_subject("Ben", consent=COUNTED)
    store.append(identified(ann.id, repeated=True, encounter="a"))
    store.append(identified(ann.id, grade=Grade.FINAL, encounter="b"))
    store.append(OPENED)
    assert {} == counts(store)
    store.append_all([NewEvent(identified(each)) for each in (ann.id, ben.id, ann.id)])

    assert {ann.id: 1, ben.id: 1} == counts(store)


def test_nothing_is_counted_unless_switched_on(make_store: MakeStore) -> None:
    """The settings begin with it off, whoever agreed."""
    store = make_store(counters=Counter.of(ScreenSettings()))
    ann = store.add_subject("Ann", consent=COUNTED)
    store.append(identified(ann.id))

    assert {} == counts(store)
    assert (GREETED,) == Counter.of(ScreenSettings(leaderboard="greetings"))


def test_days_are_the_office_s(make_store: MakeStore, clock: ManualClock) -> None:
    """What happens after midnight in the office counts for the new day, whatever day it is in Greenwich."""
    store = make_store(counters=[Counter(GREETINGS, "subject_identified", timezone(timedelta(hours=13)))])
    ann = store.add_subject("Ann", consent=COUNTED)
    store.append(identified(ann.id), at=NOON - timedelta(hours=2))
    store.append(identified(ann.id, encounter="f"), at=NOON)

    assert {ann.id: 2} == counts(store, since=date(2026, 1, 5))
    assert {ann.id: 1} == counts(store, since=date(2026, 1, 6))
    assert {} == counts(store, since=date(2026, 1, 7))


@pytest.mark.parametrize("how", ["one", "all", "purpose", "removed"])
def test_taking_back_takes_the_counts_along(make_store: MakeStore, how: str) -> None:
    """By a process that counts nothing, too; and nothing more is counted afterwards."""
    store, desk = make_store(counters=[GREETED]), make_store()
    ann = store.add_subject("Ann", consent=COUNTED)
    ben = store.add_subject("Ben", consent=COUNTED)
    store.append_all([NewEvent(identified(each)) for each in (ann.id, ben.id)])
    {
        "one": lambda: desk.withdraw_consent(ann.id, desk.consents(ann.id)[0].id),
        "all": lambda: desk.withdraw_consent(ann.id),
        "purpose": lambda: desk.withdraw_purposes(ann.id, ["leaderboard"]),
        "removed": lambda: desk.remove_subject(ann.id),
    }[how]()
    store.append(identified(ann.id, encounter="later"))

    assert {ben.id: 1} == counts(store)


def test_another_consent_keeps_the_counts(make_store: MakeStore) -> None:
    """Of two that cover it, one was taken back; or one to something else was."""
    store = make_store(counters=[GREETED])
    ann = store.add_subject("Ann", consent=COUNTED)
    store.give_consent(ann.id, COUNTED)
    store.give_consent(ann.id, Consent(purposes=("greet",), text_version="2", given_by="Ann"))
    store.append(identified(ann.id))
    store.withdraw_consent(ann.id, store.consents(ann.id)[0].id)
    store.withdraw_purposes(ann.id, ["greet"])

    assert {ann.id: 1} == counts(store)


def test_two_who_were_one_are_counted_together(make_store: MakeStore) -> None:
    """Days of either add up; what is left is of who was kept."""
    store = make_store(counters=[GREETED])
    ann, also = (store.add_subject("Ann", consent=COUNTED) for _ in range(2))
    store.append_all([NewEvent(identified(each)) for each in (ann.id, also.id)])
    store.append(identified(also.id, encounter="f"), at=NOON + timedelta(days=1))
    store.merge(ann.id, also.id)

    assert {ann.id: 3} == counts(store)
    assert {ann.id: 1} == counts(store, since=date(2026, 1, 6))


def test_who_took_it_back_stays_uncounted_after_a_merge(make_store: MakeStore, clock: ManualClock) -> None:
    """The later word counts: the other enrolment's counts go, too."""
    store = make_store(counters=[GREETED])
    ann, also = (store.add_subject("Ann", consent=COUNTED) for _ in range(2))
    store.append(identified(also.id))
    clock.advance(5)
    store.withdraw_purposes(ann.id, ["leaderboard"])
    store.merge(ann.id, also.id)

    assert {} == counts(store)


Said = Literal["identified", "stranger", "unknown"]


def corrected(store: Store, decision: StoredEvent, verdict: Said, who: str | None = None) -> None:
    """Somebody says what an encounter really was."""
    said = decision.event
    assert isinstance(said, SubjectIdentified | StrangerSeen)
    was = Verdict.IDENTIFIED if isinstance(said, SubjectIdentified) else Verdict.STRANGER
    store.append(
        DecisionCorrected(
            encounter=said.encounter,
            corrects=decision.id,
            was=was,
            was_subject=getattr(said, "subject", None),
            verdict=verdict,
            subject=who,
        )
    )


def test_a_correction_moves_the_count(make_store: MakeStore) -> None:
    """To whom it really was, to nobody of a stranger, however often it is said; and back as it was."""
    store = make_store(counters=[GREETED])
    ann, ben, cem = (store.add_subject(name, consent=COUNTED).id for name in ("Ann", "Ben", "Cem"))
    shy = store.add_subject("Shy", consent=AGREED).id
    store.append(identified(ann, encounter="before"))
    seen = store.append(identified(ann))
    told = []
    words: tuple[tuple[Said, str | None], ...] = (
        ("identified", ben),
        ("identified", cem),
        ("identified", cem),
        ("stranger", None),
        ("identified", shy),
        ("identified", ann),
        ("unknown", None),
        ("identified", ann),
    )
    for verdict, who in words:
        corrected(store, seen, verdict, who)
        told.append(counts(store))

    one = {ann: 1}
    both = [{**one, ben: 1}, {**one, cem: 1}, {**one, cem: 1}]
    assert [*both, one, one, {ann: 2}, one, {ann: 2}] == told


def test_a_stranger_who_was_none_counts_on_their_day(make_store: MakeStore) -> None:
    """That of the visit, not of the correction; and greetings that follow a correction change nothing."""
    store = make_store(counters=[GREETED])
    ann, ben = (store.add_subject(name, consent=COUNTED).id for name in ("Ann", "Ben"))
    facts = identified().facts
    seen = store.append(
        StrangerSeen(encounter="e", grade=Grade.CONFIRMED, facts=facts), at=NOON - timedelta(days=1)
    )
    corrected(store, seen, "identified", ann)
    day = [counts(store, since=since) for since in (NOON.date() - timedelta(days=1), NOON.date())]
    store.append(identified(ben), at=NOON)
    store.append(identified(ann), at=NOON)
    corrected_again = counts(store)
    corrected(store, seen, "stranger")

    assert [{ann: 1}, {}] == day
    assert {ann: 1} == corrected_again
    assert {ann: 1, ben: 1} == counts(store)


def test_what_was_taken_back_with_a_consent_is_not_brought_back(make_store: MakeStore) -> None:
    """Neither by a correction nor by taking one back; and two who become one keep one count of a stay."""
    store = make_store(counters=[GREETED])
    ann, ben, also = (store.add_subject(name, consent=COUNTED).id for name in ("Ann", "Ben", "Also"))
    seen = store.append(identified(ann))
    corrected(store, seen, "identified", ben)
    store.withdraw_purposes(ann, ["leaderboard"])
    store.give_consent(ann, COUNTED)
    corrected(store, seen, "identified", ann)
    assert {} == counts(store)
    other = store.append(identified(also, encounter="f"))
    store.merge(ben, also)
    assert {ben: 1} == counts(store)
    corrected(store, other, "stranger")

    assert {} == counts(store)


def test_an_event_that_is_not_written_is_not_counted(make_store: MakeStore) -> None:
    """The transaction fails at its very end: neither event nor count; tried again, it counts once."""
    store = make_store(counters=[GREETED])
    ann = store.add_subject("Ann", consent=COUNTED)

    def fail(*_: Any) -> None:
        raise StoreError("the power went")

    event.listen(store._engine, "commit", fail)
    with pytest.raises(StoreError, match="the power went"):
        store.append(identified(ann.id))
    event.remove(store._engine, "commit", fail)
    assert {} == counts(store)
    store.append(identified(ann.id))

    assert {ann.id: 1} == counts(store)


def test_several_who_append_at_once_lose_no_count(make_store: MakeStore) -> None:
    """Four writers, two of them of another device: as many counts as greetings."""
    seal = ToySeal()
    store = make_store(counters=[GREETED], seal=seal)
    ann = store.add_subject("Ann", consent=COUNTED)
    writers = [
        make_store(counters=[GREETED], seal=seal, device=device, seed=10 + i, patience_s=60)
        for i, device in enumerate(("box", "box", "yard", "yard"))
    ]

    def write(which: int) -> None:
        for i in range(15):
            writers[which].append(identified(ann.id, encounter=f"{which}-{i}"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))

    assert {ann.id: 60} == counts(store)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["greet", "again", "withdraw", "agree"])), max_size=12
    )
)
def test_counts_are_what_happened(make_store: MakeStore, story: list[tuple[int, str]]) -> None:
    """Whatever happens in whatever order: of each person the stays since they agreed, each once."""
    store = make_store(counters=[GREETED], seed=next(SEEDS))
    people = [store.add_subject("P", consent=COUNTED).id for _ in range(3)]
    agreed, expected = set(people), dict.fromkeys(people, 0)
    stays: set[str] = set()
    for step, (who, what) in enumerate(story):
        person = people[who]
        if what == "agree":
            store.give_consent(person, COUNTED)
            agreed.add(person)
        elif what == "withdraw":
            store.withdraw_purposes(person, ["leaderboard"])
            agreed.discard(person)
            expected[person] = 0
        else:
            stay = f"{person[-20:]}-{step if what == 'greet' else 'same'}"
            store.append(identified(person, encounter=stay))
            expected[person] += person in agreed and stay not in stays
            stays.add(stay)
    found = counts(store)

    assert expected == {person: found.get(person, 0) for person in people}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 3)), max_size=10))
def test_a_stay_counts_for_whom_it_was_by_the_last_word(
    make_store: MakeStore, said: list[tuple[int, int]]
) -> None:
    """Whatever is said of which stay in whatever order: each counts once at most, for the last one said."""
    store = make_store(counters=[GREETED], seed=next(SEEDS))
    people = [store.add_subject("P", consent=COUNTED).id for _ in range(3)]
    people.append(store.add_subject("Shy", consent=AGREED).id)
    stays = [f"{people[0][-20:]}-{i}" for i in range(4)]
    seen = [store.append(identified(people[i], encounter=stay)) for i, stay in enumerate(stays)]
    really = list(range(4))
    for stay, who in said:
        corrected(
            store, seen[stay], "stranger" if who < 0 else "identified", people[who] if who >= 0 else None
        )
        really[stay] = who
    found = counts(store)

    assert [really.count(i) for i in range(3)] == [found.get(person, 0) for person in people[:3]]
    assert people[3] not in found
