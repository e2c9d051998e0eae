"""What the store says of operators and of what they are known by: frozen values, and no secrets."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from appliance.permissions import Permission, Role


class OperatorState(StrEnum):
    """Whether an operator may sign in."""

    ACTIVE = "active"
    DISABLED = "disabled"
    REMOVED = "removed"


class CodePurpose(StrEnum):
    """What a one-time code is good for."""

    FIRST_RUN = "first_run"
    """Makes the first admin."""
    PASSWORD = "password"  # noqa: S105 - a purpose
    """Sets an operator's password: somebody new, or somebody who lost theirs."""
    SCREEN = "screen"
    """Pairs a screen."""
    KEYPAD = "keypad"
    """Pairs the keypad of a lock."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who may sign in, or might.

    Attributes:
        id: Opaque.
        login: What they sign in as; None when removed, when this process holds no key, or damaged.
        role: Admin or viewer.
        has_password: False: they were admitted and have not used their link yet.
    """

    id: str
    login: str | None
    role: Role
    state: OperatorState
    has_password: bool
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class KeptPassword:
    """What a password is held against.

    Attributes:
        operator: Whose.
        hash: argon2id in its own notation; None: none was chosen, or they may not sign in.
    """

    operator: Operator
    hash: str | None


@dataclass(frozen=True, slots=True)
class OperatorSession:
    """A browser in which somebody signed in.

    Attributes:
        id: Names it; not what the browser presents.
        used_at: To the minute.
    """

    id: str
    operator: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ApiToken:
    """Something that acts for an operator without signing in.

    Attributes:
        id: Names it; not what is presented.
        operator: In whose name it acts.
        label: What it is for, in their words; None: it cannot be opened.
        scopes: What it may do, as long as its operator may.
        used_at: To the minute; None: never.
        expires_at: None: never.
        revoked_at: None: it is good.
    """

    id: str
    operator: str
    label: str | None
    scopes: frozenset[Permission]
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Screen:
    """A paired office screen.

    Attributes:
        id: Names it; not what is presented.
        label: Which device it is.
        used_at: When it last asked for something, to the minute; None: never.
        revoked_at: None: its link is good.
    """

    id: str
    label: str
    created_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Keypad:
    """A keypad that was paired with a lock.

    Attributes:
        id: Names it; not what is presented.
        label: Which device it is.
        lock: Of which lock; the settings may not have it any more.
        used_at: When it last asked for something, to the minute; None: never.
        revoked_at: None: its link is good.
    """

    id: str
    label: str
    lock: str
    created_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None
