"""What functions publish, on its way to a real broker."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from functions_box import GREETS, FunctionsBox
from mosquitto import Mosquitto, listening
from paho.mqtt.publish import single

from appliance.app.dispatching import run_dispatch
from appliance.app.examining.told import told
from appliance.errors import ActionError
from appliance.settings import MqttSettings
from appliance.sinks.mqtt_topics import fit_for_function
from appliance.wire import Client
from appliance.wire.messages import AskFunctionMessages, Done, FunctionMessages, PublishMessage


def one(word: str) -> str:
    """A function that publishes a word."""
    return GREETS.replace("WORD", word)


@contextlib.contextmanager
def dispatching(box: FunctionsBox) -> Iterator[None]:
    """The box's dispatch, with its connection to the broker."""
    stop = threading.Event()
    thread = threading.Thread(target=run_dispatch, args=(box.settings, box.services, stop))
    thread.start()
    try:
        box.until(lambda: box.layout.socket("dispatch").exists())
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.debian(reason="mosquitto")
@pytest.mark.debian(reason="bubblewrap")
def test_a_broker_hears_what_may_leave_the_box(tmp_path: Path) -> None:
    """The infer topic and topics granted by name go out; others, and the box's own, do not."""
    broker = Mosquitto(tmp_path)
    broker.start()
    box = FunctionsBox(tmp_path, mqtt=broker.settings().model_dump())
    try:
        with dispatching(box), box.hosting(), listening(broker, "#", "$aws/#") as listener:
            box.deploy("heard", one("heard"), publishes=("elsewhere",))
            box.deploy("unheard", one("unheard"))
            box.ask(AskFunctionMessages(name="heard", wait_s=20), FunctionMessages)
            found = listener.wait(
                lambda messages: {"elsewhere"} < {each.topic for each in messages if b"heard" in each.payload}
            )
            payloads = {each.payload for each in found if each.topic == "elsewhere"}

            assert {b"heard"} == payloads
            assert any(each.topic.endswith("/infer") and b'"width": 2688' in each.payload for each in found)
    finally:
        broker.stop()
        box.close()


HEARS = """
import greengrasssdk
client = greengrasssdk.client('iot-data')

def lambda_handler(event, context):
    client.publish(topic='told', payload='%s: %s' % (context.client_context.custom['subject'], event))
"""


@pytest.mark.debian(reason="mosquitto")
@pytest.mark.debian(reason="bubblewrap")
def test_functions_hear_the_broker_and_each_other(tmp_path: Path) -> None:
    """A message of a topic that one subscribes to reaches it, be it from the broker or from another one."""
    broker = Mosquitto(tmp_path)
    broker.start()
    box = FunctionsBox(tmp_path, mqtt=broker.settings().model_dump())
    try:
        with dispatching(box), box.hosting(), listening(broker, "told") as listener:
            box.deploy("hears", HEARS, subscriptions=("outside/+", "elsewhere"), publishes=("told",))
            box.deploy("speaks", one("speaks"))
            listener.wait(lambda messages: b"elsewhere: speaks" in {each.payload for each in messages})

            def heard() -> bool:
                single("outside/door", b"open", hostname="127.0.0.1", port=broker.port)
                return any(each.payload == b"outside/door: open" for each in listener.messages)

            box.until(heard)
    finally:
        broker.stop()
        box.close()


@pytest.mark.debian(reason="mosquitto")
def test_a_connection_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    """The doctor says so while dispatch runs without it, and no more once there is one."""
    broker = Mosquitto(tmp_path)
    box = FunctionsBox(tmp_path, mqtt=broker.settings().model_dump())

    def health() -> tuple[str, str]:
        (found,) = told(box.settings, box.layout)
        return found.health, found.words

    try:
        assert "ok" == health()[0]
        with dispatching(box):
            box.until(lambda: "nobody listens" in health()[1])
            assert "problem" == health()[0]
            broker.start()
            box.until(lambda: health()[0] == "ok")
    finally:
        broker.stop()
        box.close()


def test_dispatch_refuses_the_boxs_own_topics(tmp_path: Path) -> None:
    """Whatever the hosting process was made to ask for, what tells the box's own state is not published."""
    box = FunctionsBox(tmp_path)
    client = Client(box.layout.socket("dispatch"))
    with dispatching(box), pytest.raises(ActionError, match="not a function's"):
        client.call(PublishMessage(topic="appliance/door/state/front"), Done, blob=b"open")
    box.close()


@pytest.mark.parametrize(
    "topic",
    [
        "appliance",
        "appliance/x/status",
        "homeassistant/device/x/config",
        "$SYS/x",
        "$aws/things/x/shadow/update",
    ],
)
def test_topics_that_are_no_functions(topic: str) -> None:
    """The box's own, Home Assistant's, and those that brokers and AWS keep for themselves."""
    with pytest.raises(ActionError):
        fit_for_function(topic, MqttSettings())


@pytest.mark.parametrize("topic", ["$aws/things/deeplens_01-a/infer", "deeplens/trash/infer", "appliances"])
def test_topics_that_are_a_functions(topic: str) -> None:
    """Its infer topic, and topics of its own."""
    assert topic == fit_for_function(topic, MqttSettings())
