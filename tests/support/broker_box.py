"""A box with a broker, whose dispatch runs while a test wants it to; and what came from it."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mosquitto import Listener, Message, Mosquitto

from appliance.app.dispatching import run_dispatch
from appliance.errors import WireError
from appliance.events import DoorChanged, Event
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings
from appliance.sinks.mqtt_topics import Topics
from appliance.store import Consent
from appliance.values import DoorState
from appliance.wire import Client
from appliance.wire.messages import Done, WakeDispatch


class Box:
    """A box with a broker; its dispatch runs while a test wants it to.

    Attributes:
        settings: Its own.
        services: Database and keys.
        topics: Where it says what.
    """

    def __init__(self, broker: Mosquitto, folder: Path, *, webhooks: Sequence[Any] = (), **mqtt: Any) -> None:
        door = {"id": "front", "camera": "entrance"}
        given = {
            "cameras": [{"id": "entrance", "source": "scene:door", "when": "always"}],
            "doors": [door],
            "webhooks": list(webhooks),
            "coffee": {"cameras": ["entrance"]},
            "mqtt": broker.settings(node=folder.name, **mqtt).model_dump(),
        }
        self.settings = Settings.model_validate(given)
        self._opened = contextlib.ExitStack()
        layout = Layout(folder / "state")
        self.services: Services = self._opened.enter_context(
            open_services(self.settings, layout, create=True)
        )
        self.topics = Topics.of(self.settings.mqtt, self.services.device)

    @contextlib.contextmanager
    def dispatching(self, **mqtt: Any) -> Iterator[None]:
        """Dispatch, as the process would run it, with other settings of the broker perhaps."""
        settings = self.settings.model_copy(update={"mqtt": self.settings.mqtt.model_copy(update=mqtt)})
        stop = threading.Event()
        thread = threading.Thread(target=run_dispatch, args=(settings, self.services, stop))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(20)
            assert not thread.is_alive()

    def door(self, state: str, fraction: float = 0.5) -> str:
        """The door opens or shuts; the event's id."""
        kind = DoorState(state)
        name = "door_opened" if kind is DoorState.OPEN else "door_shut"
        event = DoorChanged.model_validate({"type": name, "state": kind, "fraction": fraction})
        return self.log(event.model_copy(update={"door": "front"}))

    def log(self, event: Event) -> str:
        """Append an event and wake dispatch, if it runs, as the loop does; the event's id."""
        stored = self.services.store.append(event)
        with contextlib.suppress(WireError):
            Client(self.services.layout.socket("dispatch")).call(WakeDispatch(), Done)
        return stored.id

    def enrolled(self, alias: str, *purposes: str) -> str:
        """Somebody, who agreed to that."""
        consent = Consent(("identify", *purposes), "2026-01", "on paper")
        name = f"{alias} of the office"
        return self.services.store.add_subject(name, consent=consent, alias=alias).id

    def close(self) -> None:
        """Close the database."""
        self._opened.close()


def ids(messages: list[Message], topics: Topics) -> list[str]:
    """Ids of the events among messages, in order."""
    return [json.loads(m.payload)["id"] for m in messages if m.topic.startswith(f"{topics.base}/events/")]


def newest(listener: Listener, topic: str) -> bytes | None:
    """What was said last on a topic."""
    found = [each.payload for each in listener.messages if each.topic == topic]
    return found[-1] if found else None


def state_is(listener: Listener, topic: str, **wanted: Any) -> Callable[[list[Message]], bool]:
    """Whether the last word on a topic says that; nothing wanted: that nothing holds any more."""

    def so(_: list[Message]) -> bool:
        payload = newest(listener, topic)
        if payload is None or not wanted:
            return payload == b"" and not wanted
        return bool(wanted.items() <= json.loads(payload).items())

    return so
