"""Sessions: browsers in which somebody signed in. They end when idle, when old, and when they are told to."""

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, insert, or_, select

from appliance.errors import UnknownAccountError
from appliance.store.account_records import OperatorSession, OperatorState
from appliance.store.credentials import SESSION_PREFIX, digest, new_secret
from appliance.store.database import reading
from appliance.store.operators import Operators
from appliance.store.tables import operator_sessions

IDLE: Final = timedelta(hours=12)
"""After so long without a call a session is over."""
LONGEST: Final = timedelta(days=7)
"""After so long it is over whatever happens, and the password is asked for again."""


class Sessions(Operators):
    """Where operators are signed in."""

    def open_session(self, operator: str) -> tuple[str, OperatorSession]:
        """Let an operator in whose password was right; what has run out, anybody's, is swept away.

        Returns:
            What their browser is to present from now on, and the session.

        Raises:
            UnknownAccountError: They may not sign in (any more).
        """
        now = self._clock.wall()
        secret = new_secret(SESSION_PREFIX)
        session = OperatorSession(self._ids(now), operator, now, now, now + LONGEST)
        with self._writing() as connection:
            row = self._operator_row(connection, operator)
            if row["state"] != OperatorState.ACTIVE.value:
                raise UnknownAccountError("this operator may not sign in")
            over = or_(operator_sessions.c.expires_at <= now, operator_sessions.c.used_at <= now - IDLE)
            connection.execute(delete(operator_sessions).where(over))
            values = {
                "id": session.id,
                "operator": operator,
                "secret_sha256": digest(secret),
                "created_at": now,
                "used_at": now,
                "expires_at": session.expires_at,
            }
            connection.execute(insert(operator_sessions).values(values))
        return secret, session

    def sessions(self, operator: str) -> list[OperatorSession]:
        """An operator's sessions that are not over, oldest first."""
        now = self._clock.wall()
        wanted = (
            select(operator_sessions)
            .where(
                operator_sessions.c.operator == operator,
                operator_sessions.c.expires_at > now,
                operator_sessions.c.used_at > now - IDLE,
            )
            .order_by(operator_sessions.c.created_at, operator_sessions.c.id)
        )
        with reading(self._engine) as connection:
            return [
                OperatorSession(
                    row["id"], row["operator"], row["created_at"], row["used_at"], row["expires_at"]
                )
                for row in connection.execute(wanted).mappings()
            ]

    def end_session(self, session: str, operator: str) -> None:
        """End one of an operator's sessions.

        Raises:
            UnknownAccountError: There is none of that id, or it is another operator's.
        """
        with self._writing() as connection:
            ended = connection.execute(
                delete(operator_sessions).where(
                    operator_sessions.c.id == session, operator_sessions.c.operator == operator
                )
            )
            if not ended.rowcount:
                raise UnknownAccountError("that is no session of yours")
