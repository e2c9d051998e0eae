"""What people agree to: its wording, its version, its purposes."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import EnrolmentError
from enroll.consent import PURPOSES, TEXT, TEXT_VERSION, checked_purposes, text_version


def test_the_version_changes_with_every_letter() -> None:
    """A consent names the very words that were shown."""
    versions = {text_version(TEXT[:place] + "_" + TEXT[place + 1 :]) for place in range(len(TEXT))}

    assert TEXT_VERSION == text_version(TEXT)
    assert hashlib.sha256(TEXT.encode()).hexdigest().startswith(TEXT_VERSION.partition("-")[2])
    assert len(TEXT) == len(versions)
    assert TEXT_VERSION not in versions


def test_the_text_says_what_it_has_to() -> None:
    """What is kept, that it can be taken back, and that saying no costs nothing."""
    for phrase in ("templates of my face", "withdraw at any time", "no disadvantage"):
        assert phrase in TEXT


@given(st.sets(st.sampled_from(sorted(set(PURPOSES) - {"identify"}))))
def test_purposes_come_in_one_order(others: set[str]) -> None:
    """However they were given, and as often as they were; none is added."""
    wanted = [*others, "identify", *others]

    assert tuple(each for each in PURPOSES if each in wanted) == checked_purposes(wanted)
    assert checked_purposes(wanted) == checked_purposes(checked_purposes(wanted))


@given(st.sets(st.sampled_from(sorted(set(PURPOSES) - {"identify"}))))
def test_nobody_is_enrolled_who_does_not_want_to_be_identified(others: set[str]) -> None:
    """The other purposes mean nothing without it."""
    with pytest.raises(EnrolmentError, match="identify"):
        checked_purposes(others)


def test_an_unknown_purpose_is_named_with_those_there_are() -> None:
    """Also beside a known one."""
    with pytest.raises(EnrolmentError, match="'payroll'") as caught:
        checked_purposes(("identify", "payroll"))

    assert all(purpose in caught.value.hint for purpose in PURPOSES)
