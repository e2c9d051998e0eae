"""A lock on a whole box: face and PIN meet, each by itself opens nothing, and no hostile keypad does."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from locked_box import ANNS, BENS, PATIENCE_S, LockedBox, locked_box

from appliance.actions.unlock_pins import HELD_S
from appliance.errors import DeniedError, FormError, NotSignedInError, ThrottledError, WireError
from appliance.events import UnlockDecided
from appliance.store import OutboxRow, OutboxState
from appliance.values import Grade
from appliance.wire import Reply, Request, Server
from appliance.wire.messages import Done, PinGone, PinJudged, PinTyped, WakeDispatch


@pytest.fixture
def box(tmp_path: Path) -> Iterator[LockedBox]:
    """With a lock that asks for face and PIN."""
    with locked_box(tmp_path) as made:
        yield made


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[LockedBox]:
    """With a lock that asks for a face alone."""
    with locked_box(tmp_path, policy="face_alone") as made:
        yield made


def test_a_pin_and_its_face_open(box: LockedBox) -> None:
    """Typed, looked at, recognised, compared, recorded, opened: once."""
    keypad = box.paired()
    box.before = [box.ann]

    assert "opened" == box.type(keypad, ANNS)
    assert ["granted"] == box.said()
    assert 1 == box.opened
    assert 1 == box.looked


def test_a_face_recognised_before_the_pin_is_looked_at_anew(box: LockedBox) -> None:
    """Whoever was recognised first and types then opens by the new look, not by the old decision."""
    keypad = box.paired()
    box.before = [box.ann]
    box.recognise(box.ann)
    assert ["no_pin"] == box.said()

    assert "opened" == box.type(keypad, ANNS)
    assert ["no_pin", "granted"] == box.said()


def test_a_face_without_a_pin_opens_nothing(box: LockedBox) -> None:
    """Who walks by is refused, and that is on record."""
    box.recognise(box.ann)

    assert ["no_pin"] == box.said()
    assert 0 == box.opened


def test_a_pin_without_its_face_opens_nothing(box: LockedBox) -> None:
    """Whoever knows a PIN needs its owner there."""
    assert "not_opened" == box.type_in_vain(box.paired(), ANNS)
    assert [] == box.said()
    assert 0 == box.opened


def test_another_s_pin_opens_nothing(box: LockedBox) -> None:
    """Ben's PIN before Ann's face is wrong, and the keypad is told no more than that it did not open."""
    box.before = [box.ann]

    assert "not_opened" == box.type_in_vain(box.paired(), BENS, "pin_wrong")
    assert 0 == box.opened


def test_of_two_who_stand_there_the_pin_is_its_owner_s(box: LockedBox) -> None:
    """Two people before the camera: whose PIN it is opens, and the other's count stays at nothing."""
    box.before = [box.ben, box.ann]

    assert "opened" == box.type(box.paired(), ANNS)
    assert 1 == box.opened
    assert [0, 0] == [each.wrong for each in box.services.store.pins()]


def test_wrong_pins_in_a_row_refuse_the_right_one(box: LockedBox) -> None:
    """Three wrong ones with Ann's face, or her photo, and her own PIN is refused for a while."""
    keypad = box.paired()
    box.before = [box.ann]
    wrong = [box.type_in_vain(keypad, pin, "pin_wrong") for pin in ("1111", "2222", "3333")]

    assert ["not_opened"] * 3 == wrong
    assert "not_opened" == box.type_in_vain(keypad, ANNS, "pin_paused")
    assert 0 == box.opened


def test_a_flood_of_pins_has_to_wait(tmp_path: Path) -> None:
    """A keypad that types on and on is slowed down, and the log says so once."""
    with locked_box(tmp_path, held_s=0.005) as box:
        keypad = box.paired()
        heard = [box.type(keypad, f"{number}135") for number in range(6)]
        with pytest.raises(ThrottledError) as caught:
            box.type(keypad, ANNS)

        assert ["not_opened"] * 6 == heard
        assert caught.value.wait_s > 0
        assert 1 == len(box.services.store.events(types=("pin_throttled",)))


