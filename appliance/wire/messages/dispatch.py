"""What the dispatch process is told: that there is work (it reads the outbox), and what is seen just now.

And, by the desk, of PINs at the keypads of locks: that one was typed, and whether it is that of whom a
decision names. Nothing that is said here opens a lock: that takes a decision in the log, and its outbox row.
"""

from typing import Literal

from pydantic import Field

from appliance.wire.messages.message import Message


class WakeDispatch(Message):
    """Something new is in the outbox. Answered by `Done`; losing one costs two seconds at most."""

    type: Literal["wake_dispatch"] = "wake_dispatch"
    version: Literal[1] = 1


class PublishInference(Message):
    """What was seen in a frame, to be published as it is if there is a broker. Answered by `Done`.

    It may get lost: no event, and not in the outbox.

    Attributes:
        camera: Whose frame.
        payload: JSON: labels with their probabilities and the time, or what visual search found.
    """

    type: Literal["publish_inference"] = "publish_inference"
    version: Literal[1] = 1
    camera: str = Field(max_length=32)
    payload: str = Field(max_length=131_072)


class PublishMessage(Message):
    """What a hosted function published is in the blob, for the broker, if there is one. Answered by `Done`.

    It may get lost, as above; a topic that is the box's own is refused.

    Attributes:
        topic: Where it goes.
    """

    type: Literal["publish_message"] = "publish_message"
    version: Literal[1] = 1
    topic: str = Field(min_length=1, max_length=256)


class HearForFunctions(Message):
    """The topics that hosted functions want to hear of the broker, all of them. Answered by `Done`.

    To be said again now and then: whoever is told may have been started anew. What comes is handed to who
    hosts them, by `HandToFunctions`; nothing else is done about it.
    """

    type: Literal["hear_for_functions"] = "hear_for_functions"
    version: Literal[1] = 1
    topics: tuple[str, ...] = Field(max_length=1024)


class AskBroker(Message):
    """Is there a connection to the MQTT broker? Answered by `BrokerTold`."""

    type: Literal["ask_broker"] = "ask_broker"
    version: Literal[1] = 1


class BrokerTold(Message):
    """How the connection to the broker is.

    Attributes:
        connected: Whether there is one now; also where no broker is set.
        trouble: What stood in the way last; empty while it is there.
        hint: What to do about that.
    """

    type: Literal["broker_told"] = "broker_told"
    version: Literal[1] = 1
    connected: bool
    trouble: str = ""
    hint: str = ""


class PinTyped(Message):
    """A PIN was typed at a lock's keypad; one typed there before is void. Answered by `Done`.

    Attributes:
        lock: Id of the lock.
        turn: Names this typing of it.
    """

    type: Literal["pin_typed"] = "pin_typed"
    version: Literal[1] = 1
    lock: str = Field(max_length=64)
    turn: str = Field(max_length=64)


class PinJudged(Message):
    """Whether the PIN that was typed is that of whom a decision names. Answered by `Done`.

    Attributes:
        lock: Id of the lock.
        turn: Of which typing.
        decision: Id of the decision's event, for which alone this is said.
        word: What came of the comparison.
    """

    type: Literal["pin_judged"] = "pin_judged"
    version: Literal[1] = 1
    lock: str = Field(max_length=64)
    turn: str = Field(max_length=64)
    decision: str = Field(max_length=64)
    word: Literal["fits", "wrong", "not_set", "paused"]


class PinGone(Message):
    """The PIN that was typed is not to be used any more. Answered by `Done`."""

    type: Literal["pin_gone"] = "pin_gone"
    version: Literal[1] = 1
    lock: str = Field(max_length=64)
    turn: str = Field(max_length=64)
