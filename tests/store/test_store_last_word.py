"""Two enrolments as one person: for each purpose the later word counts, whoever is asked first."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from stores import NOON

from appliance.store import KeptConsent
from appliance.store.last_word import agreed_together, overruled
from appliance.values import SubjectId

PURPOSES = ("identify", "song", "unlock")


@st.composite
def consents(draw: st.DrawFn, whose: str) -> list[KeptConsent]:
    """Up to four of one person, each given within ten minutes and perhaps taken back after that."""
    found = []
    for number in range(draw(st.integers(0, 4))):
        at = NOON + timedelta(minutes=draw(st.integers(0, 10)))
        lasted = draw(st.none() | st.integers(0, 10))
        found.append(
            KeptConsent(
                id=f"{whose}{number}",
                subject=SubjectId(whose),
                purposes=tuple(sorted(draw(st.sets(st.sampled_from(PURPOSES), min_size=1)))),
                text_version="1",
                given_by=None,
                given_at=at,
                withdrawn_at=None if lasted is None else at + timedelta(minutes=lasted),
            )
        )
    return found


def in_force(of: list[KeptConsent]) -> set[str]:
    """What one person agreed to and did not take back."""
    return {purpose for consent in of if consent.withdrawn_at is None for purpose in consent.purposes}


@given(consents("a"), consents("b"))
def test_it_is_the_same_whoever_is_kept(one: list[KeptConsent], other: list[KeptConsent]) -> None:
    """Neither what is ended nor what is agreed to depends on which of the two stays."""
    assert overruled(one, other) == overruled(other, one)
    assert agreed_together(one, other) == agreed_together(other, one)


@given(consents("a"), consents("b"))
def test_a_merge_gives_nothing_back(one: list[KeptConsent], other: list[KeptConsent]) -> None:
    """What is agreed to together was in force with one of them; missing is what the other took back later."""
    agreed = set(agreed_together(one, other))

    assert agreed <= in_force(one) | in_force(other)
    for purpose in in_force(one) & in_force(other):
        assert purpose in agreed
    for purpose in (in_force(one) | in_force(other)) - (in_force(one) & in_force(other)):
        has, lacks = (one, other) if purpose in in_force(one) else (other, one)
        given = [c.given_at for c in has if c.withdrawn_at is None and purpose in c.purposes]
        back = [c.withdrawn_at for c in lacks if c.withdrawn_at is not None and purpose in c.purposes]
        assert (purpose in agreed) == (not back or max(given) > max(back))


@given(consents("a"))
def test_nobody_overrules_themselves(one: list[KeptConsent]) -> None:
    """Beside somebody who said nothing, everything stays as it is."""
    assert {} == overruled(one, [])
    assert in_force(one) == set(agreed_together(one, []))
