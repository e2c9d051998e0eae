"""`DeepLens_Kinesis_Video`, call by call: streams are made once, and turned on and off at will."""

from types import ModuleType
from typing import Any

import pytest

from appliance.deeplens.guest import kinesis_video
from appliance.deeplens.guest.messages import GuestSaid, Stream


class Noted:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[GuestSaid] = []

    def put(self, message: GuestSaid) -> None:
        """Note it."""
        self.said.append(message)


@pytest.fixture
def noted() -> Noted:
    """What the function says."""
    return Noted()


@pytest.fixture
def dkv(noted: Noted) -> Any:
    """`import DeepLens_Kinesis_Video as dkv`."""
    module: ModuleType = kinesis_video.modules(noted)["DeepLens_Kinesis_Video"]
    return module


@pytest.fixture
def producer(dkv: Any) -> Any:
    """As samples make one."""
    return dkv.createProducer("access", "secret", "", "us-east-1")


def test_a_stream_is_made_with_its_hours(producer: Any, noted: Noted) -> None:
    """The host hears of it at once, by the name that was given."""
    stream = producer.createStream("yard", 2)

    assert [Stream("create", "yard", 2.0)] == noted.said
    assert stream.isActive is False


def test_a_stream_of_the_same_name_is_the_same(dkv: Any, producer: Any, noted: Noted) -> None:
    """Made twice, also by another producer and with the device's prefix, it is made once."""
    first = producer.createStream("yard", 2)

    assert first is producer.createStream("yard", 48)
    assert first is dkv.createProducer("a", "s", "t", "us-east-1").createStream("deeplens-yard", 2)
    assert [Stream("create", "yard", 2.0)] == noted.said


def test_the_prefix_is_never_doubled(producer: Any, noted: Noted) -> None:
    """A name that has it keeps it once."""
    producer.createStream("deeplens-yard", 2)
    producer.createStream("yard", 2)

    assert [Stream("create", "deeplens-yard", 2.0)] == noted.said


def test_starting_and_stopping_may_be_repeated(producer: Any, noted: Noted) -> None:
    """`stop` before any `start`, and each of them twice, are harmless and said once; both give None."""
    stream = producer.createStream("yard", 2)
    results = [stream.stop(), stream.start(), stream.start()]
    active = stream.isActive
    results += [stream.stop(), stream.stop()]

    assert [None] * 5 == results
    assert (True, False) == (active, stream.isActive)
    assert ["create", "start", "stop"] == [each.action for each in noted.said if isinstance(each, Stream)]


def test_several_streams_run_side_by_side(producer: Any) -> None:
    """One is stopped, the other goes on."""
    yard, door = producer.createStream("yard", 2), producer.createStream("door", 3)
    yard.start()
    door.start()
    yard.stop()

    assert (False, True) == (yard.isActive, door.isActive)


def test_credentials_are_told_to_nobody(producer: Any, noted: Noted) -> None:
    """Neither the host nor the objects hold what was handed over."""
    stream = producer.createStream("yard", 2)
    stream.start()
    held = f"{vars(producer)} {vars(stream)} {noted.said}"

    assert "secret" not in held
    assert "access" not in held


@pytest.mark.parametrize(
    "arguments", [("", 2), ("x" * 300, 2), ("yard", -1), ("yard", "soon"), ("yard", 10**9)]
)
def test_what_is_no_stream_is_refused(producer: Any, noted: Noted, arguments: tuple[Any, ...]) -> None:
    """A name of no letters or too many, and hours that are none."""
    with pytest.raises(ValueError, match=r"stream|float"):
        producer.createStream(*arguments)

    assert [] == noted.said
