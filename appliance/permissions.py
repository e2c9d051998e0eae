"""Who may do what: roles, permissions, and which role has which. Values only.

Deny by default: whatever asks names a permission, and who has it stands here. Who somebody is
(sessions, tokens, paired screens) is found out by the desk.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Permission(StrEnum):
    """What somebody may be allowed to do."""

    ACCOUNT = "account"
    """Their own: who am I, sign out, another password."""
    LIVE = "live"
    """Look through the cameras, see the door's state and who is there."""
    LOG = "log"
    """Read the log, with names and explanations."""
    PEOPLE = "people"
    """See who is enrolled."""
    ENROL = "enrol"
    """Change who is enrolled, correct decisions."""
    CAPTURES = "captures"
    """List and download sealed captures."""
    DOORS = "doors"
    """Say where a door is, and when it is shut."""
    SETTINGS = "settings"
    """Read and change settings."""
    OPERATORS = "operators"
    """Admit operators, hand out tokens, pair screens."""
    SCREEN = "screen"
    """What the office screen shows: greetings and counters, never who is enrolled."""


class Role(StrEnum):
    """What somebody who signs in, or something that is paired, is."""

    ADMIN = "admin"
    VIEWER = "viewer"
    SCREEN = "screen"


GRANTED: Mapping[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission) - {Permission.SCREEN},
    Role.VIEWER: frozenset({Permission.ACCOUNT, Permission.LIVE, Permission.LOG, Permission.PEOPLE}),
    Role.SCREEN: frozenset({Permission.SCREEN}),
}
"""What a role may do. A token may do a part of what its role may."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who was recognised by what they presented.

    Attributes:
        kind: Signed in with a password, a token of the API, or a paired screen.
        id: Of the operator, the token or the screen; opaque, may stand in events.
        role: Theirs.
        permissions: What they may do: all of their role, or a token's part of it.
        operator: The operator behind it: themselves, or who handed the token out; empty for a screen.
        session: Names the session; empty where there is none.
    """

    kind: Literal["operator", "token", "screen"]
    id: str
    role: Role
    permissions: frozenset[Permission]
    operator: str = ""
    session: str = ""

    def may(self, permission: Permission) -> bool:
        """Whether they are allowed."""
        return permission in self.permissions
