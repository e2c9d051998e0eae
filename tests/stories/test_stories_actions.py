"""Somebody comes in, and everything that the office wants is done: with real processes, broker and receiver.

The lock has a story of its own with the keypad; kills between decision and delivery, too.
"""

import hashlib
import hmac
import json
import wave
from collections.abc import Iterator

import numpy as np
import pytest
from lively_box import SECRET, LivelyBox, lively_box
from mosquitto import PROGRAM

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.debian(reason="mosquitto"),
    pytest.mark.skipif(PROGRAM is None, reason="Debian package mosquitto"),
]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivelyBox]:
    """A box at a rendered door and a rendered coffee corner, until somebody came and had a coffee."""
    with lively_box(tmp_path_factory.mktemp("lively"), corner=True) as made:
        made.wait(lambda: made.events("song_started"), "a song")
        made.wait(lambda: made.hook.posted, "a webhook")
        made.wait(lambda: made.screen.greeted, "a greeting on the screen")
        made.wait(lambda: made.events("coffee_taken"), "a coffee", within_s=150)
        made.wait(made.heard.exists, "the file that is played into")
        yield made


def test_their_song_is_played_by_the_box(box: LivelyBox) -> None:
    """What reaches the box's sound is a song, and the log says that it began, for whom and why."""
    started = box.events("song_started")[0].event
    greeting = box.events("subject_identified")[0]
    with wave.open(str(box.heard)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)

    assert (box.subject, "box", greeting.id) == (started.subject, started.output, started.cause)
    assert 1000 < np.abs(samples.astype(np.int32)).max()


def test_the_webhook_is_signed_and_names_the_event(box: LivelyBox) -> None:
    """Whoever has the secret can tell that it came from the box and is whole."""
    posted, greeting = box.posted(), box.events("subject_identified")[0]
    headers = {name.lower(): value for name, value in posted.headers.items()}
    stamp = headers["x-appliance-timestamp"]
    expected = hmac.new(SECRET.encode(), stamp.encode() + b"." + posted.body, hashlib.sha256).hexdigest()

    assert f"v1={expected}" == headers["x-appliance-signature"]
    assert headers["x-appliance-idempotency-key"].startswith(greeting.id)
    assert greeting.id == json.loads(posted.body)["id"]


def test_a_subscriber_is_told(box: LivelyBox) -> None:
    """By the rule's own topic, with ids and no name."""
    box.wait(lambda: any(m.topic.endswith("/rules/came") for m in box.listener.messages), "a message")
    message = box.came()

    assert box.subject == json.loads(message.payload)["subject"]
    assert b"Obama" not in message.payload


def test_the_screen_greets(box: LivelyBox) -> None:
    """By alias, as the person agreed to."""
    assert box.screen.greeted
    assert box.screen.greeted[0] >= box.events("subject_identified")[0].at


def test_a_coffee_counts_once(box: LivelyBox) -> None:
    """However long the cup is held, and however often the scene comes round within five minutes."""
    taken = [event.event for event in box.events("coffee_taken")]
    counted = box.services.store.standings("coffees", since=box.events("coffee_taken")[0].at.date())

    assert [box.subject] == [event.subject for event in taken]
    assert [(box.subject, 1)] == [(each.subject, each.count) for each in counted]


def test_nothing_is_left_to_be_done(box: LivelyBox) -> None:
    """Every row of the outbox was delivered, each once."""
    rows = box.wait(
        lambda: (
            (found := box.services.store.outbox()) and all(r.state == "delivered" for r in found) and found
        ),
        "an empty outbox",
    )
    keys = [row.idempotency_key for row in rows]

    assert len(set(keys)) == len(keys)
