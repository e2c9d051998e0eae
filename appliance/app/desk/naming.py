"""Who may be told to whom that somebody came by: people by name for admins, for others only who agreed to it.

Admins answer for what the box decides, and have to see whom it took for whom. Everybody else who may read the
log is told that somebody enrolled was there, and by name of those only who agreed to the purpose `last_seen`;
an id is as good as a name to who may see the list of people, so it is withheld as well.
"""

import json
import re
from typing import Any, Final

from appliance.app.explaining import Names
from appliance.dispatch.wording import person
from appliance.errors import ApplianceError, UnknownSubjectError
from appliance.permissions import Caller, Permission
from appliance.store import Store

LAST_SEEN: Final = "last_seen"
"""The purpose under which it is told to others than admins when somebody was recognised."""
SOMEBODY: Final = "somebody enrolled"
"""What somebody is called who is not named."""

_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class People:
    """Who subjects are, as far as one caller may know; each looked up once.

    Args:
        store: Names, and who agreed to what.
        caller: Who is told.
    """

    def __init__(self, store: Store, caller: Caller) -> None:
        self._store = store
        self._everybody = caller.may(Permission.ENROL)
        self._names: dict[str, str | None] = {}
        self._agreed: dict[str, bool | None] = {}
        self.name: Names = self._name

    def of(self, subject: str) -> dict[str, Any] | None:
        """As JSON values; who was removed has no name any more. None: the caller is not told who it is."""
        if not self.tells(subject):
            return None
        return {"id": subject, "name": self._name(subject), "called": self.called(subject)}

    def called(self, subject: str) -> str:
        """What to call them in a sentence."""
        return person(subject, self._name)

    def tells(self, subject: str) -> bool:
        """Whether the caller may be told that it was them."""
        return self._everybody or bool(self._has_agreed(subject))

    def without_ids(self, value: Any) -> Any:
        """JSON values without the ids of those who are not told; where one stood, that it is somebody.

        Several are numbered as they come, in these values alone: what was said of one stays apart from what
        was said of another, and nobody can be followed from one answer to the next.
        """
        if self._everybody:
            return value
        numbers: dict[str, int] = {}

        def veiled(found: re.Match[str]) -> str:
            if not self.veils(found[0]):
                return found[0]
            number = numbers.setdefault(found[0], len(numbers) + 1)
            return SOMEBODY if number == 1 else f"{SOMEBODY} ({number})"

        return json.loads(_ID.sub(veiled, json.dumps(value)))

    def veils(self, text: str) -> bool:
        """Whether this is the id of somebody enrolled of whom the caller is not told."""
        # Other ids are of no person: events, captures, operators.
        return not self._everybody and self._has_agreed(text) is False

    def _has_agreed(self, subject: str) -> bool | None:
        """Whether they agreed to be told of; None: nobody who is enrolled."""
        if subject not in self._agreed:
            try:
                self._agreed[subject] = LAST_SEEN in self._store.subject_by_id(subject).purposes
            except UnknownSubjectError:  # or removed
                self._agreed[subject] = None
            except ApplianceError:  # damaged: nobody knows what they agreed to
                self._agreed[subject] = False
        return self._agreed[subject]

    def _name(self, subject: str) -> str | None:
        if not self.tells(subject):
            return SOMEBODY
        if subject not in self._names:
            try:
                self._names[subject] = self._store.name_of(subject)
            except ApplianceError:  # damaged: the log of the process says whose it is
                self._names[subject] = None
        return self._names[subject]
