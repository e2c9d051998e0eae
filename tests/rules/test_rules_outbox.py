"""The outbox at the desk: told, and dead letters tried again; what may open a door not by everybody."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import stores
from rule_bodies import COMMAND, HOOK, LINE, RELAY, SETTINGS, SONG, UNLOCK, RuleDesk, body

from appliance.clock import ManualClock
from appliance.errors import DeniedError, StoreError
from appliance.services import Layout, Services, open_services
from appliance.store import OutboxState
from appliance.values import Grade

Ask = Callable[..., Any]


def test_the_outbox_is_paged_and_counted(services: Services, ask: Ask) -> None:
    """The newest first, with the rule by name; the counts are of all there is."""
    rule = ask("rules.add", body=body("door_opened", HOOK, LINE))["id"]
    for _ in range(2):
        services.store.append(stores.OPENED)
    page = ask("outbox.list", limit=3)
    rest = ask("outbox.list", limit=3, before=page["next"])

    assert [4, 3, 2] == [each["row"] for each in page["rows"]]
    assert ([1], None) == ([each["row"] for each in rest["rows"]], rest["next"])
    assert ("webhook", "chat", rule, "Greet", "door_opened", False) == tuple(
        rest["rows"][0][key] for key in ("kind", "target", "rule", "rule_name", "type", "retry")
    )
    assert 4 == page["counts"]["pending"]
    assert set(OutboxState) == set(page["counts"])


def test_a_dead_letter_is_tried_again(services: Services) -> None:
    """It is pending once more and dispatch is told; what is promised at most once stays dead."""
    woken: list[bool] = []
    ask = RuleDesk(services, SETTINGS, lambda: woken.append(True))
    ask("rules.add", body=body("door_opened", HOOK, LINE))
    services.store.append(stores.OPENED)
    for row in services.store.claim(stores.NOON, 2):
        services.store.finish(row, OutboxState.DEAD, error="nobody answers")
    dead = {each["kind"]: each for each in ask("outbox.list", states=["dead"])["rows"]}
    again = ask("outbox.retry", row=dead["webhook"]["row"])
    with pytest.raises(StoreError, match="at most once"):
        ask("outbox.retry", row=dead["screen"]["row"])

    assert (True, False) == (dead["webhook"]["retry"], dead["screen"]["retry"])
    assert ("pending", 0) == (again["state"], again["attempts"])
    assert [True] == woken


def dead_by(services: Services, ask: Ask, *actions: dict[str, Any]) -> None:
    """A rule with these actions fired, and none of them worked."""
    ask("rules.add", body=body("subject_identified", *actions))
    ann = services.store.add_subject("Ann", consent=stores.AGREED)
    services.store.append(stores.identified(ann.id, grade=Grade.CONFIRMED))
    bury(services)


def bury(services: Services) -> None:
    """What is due fails for good."""
    for row in services.store.claim(stores.NOON, 16):
        services.store.finish(row, OutboxState.DEAD, error="nobody answers")


@pytest.mark.parametrize("action", [COMMAND, RELAY], ids=["command", "relay"])
def test_what_may_move_a_relay_is_tried_again_by_who_is_signed_in(
    services: Services, ask: Ask, action: dict[str, Any]
) -> None:
    """Never with a token, to which it is not offered either: a dead letter may be a door that opens."""
    dead_by(services, ask, action)
    (offered,) = ask("outbox.list", states=["dead"])["rows"]
    (withheld,) = ask("outbox.list", "program", states=["dead"])["rows"]
    with pytest.raises(DeniedError, match="not a program"):
        ask("outbox.retry", "program", row=offered["row"])
    still = [each.state for each in services.store.outbox()]
    ask("outbox.retry", row=offered["row"])

    assert (True, False) == (offered["retry"], withheld["retry"])
    assert [OutboxState.DEAD] == still
    assert [OutboxState.PENDING] == [each.state for each in services.store.outbox()]


def test_what_moves_nothing_here_is_a_tokens_to_try_again(services: Services, ask: Ask) -> None:
    """A webhook of the open internet, as before."""
    dead_by(services, ask, HOOK)
    (row,) = ask("outbox.list", "program", states=["dead"])["rows"]

    assert row["retry"]
    assert "pending" == ask("outbox.retry", "program", row=row["row"])["state"]


@pytest.mark.parametrize("action", [UNLOCK, SONG, LINE], ids=["unlock", "song", "screen"])
@pytest.mark.parametrize("who", ["admin", "program"])
def test_nobody_repeats_what_is_promised_at_most_once(
    services: Services, ask: Ask, action: dict[str, Any], who: str
) -> None:
    """Neither an admin nor a program, and least of all a lock."""
    dead_by(services, ask, action)
    (row,) = ask("outbox.list", who, states=["dead"])["rows"]
    with pytest.raises(StoreError, match="at most once"):
        ask("outbox.retry", who, row=row["row"])

    assert not row["retry"]
    assert [OutboxState.DEAD] == [each.state for each in services.store.outbox()]


def test_nobody_repeats_a_command_that_the_settings_promise_at_most_once(
    services: Services, ask: Ask
) -> None:
    """A rule's row of it is repeatable by its word; the settings' promise holds."""
    dead_by(services, ask, {"kind": "command", "command": "buzz"})
    (row,) = ask("outbox.list", states=["dead"])["rows"]
    with pytest.raises(StoreError, match="at most once"):
        ask("outbox.retry", row=row["row"])

    assert ("at_least_once", False) == (row["delivery"], row["retry"])


def test_a_command_of_the_settings_is_no_tokens_to_repeat(tmp_path: Path) -> None:
    """Nor what was one, or anything, before somebody took it out of the settings; a line for people is."""
    actions = [
        {"id": name, "on": ["door_opened"], "kind": kind, "argv": ["true"] if kind == "command" else []}
        for name, kind in (("chime", "command"), ("told", "line"), ("gone", "line"))
    ]
    before = SETTINGS.model_validate({**SETTINGS.model_dump(), "actions": actions})
    after = SETTINGS.model_validate({**SETTINGS.model_dump(), "actions": actions[:2]})
    with open_services(
        before, Layout(tmp_path / "state"), create=True, clock=ManualClock(stores.NOON)
    ) as services:
        services.store.append(stores.OPENED)
        bury(services)
        ask = RuleDesk(services, after)
        rows = {each["action"]: each for each in ask("outbox.list", "program")["rows"]}
        for name in ("chime", "gone"):
            with pytest.raises(DeniedError, match="not a program"):
                ask("outbox.retry", "program", row=rows[name]["row"])

        assert {"chime": False, "told": True, "gone": False} == {
            name: each["retry"] for name, each in rows.items()
        }
        assert "pending" == ask("outbox.retry", "program", row=rows["told"]["row"])["state"]
