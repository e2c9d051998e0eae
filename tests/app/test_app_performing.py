"""Who does what stands in the outbox, and what is said where nobody does."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import stores
from captures import NOW
from pydantic import ValidationError

from appliance.app.performing import own_plans, rule_plans, together
from appliance.app.rule_targets import missing
from appliance.clock import ManualClock
from appliance.dispatch import Delivery, Plan
from appliance.errors import ActionError
from appliance.events import ScreenAsked
from appliance.rules import (
    Action,
    CallWebhook,
    PlaySong,
    PublishMqtt,
    RecordVideo,
    RunCommand,
    ShowOnScreen,
    Unlock,
)
from appliance.services import Services
from appliance.settings import Settings

EACH: tuple[Action, ...] = (
    PlaySong(),
    ShowOnScreen(text="hello"),
    CallWebhook(webhook="chat"),
    PublishMqtt(topic="door"),
    Unlock(lock="front"),
    RunCommand(command="chime"),
    RecordVideo(),
)


class Noted:
    """Notes whose deliveries it was given."""

    def __init__(self) -> None:
        self.rules: list[str | None] = []

    def perform(self, delivery: Delivery) -> None:
        """Note it."""
        self.rules.append(delivery.rule)

    def close(self) -> None:
        """Nothing runs."""


def settings(touched: Path, **more: object) -> Settings:
    """A box with one command, run by rules only, that leaves a line in a file."""
    argv = ["sh", "-c", f"echo done >> {touched}"]
    return Settings.model_validate(
        {"actions": [{"id": "chime", "on": [], "kind": "command", "argv": argv, **more}]}
    )


LINE_OF = {"version": 2, "number": 1, "seconds": 8}


def delivered(action: str = "command:chime", rule: str | None = "r") -> Delivery:
    """An opened door on its way."""
    return Delivery(action, "e1", stores.OPENED, NOW, 1, "e1:r:0", LINE_OF, rule=rule)


def test_a_rule_runs_a_command_that_the_settings_name(services: Services, tmp_path: Path) -> None:
    """Under its id, once for each delivery."""
    touched = tmp_path / "touched"
    plans = rule_plans(settings(touched), services)
    plans["command:chime"].action.perform(delivered())

    assert {"screen", "command:chime"} == set(plans)
    assert ["done"] == touched.read_text(encoding="utf-8").splitlines()


def test_a_command_promised_at_most_once_is_not_repeated_for_a_rule_either(
    services: Services, clock: ManualClock, tmp_path: Path
) -> None:
    """Neither after it was begun, nor after its time, nor when the clock was set back."""
    touched = tmp_path / "touched"
    plans = rule_plans(settings(touched, delivery="at_most_once", deadline_s=10), services)
    command = plans["command:chime"].action
    with pytest.raises(ActionError, match="at most once") as begun:
        command.perform(replace(delivered(), attempt=2))
    for at in (NOW - timedelta(seconds=11), NOW + timedelta(seconds=60)):
        with pytest.raises(ActionError, match="too late") as late:
            command.perform(replace(delivered(), at=at))
        assert late.value.permanent
    command.perform(delivered())

    assert begun.value.unknown
    assert ["done"] == touched.read_text(encoding="utf-8").splitlines()
    assert NOW == clock.wall()


def test_a_command_promised_at_most_once_that_fails_is_not_tried_again(
    services: Services, tmp_path: Path
) -> None:
    """Nobody interrupted it: it did not happen, and says why."""
    asked = settings(tmp_path / "touched", delivery="at_most_once", argv=["sh", "-c", "exit 3"])
    with pytest.raises(ActionError, match="exit 3") as failed:
        rule_plans(asked, services)["command:chime"].action.perform(delivered())

    assert (True, False) == (failed.value.permanent, failed.value.unknown)


def test_a_command_promised_at_most_once_that_is_given_up_may_have_happened(
    services: Services, tmp_path: Path
) -> None:
    """Stopped in the middle: nobody knows, and it is not said that it failed."""
    begun = tmp_path / "begun"
    asked = settings(
        begun, delivery="at_most_once", argv=["sh", "-c", f"echo begun > {begun}; exec sleep 30"]
    )
    command = rule_plans(asked, services)["command:chime"].action
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(command.perform, delivered())
        while not begun.exists() and not running.done():
            time.sleep(0.01)
        command.close()
        failed = running.exception()

    assert isinstance(failed, ActionError)
    assert (False, True) == (failed.permanent, failed.unknown)


def test_a_line_for_the_screens_goes_into_the_log(services: Services) -> None:
    """From which the screens read."""
    rule_plans(Settings(), services)["screen"].action.perform(delivered("screen"))
    (stored,) = services.store.events(types=["screen_asked"])

    assert isinstance(stored.event, ScreenAsked)
    asked = stored.event
    assert ("r", 2, 1, "e1") == (asked.rule, asked.rule_version, asked.number, asked.cause)


def test_an_action_of_the_settings_keeps_its_rows_under_a_kind_of_rules() -> None:
    """One that somebody called `song` long ago is not taken for the rules' songs, nor they for it."""
    own, ours, other = Noted(), Noted(), Noted()
    plans = together(
        {"song": Plan(own), "lamp": Plan(other, 9)}, {"song": Plan(ours, 3, 4)}, {"mqtt": Plan(ours)}
    )
    for rule in (None, "r"):
        plans["song"].action.perform(delivered("song", rule))
    plans["lamp"].action.perform(delivered("lamp", None))

    assert ([None], ["r"], [None]) == (own.rules, ours.rules, other.rules)
    assert {"song", "lamp", "mqtt"} == set(plans)
    assert (5, 4, 9) == (plans["song"].attempts, plans["song"].together, plans["lamp"].attempts)


@pytest.mark.parametrize("action", EACH, ids=lambda each: each.kind)
def test_what_nobody_does_is_said_with_what_is_missing(action: Action) -> None:
    """For every kind of action there are words of its own, with the target by its id."""
    words = missing(action.lane)

    assert words != missing("lamp")
    assert action.lane.partition(":")[2] in words


def test_an_action_without_an_event_is_a_command_for_rules() -> None:
    """A line without one would never be written."""
    with pytest.raises(ValidationError):
        Settings.model_validate({"actions": [{"id": "lamp", "on": []}]})

    assert {"chime"} == set(own_plans(settings(Path("x")), lambda _: None))
