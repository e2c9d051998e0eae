"""Messages in the seed's form, and handing them over without waiting for anybody."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from factories import stamp
from object_things import thing, watch_settings

from appliance.app.inferring import Inferences
from appliance.errors import PeerGoneError
from appliance.objects import inference
from appliance.values import ObjectsReading, TrackedObject
from appliance.wire import Message, Reply
from appliance.wire.messages import Done, PublishInference, decode, encode

AT = datetime(2018, 1, 5, 14, 22, 1, 999_999, tzinfo=UTC)


def tracked(label: str, score: float, track: int = 1) -> TrackedObject:
    """A thing that was found just now."""
    return TrackedObject(thing(label, score), track, label, 0.0, score)


def reading(*labels: str) -> ObjectsReading:
    """A frame with these things."""
    return ObjectsReading("voc", tuple(tracked(each, 0.9, i) for i, each in enumerate(labels)), ())


def test_a_message_is_labels_with_probabilities_and_the_time() -> None:
    """The bytes that a subscriber of the sample project knows."""
    message = inference([tracked("dog", 0.97123456), tracked("sofa", 0.31)], AT)

    assert b'{"dog": 0.9712, "sofa": 0.31, "timestamp": "2018-01-05 14:22:01"}' == message


def test_of_two_dogs_the_better_one_counts() -> None:
    """A label is once in the message; the sample kept the last, which is the worst."""
    assert {"dog": 0.9} == {
        key: value
        for key, value in json.loads(inference([tracked("dog", 0.9), tracked("dog", 0.4)], AT)).items()
        if key != "timestamp"
    }


def test_the_time_is_universal_whatever_zone_the_frame_was_stamped_in() -> None:
    """Elasticsearch reads a time without a zone as UTC."""
    there = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))

    assert inference([], AT) == inference([], there)
    assert {"timestamp": "2018-01-05 14:22:01"} == json.loads(inference([], AT))


class Dispatch:
    """A dispatch process that is told things; away for as long as `away` is set.

    Attributes:
        got: What arrived.
        away: It does not answer.
        answers: Cleared: it takes its time with each answer, until it is set.
    """

    def __init__(self) -> None:
        self.got: list[PublishInference] = []
        self.away = False
        self.answers = threading.Event()
        self.answers.set()

    def call(self, message: Message, answer: type[Done], *, timeout_s: float) -> Reply[Done]:
        """Take a message."""
        if self.away:
            raise PeerGoneError("nobody is there")
        self.answers.wait(timeout_s)
        assert isinstance(message, PublishInference)
        self.got.append(message)
        return Reply(answer())

    def wait_for(self, count: int) -> None:
        """Until so many arrived."""
        until = time.monotonic() + 20
        while len(self.got) < count and time.monotonic() < until:
            time.sleep(0.005)


@pytest.fixture
def dispatch() -> Dispatch:
    """See `Dispatch`."""
    return Dispatch()


def running(inferences: Inferences, stop: threading.Event) -> threading.Thread:
    """The thread that sends."""
    thread = threading.Thread(target=inferences.run, args=(stop,))
    thread.start()
    return thread


def test_what_is_seen_is_handed_to_dispatch_in_order(dispatch: Dispatch) -> None:
    """Each frame's message, with the camera it is of, as JSON that crosses the socket unchanged."""
    inferences, stop = Inferences(dispatch), threading.Event()
    thread = running(inferences, stop)
    for i in range(3):
        inferences.publish(watch_settings(), reading("dog"), stamp(i * 10))
    dispatch.wait_for(3)
    stop.set()
    thread.join()

    assert ["entrance"] * 3 == [each.camera for each in dispatch.got]
    assert ["2026-01-05 09:00:00", "2026-01-05 09:00:01", "2026-01-05 09:00:02"] == [
        json.loads(each.payload)["timestamp"] for each in dispatch.got
    ]
    assert dispatch.got == [decode(encode(each)) for each in dispatch.got]


@pytest.mark.parametrize(("publish", "expected"), [("nothing", 0), ("things", 1), ("frames", 2)])
def test_the_settings_say_what_is_published(dispatch: Dispatch, publish: str, expected: int) -> None:
    """Frames without a thing are told of only if every frame is wanted."""
    inferences, stop = Inferences(dispatch), threading.Event()
    for each in (reading(), reading("dog")):
        inferences.publish(watch_settings(publish=publish), each, stamp())
    thread = running(inferences, stop)
    dispatch.wait_for(expected)
    stop.set()
    thread.join()

    assert expected == len(dispatch.got)


def test_a_dispatch_that_is_stuck_holds_nobody_up_and_gets_the_newest(dispatch: Dispatch) -> None:
    """A thousand frames are handed over while one message is not answered: the oldest are dropped."""
    dispatch.answers.clear()
    inferences, stop = Inferences(dispatch), threading.Event()
    thread = running(inferences, stop)
    for i in range(1000):
        inferences.publish(watch_settings(), reading("dog"), stamp(i * 10))
    dispatch.answers.set()
    dispatch.wait_for(32)
    stop.set()
    thread.join()

    assert 32 <= len(dispatch.got) <= 34
    assert (
        json.loads(inference([], stamp(9990).wall))["timestamp"]
        == json.loads(dispatch.got[-1].payload)["timestamp"]
    )


def test_a_dispatch_that_was_away_gets_what_comes_after(dispatch: Dispatch) -> None:
    """Nothing ends for it; the next frame's message tries again."""
    dispatch.away = True
    inferences, stop = Inferences(dispatch), threading.Event()
    thread = running(inferences, stop)
    inferences.publish(watch_settings(), reading("dog"), stamp(0))
    dispatch.away = False
    inferences.publish(watch_settings(), reading("cat"), stamp(10))
    dispatch.wait_for(1)
    stop.set()
    thread.join()

    assert "cat" in json.loads(dispatch.got[-1].payload)
