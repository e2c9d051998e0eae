"""Enrolments under way: bounded, over in time, their maker's alone, and never more than memory."""

import threading
from collections.abc import Callable

import pytest
from desks import CALLERS
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import EnrolmentError, InputError
from appliance.values import EmbeddedPhoto
from enroll.desk.drafts import (
    LEFT_S,
    LIFE_S,
    MOST_DRAFTS,
    MOST_OWN,
    MOST_PHOTOS,
    Draft,
    DraftPhoto,
    Drafts,
    owner_of,
)


class Ticking:
    """A clock that stands until it is moved, and calls what was put off until then."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._later: list[tuple[float, Callable[[], None]]] = []

    def monotonic(self) -> float:
        """Seconds."""
        return self.now_s

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call it when the clock was moved that far."""
        self._later.append((self.now_s + seconds, call))

    def advance(self, seconds: float) -> None:
        """Move, as time does: what is due is called on the way."""
        until = self.now_s + seconds
        while due := [each for each in self._later if each[0] <= until]:
            at, call = min(due, key=lambda each: each[0])
            self._later.remove((at, call))
            self.now_s = at
            call()
        self.now_s = until


def begun(drafts: Drafts, owner: str = "me") -> Draft:
    """An enrolment of somebody new."""
    return drafts.begin(owner, "Ann", None, None, None, None, namesake=False)


def picture(number: int) -> DraftPhoto:
    """A picture without a face."""
    return DraftPhoto(str(number), str(number), "photo", EmbeddedPhoto.of([]))


def test_a_draft_is_its_makers_alone() -> None:
    """Another session, of the same person too, learns no more than of one that never was."""
    drafts = Drafts(lambda: 0.0, lambda _, __: None)
    draft = begun(drafts)
    said = []
    for name, owner in ((draft.id, "another"), ("never", "me")):
        with pytest.raises(EnrolmentError) as caught, drafts.held(name, owner):
            pass
        said.append((caught.value.message, caught.value.hint))
    with drafts.held(draft.id, "me") as found:
        assert draft is found

    assert said[0] == said[1]


def test_who_works_on_one_draft_is_in_nobody_elses_way() -> None:
    """Comparing with a large gallery takes a while; another enrolment, and beginning one, go on meanwhile."""
    drafts = Drafts(lambda: 0.0, lambda _, __: None)
    mine, yours = begun(drafts), begun(drafts, "you")
    done = threading.Event()

    def work() -> None:
        with drafts.held(yours.id, "you") as found:
            found.add(picture(1))
        begun(drafts, "them")
        done.set()

    with drafts.held(mine.id, "me"):
        threading.Thread(target=work, daemon=True).start()
        others = done.wait(10)

    assert others
    assert 3 == len(drafts)


def test_who_waited_for_a_draft_that_ended_has_none() -> None:
    """Pressed twice, the second finds that it is over; so it is committed once."""
    drafts = Drafts(lambda: 0.0, lambda _, __: None)
    draft = begun(drafts)
    said: list[str] = []

    def again() -> None:
        try:
            with drafts.held(draft.id, "me"):
                said.append("held")
        except EnrolmentError as error:
            said.append(error.message)

    waiting = threading.Thread(target=again, daemon=True)
    with drafts.held(draft.id, "me") as found:
        waiting.start()
        waiting.join(0.2)
        drafts.forget(found)
    waiting.join(10)

    assert ["this enrolment is over"] == [each.partition(":")[0] for each in said]


def test_two_sessions_of_one_operator_are_two_owners() -> None:
    """A session that was stolen, or forgotten on another machine, reaches no faces of this one."""
    owners = {owner_of(CALLERS[name]) for name in ("admin", "admin again", "enrolling token")}

    assert 3 == len(owners)


def test_a_draft_is_over_a_quarter_of_an_hour_after_it_was_touched() -> None:
    """Each look at it counts; then it is gone for good."""
    clock = Ticking()
    drafts = Drafts(clock.monotonic, clock.later)
    draft = begun(drafts)
    clock.advance(LIFE_S - 1)
    with drafts.held(draft.id, "me"):
        pass
    clock.advance(LIFE_S - 1)
    with drafts.held(draft.id, "me"):
        pass
    clock.advance(LIFE_S)
    with pytest.raises(EnrolmentError), drafts.held(draft.id, "me"):
        pass

    assert 0 == len(drafts)


