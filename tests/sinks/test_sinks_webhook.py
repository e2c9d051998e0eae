"""Webhooks against a real HTTPS server on loopback: signature, answers and what they mean, limits."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from deliveries import delivery
from hook_server import HookServer, Reply, hook_server

from appliance.clock import SystemClock
from appliance.errors import ActionError
from appliance.events import DoorChanged
from appliance.settings import WebhookSettings
from appliance.sinks.webhook import LONGEST_PAUSE_S, WebhookAction, judge, pause_s
from appliance.sinks.webhook_address import checked
from appliance.sinks.webhook_request import Answered
from appliance.values import DoorState

SECRET = "the secret of a test"  # noqa: S105 - it is one of a test
OPENED = DoorChanged(type="door_opened", door="front", state=DoorState.OPEN, fraction=0.1)
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HookServer]:
    """One receiver with TLS."""
    with hook_server(tmp_path_factory.mktemp("hooks")) as server:
        yield server


@pytest.fixture
def server(running: HookServer) -> HookServer:
    """With nothing posted and nothing to answer."""
    running.posted.clear()
    running.answers.clear()
    return running


def webhook(server: HookServer, **more: Any) -> WebhookAction:
    """An action that posts to the receiver, whose name is looked up by the receiver itself."""
    given = {
        "id": "chat",
        "url": server.url,
        "secret": SECRET,
        "allow_private": True,
        "ca_file": str(server.authority) if server.tls else None,
        "timeout_s": 5,
        **more,
    }
    settings = WebhookSettings.model_validate(given)
    return WebhookAction(settings, "box", SystemClock(), check=partial(checked, resolve=server.resolve))


def test_an_event_is_posted_as_signed_json_to_its_host_by_name(server: HookServer) -> None:
    """The connection goes to the checked address; certificate, SNI and Host are those of the name."""
    webhook(server).perform(delivery(OPENED, event_id="e1", action="webhook:chat"))

    (posted,) = server.posted
    said = json.loads(posted.body)
    signed = posted.headers["x-appliance-timestamp"].encode() + b"." + posted.body
    expected = "v1=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert ("POST", "/hook?token=of-a-test") == (posted.method, posted.path)
    assert expected == posted.headers["x-appliance-signature"]
    assert (f"{server.name}:{server.port}", server.name) == (posted.headers["host"], posted.sni)
    assert "e1:webhook:chat" == posted.headers["x-appliance-idempotency-key"] == said["idempotency_key"]
    assert "door_opened" == posted.headers["x-appliance-event"] == said["type"]
    assert abs(int(posted.headers["x-appliance-timestamp"]) - time.time()) < 300


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_what_is_taken_is_delivered(server: HookServer, status: int) -> None:
    """Any answer of success counts."""
    server.answers.append(Reply(status, body=b"thanks" if status != 204 else b""))

    webhook(server).perform(delivery(OPENED))


@pytest.mark.parametrize(
    ("status", "permanent"),
    [
        *((status, True) for status in (301, 302, 304, 307, 400, 401, 404, 410)),
        *((status, False) for status in (408, 425, 429, 500, 502, 503, 599)),
    ],
)
def test_what_is_not_taken_is_tried_again_only_where_that_may_help(
    server: HookServer,
    status: int,
    permanent: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """A redirect is followed nowhere; what is the server's trouble is tried again, what is ours is not."""
    elsewhere = {"Location": f"{server.url}/elsewhere"}
    server.answers.append(Reply(status, elsewhere, b"" if status == 304 else b"a secret of the server"))
    with pytest.raises(ActionError) as found:
        webhook(server).perform(delivery(OPENED))

    assert permanent == found.value.permanent
    assert str(status) in found.value.message
    assert 1 == len(server.posted)
    assert "secret of the server" not in found.value.message + found.value.hint


def test_a_server_that_asks_for_a_pause_gets_it(server: HookServer) -> None:
    """`Retry-After` is told to the dispatcher."""
    server.answers.append(Reply(503, {"Retry-After": "120"}))
    with pytest.raises(ActionError) as found:
        webhook(server).perform(delivery(OPENED))

    assert 120 == found.value.retry_after_s


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0.0),
        (" 30 ", 30.0),
        ("86400", LONGEST_PAUSE_S),
        ("9" * 5000, LONGEST_PAUSE_S),
        ("Mon, 05 Jan 2026 09:01:00 GMT", 60.0),
        ("Mon, 05 Jan 2026 08:00:00 GMT", 0.0),
        ("Mon, 05 Jan 2026 09:01:00", None),
        ("soon", None),
        ("-5", None),
        ("²", None),
        (None, None),
    ],
)
def test_a_pause_is_understood_in_both_forms_and_is_an_hour_at_most(
    text: str | None, expected: float | None
) -> None:
    """Seconds or a date; nonsense is no pause."""
    assert expected == pause_s(text, NOW)


def test_an_answer_that_drips_is_cut_off_in_time(server: HookServer) -> None:
    """A server that sends a byte now and then does not hold the webhook longer than its time."""
    server.answers.append(Reply(raw=b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 40_000, drip_s=0.05))
    server.answers.append(Reply(200, body=b"x" * 40_000, drip_s=0.05))
    hook = webhook(server, timeout_s=1)
    with pytest.raises(ActionError) as cut:
        hook.perform(delivery(OPENED))
    hook.perform(delivery(OPENED))

    assert "the server did not answer in time" == cut.value.message
    assert not cut.value.permanent


