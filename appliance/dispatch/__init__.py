"""Dispatch: from the outbox to what is done about events.

It decides nothing: which event triggers which action was settled when the outbox row was
written, in the event's own transaction. It does not know the database; it is handed an
outbox that keeps the promises in `appliance.dispatch.outbox`.
"""

from appliance.deliveries import Delivery
from appliance.dispatch.actions import Action, LineAction
from appliance.dispatch.commands import CommandAction
from appliance.dispatch.dispatcher import DEFAULT_BACKOFF, Dispatcher
from appliance.dispatch.lanes import Plan
from appliance.dispatch.outbox import LoggedEvent, Outbox, OutboxRow, Outcome

__all__ = [
    "DEFAULT_BACKOFF",
    "Action",
    "CommandAction",
    "Delivery",
    "Dispatcher",
    "LineAction",
    "LoggedEvent",
    "Outbox",
    "OutboxRow",
    "Outcome",
    "Plan",
]