def test_faces_are_let_go_of_though_nobody_asks_any_more() -> None:
    """The browser was closed: a minute after its time at the latest the memory holds nothing of it."""
    clock = Ticking()
    drafts = Drafts(clock.monotonic, clock.later)
    begun(drafts)
    clock.advance(LIFE_S / 2)
    held_before = len(drafts._drafts)
    clock.advance(LIFE_S / 2 + 60)

    assert (1, {}) == (held_before, drafts._drafts)


def test_a_timer_of_this_machine_does_the_same() -> None:
    """Without another clock handed in: it waits in a thread that keeps no process from ending."""
    drafts = Drafts(lambda: 0.0)
    begun(drafts)

    assert drafts._waiting


def test_one_session_has_a_few_drafts_and_the_oldest_goes() -> None:
    """Who begins again and again does not fill the memory; what is in use stays."""
    clock = Ticking()
    drafts = Drafts(clock.monotonic, clock.later)
    own = []
    for _ in range(MOST_OWN):
        own.append(begun(drafts))
        clock.advance(1)
    with drafts.held(own[0].id, "me"):
        pass
    begun(drafts)

    assert MOST_OWN == len(drafts)
    assert {own[0].id, own[2].id, own[3].id} < set(drafts._drafts)


def test_everybody_together_has_a_bounded_number() -> None:
    """One more is refused, and those of others stay."""
    drafts = Drafts(lambda: 0.0, lambda _, __: None)
    for number in range(MOST_DRAFTS):
        begun(drafts, f"owner {number}")
    with pytest.raises(EnrolmentError, match="too many"):
        begun(drafts, "one more")

    assert MOST_DRAFTS == len(drafts)


def test_a_draft_takes_so_many_pictures() -> None:
    """The next is refused with words; with one less there is room again."""
    draft = begun(Drafts(lambda: 0.0, lambda _, __: None))
    for number in range(MOST_PHOTOS):
        draft.add(picture(number))
    with pytest.raises(EnrolmentError, match=f"at most {MOST_PHOTOS}"):
        draft.add(picture(MOST_PHOTOS))
    draft.drop("3")
    draft.add(picture(MOST_PHOTOS))

    assert MOST_PHOTOS == len(draft.photos)
    with pytest.raises(InputError):
        draft.drop("3")
    with pytest.raises(InputError):
        draft.photo("3")


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.floats(0, LIFE_S)), max_size=80))
def test_whatever_happens_the_bounds_hold(steps: list[tuple[str, float]]) -> None:
    """Begun by whomever at whatever pace: never more than the bounds, and none older than its life."""
    clock = Ticking()
    drafts = Drafts(clock.monotonic, clock.later)
    for owner, pause in steps:
        begun(drafts, owner)
        clock.advance(pause)
        held = list(drafts._drafts.values())

        assert len(held) <= MOST_DRAFTS
        assert max((sum(each.owner == who for each in held) for who in "abcd"), default=0) <= MOST_OWN
        assert [] == [each for each in held if clock.now_s - each.touched_s > LIFE_S + 60]


def test_a_page_that_is_left_ends_its_draft_soon() -> None:
    """In half a minute instead of a quarter of an hour; loaded again before, it goes on as long as ever."""
    clock = Ticking()
    drafts = Drafts(clock.monotonic, clock.later)
    left, again = begun(drafts), begun(drafts)
    for each in (left, again):
        drafts.leave(each.id, "me")
    clock.advance(LEFT_S - 1)
    drafts.touch(again.id, "me")
    clock.advance(LIFE_S - 1)
    drafts.touch(again.id, "me")

    with pytest.raises(EnrolmentError):
        drafts.touch(left.id, "me")
    with pytest.raises(EnrolmentError):
        drafts.leave(again.id, "somebody else")
    assert 1 == len(drafts)
