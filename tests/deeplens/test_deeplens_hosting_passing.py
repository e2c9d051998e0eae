"""What functions publish on its way, what they hear, what is logged of them: without broker or view."""

import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hosted_functions import WAIT_S, project

from appliance.app.event_queue import EventQueue
from appliance.app.function_hearing import FunctionHearing
from appliance.app.function_publishing import FunctionPublishing
from appliance.deeplens.messages import FunctionMessage
from appliance.deeplens.project import Project
from appliance.events import FunctionChanged
from appliance.services import Layout, Services, open_services
from appliance.settings import MqttSettings, Settings
from appliance.wire import Client, Handler, Message, Reply, Request, Server
from appliance.wire.messages import Done, Handed, HandToFunctions, HearForFunctions, PublishMessage

BROKER = MqttSettings(host="127.0.0.1", tls=False)
SPEAKS = project("speaks", publishes=("granted",))
NOW = datetime(2026, 1, 2, tzinfo=UTC)


class Answered:
    """A process's socket that notes what it is asked.

    Attributes:
        asked: What came, as topic and payload; or the topics to be heard.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[Any, bytes]] = []
        self._came = threading.Condition()

    def handlers(self) -> dict[type[Message], Handler]:
        """By message."""
        return {PublishMessage: self._note, HearForFunctions: self._hear, HandToFunctions: self._hand}

    def wait(self, count: int) -> list[tuple[Any, bytes]]:
        """So many of what came, at least."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.asked) >= count, WAIT_S)
            return list(self.asked)

    def _note(self, request: Request[PublishMessage]) -> Reply[Done]:
        return self._add(request.message.topic, request.blob, Done())

    def _hear(self, request: Request[HearForFunctions]) -> Reply[Done]:
        return self._add(request.message.topics, b"", Done())

    def _hand(self, request: Request[HandToFunctions]) -> Reply[Handed]:
        return self._add(request.message.topic, request.blob, Handed(functions=1))

    def _add(self, what: Any, payload: bytes, answer: Any) -> Reply[Any]:
        with self._came:
            self.asked.append((what, payload))
            self._came.notify_all()
        return Reply(answer)


class Functions:
    """Functions that listen.

    Attributes:
        handed: What was handed to them.
        topics: What they subscribe to.
    """

    def __init__(self, *topics: str) -> None:
        self.topics = frozenset(topics)
        self.handed: list[tuple[str, bytes, str]] = []
        self._came = threading.Condition()

    def subscriptions(self) -> frozenset[str]:
        """See `function_publishing.Subscribing`."""
        return self.topics

    def hand(self, topic: str, payload: bytes, *, but: str) -> int:
        """See `function_publishing.Subscribing`."""
        with self._came:
            self.handed.append((topic, payload, but))
            self._came.notify_all()
        return 1

    def wait(self) -> list[tuple[str, bytes, str]]:
        """What was handed over, once something was."""
        with self._came:
            assert self._came.wait_for(lambda: bool(self.handed), WAIT_S)
            return list(self.handed)


@pytest.fixture
def dispatch(tmp_path: Path) -> Iterator[tuple[Answered, Client]]:
    """A dispatch that notes, and a client of it."""
    noted = Answered()
    path = tmp_path / "run" / "dispatch.sock"
    with Server(path, noted.handlers()):
        yield noted, Client(path)


def published(topic: str, payload: bytes = b"x", *, of: Project = SPEAKS) -> tuple[Project, FunctionMessage]:
    """A message of a function."""
    return of, FunctionMessage(1, NOW, topic, payload)


def test_only_what_may_leave_goes_to_the_broker(dispatch: tuple[Answered, Client]) -> None:
    """The infer topic and what was granted by name; nothing else."""
    noted, client = dispatch
    with FunctionPublishing(BROKER, client, lambda: None) as publishing:
        publishing.publish(*published("elsewhere", b"1"))
        publishing.publish(*published("granted", b"2"))
        publishing.publish(*published(SPEAKS.infer_topic, b"3"))

        assert [("granted", b"2"), ("$aws/things/deeplens_test/infer", b"3")] == noted.wait(2)


