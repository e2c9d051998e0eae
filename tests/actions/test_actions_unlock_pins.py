"""PINs on their way to a decision: held for a while, for one decision each, used once."""

import threading

from unlocks import MORNING

from appliance.actions.unlock_pins import HELD_S, Pins
from appliance.actions.unlock_policy import PinWord
from appliance.clock import ManualClock

FAR = 1e9


def test_without_a_pin_nobody_waits() -> None:
    """Whoever was recognised and typed nothing is told so at once."""
    assert PinWord.NONE is Pins(ManualClock(MORNING)).take("front", "d1", FAR)


def test_a_pin_fits_the_decision_it_was_compared_with_and_no_other() -> None:
    """What was said of one decision opens nothing for another."""
    clock = ManualClock(MORNING)
    pins = Pins(clock)
    pins.typed("front", "t1")
    pins.judged("front", "t1", "d1", PinWord.FITS)

    assert PinWord.NONE is pins.take("front", "d2", clock.monotonic())
    assert PinWord.FITS is pins.take("front", "d1", clock.monotonic())


def test_a_pin_opens_once() -> None:
    """The same word is not taken twice."""
    clock = ManualClock(MORNING)
    pins = Pins(clock)
    pins.typed("front", "t1")
    pins.judged("front", "t1", "d1", PinWord.FITS)
    pins.take("front", "d1", FAR)

    assert PinWord.NONE is pins.take("front", "d1", clock.monotonic())


def test_a_pin_is_of_its_own_lock() -> None:
    """What was typed at one door says nothing at another."""
    clock = ManualClock(MORNING)
    pins = Pins(clock)
    pins.typed("front", "t1")
    pins.typed("back", "t2")
    pins.judged("front", "t1", "d1", PinWord.FITS)

    assert PinWord.NONE is pins.take("back", "d1", clock.monotonic())


def test_a_pin_is_held_for_its_time_only() -> None:
    """Fifteen seconds after it was typed it is as if it had not been."""
    clock = ManualClock(MORNING)
    pins = Pins(clock)
    pins.typed("front", "t1")
    pins.judged("front", "t1", "d1", PinWord.FITS)
    clock.advance(HELD_S)

    assert PinWord.NONE is pins.take("front", "d1", FAR)


def test_another_typing_replaces_the_one_before() -> None:
    """What was said of the first PIN does not hold for the second, and comes too late if said afterwards."""
    clock = ManualClock(MORNING)
    pins = Pins(clock)
    pins.typed("front", "t1")
    pins.judged("front", "t1", "d1", PinWord.FITS)
    pins.typed("front", "t2")
    pins.judged("front", "t1", "d1", PinWord.FITS)

    assert PinWord.NONE is pins.take("front", "d1", clock.monotonic())


def test_a_word_without_a_typed_pin_is_none() -> None:
    """Nobody can say that a PIN fits where none was typed."""
    pins = Pins(ManualClock(MORNING))
    pins.judged("front", "t1", "d1", PinWord.FITS)

    assert PinWord.NONE is pins.take("front", "d1", FAR)


def test_a_pin_that_is_taken_back_is_gone() -> None:
    """Whoever typed it may go on to something else."""
    pins = Pins(ManualClock(MORNING))
    pins.typed("front", "t1")
    pins.judged("front", "t1", "d1", PinWord.FITS)
    pins.gone("front", "t2")
    pins.gone("front", "t1")

    assert PinWord.NONE is pins.take("front", "d1", FAR)


def test_a_decision_waits_for_the_word_on_it() -> None:
    """A decision that is there before its PIN was compared waits, and hears it."""
    pins = Pins(ManualClock(MORNING))
    pins.typed("front", "t1")
    heard: list[PinWord] = []
    waiting = threading.Thread(target=lambda: heard.append(pins.take("front", "d1", FAR)))
    waiting.start()
    pins.judged("front", "t1", "d1", PinWord.WRONG)
    waiting.join(10)

    assert [PinWord.WRONG] == heard


def test_who_waits_is_let_go_at_the_end() -> None:
    """When dispatch stops, nobody is kept waiting, and nothing fits."""
    pins = Pins(ManualClock(MORNING))
    pins.typed("front", "t1")
    heard: list[PinWord] = []
    waiting = threading.Thread(target=lambda: heard.append(pins.take("front", "d1", FAR)))
    waiting.start()
    pins.close()
    waiting.join(10)

    assert [PinWord.NONE] == heard
