"""Dry runs over this device's log: which events a rule is shown, and which things there are to be asked for.

Reads only. What a rule makes of them is judged in `appliance.rules`, by the code that judges live.
"""

from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Final

from appliance.rules import DryRun, Happened, Rule, begins, dry_run
from appliance.settings import Settings
from appliance.store import Store

_AT_ONCE: Final = 500


def dry_run_of(store: Store, rule: Rule, since: datetime, zone: tzinfo | None = None) -> DryRun:
    """What a rule would have done about this device's events since a moment.

    Args:
        store: The log, and who is in which group now.
        rule: Kept or not, switched on or not.
        since: Aware.
        zone: In whose hours and days; None: those of this machine's clock.
    """
    happened = _happened(store, rule.on, begins(rule, since, zone))
    return dry_run(rule, happened, store.memberships(), since=since, zone=zone)


def _happened(store: Store, event_type: str, since: datetime) -> Iterator[Happened]:
    """Events of a type in the log's order; those whose details were dropped are passed over."""
    after = 0
    while found := store.events(after=after, types=(event_type,), since=since, limit=_AT_ONCE):
        for stored in found:
            if stored.event is not None:
                yield Happened(stored.id, stored.at, stored.event)
        after = found[-1].position


def known_labels(settings: Settings) -> list[str]:
    """Things that the settings have looked for, sorted."""
    seen = {trigger.label for each in settings.objects for trigger in each.triggers}
    return sorted({*seen, *(settings.coffee.labels if settings.coffee.cameras else ())})