def test_a_huge_answer_is_not_read_to_its_end(server: HookServer) -> None:
    """What a server answers beyond its status is nobody's business here."""
    server.answers.append(Reply(200, body=b"x" * 20_000_000))

    webhook(server).perform(delivery(OPENED))


def test_a_certificate_of_another_name_is_not_trusted(server: HookServer, tmp_path: Path) -> None:
    """Neither one for another host, nor one of another authority; it is said which, and no host is named."""
    others = server.url.replace(server.name, "other.example.org")
    anywhere = partial(checked, resolve=lambda *_, **__: [(2, 1, 6, "", ("127.0.0.1", server.port))])
    settings = WebhookSettings.model_validate(
        {"id": "chat", "url": others, "secret": SECRET, "allow_private": True, "ca_file": server.authority}
    )
    with pytest.raises(ActionError) as wrong_name:
        WebhookAction(settings, "box", SystemClock(), check=anywhere).perform(delivery(OPENED))
    with pytest.raises(ActionError) as wrong_authority:
        webhook(server, ca_file=None).perform(delivery(OPENED))

    assert "the server's certificate is not trusted: it is of another name" == wrong_name.value.message
    assert "certificate is not trusted: the authority" in wrong_authority.value.message
    assert [] == server.posted


def test_a_private_address_is_refused_for_good_and_not_connected_to(server: HookServer) -> None:
    """Without allow_private nothing of the box's own network hears from it."""
    with pytest.raises(ActionError) as found:
        webhook(server, allow_private=False).perform(delivery(OPENED))

    assert found.value.permanent
    assert "an address of this machine or of a private network" in found.value.message
    assert [] == server.posted


def test_a_name_is_looked_up_once_and_what_was_judged_is_what_is_connected_to(server: HookServer) -> None:
    """A name that answers otherwise the second time gains nothing: there is no second time."""
    asked: list[str] = []

    def resolve(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        return [(2, 1, 6, "", ("127.0.0.1" if len(asked) == 1 else "192.0.2.1", port))]

    hook = WebhookAction(
        WebhookSettings.model_validate(
            {
                "id": "chat",
                "url": server.url,
                "secret": SECRET,
                "allow_private": True,
                "ca_file": server.authority,
            }
        ),
        "box",
        SystemClock(),
        check=partial(checked, resolve=resolve),
    )
    hook.perform(delivery(OPENED))

    assert [server.name] == asked
    assert 1 == len(server.posted)


def test_plain_http_is_for_where_it_is_allowed(tmp_path: Path) -> None:
    """Within one's own network a webhook may go without TLS."""
    with hook_server(tmp_path, tls=False) as plain:
        webhook(plain).perform(delivery(OPENED))

    assert 1 == len(plain.posted)


@pytest.mark.parametrize("raw", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nA"])
def test_an_answer_that_is_none_is_tried_again(server: HookServer, raw: bytes) -> None:
    """Whatever comes back instead of an answer: the event is not taken, and nothing breaks."""
    server.answers.append(Reply(raw=raw))
    with pytest.raises(ActionError) as found:
        webhook(server).perform(delivery(OPENED))

    assert not found.value.permanent


def test_no_message_holds_the_address_or_the_secret(tmp_path: Path) -> None:
    """Neither a dead letter nor a log tells what may be a token."""
    with hook_server(tmp_path) as gone:
        pass
    with pytest.raises(ActionError) as found:
        webhook(gone).perform(delivery(OPENED))

    said = f"{found.value.message} {found.value.hint}"
    assert "nobody listens at the webhook's address" in said
    assert not any(secret in said for secret in (SECRET, "token", gone.name))


def test_the_end_cuts_a_request_off(server: HookServer) -> None:
    """A dispatcher that stops does not wait for a server that drips."""
    server.answers.append(Reply(200, body=b"x" * 400, drip_s=0.05))
    hook = webhook(server, timeout_s=30)
    raised: list[ActionError] = []
    cut = threading.Event()

    def post() -> None:
        try:
            hook.perform(delivery(OPENED))
        except ActionError as error:
            raised.append(error)
        cut.set()

    threading.Thread(target=post, daemon=True).start()
    while not server.posted:
        time.sleep(0.01)
    hook.close()

    assert cut.wait(10)
    with pytest.raises(ActionError, match="the dispatcher stops"):
        hook.perform(delivery(OPENED))


def test_success_needs_no_more_than_its_status() -> None:
    """Every status has a meaning: taken, for good, or not now."""
    meanings = {}
    for status in range(200, 600):
        try:
            judge(Answered(status, None), NOW + timedelta(seconds=1))
            meanings[status] = "taken"
        except ActionError as error:
            meanings[status] = "for good" if error.permanent else "not now"

    assert set(range(200, 300)) == {s for s, told in meanings.items() if told == "taken"}
    assert {408, 425, 429, *range(500, 600)} == {s for s, told in meanings.items() if told == "not now"}
