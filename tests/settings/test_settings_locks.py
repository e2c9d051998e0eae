"""The settings of locks: off until chosen, hours that can be read, secrets that are not shown."""

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from appliance.settings import LockSettings, Settings
from appliance.settings.locks import POLICIES
from appliance.weekly import WeeklySpan

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SECRET = "0123456789abcdef"  # noqa: S105 - of a test


def lock(**changes: object) -> LockSettings:
    """A lock with something otherwise."""
    return LockSettings.model_validate({"id": "front", "door": "front", **changes})


def whole(when: str, policy: str) -> Settings:
    """Settings with one lock, at a camera that looks then."""
    return Settings.model_validate(
        {
            "cameras": [{"id": "outside", "source": "scene:door", "when": when}],
            "doors": [{"id": "front", "camera": "outside"}],
            "locks": [{"id": "front", "door": "front", "policy": policy, "argv": ["/bin/true"]}],
        }
    )


def test_a_lock_is_off_until_a_policy_is_chosen() -> None:
    """Nothing opens by default, and each policy says in words what it accepts."""
    assert "off" == lock().policy
    assert {"off", "face_and_pin", "face_alone"} == set(POLICIES)
    assert "photo" in POLICIES["face_alone"]


@given(first=st.integers(0, 6), last=st.integers(0, 6), start=st.times(), end=st.times())
def test_hours_are_read_as_they_are_written(first: int, last: int, start: time, end: time) -> None:
    """A span of days, over the end of the week too; minutes as they stand."""
    text = f"{DAYS[first]}-{DAYS[last]} {start:%H:%M}-{end:%H:%M}"
    days: list[int] = []
    while not days or days[-1] != last:
        days.append((first + len(days)) % 7)
    minutes = (each.replace(second=0, microsecond=0) for each in (start, end))

    assert (WeeklySpan(frozenset(days), *minutes),) == lock(hours=[text]).spans


@pytest.mark.parametrize("text", ["always", "mon", "mon 7-9", "mo 07:00-09:00", "mon 25:00-26:00", ""])
def test_hours_that_cannot_be_read_are_a_fault(text: str) -> None:
    """Said with an example, rather than a door that opens at another time."""
    with pytest.raises(ValidationError, match="mon-fri 07:00-19:00"):
        lock(hours=[text])


@pytest.mark.parametrize("driver", ["mqtt", "http", "command"])
def test_a_policy_needs_a_way_to_tell_the_lock(driver: str) -> None:
    """What is missing is named; a lock that is off may lack it."""
    with pytest.raises(ValidationError, match="is needed for driver"):
        lock(policy="face_alone", driver=driver)

    assert driver == lock(driver=driver).driver


def test_a_message_to_a_lock_says_until_when_it_counts() -> None:
    """By itself, and where somebody writes their own: a plain word would open whenever it comes."""
    told = {"policy": "face_alone", "driver": "mqtt", "topic": "locks/front/set"}
    with pytest.raises(ValidationError, match=r"\{until\} in payload is needed"):
        lock(**told, payload="OPEN")

    assert "{until}" in lock(**told).payload
    assert "ON {until}" == lock(**told, payload="ON {until}").payload


@pytest.mark.parametrize("topic", ["locks/#", "locks/+/set", "$SYS/x", "a\nb", "x" * 201])
def test_a_topic_is_one_place(topic: str) -> None:
    """No wildcard, no broker's own, nothing that is no writing."""
    with pytest.raises(ValidationError):
        lock(topic=topic)


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "http://10.0.0.5/open"},
        {"url": "ftp://10.0.0.5/open", "allow_private": True},
        {"url": "https://x/ y"},
        {"secret": "short"},
        {"decision_s": 6.0},
        {"strictness": 0.5},
        {"pin_attempts": 100},
    ],
    ids=str,
)
def test_what_would_be_unsafe_is_refused(changes: dict[str, object]) -> None:
    """Without TLS, laxer than recognising, or too long after."""
    with pytest.raises(ValidationError):
        lock(**changes)


def test_an_address_is_not_shown() -> None:
    """It may hold a token."""
    found = lock(url="https://lock.example/open?token=hunter2", secret=SECRET)

    assert "hunter2" not in repr(found) + str(found)
    assert SECRET not in repr(found)


def test_a_camera_that_looks_too_late_goes_with_no_policy_but_off() -> None:
    """Faces read once the door is open are of no use to its lock; said where the policy is chosen."""
    with pytest.raises(ValidationError, match="too late for a lock"):
        whole("door", "face_alone")

    assert "face_alone" == whole("approach", "face_alone").locks[0].policy
    assert "off" == whole("door", "off").locks[0].policy


def test_a_lock_names_a_camera_that_there_is() -> None:
    """Another one than the door's may see who stands before it."""
    with pytest.raises(ValidationError, match="there is no camera"):
        Settings.model_validate(
            {
                "cameras": [{"id": "outside", "source": "scene:door", "when": "approach"}],
                "doors": [{"id": "front", "camera": "outside"}],
                "locks": [{"id": "front", "door": "front", "camera": "yard"}],
            }
        )
