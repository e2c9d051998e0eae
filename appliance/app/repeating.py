"""What may be tried again of the outbox, and by whom: a dead letter may be a door that opens.

Decides by the row and by the settings as they are now; retries nothing, and finds out about nobody.
"""

from appliance.app.performing import COMMAND
from appliance.settings import Settings
from appliance.store import Delivery, OutboxRow, OutboxState

WEBHOOK = "webhook:"
"""How the names of webhooks begin in the outbox."""


def may_be_repeated(settings: Settings, row: OutboxRow) -> bool:
    """Whether a row can be tried again at all: it is dead, and nobody promised it at most once.

    A rule's commands stand in the outbox as repeatable; what the settings promise of the command holds.
    """
    once = {each.id for each in settings.actions if each.delivery == "at_most_once"}
    return (
        row.state is OutboxState.DEAD
        and row.delivery is Delivery.AT_LEAST_ONCE
        and row.action.removeprefix(COMMAND) not in once
    )


def moves_things(settings: Settings, row: OutboxRow) -> bool:
    """Whether a row runs a command, or posts into a private network: either may be a relay, or a lock.

    So does what nothing in the settings tells of any more: who knows what it was.
    """
    if row.rule is None:
        harmless = {each.id for each in settings.actions if each.kind != "command"}
        return ":" not in row.action and row.action not in harmless
    if row.action.startswith(WEBHOOK):
        return row.action.removeprefix(WEBHOOK) in private_webhooks(settings)
    return row.action.startswith(COMMAND)


def private_webhooks(settings: Settings) -> frozenset[str]:
    """Ids of the webhooks that may post into a private network."""
    return frozenset(each.id for each in settings.webhooks if each.allow_private)
