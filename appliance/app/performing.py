"""Who does what stands in the outbox: actions of the settings by their ids, those of rules by their kinds.

Songs, locks, the broker and webhooks are introduced beside this, by modules of their own.
"""

import sys
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta

from appliance.actions.screen import ScreenAction
from appliance.clock import Clock
from appliance.dispatch import Action, CommandAction, Delivery, LineAction, Plan
from appliance.errors import ActionError
from appliance.services import Services
from appliance.settings import ActionSettings, Settings

SCREEN = "screen"
COMMAND = "command:"
"""How the names of commands begin in the outbox, where a rule runs them."""
_CLOCK_SLACK = timedelta(seconds=5)
"""How far in the future an event may lie before the clock counts as set back."""


def own_plans(settings: Settings, names: Callable[[str], str | None]) -> dict[str, Plan]:
    """The actions of the settings, by their ids."""
    return {each.id: Plan(_action(each, names), each.attempts) for each in settings.actions}


def rule_plans(settings: Settings, services: Services) -> dict[str, Plan]:
    """What any box does for rules: lines on the screens, and the commands that the settings name."""
    commands = {
        f"{COMMAND}{each.id}": Plan(_command(each, services.clock), each.attempts)
        for each in settings.actions
        if each.kind == "command"
    }
    return {SCREEN: Plan(ScreenAction(services.store)), **commands}


def together(own: Mapping[str, Plan], *more: Mapping[str, Plan]) -> dict[str, Plan]:
    """All of them; an action of the settings that is called like a kind of rules' keeps its own rows.

    Args:
        own: Those of the settings.
        more: Those of rules, each name once.
    """
    found = {name: plan for plans in more for name, plan in plans.items()}
    for name, plan in own.items():
        other = found.get(name)
        found[name] = plan if other is None else _both(plan, other)
    return found


class Once:
    """A command that the settings promise at most once, for rows that would be repeated.

    Args:
        command: It.
        deadline_s: Seconds after the event when it is too late.
        clock: Tells the time.
    """

    def __init__(self, command: Action, deadline_s: float, clock: Clock) -> None:
        self._command = command
        self._deadline = timedelta(seconds=deadline_s)
        self._clock = clock
        self._closed = threading.Event()

    def perform(self, delivery: Delivery) -> None:
        """Run it, at the first attempt and in time only.

        Raises:
            ActionError: Permanent: it is too late, or it did not happen. Unknown: it was begun before, or is
                given up now.
        """
        if delivery.attempt > 1:
            why = "begun before, and the settings promise it at most once: it may have happened"
            raise ActionError(why, unknown=True)
        if (
            not timedelta(0)
            <= self._clock.wall() - delivery.at + _CLOCK_SLACK
            <= self._deadline + _CLOCK_SLACK
        ):
            raise ActionError("too late, or the clock was set back since the event", permanent=True)
        try:
            self._command.perform(delivery)
        except ActionError as error:
            # What we interrupted ourselves may have happened; what failed by itself is not tried again.
            given_up = self._closed.is_set()
            raise ActionError(
                error.message, permanent=not given_up, hint=error.hint, unknown=given_up
            ) from error

    def close(self) -> None:
        """Give up what is being done."""
        self._closed.set()
        self._command.close()


def _command(settings: ActionSettings, clock: Clock) -> Action:
    command = CommandAction(settings.argv, settings.timeout_s)
    return command if settings.delivery == "at_least_once" else Once(command, settings.deadline_s, clock)


def _both(own: Plan, rules: Plan) -> Plan:
    action = ByOrigin(own.action, rules.action)
    return Plan(action, max(own.attempts, rules.attempts), rules.together)


class ByOrigin:
    """Two actions under one name: the settings', and that of rules.

    Args:
        own: Of the settings.
        rules: Of rules, and of what has neither.
    """

    def __init__(self, own: Action, rules: Action) -> None:
        self._own = own
        self._rules = rules

    def perform(self, delivery: Delivery) -> None:
        """Have it done by whose it is.

        Raises:
            ActionError: It did not happen.
        """
        (self._own if delivery.rule is None else self._rules).perform(delivery)

    def close(self) -> None:
        """Give up what is being done."""
        self._own.close()
        self._rules.close()


def _action(settings: ActionSettings, names: Callable[[str], str | None]) -> Action:
    if settings.kind == "command":
        return CommandAction(settings.argv, settings.timeout_s)
    return LineAction(sys.stdout, names if settings.names else None)
