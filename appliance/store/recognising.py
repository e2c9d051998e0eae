"""Who it is that presents something: one look-up per call, so that whatever ended has ended at once."""

from contextlib import suppress
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any, Final

from sqlalchemy import Connection, Table, select, update

from appliance.errors import StoreError
from appliance.permissions import GRANTED, Caller, Role
from appliance.store.account_records import OperatorState
from appliance.store.api_tokens import ApiTokens, scopes_of
from appliance.store.codes import Codes
from appliance.store.credentials import KEYPAD_PREFIX, SCREEN_PREFIX, SESSION_PREFIX, TOKEN_PREFIX, digest
from appliance.store.database import reading
from appliance.store.sessions import IDLE, Sessions
from appliance.store.tables import api_tokens, operator_sessions, operators, screens

_NOTED_EVERY: Final = timedelta(minutes=1)
"""How exactly it is kept when something was last used: writing at every call would be a flush at each."""
_LONGEST_CREDENTIAL: Final = 200


class Recognising(Sessions, ApiTokens, Codes):
    """Operators, and everything they and screens are known by."""

    def recognise(self, credential: str) -> Caller | None:
        """Who presents this, with what they may do now; None: nobody.

        When it was last used is kept at most once a minute, and never stands in the way.

        Raises:
            StoreError: The database cannot be read.
        """
        if len(credential) > _LONGEST_CREDENTIAL:
            return None
        now, hashed = self._clock.wall(), digest(credential)
        kinds = (
            (SESSION_PREFIX, operator_sessions, self._session),
            (TOKEN_PREFIX, api_tokens, self._api_token),
            (SCREEN_PREFIX, screens, self._paired),
            (KEYPAD_PREFIX, screens, self._paired_keypad),
        )
        for prefix, table, look in kinds:
            if not credential.startswith(prefix):
                continue
            with reading(self._engine) as connection:
                row = look(connection, hashed, now)
            if row is None or not compare_digest(row.secret_sha256, hashed):
                return None
            if row.used_at is None or now - row.used_at >= _NOTED_EVERY:
                self._note_use(table, row.id, now)
            return _caller(prefix, row)
        return None

    def _session(self, connection: Connection, hashed: str, now: datetime) -> Any:
        wanted = (
            select(operator_sessions, operators.c.role)
            .join(operators, operators.c.id == operator_sessions.c.operator)
            .where(
                operator_sessions.c.secret_sha256 == hashed,
                operator_sessions.c.expires_at > now,
                operator_sessions.c.used_at > now - IDLE,
                operators.c.state == OperatorState.ACTIVE.value,
            )
        )
        return connection.execute(wanted).first()

    def _api_token(self, connection: Connection, hashed: str, now: datetime) -> Any:
        wanted = (
            select(api_tokens, operators.c.role)
            .join(operators, operators.c.id == api_tokens.c.operator)
            .where(
                api_tokens.c.secret_sha256 == hashed,
                api_tokens.c.revoked_at.is_(None),
                api_tokens.c.expires_at.is_(None) | (api_tokens.c.expires_at > now),
                operators.c.state == OperatorState.ACTIVE.value,
            )
        )
        return connection.execute(wanted).first()

    def _paired(self, connection: Connection, hashed: str, now: datetime) -> Any:
        del now
        wanted = select(screens).where(screens.c.secret_sha256 == hashed, screens.c.revoked_at.is_(None))
        return connection.execute(wanted.where(screens.c.lock.is_(None))).first()

    def _paired_keypad(self, connection: Connection, hashed: str, now: datetime) -> Any:
        del now
        wanted = select(screens).where(screens.c.secret_sha256 == hashed, screens.c.revoked_at.is_(None))
        return connection.execute(wanted.where(screens.c.lock.is_not(None))).first()

    def _note_use(self, table: Table, key: str, now: datetime) -> None:
        with suppress(StoreError), self._writing() as connection:
            connection.execute(update(table).where(table.c.id == key).values(used_at=now))


def _caller(prefix: str, row: Any) -> Caller:
    if prefix == SCREEN_PREFIX:
        return Caller("screen", row.id, Role.SCREEN, GRANTED[Role.SCREEN])
    if prefix == KEYPAD_PREFIX:
        return Caller("keypad", row.id, Role.KEYPAD, GRANTED[Role.KEYPAD])
    role = Role(row.role)
    if prefix == SESSION_PREFIX:
        return Caller("operator", row.operator, role, GRANTED[role], row.operator, row.id)
    return Caller("token", row.id, role, GRANTED[role] & scopes_of(row.scopes), row.operator)
