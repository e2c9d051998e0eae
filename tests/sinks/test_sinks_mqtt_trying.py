"""Broker and webhooks tried out, from the command line and from pages; what pages may not change of them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import Ended, call
from hook_server import HookServer, Reply
from mosquitto import Mosquitto, listening

from appliance.app.desk.applying import Applying, Source
from appliance.app.desk.foreign import foreign_targets
from appliance.app.desk.operations import Desk
from appliance.app.desk.targets import Targets
from appliance.errors import DeniedError, FormError, SettingsError
from appliance.permissions import GRANTED, Caller, Role
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings, parse
from appliance.settings.overlay import SettingsFiles

CALLERS = {
    "ada": Caller("operator", "ada", Role.ADMIN, GRANTED[Role.ADMIN], "ada", "s"),
    "vera": Caller("operator", "vera", Role.VIEWER, GRANTED[Role.VIEWER], "vera", "s"),
}


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HookServer]:
    """A receiver on this machine, without TLS."""
    server = HookServer(tmp_path_factory.mktemp("hooks"), tls=False, name="127.0.0.1")
    yield server
    server.close()


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A box's state directory, with database and keys."""
    folder = tmp_path_factory.mktemp("box") / "state"
    with open_services(Settings(), Layout(folder), create=True):
        return folder


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that knows one user."""
    running = Mosquitto(tmp_path)
    running.start()
    yield running
    running.stop()


def write(state: Path, text: str) -> None:
    """Write the settings file."""
    (state / "appliance.toml").write_text(text)


def run(state: Path, *words: str) -> Ended:
    """A command on the box."""
    return call("--state", state, *words)


def webhook(hooks: HookServer, more: str = "allow_private = true") -> str:
    """A webhook in the settings file."""
    return f'[[webhooks]]\nid = "chat"\nurl = "{hooks.url}"\nsecret = "a secret of sixteen"\n{more}\n'


@pytest.fixture
def desk(state: Path) -> Iterator[tuple[Desk, Services]]:
    """The operations, asked by an admin or a viewer."""
    with open_services(Settings(), Layout(state)) as services:
        files = SettingsFiles(services.layout.settings_file, services.layout.overlay_file)
        source = Source(files, lambda: files.read().settings)
        yield Desk(CALLERS.get, Targets(services, source).operations()), services


def test_a_webhook_is_tried_out_by_a_command(state: Path, hooks: HookServer) -> None:
    """It is posted a signed document that says it is a test; the address is not shown."""
    hooks.posted.clear()
    write(state, webhook(hooks))
    listed, tried = run(state, "webhooks", "list"), run(state, "webhooks", "test", "chat")

    (posted,) = hooks.posted
    assert "webhook_test" == json.loads(posted.body)["type"] == posted.headers["x-appliance-event"]
    assert (0, "the server took it: it answered 204\n") == (tried.code, tried.out)
    assert "chat: 100 attempts, private networks allowed\n" == listed.out
    assert not any("127.0.0.1" in ended.out + ended.err for ended in (listed, tried))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Reply(401), "the server refuses it: it answered 401"),
        (Reply(302), "the server sends elsewhere (it answered 302), and no webhook follows"),
        (Reply(503), "the server answered 503: not now"),
        (Reply(raw=b"hello\r\n\r\n"), "the server's answer is no HTTP"),
    ],
)
def test_what_is_wrong_with_a_webhook_is_said_in_words(
    state: Path, hooks: HookServer, answer: Reply, words: str
) -> None:
    """Each with its hint and the exit code of an action that did not happen."""
    write(state, webhook(hooks))
    hooks.answers.append(answer)
    ended = run(state, "webhooks", "test", "chat")

    assert (10, words) == ended.refusal
    assert ended.hints


def test_a_webhook_that_there_is_not_is_told_with_those_that_there_are(
    state: Path, hooks: HookServer
) -> None:
    """The nearest way to a word that works."""
    write(state, webhook(hooks))

    assert (2, "there is no webhook 'chatt'; there are: chat") == run(
        state, "webhooks", "test", "chatt"
    ).refusal


@pytest.mark.debian(reason="mosquitto")
def test_a_broker_is_tried_out_without_touching_the_boxs_own_connection(
    state: Path, broker: Mosquitto
) -> None:
    """A message with a receipt; nobody is told that the box came or went."""
    write(state, f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\ntls = false\nnode = "n"\n')
    with listening(broker, "appliance/n/#") as listener:
        ended = run(state, "mqtt", "check")
        listener.wait(lambda got: got)

    assert (0, "the broker confirmed a message on appliance/n/check\n") == (ended.code, ended.out)
    assert ["appliance/n/check"] == [each.topic for each in listener.messages]
    assert "mqtt_check" == json.loads(listener.messages[0].payload)["type"]


def test_without_a_broker_it_is_said_what_to_write(state: Path) -> None:
    """The box publishes nothing until it is told where to."""
    write(state, "")
    ended = run(state, "mqtt", "check")

    assert (2, "no broker is set, so nothing is published") == ended.refusal
    assert "[mqtt] host" in ended.hints[0]


def test_the_topics_are_told_without_a_broker(state: Path) -> None:
    """As the settings make them."""
    write(state, '[mqtt]\nhost = "broker.example.org"\nnode = "front"\nevents = ["door_opened"]\n')
    told = json.loads(run(state, "mqtt", "topics", "--json").out)

    assert ["appliance/front/events/door_opened"] == told["events"]
    assert ("appliance/front/status", "$aws/things/appliance/infer") == (told["status"], told["infer"])


def test_an_event_that_there_is_not_is_found_by_check(state: Path) -> None:
    """With the one that was meant."""
    write(state, '[mqtt]\nhost = "broker.example.org"\nevents = ["door_open"]\n')
    code, words = run(state, "check").refusal

    assert 2 == code
    assert "mqtt.events: there is no event 'door_open'; did you mean 'door_opened'?" in words


def test_the_pages_try_them_out_and_are_answered_in_words(
    state: Path, hooks: HookServer, desk: tuple[Desk, Services]
) -> None:
    """What is wrong is an answer, not a failure; a viewer may not ask."""
    asked, _ = desk
    write(state, webhook(hooks) + '[mqtt]\nhost = "127.0.0.1"\nport = 1\ntls = false\n')
    fine = asked.ask("webhooks.test", {"webhook": "chat"}, credential="ada").result
    hooks.answers.append(Reply(500))
    wrong = asked.ask("webhooks.test", {"webhook": "chat"}, credential="ada").result

    assert {"ok": True, "message": "the server took it: it answered 204", "hint": ""} == fine
    assert (False, "the server answered 500: not now") == (wrong["ok"], wrong["message"])
    with pytest.raises(SettingsError, match="there is no webhook 'other'"):
        asked.ask("webhooks.test", {"webhook": "other"}, credential="ada")
    for operation, arguments in (("webhooks.test", {"webhook": "chat"}), ("mqtt.check", {})):
        with pytest.raises(DeniedError):
            asked.ask(operation, arguments, credential="vera")


BROKER = '[mqtt]\nhost = "a.example.org"\nusername = "box"\npassword = "of the box"\n'
PRIVATE = '[[webhooks]]\nid = "chat"\nurl = "http://10.0.0.5/"\nsecret = "a secret of sixteen"\n'
PRIVATE += "allow_private = true\n"


@pytest.mark.parametrize(
    ("before", "changes", "wrong"),
    [
        (BROKER, {"mqtt.host": "evil.example.org"}, ["mqtt.password"]),
        (BROKER, {"mqtt.port": 1883}, ["mqtt.password"]),
        (BROKER, {"mqtt.tls": False}, ["mqtt.password"]),
        (BROKER, {"mqtt.host": "evil.example.org", "mqtt.password": None}, ["mqtt.password"]),
        (BROKER, {"mqtt": {"host": "evil.example.org"}}, ["mqtt.password"]),
        (BROKER, {"mqtt.host": "b.example.org", "mqtt.password": "another"}, []),
        (BROKER, {"mqtt.prefix": "elsewhere"}, []),
        (BROKER, {"mqtt.host": ""}, []),
        ("", {"mqtt.host": "b.example.org"}, []),
        (PRIVATE, {"webhooks.chat.url": "http://10.0.0.1/admin"}, ["webhooks.chat.url"]),
        (PRIVATE, {"webhooks.chat.timeout_s": 3}, []),
    ],
)
def test_pages_redirect_no_password_and_post_into_no_private_network(
    desk: tuple[Desk, Services], before: str, changes: dict[str, Any], wrong: list[str]
) -> None:
    """A password goes where it was typed for; a webhook with leave for private networks stays where it is."""
    _, services = desk
    services.layout.settings_file.write_text(before)
    services.layout.overlay_file.unlink(missing_ok=True)
    files = SettingsFiles(services.layout.settings_file, services.layout.overlay_file)
    applying = Applying(services, Source(files, lambda: files.read().settings))
    if wrong:
        with pytest.raises(FormError) as found:
            applying.propose(changes)

        assert wrong == list(found.value.fields)
        assert "of the box" not in found.value.message
    else:
        assert set(changes) == {each.key for each in applying.propose(changes).differences}


def test_a_password_that_is_taken_back_does_not_send_the_files_elsewhere(
    desk: tuple[Desk, Services],
) -> None:
    """In steps neither: a broker with a password of its own, and then the file's password again."""
    _, services = desk
    services.layout.settings_file.write_text(BROKER)
    files = SettingsFiles(services.layout.settings_file, services.layout.overlay_file)
    applying = Applying(services, Source(files, lambda: files.read().settings))
    first = {"mqtt.host": "evil.example.org", "mqtt.password": "another"}
    services.layout.overlay_file.write_text(applying.propose(first).text)
    try:
        refused = []
        for changes, resets in (
            ({"mqtt.password": None}, ()),
            ({}, ("mqtt.password",)),
            ({"mqtt.prefix": "x"}, ("mqtt.password",)),
            ({"mqtt": {"host": "evil.example.org"}}, ("mqtt.password",)),
        ):
            with pytest.raises(FormError) as found:
                applying.propose(changes, resets=resets)
            refused.append(list(found.value.fields))
        back = applying.propose({}, resets=("mqtt.host", "mqtt.password"))
    finally:
        services.layout.overlay_file.unlink()

    assert [["mqtt.password"]] * 4 == refused
    assert {"mqtt.host", "mqtt.password"} == {each.key for each in back.differences}


def test_a_new_webhook_into_a_private_network_is_not_made_by_pages() -> None:
    """Neither is one that is there given leave, whatever else is closed."""
    after = parse(PRIVATE)

    assert ["webhooks.chat.url"] == list(foreign_targets(Settings(), after, {}))
    assert {} == foreign_targets(after, after, {})