def test_a_request_that_is_sent_again_opens_nothing(box: LockedBox) -> None:
    """Recorded and replayed, with Ann still there: its turn was used, so nothing is even compared."""
    keypad = box.paired()
    box.before = [box.ann]
    turn = box.ask("keypad.now", keypad)["turn"]
    first = box.ask("keypad.enter", keypad, pin=ANNS, turn=turn)["outcome"]
    again = box.ask("keypad.enter", keypad, pin=ANNS, turn=turn)["outcome"]

    assert ("opened", "again") == (first, again)
    assert 1 == box.opened


def test_a_revoked_keypad_is_nobody(box: LockedBox) -> None:
    """A keypad that was torn off the wall and revoked types in vain."""
    keypad = box.paired()
    turn = box.ask("keypad.now", keypad)["turn"]
    box.services.store.revoke_keypad(box.services.store.keypads()[0].id)
    with pytest.raises(NotSignedInError):
        box.ask("keypad.enter", keypad, pin=ANNS, turn=turn)

    assert 0 == box.opened


def test_a_keypad_revoked_while_its_pin_is_held_opens_nothing(box: LockedBox) -> None:
    """Revoked between typing and being recognised: the PIN is compared with nobody."""
    keypad = box.paired()
    heard: list[Any] = []

    def type_it() -> None:
        try:
            heard.append(box.type(keypad, ANNS))
        except NotSignedInError:
            heard.append("nobody")

    typing = threading.Thread(target=type_it)
    typing.start()
    while not box.looked:
        threading.Event().wait(0.01)
    box.services.store.revoke_keypad(box.services.store.keypads()[0].id)
    box.recognise(box.ann)
    typing.join(PATIENCE_S)

    assert ["nobody"] == heard
    assert 0 == box.opened
    assert "granted" not in box.said()


def test_another_lock_s_keypad_opens_nothing_here(box: LockedBox) -> None:
    """A keypad is of one lock: what is typed at it says nothing at another."""
    store = box.services.store
    elsewhere, _ = store.pair_keypad(store.keypad_code("Cellar", "cellar"))
    box.before = [box.ann]
    turn = box.ask("keypad.now", elsewhere)["turn"]
    with pytest.raises(DeniedError):
        box.ask("keypad.enter", elsewhere, pin=ANNS, turn=turn)

    assert 0 == box.looked
    assert 0 == box.opened


def test_what_is_no_pin_is_compared_with_nobody(box: LockedBox) -> None:
    """Digits, four to ten of them; anything else is said to be none, without repeating it."""
    keypad = box.paired()
    for pin in ("123", "12345678901", "12a4", "\uff11\uff12\uff13\uff14", "4711 "):
        with pytest.raises(FormError) as caught:
            box.type(keypad, pin)

        assert pin not in str(caught.value)
    assert 0 == box.looked


def test_another_camera_s_recognition_does_not_meet_the_pin(box: LockedBox) -> None:
    """Ann is seen in the kitchen while somebody types her PIN outside."""
    box.camera = "kitchen"
    keypad = box.paired()
    heard: list[str] = []
    typing = threading.Thread(target=lambda: heard.append(box.type(keypad, ANNS)))
    typing.start()
    box.recognise(box.ann)
    said = box.said()
    until = time.monotonic() + PATIENCE_S
    while typing.is_alive() and time.monotonic() < until:
        box.clock.skip(HELD_S)  # what is typed late is held late
        typing.join(0.1)

    assert ["other_camera"] == said
    assert ["not_opened"] == heard
    assert 0 == box.opened


def test_who_did_not_agree_is_never_compared(box: LockedBox) -> None:
    """Without consent to unlocking a PIN is not even looked at, so nobody can use up its tries.

    Ben's, who stands behind, is; after Ann's turn.
    """
    box.services.store.withdraw_purposes(box.ann, ["unlock"])
    box.before = [box.ann, box.ben]

    assert "not_opened" == box.type_in_vain(box.paired(), "0000", "no_consent", "pin_wrong")
    assert {box.ann: 0, box.ben: 1} == {each.subject: each.wrong for each in box.services.store.pins()}


def test_a_face_alone_opens_where_that_was_chosen(alone: LockedBox) -> None:
    """No PIN is asked for, and none can be typed; a decision that is too old opens nothing."""
    alone.recognise(alone.ann)
    alone.recognise(alone.ann, ago_s=4.0)

    assert ["granted", "too_old"] == alone.said()
    assert 1 == alone.opened
    with pytest.raises(DeniedError):
        alone.type(alone.paired(), ANNS)


