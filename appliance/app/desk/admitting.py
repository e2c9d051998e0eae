"""Operations of who else is let in: admins admit operators, change what they are, and let them go.

What anybody does about themselves is in `accounts`; what comes in without signing in, in `devices`.
"""

from typing import Any, Literal

from pydantic import Field

from appliance.app.desk.accounts import described
from appliance.app.desk.operations import Answer, Arguments, Asked, Nothing, Operation
from appliance.permissions import Permission, Role
from appliance.services import Services
from appliance.store import CodePurpose, Operator
from appliance.store.codes import LASTS

_NAME = Field(max_length=200)
_ID = Field(max_length=36)

SignInRole = Literal[Role.ADMIN, Role.VIEWER]


class WhichOperator(Arguments):
    """Attributes: operator: id."""

    operator: str = _ID


class NewOperator(Arguments):
    """Attributes: name: what they sign in as; role: admin or viewer."""

    name: str = _NAME
    role: SignInRole


class OperatorChange(Arguments):
    """Attributes: operator: id; role and disabled: what is left out stays."""

    operator: str = _ID
    role: SignInRole | None = None
    disabled: bool | None = None


class Admitting:
    """Carries out what admins ask about operators.

    Args:
        services: The store is used.
    """

    def __init__(self, services: Services) -> None:
        self._store = services.store

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        return [
            Operation("operators.list", Nothing, Permission.OPERATORS, self.list_operators),
            Operation("operators.add", NewOperator, Permission.OPERATORS, self.add_operator),
            Operation("operators.change", OperatorChange, Permission.OPERATORS, self.change_operator),
            Operation("operators.remove", WhichOperator, Permission.OPERATORS, self.remove_operator),
            Operation("operators.reset", WhichOperator, Permission.OPERATORS, self.reset_operator),
        ]

    def list_operators(self, asked: Asked[Nothing]) -> Answer:
        """Everybody who may sign in."""
        you = asked.who.operator
        return Answer([{**described(each), "you": each.id == you} for each in self._store.operators()])

    def add_operator(self, asked: Asked[NewOperator]) -> Answer:
        """Admit somebody; the code in the answer is for the link with which they choose their password.

        Raises:
            FormError: A name that cannot be, or is taken.
        """
        made = self._store.add_operator(asked.arguments.name, asked.arguments.role)
        return self._with_link(made)

    def change_operator(self, asked: Asked[OperatorChange]) -> Answer:
        """Give somebody another role, or let them in no more, or again.

        Raises:
            UnknownAccountError: Nobody.
            DeniedError: They are the last admin.
        """
        given = asked.arguments
        changed = self._store.change_operator(given.operator, role=given.role, disabled=given.disabled)
        return Answer(described(changed))

    def remove_operator(self, asked: Asked[WhichOperator]) -> Answer:
        """Let somebody in no more and forget their name.

        Raises:
            UnknownAccountError: Nobody.
            DeniedError: They are the last admin.
        """
        return Answer({"erased": self._store.remove_operator(asked.arguments.operator)})

    def reset_operator(self, asked: Asked[WhichOperator]) -> Answer:
        """Make a link with which somebody sets another password; until it is used, nothing changes.

        Raises:
            UnknownAccountError: Nobody.
        """
        return self._with_link(self._store.operator(asked.arguments.operator))

    def _with_link(self, operator: Operator) -> Answer:
        code = self._store.password_code(operator.id)
        return Answer(
            {
                "operator": described(operator),
                "code": code,
                "lasts_s": LASTS[CodePurpose.PASSWORD].total_seconds(),
            }
        )
