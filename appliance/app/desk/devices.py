"""Operations of what comes in without signing in: tokens of the API, and office screens.

A secret is in exactly one answer, that of the operation that makes it.
"""

from datetime import timedelta
from typing import Any

from pydantic import Field

from appliance.app.desk.guarding import Guard
from appliance.app.desk.operations import PUBLIC, Answer, Arguments, Asked, Nothing, Operation
from appliance.app.desk.pairing import Pair, code_told, device_facts, paired
from appliance.app.desk.times import moment
from appliance.permissions import Permission
from appliance.services import Services
from appliance.store import ApiToken, CodePurpose

_LABEL = Field(max_length=200)
_ID = Field(max_length=36)


class NewToken(Arguments):
    """Attributes: label: what it is for; scopes: permissions; lasts_days: None: until it is revoked."""

    label: str = _LABEL
    scopes: frozenset[Permission]
    lasts_days: int | None = Field(default=None, ge=1, le=3650)


class WhichToken(Arguments):
    """Attributes: token: id."""

    token: str = _ID


class NewScreen(Arguments):
    """Attributes: label: which device it is, e.g. where it hangs."""

    label: str = _LABEL


class WhichScreen(Arguments):
    """Attributes: screen: id."""

    screen: str = _ID


class Devices:
    """Carries out what is asked about tokens and screens.

    Args:
        services: The store is used, and the clocks.
        guard: The one that passwords are guarded by, too.
    """

    def __init__(self, services: Services, guard: Guard) -> None:
        self._store = services.store
        self._clock = services.clock
        self._guard = guard

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        return [
            Operation("tokens.list", Nothing, Permission.OPERATORS, self.list_tokens),
            Operation("tokens.create", NewToken, Permission.OPERATORS, self.create_token),
            Operation("tokens.revoke", WhichToken, Permission.OPERATORS, self.revoke_token),
            Operation("screens.list", Nothing, Permission.OPERATORS, self.list_screens),
            Operation("screens.begin_pairing", NewScreen, Permission.OPERATORS, self.begin_pairing),
            Operation("screens.pair", Pair, PUBLIC, self.pair),
            Operation("screens.revoke", WhichScreen, Permission.OPERATORS, self.revoke_screen),
        ]

    def list_tokens(self, asked: Asked[Nothing]) -> Answer:
        """Every token, revoked ones included."""
        del asked
        return Answer([_token(each) for each in self._store.tokens()])

    def create_token(self, asked: Asked[NewToken]) -> Answer:
        """Make a token that acts in the caller's name.

        Raises:
            FormError: A label or scopes that cannot be.
        """
        given = asked.arguments
        ends = None
        if given.lasts_days is not None:
            ends = self._clock.wall() + timedelta(days=given.lasts_days)
        secret, token = self._store.add_token(asked.who.operator, given.label, given.scopes, expires_at=ends)
        return Answer({"secret": secret, "token": _token(token)})

    def revoke_token(self, asked: Asked[WhichToken]) -> Answer:
        """Let a token be good no more.

        Raises:
            UnknownAccountError: There is none.
        """
        self._store.revoke_token(asked.arguments.token)
        return Answer()

    def list_screens(self, asked: Asked[Nothing]) -> Answer:
        """Every screen, revoked ones included."""
        del asked
        return Answer([device_facts(each) for each in self._store.screens()])

    def begin_pairing(self, asked: Asked[NewScreen]) -> Answer:
        """Make a code to be typed on the screen within ten minutes.

        Raises:
            FormError: A label that cannot be.
        """
        code = self._store.screen_code(asked.arguments.label, made_by=asked.who.id)
        return code_told(code, CodePurpose.SCREEN)

    def pair(self, asked: Asked[Pair]) -> Answer:
        """Take a code for a screen's secret.

        Raises:
            NotSignedInError: The code is no good.
            ThrottledError: Codes were tried too often from there.
        """
        take = self._store.pair_screen
        return paired(asked.arguments, self._guard, take, called="screen", facts=device_facts)

    def revoke_screen(self, asked: Asked[WhichScreen]) -> Answer:
        """Let a screen's link be good no more.

        Raises:
            UnknownAccountError: There is none.
        """
        self._store.revoke_screen(asked.arguments.screen)
        return Answer()


def _token(token: ApiToken) -> dict[str, Any]:
    return {
        "id": token.id,
        "operator": token.operator,
        "label": token.label,
        "scopes": sorted(each.value for each in token.scopes),
        "created_at": moment(token.created_at),
        "used_at": moment(token.used_at),
        "expires_at": moment(token.expires_at),
        "revoked_at": moment(token.revoked_at),
    }