def test_a_greeting_and_the_end_of_a_stay_open_nothing(alone: LockedBox) -> None:
    """The rule fires at the confirmed grade alone, and the policy takes no other."""
    alone.recognise(alone.ann, grade=Grade.GREETING)
    alone.recognise(alone.ann, grade=Grade.FINAL)

    assert [] == alone.said()
    assert 0 == alone.opened


def test_somebody_paused_since_is_refused(alone: LockedBox) -> None:
    """What is known at the moment counts, not what the gallery was when they were seen."""
    alone.services.store.pause(alone.ann)
    alone.recognise(alone.ann)

    assert ["not_active"] == alone.said()


def test_a_pin_is_nowhere_in_the_log_nor_in_the_state(box: LockedBox) -> None:
    """Not in an event, not in the outbox, not in any file of the box."""
    box.before = [box.ann]
    box.type_in_vain(box.paired(), "90817263", "pin_wrong")
    bodies = [each.event.model_dump_json() for each in box.services.store.events() if each.event is not None]
    files = [each for each in box.services.layout.state.rglob("*") if each.is_file()]

    assert not [body for body in bodies if "90817263" in body]
    assert not [each for each in files if b"90817263" in each.read_bytes()]


def test_whoever_tries_again_soon_is_decided_upon_again(box: LockedBox) -> None:
    """A rule that opens a lock fires for somebody seen again, who is greeted no more."""
    box.before = [box.ann]
    box.repeated = True

    assert "opened" == box.type(box.paired(), ANNS)


@pytest.mark.parametrize("granted", [True, False])
def test_a_keypad_does_not_hear_that_it_did_not_open_while_it_opens(tmp_path: Path, *, granted: bool) -> None:
    """A PIN taken in the last moment of its time is waited for: the lock may be told after it is over."""
    with locked_box(tmp_path, dispatching=False) as box:
        store = box.services.store
        deciding: list[threading.Thread] = []

        def taken(request: Request[PinJudged]) -> Reply[Done]:
            """Dispatch has it; the next thing that is known of it is what was decided."""
            assert "fits" == request.message.word
            (row,) = store.claim(box.clock.wall())
            deciding.append(threading.Thread(target=decide, args=(row,)))
            box.clock.skip(HELD_S)
            return Reply(Done())

        def decide(row: OutboxRow) -> None:
            kind, reason = ("unlock_granted", "granted") if granted else ("unlock_refused", "too_old")
            store.append(
                UnlockDecided(
                    type=kind, lock="front", subject=box.ann, cause=row.event.id, reason=reason, pin=True
                )
            )
            store.finish(row, OutboxState.DELIVERED.value)

        def over(request: Request[PinGone]) -> Reply[Done]:
            del request
            deciding[0].start()
            return Reply(Done())

        hears = {PinTyped: done, WakeDispatch: done, PinJudged: taken, PinGone: over}
        with Server(box.services.layout.socket("dispatch"), hears):
            box.before = [box.ann]
            heard = box.type(box.paired(), ANNS)
            deciding[0].join(PATIENCE_S)

        assert ("opened" if granted else "not_opened") == heard


def done(request: Request[Any]) -> Reply[Done]:
    """So it is."""
    del request
    return Reply(Done())


def test_without_dispatch_a_pin_is_not_even_compared(tmp_path: Path) -> None:
    """Nothing would open, so the keypad is told that something is away, and nobody's tries are used up."""
    with locked_box(tmp_path, dispatching=False) as box:
        box.before = [box.ann]
        with pytest.raises(WireError):
            box.type(box.paired(), "0000")

        assert 0 == box.looked
        assert [0, 0] == [each.wrong for each in box.services.store.pins()]


def test_a_keypad_has_nobody_recognised_anew_for_a_lock_without_pins(tmp_path: Path) -> None:
    """Where the same camera opens another lock by a face alone, typing brings about no new decision."""
    other = '[[locks]]\nid = "side"\ndoor = "front"\npolicy = "face_alone"\nargv = ["/bin/true"]\n'
    with locked_box(tmp_path, more=other, held_s=0.005) as box:
        box.before = [box.ann]

        assert "not_opened" == box.type(box.paired(), ANNS)
        assert 0 == box.looked
        assert [] == box.identified()
