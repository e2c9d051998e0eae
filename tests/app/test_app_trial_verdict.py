"""What is said of a function that was tried: word by word, from what was seen of it."""

import pytest

from appliance.app.trial_verdict import says_error, verdict
from appliance.deeplens.function_state import FunctionState

RAN = FunctionState(phase="running", frames=6)


@pytest.mark.parametrize(
    "text",
    [
        "Error in object detection lambda: 3",
        "Test failed: no such model",
        "FAILED to get frame",
        '{"error": "no such bucket"}',
        "Request for shadow state returned error code 400 with message Payload is not valid JSON",
        "Request for shadow state returned error code 404 with message No shadow exists with name: '' fail",
        '[{"detail": "Unable to reach it"}]',
    ],
)
def test_what_says_that_something_went_wrong(text: str) -> None:
    """As templates say it, in plain words or in JSON."""
    assert says_error(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"errors": 0, "dog": 0.99}',
        "no error so far",
        '{"detected": "failsafe valve"}',
        '{"face": "false"}',
        "Model optimization SUCCEEDED",
        "Request for shadow state returned error code 404 with message No shadow exists with name: 'door'",
        "[" * 5000,
    ],
)
def test_what_only_sounds_like_it(text: str) -> None:
    """Counts of nothing, negations and words that hold one are no errors."""
    assert not says_error(text)


def test_each_fault_is_a_reason() -> None:
    """Nothing that went wrong is passed over; the first is told."""
    cases = {
        "it ended": (FunctionState(frames=6, fault="it ended"), [], False),
        "a thread died: Thread-1: x": (FunctionState(frames=6, died=("Thread-1: x",)), [], False),
        "it published: Error: y": (RAN, ["Error: y"], False),
        "no model fish: install it": (FunctionState(frames=6, missing={"fish": "install it"}), [], False),
        "it took 2 frames": (FunctionState(frames=2), [], False),
        "its stream holds no picture": (RAN, [], True),
    }

    assert {why: ("does not", why) for why in cases} == {
        why: verdict(state, errors, dark=dark) for why, (state, errors, dark) in cases.items()
    }


def test_who_waits_neither_runs_nor_fails() -> None:
    """It was handed nothing: nobody has seen it run. One that lacks its model fails all the same."""
    waits = FunctionState(phase="running", imported=True)
    lacks = FunctionState(phase="running", imported=True, missing={"fish": "install it"})

    assert ("waits", "it waits for messages") == verdict(waits, [], dark=False)
    assert ("does not", "no model fish: install it") == verdict(lacks, [], dark=False)
    assert ("runs", "") == verdict(RAN, [], dark=False)


@pytest.mark.parametrize("frames", [0, 1, 9])
def test_who_worked_on_a_message_runs(frames: int) -> None:
    """One that messages drive has run once it worked on one, however many frames it took for it."""
    worked = FunctionState(phase="running", imported=True, handled=1, frames=frames)

    assert ("runs", "") == verdict(worked, [], dark=False)
    assert (True, False) == (worked.driven, worked.waits)
