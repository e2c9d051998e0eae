"""A whole box with everything that is done for people: processes, broker, receiver, screen, sound in a file.

Somebody is enrolled with a theme song; a rule plays it, posts a webhook and publishes; a second camera looks
at the coffee corner. What came of it is told with the times at which the test's own ends saw it.
"""

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hook_server import HookServer, Posted
from mosquitto import Listener, Message, Mosquitto, listening
from pydantic import SecretStr

from appliance.errors import ApplianceError
from appliance.services import Layout, Services, open_services
from appliance.settings import load
from appliance.store import StoredEvent
from appliance.wire import Client
from appliance.wire.messages import AskDesk, DeskAnswered

DATA = Path(__file__).parents[2] / "data"
SECRET = "thirty-two letters of a webhook.."  # noqa: S105 - of a box that lives for one test
ALIAS = "Barack"
SONG = DATA / "sounds" / "level-up.mp3"
PURPOSES = ("identify", "greet", "leaderboard", "song")

SETTINGS = """\
site = "lively"
{cameras}

[encounters]
repeat_after_s = 10

[screen]
greeting_s = 5
leaderboard = "coffee"

[coffee]
cameras = [{corner}]

[audio]
output = "file:heard.wav"

[mqtt]
host = "127.0.0.1"
port = {broker}
tls = false
node = "box"

[[webhooks]]
id = "office"
url = "http://127.0.0.1:{hook}/hook"
secret = "{secret}"
allow_private = true

[web]
port = 0
"""
DOOR = """
[[cameras]]
id = "entrance"
source = "scene:door"

[[doors]]
id = "front"
camera = "entrance"
region = [0.33, 0.05, 0.67, 0.3]
seed = [0.45, 0.15]
shut_fraction = 0.92
"""
CORNER = """
[[cameras]]
id = "corner"
source = "scene:coffee"
when = "always"
"""
RULE = {
    "name": "Everything for whoever comes",
    "on": "subject_identified",
    "when": {"grade": "greeting"},
    "actions": [
        {"kind": "song", "song": "theme", "output": "box"},
        {"kind": "webhook", "webhook": "office"},
        {"kind": "mqtt", "topic": "came"},
        {"kind": "screen", "text": "Here comes {alias}"},
    ],
}


@dataclass
class Seen:
    """What a paired screen was told.

    Attributes:
        greeted: When it began to greet, by this machine's clock, each time.
        state: All that is to be seen on it, as it was told last.
    """

    greeted: list[datetime] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)


@dataclass
class LivelyBox:
    """The running box.

    Attributes:
        layout: Where it lies.
        services: Its database, opened beside it.
        subject: Who has a song.
        listener: Subscribed to the broker since before it started.
        hook: Receives.
        screen: What the paired screen was told.
    """

    layout: Layout
    services: Services
    subject: str
    listener: Listener
    hook: HookServer
    screen: Seen

    @property
    def heard(self) -> Path:
        """The file that the box plays into."""
        return self.layout.state / "audio" / "heard.wav"

    def events(self, *types: str) -> list[StoredEvent]:
        """Those in the log, oldest first."""
        return [event for event in self.services.store.events() if event.type in types]

    def wait(self, that: Callable[[], Any], what: str, within_s: float = 90.0) -> Any:
        """Wait until something is so; it."""
        until_s = time.monotonic() + within_s
        while time.monotonic() < until_s:
            if found := that():
                return found
            time.sleep(0.02)
        raise AssertionError(f"never: {what}")

    def came(self) -> Message:
        """The message that the rule publishes."""
        return next(m for m in self.listener.messages if m.topic.endswith("/rules/came"))

    def posted(self) -> Posted:
        """The request of the webhook."""
        return self.hook.posted[0]


@contextlib.contextmanager
def lively_box(folder: Path, *, corner: bool = False, door: bool = True) -> Iterator[LivelyBox]:
    """The box, running until the end of the block."""
    broker = Mosquitto(folder)
    hook = HookServer(folder, tls=False)
    broker.start()
    layout = Layout(folder / "state")
    layout.state.mkdir(mode=0o700)
    layout.settings_file.write_text(
        SETTINGS.format(
            cameras=(DOOR if door else "") + (CORNER if corner else ""),
            corner='"corner"' if corner else "",
            broker=broker.port,
            hook=hook.port,
            secret=SECRET,
        ),
        encoding="utf-8",
    )
    settings = load(layout.settings_file)
    try:
        with open_services(settings, layout, create=True) as services:
            subject = _enrolled(layout, services)
            with listening(broker, "appliance/box/#") as listener, _running(layout):
                listener.ready()
                seen = Seen()
                with _screen(layout, services, seen):
                    yield LivelyBox(layout, services, subject, listener, hook, seen)
    finally:
        broker.stop()
        hook.close()


def command(layout: Layout, *words: str) -> list[str]:
    """One of the appliance's own commands on the box."""
    return [sys.executable, "-m", "appliance", "--state", str(layout.state), *words]


def _enrolled(layout: Layout, services: Services) -> str:
    """Somebody with a theme song and a rule that does everything for whoever comes; by the commands."""
    photo = DATA / "portraits" / "enrol" / "obama.jpg"
    purposes = [word for purpose in PURPOSES for word in ("--purpose", purpose)]
    _call(layout, "enroll", "add", "Barack Obama", str(photo), "--consent", "a public portrait", *purposes)
    _call(layout, "enroll", "alias", "Barack Obama", ALIAS)
    rule = layout.state.parent / "rule.json"
    rule.write_text(json.dumps(RULE), encoding="utf-8")
    _call(layout, "rules", "add", str(rule))
    (person,) = services.store.subjects()
    song = services.store.add_song("Level up", "CC0-1.0", 2.0, "audio/mpeg", SONG.read_bytes())
    services.store.give_song(person.id, song.id)
    return person.id


def _call(layout: Layout, *words: str) -> None:
    done = subprocess.run(command(layout, *words), capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr


@contextlib.contextmanager
def _running(layout: Layout) -> Iterator[None]:
    with subprocess.Popen(command(layout, "run"), stdout=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


@contextlib.contextmanager
def _screen(layout: Layout, services: Services, seen: Seen) -> Iterator[None]:
    """A paired screen that asks the desk as the page's stream does, and notes when it greets."""
    secret, _ = services.store.pair_screen(services.store.screen_code("wall"))
    ended = threading.Event()
    desk = Client(layout.socket("desk"))

    def ask(operation: str, **arguments: Any) -> Any:
        asked = AskDesk(operation=operation, arguments=arguments, credential=SecretStr(secret))
        return desk.call(asked, DeskAnswered, timeout_s=5).message.result

    def follow() -> None:
        position: int | None = None
        greeting = False
        while not ended.is_set():
            try:
                told = ask("screen.wait", after=position, timeout_s=1.0) if position else ask("screen.now")
            except ApplianceError:
                time.sleep(0.05)
                continue
            position = told["position"]
            states = [event["state"] for event in told["events"]] if "events" in told else [told["state"]]
            if not states:
                continue
            seen.state = state = states[-1]
            greets = ALIAS in json.dumps(state.get("greetings", ()))
            if greets and not greeting:
                seen.greeted.append(datetime.now(UTC))
            greeting = greets

    thread = threading.Thread(target=follow, name="screen", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(10)
