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
    CLIPS = "clips"
    """Watch and download recorded video, see how recording and sending it go; delete a clip."""
    DOORS = "doors"
    """Say where a door is, and when it is shut."""
    SETTINGS = "settings"
    """Read and change settings."""
    RULES = "rules"
    """Say what is done when something happens, and see what became of it."""
    LOCKS = "locks"
    """Say who has a PIN, pair keypads, choose what opens a lock; it opens none."""
    FUNCTIONS = "functions"
    """See hosted DeepLens functions, what they publish and draw; deploy, start and stop them."""
    SEARCH = "search"
    """Ask what is alike to a picture or to what a camera shows; see the catalogue."""
    CATALOGUE = "catalogue"
    """Change the catalogue of visual search, and by what it is searched."""
    OPERATORS = "operators"
    """Admit operators, hand out tokens, pair screens."""
    SCREEN = "screen"
    """What the office screen shows: greetings and counters, never who is enrolled."""
    KEYPAD = "keypad"
    """Type a PIN at the keypad of one lock; it opens only with a face that is recognised there."""


class Role(StrEnum):
    """What somebody who signs in, or something that is paired, is."""

    ADMIN = "admin"
    VIEWER = "viewer"
    SCREEN = "screen"
    KEYPAD = "keypad"


GRANTED: Mapping[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission) - {Permission.SCREEN, Permission.KEYPAD},
    Role.VIEWER: frozenset(
        {
            *(Permission.ACCOUNT, Permission.LIVE, Permission.LOG, Permission.PEOPLE),
            Permission.SEARCH,
        }
    ),
    Role.SCREEN: frozenset({Permission.SCREEN}),
    Role.KEYPAD: frozenset({Permission.KEYPAD}),
}
"""What a role may do. A token may do a part of what its role may."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who was recognised by what they presented.

    Attributes:
        kind: Signed in with a password, a token of the API, a paired screen or a lock's keypad.
        id: Of the operator, the token, the screen or the keypad; opaque, may stand in events.
        role: Theirs.
        permissions: What they may do: all of their role, or a token's part of it.
        operator: The operator behind it: themselves, or who handed the token out; empty for a device.
        session: Names the session; empty where there is none.
    """

    kind: Literal["operator", "token", "screen", "keypad"]
    id: str
    role: Role
    permissions: frozenset[Permission]
    operator: str = ""
    session: str = ""

    def may(self, permission: Permission) -> bool:
        """Whether they are allowed."""
        return permission in self.permissions
