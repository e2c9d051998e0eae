"""`appliance outbox …`: what became of actions, and dead letters tried again."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import stores

from appliance.services import Layout, Services, open_services
from appliance.settings import ActionSettings, Settings
from appliance.store import NewEvent, OutboxRow

LATER = timedelta(days=1)
"""After whatever the clock of this machine says: everything that is not too late is due."""


@pytest.fixture
def services(box: Any) -> Iterator[Services]:
    """The box with two actions on an opened door, one promised at most once."""
    actions = (
        ActionSettings(id="lamp", on=("door_opened",)),
        ActionSettings(id="song", on=("door_opened",), delivery="at_most_once", deadline_s=10 * 86400),
    )
    with open_services(Settings(actions=actions), Layout(box.state)) as opened:
        yield opened


@pytest.fixture
def dead(services: Services) -> dict[str, OutboxRow]:
    """Both tried and failed for good, by action."""
    now = services.clock.wall()
    services.store.append_all([NewEvent(stores.OPENED)])
    rows = {row.action: row for row in services.store.claim(now + LATER)}
    for row in rows.values():
        services.store.finish(row, "dead", error="no such\x1b[31m program")
    return rows


def listed(box: Any, *arguments: str) -> list[dict[str, Any]]:
    """What `list --json` says, a row a line."""
    done = box.call("outbox", "list", "--json", *arguments)
    assert (0, "") == (done.code, done.err)
    return [json.loads(line) for line in done.out.splitlines()]


def test_an_empty_outbox_is_no_error(box: Any) -> None:
    """In words, and as no line of JSON."""
    assert (0, "the outbox is empty\n", "") == tuple(vars(box.call("outbox", "list")).values())
    assert [] == listed(box)


def test_dead_letters_are_listed_with_what_went_wrong(box: Any, dead: dict[str, OutboxRow]) -> None:
    """By number, action, event and error; what a program said moves no cursor."""
    words = box.call("outbox", "list", "--state", "dead").out
    rows = listed(box, "--state", "dead")

    assert [row.id for row in dead.values()] == [row["number"] for row in rows]
    assert [("lamp", "dead", "at_least_once", 1), ("song", "dead", "at_most_once", 1)] == [
        (row["action"], row["state"], row["delivery"], row["attempts"]) for row in rows
    ]
    assert {"door_opened"} == {row["event"]["type"] for row in rows}
    assert {"number", "action", "state", "delivery", "attempts", "event", "not_before", "deadline"} | {
        "started_at",
        "finished_at",
        "last_error",
        "idempotency_key",
        "rule",
    } == set(rows[0])
    assert "no such" in words
    assert "\x1b" not in words
    assert [] == listed(box, "--state", "delivered")
    assert [rows[1]] == listed(box, "--limit", "1")


def test_a_dead_letter_is_tried_again(box: Any, services: Services, dead: dict[str, OutboxRow]) -> None:
    """It is pending, with all its attempts before it, and the next claim takes it."""
    number = dead["lamp"].id
    done = box.call("outbox", "retry", number, "--json")
    told = json.loads(done.out)

    assert (0, "") == (done.code, done.err)
    assert (number, "pending", 0) == (told["number"], told["state"], told["attempts"])
    assert [number] == [row.id for row in services.store.claim(services.clock.wall() + LATER)]


def test_what_is_promised_at_most_once_is_not_repeated(box: Any, dead: dict[str, OutboxRow]) -> None:
    """Nor is what is no dead letter, or not there at all; one sentence each."""
    song, none = box.call("outbox", "retry", dead["song"].id), box.call("outbox", "retry", 999)

    assert (6, f"number {dead['song'].id} is promised at most once and is never repeated") == song.refusal
    assert (6, "number 999 is not a dead letter") == none.refusal
    assert {"dead"} == {row["state"] for row in listed(box)}