def test_a_topic_of_the_settings_stands_for_the_infer_topic(dispatch: tuple[Answered, Client]) -> None:
    """For brokers that keep `$` for themselves."""
    noted, client = dispatch
    settings = BROKER.model_copy(update={"infer_topic": "office/seen"})
    with FunctionPublishing(settings, client, lambda: None) as publishing:
        publishing.publish(*published(SPEAKS.infer_topic))

        assert [("office/seen", b"x")] == noted.wait(1)


def test_without_a_broker_functions_hear_each_other(dispatch: tuple[Answered, Client]) -> None:
    """What one publishes is handed to who subscribes, not back to itself, and nothing goes to dispatch."""
    noted, client = dispatch
    listeners = Functions("elsewhere")
    with FunctionPublishing(MqttSettings(), client, lambda: listeners) as publishing:
        publishing.publish(*published("elsewhere", b"1"))

        assert [("elsewhere", b"1", "speaks")] == listeners.wait()
    assert [] == noted.asked


def test_dispatch_is_told_what_is_to_be_heard(dispatch: tuple[Answered, Client]) -> None:
    """Once, and again when it changes."""
    noted, client = dispatch
    listeners = Functions("b", "a/+")
    with FunctionPublishing(BROKER, client, lambda: listeners):
        noted.wait(1)
        listeners.topics = frozenset()

        assert [(("a/+", "b"), b""), ((), b"")] == noted.wait(2)


def test_a_dispatch_that_is_away_costs_nothing(tmp_path: Path) -> None:
    """Thousands of messages while nobody takes them: publishing goes on at once, and ends."""
    with FunctionPublishing(BROKER, Client(tmp_path / "nobody.sock"), lambda: None) as publishing:
        for _ in range(5000):
            publishing.publish(*published("granted"))


class Broker:
    """A connection that notes what is listened to.

    Attributes:
        listened: Each time.
    """

    def __init__(self) -> None:
        self.listened: list[frozenset[str]] = []

    def listen(self, topics: frozenset[str]) -> None:
        """See `function_hearing.Listening`."""
        self.listened.append(topics)


def test_what_functions_want_is_subscribed_to_and_handed_over(dispatch: tuple[Answered, Client]) -> None:
    """Each change is told the broker once, also one from before there was a connection."""
    noted, client = dispatch
    hearing, broker, stop = FunctionHearing(client), Broker(), threading.Event()
    hearing.want(("door/+",))
    hearing.attach(broker)
    hearing.want(("door/+",))
    thread = threading.Thread(target=hearing.run, args=(stop,))
    thread.start()
    hearing.heard("window/1", b"open")
    hearing.heard("door/1", b"x" * (200 << 10))
    hearing.heard("door/1", b"open")

    assert [("door/1", b"open")] == noted.wait(1)
    assert [frozenset({"door/+"})] == broker.listened
    stop.set()
    hearing.nudge()
    thread.join()


def test_events_come_into_the_log_once_it_opens(tmp_path: Path) -> None:
    """The log is opened with the first event, and again where that fails; nothing is lost or doubled."""
    settings = Settings()
    fails = iter([True, False])

    @contextlib.contextmanager
    def opened() -> Iterator[Services]:
        with open_services(settings, Layout(tmp_path / "state"), create=not next(fails)) as services:
            yield services

    with EventQueue(opened, lambda: NOW) as events:
        for each in ("function_started", "function_stopped"):
            events.add(FunctionChanged(type=each, function="dogs"))
        deadline = threading.Event()
        while events.waiting:
            deadline.wait(0.02)

    with open_services(settings, Layout(tmp_path / "state")) as services:
        found = [
            (each.type, each.at)
            for each in services.store.events(types=["function_started", "function_stopped"])
        ]
    assert [("function_started", NOW), ("function_stopped", NOW)] == found
