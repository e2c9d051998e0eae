"""A decision judged again for a lock: by the measured tables, never more laxly than it was decided."""

from datetime import datetime

import pytest
from decided import LOW, TABLES, event_of, stay
from hypothesis import given
from hypothesis import strategies as st
from unlocks import ANN, BEN, MORNING

from appliance.app.unlocking import hours_of, strictly, terms_of
from appliance.events import SubjectIdentified
from appliance.settings import CameraSettings, DoorSettings, LockSettings, RecognitionSettings, Settings
from appliance.values import Grade

SETTINGS = Settings()


def lock(**changes: object) -> LockSettings:
    """A lock with something otherwise."""
    return LockSettings.model_validate({"id": "front", "door": "front", **changes})


def replace_hour(at: datetime, hour: int) -> datetime:
    """The same day at that hour."""
    return at.replace(hour=hour)


def decided(score: float, second: float = LOW) -> SubjectIdentified:
    """Ann, confirmed with that score by three frames, before whoever is second."""
    frames = [(i / 10, {ANN: score, BEN: second}) for i in range(3)]
    found = next(each for each in stay(frames) if each.grade is Grade.CONFIRMED)
    event = event_of(found, "encounter")
    assert isinstance(event, SubjectIdentified)

    return event


@given(score=st.floats(0.2, 0.9), strictness=st.floats(1, 1000))
def test_a_lock_is_never_laxer_than_the_decision(score: float, strictness: float) -> None:
    """Whatever it asks for, the threshold is not below the one that decided, and the score is the same."""
    event = decided(score)
    found = strictly(SETTINGS, lock(strictness=strictness), TABLES)(event)

    assert found is not None
    assert (ANN, event.facts.score) == (found.subject, found.score)
    assert found.threshold >= event.facts.threshold
    assert found.identified == (found.score >= found.threshold)


def test_what_greets_may_not_open() -> None:
    """A score between both thresholds is a confirmed decision, and too low for the lock."""
    event = decided(0.1)
    ordinary = strictly(SETTINGS, lock(strictness=1.0, margin=0.0), TABLES)(event)
    strict = strictly(SETTINGS, lock(strictness=1000.0, margin=0.0), TABLES)(event)

    assert ordinary is not None
    assert strict is not None
    assert ordinary.threshold <= 0.1 < strict.threshold
    assert (True, False) == (ordinary.identified, strict.identified)


def test_the_wider_of_three_margins_counts() -> None:
    """The decision's own, today's, and the lock's."""
    event = decided(0.5, 0.5 - 0.2)
    wanted = []
    for own, today in ((0.3, 0.05), (0.0, 0.4), (0.0, 0.0)):
        settings = Settings(recognition=RecognitionSettings(margin=today))
        found = strictly(settings, lock(margin=own), TABLES)(event)
        assert found is not None
        wanted.append(found.margin_wanted)

    assert [0.3, 0.4, event.facts.margin_wanted] == wanted


@pytest.mark.parametrize("changes", [{"frames": ()}, {"policy_version": 1}])
def test_what_cannot_be_judged_again_is_nothing(changes: dict[str, object]) -> None:
    """Without its frames, or decided by an older rule, there is no answer, and so no opening."""
    event = decided(0.5)
    facts = event.facts.model_copy(update=changes)

    assert strictly(SETTINGS, lock(), TABLES)(event.model_copy(update={"facts": facts})) is None


def test_a_frame_without_a_score_is_nothing() -> None:
    """Facts that lack somebody's score in a frame are no facts."""
    event = decided(0.5)
    bare = event.facts.frames[0].model_copy(update={"scores": {}})
    facts = event.facts.model_copy(update={"frames": (bare, *event.facts.frames[1:])})

    assert strictly(SETTINGS, lock(), TABLES)(event.model_copy(update={"facts": facts})) is None


def test_terms_of_a_lock_whose_camera_went_keep_it_shut() -> None:
    """Settings that no longer fit leave the door shut, whoever checked them before."""
    camera = CameraSettings.model_validate({"id": "outside", "source": "scene:door", "when": "approach"})
    settings = Settings(cameras=(camera,), doors=(DoorSettings(id="front", camera="outside"),))
    good = terms_of(settings, lock(policy="face_alone", argv=["true"]), "box")
    without = terms_of(
        settings.model_copy(update={"cameras": ()}), lock(policy="face_alone", argv=["true"]), "box"
    )

    assert ("outside", True) == (good.camera, good.sees_in_time)
    assert not without.sees_in_time


def test_hours_are_the_box_s_own() -> None:
    """Of Monday, by the clock on the wall; past midnight they are those of the day before."""
    local = MORNING.astimezone()
    monday = replace_hour(local, 9)
    wanted = hours_of(lock(hours=["mon-fri 08:00-10:00", "sun 22:00-02:00"]))

    assert wanted(monday)
    assert not wanted(replace_hour(local, 11))
    assert wanted(replace_hour(local, 1))
    assert not wanted(replace_hour(local, 3))
    assert hours_of(lock())(replace_hour(local, 3))
