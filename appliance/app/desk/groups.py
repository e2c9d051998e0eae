"""Operations of groups of people, which rules are for: list, make, rename, say who is in them, remove."""

from collections.abc import Callable
from typing import Any

from pydantic import Field

from appliance.app.desk.in_person import guard_rules
from appliance.app.desk.operations import Answer, Arguments, Asked, Nothing, Operation
from appliance.app.desk.rules import read
from appliance.permissions import Permission
from appliance.services import Services
from appliance.settings import Settings
from appliance.store import Group
from appliance.values import SubjectId

_ID = Field(max_length=36)
_LABEL = Field(max_length=200)


class NewGroup(Arguments):
    """Attributes: label: what it is called."""

    label: str = _LABEL


class WhichGroup(Arguments):
    """Attributes: group: id."""

    group: str = _ID


class GroupName(Arguments):
    """Attributes: group: id; label: what it is to be called."""

    group: str = _ID
    label: str = _LABEL


class GroupMembers(Arguments):
    """Attributes: group: id; members: ids of everybody who is to be in it, and nobody else."""

    group: str = _ID
    members: tuple[str, ...] = Field(max_length=5000)


class Groups:
    """Carries out what is asked about groups.

    Args:
        services: The store.
        settings: As they are now.
    """

    def __init__(self, services: Services, settings: Callable[[], Settings]) -> None:
        self._store = services.store
        self._settings = settings

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        return [
            Operation("groups.list", Nothing, Permission.RULES, self.list_groups),
            Operation("groups.add", NewGroup, Permission.RULES, self.add),
            Operation("groups.rename", GroupName, Permission.RULES, self.rename),
            Operation("groups.members", GroupMembers, Permission.RULES, self.members),
            Operation("groups.remove", WhichGroup, Permission.RULES, self.remove),
        ]

    def list_groups(self, asked: Asked[Nothing]) -> Answer:
        """Every group by its label: `{groups: [{id, label, members: [{id, name}], rules: [{id, name}]}]}`.

        `rules` are those that ask for it; a name is null where it does not open.
        """
        del asked
        names = {str(each.id): each.name for each in self._store.subjects()}
        kept = [(each.id, rule) for each in self._store.rules() if (rule := read(each)) is not None]
        return Answer(
            {
                "groups": [
                    {
                        "id": group.id,
                        "label": group.label,
                        "members": [{"id": each, "name": names.get(each)} for each in group.members],
                        "rules": [
                            {"id": each, "name": rule.name}
                            for each, rule in kept
                            if group.id in rule.when.groups
                        ],
                    }
                    for group in self._store.groups()
                ]
            }
        )

    def add(self, asked: Asked[NewGroup]) -> Answer:
        """Make a group with nobody in it: `{id, label, members}`.

        Raises:
            FormError: The label cannot be, or is taken, or there are too many groups.
        """
        return Answer(_group(self._store.add_group(asked.arguments.label)))

    def rename(self, asked: Asked[GroupName]) -> Answer:
        """Call a group something else.

        Raises:
            UnknownRuleError: There is no such group.
            FormError: The label cannot be, or is taken.
        """
        return Answer(_group(self._store.rename_group(asked.arguments.group, asked.arguments.label)))

    def members(self, asked: Asked[GroupMembers]) -> Answer:
        """Say who is in a group, all of them.

        Raises:
            UnknownRuleError: There is no such group.
            UnknownSubjectError: Somebody is not enrolled.
            DeniedError: A rule that opens a lock or may move a relay asks for it, whether it is on or not,
                and no person asks who is signed in.
        """
        given = asked.arguments
        rules = [rule for each in self._store.rules() if (rule := read(each)) is not None]
        about = [rule for rule in rules if given.group in rule.when.groups]
        guard_rules(asked.who, self._settings(), *about)
        found = self._store.set_members(given.group, [SubjectId(each) for each in given.members])
        return Answer(_group(found))

    def remove(self, asked: Asked[WhichGroup]) -> Answer:
        """Let a group go; rules that ask for it alone fire for nobody any more.

        Raises:
            UnknownRuleError: There is no such group.
        """
        self._store.remove_group(asked.arguments.group)
        return Answer()


def _group(group: Group) -> dict[str, Any]:
    return {"id": group.id, "label": group.label, "members": list(group.members)}
