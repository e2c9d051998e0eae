"""The operation about copies of captures in a bucket: how far it is, and what is in the way.

Where they go is said in the settings file alone, and nothing of that is changed from here.
"""

from typing import Any

from appliance.app.copies import sync_state, values_of
from appliance.app.desk.applying import Source
from appliance.app.desk.operations import Answer, Asked, Nothing, Operation
from appliance.permissions import Permission
from appliance.services import Services
from appliance.sinks.naming import target_of


class Copies:
    """Tells how copying is.

    Args:
        services: The notes, the spool, and what is told by whoever copies.
        source: Where the settings are.
    """

    def __init__(self, services: Services, source: Source) -> None:
        self._services = services
        self._source = source

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        return [Operation("captures.copies", Nothing, Permission.CAPTURES, self.copies)]

    def copies(self, asked: Asked[Nothing]) -> Answer:  # noqa: ARG002 - an operation is told what was asked
        """How many are copied, how late it is, what is in the way; `bucket` is null where none is set.

        Raises:
            SettingsError: The settings are wrong.
            EvidenceError: The spool cannot be read.
        """
        settings = self._source.running().captures.s3
        if not settings.bucket:
            return Answer({"bucket": None})
        state = sync_state(settings, self._services)
        refused = self._services.store.refused_copies(target_of(settings))
        return Answer(
            {
                "bucket": settings.bucket,
                "removes_local": settings.remove_local_days is not None,
                **values_of(state, self._services.clock.wall()),
                "refused_captures": [{"capture": each.capture, "reason": each.reason} for each in refused],
            }
        )
