"""A box with its whole desk in the test's own process, and everybody who may ask it something.

The passwords' hashes are made with little work; everything else is as it is on a box.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from argon2 import PasswordHasher

from appliance.app.desk.operations import Answer, Desk
from appliance.app.desk.passwords import Passwords
from appliance.permissions import GRANTED, Permission, Role
from appliance.services import Services
from appliance.settings import Settings
from appliance.store.api_tokens import TOKEN_SCOPES
from enroll.desk.process import open_desk

PASSWORD = "four words in a row"  # noqa: S105 - a password of the tests
WRONG = "four words in a raw"

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Hashes for tests: as safe as they are fast."""


def quick_passwords() -> Passwords:
    """Passwords as on a box, with little work."""
    return Passwords(QUICK)


@dataclass(frozen=True)
class DeskBox:
    """A desk, and what to ask it with.

    Attributes:
        desk: With every operation.
        services: Its database and keys.
    """

    desk: Desk
    services: Services

    def ask(self, operation: str, credential: str = "", *, blob: bytes = b"", **arguments: Any) -> Any:
        """The result of an operation, as somebody."""
        return self.answer(operation, credential, blob=blob, **arguments).result

    def answer(self, operation: str, credential: str = "", *, blob: bytes = b"", **arguments: Any) -> Answer:
        """The whole answer."""
        return self.desk.ask(operation, arguments, credential=credential, blob=blob)

    def first_admin(self, name: str = "ann") -> str:
        """The first admin; the secret of their session."""
        code = self.services.store.first_run_code()
        made = self.ask("first_run.create_admin", code=code, name=name, password=PASSWORD)
        return str(made["secret"])

    def admit(self, admin: str, name: str, role: Role = Role.VIEWER) -> str:
        """Somebody else, who has chosen a password; the secret of their session."""
        added = self.ask("operators.add", admin, name=name, role=role.value)
        redeemed = self.ask("password.redeem", code=added["code"], password=PASSWORD)
        return str(redeemed["secret"])

    def token(self, admin: str, *scopes: Permission) -> str:
        """A token with these scopes; its secret."""
        made = self.ask("tokens.create", admin, label="a script", scopes=[each.value for each in scopes])
        return str(made["secret"])

    def screen(self, admin: str, label: str = "Kitchen") -> str:
        """A paired screen; its secret."""
        code = self.ask("screens.begin_pairing", admin, label=label)["code"]
        return str(self.ask("screens.pair", code=code)["secret"])

    def keypad(self, admin: str, lock: str, label: str = "By the door") -> str:
        """A keypad paired with a lock of the settings; its secret."""
        code = self.ask("keypads.begin_pairing", admin, label=label, lock=lock)["code"]
        return str(self.ask("keypads.pair", code=code)["secret"])

    def everybody(self) -> "Everybody":
        """One of each who may ask."""
        admin = self.first_admin()
        return Everybody(
            credentials={
                "nobody": "",
                "somebody unknown": "ods_" + "x" * 43,
                "admin": admin,
                "viewer": self.admit(admin, "ben"),
                "screen": self.screen(admin),
                "token of everything": self.token(admin, *TOKEN_SCOPES),
                **{f"token of {each.value}": self.token(admin, each) for each in sorted(TOKEN_SCOPES)},
            },
        )


@dataclass(frozen=True)
class Everybody:
    """What everybody presents, by who they are."""

    credentials: Mapping[str, str]

    @staticmethod
    def may(who: str) -> frozenset[Permission]:
        """What somebody is permitted, told without asking the desk."""
        if who.startswith("token of "):
            scope = who.removeprefix("token of ")
            return TOKEN_SCOPES if scope == "everything" else frozenset({Permission(scope)})
        return GRANTED[Role(who)] if who in set(Role) else frozenset()


@contextmanager
def desk_box(services: Services, settings: Settings | None = None) -> Iterator[DeskBox]:
    """The desk of a box, until the end of the block."""
    with open_desk(settings or Settings(), services, passwords=quick_passwords()) as desk:
        yield DeskBox(desk, services)


def logged(box: DeskBox) -> list[tuple[str, str | None]]:
    """What the log says, and who did it by the last of their id."""
    return [(each.type, each.event.by) for each in box.services.store.events() if each.event is not None]


def identity(box: DeskBox, secret: str) -> str:
    """Whose secret it is, by id."""
    return str(box.ask("session.check", secret)["id"])
