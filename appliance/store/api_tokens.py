"""Tokens of the API: they act in an operator's name, with a part of what the operator may."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, insert, select, update

from appliance.errors import FormError, UnknownAccountError
from appliance.events import TokenChanged
from appliance.permissions import Permission
from appliance.store.account_records import ApiToken
from appliance.store.chain import canonical
from appliance.store.credentials import TOKEN_PREFIX, digest, new_secret
from appliance.store.database import reading
from appliance.store.operators import Operators
from appliance.store.records import NewEvent
from appliance.store.sealing import need, token_label_row
from appliance.store.tables import api_tokens, operators

TOKEN_LABEL_CHARS = 64
TOKEN_SCOPES: Final = frozenset(Permission) - {
    Permission.ACCOUNT,
    Permission.OPERATORS,
    Permission.LOCKS,
    Permission.SCREEN,
    Permission.KEYPAD,
}
"""What a token may be given. Passwords, PINs and who else comes in are for people who sign in."""


class ApiTokens(Operators):
    """What acts in operators' names."""

    def add_token(
        self, operator: str, label: str, scopes: Collection[Permission], *, expires_at: datetime | None = None
    ) -> tuple[str, ApiToken]:
        """Make a token.

        Args:
            operator: In whose name it acts.
            label: What it is for, 1 to 64 printable characters; sealed under the operator's key.
            scopes: What it may do, one at least.
            expires_at: When it ends by itself, aware; None: never.

        Returns:
            What is to be presented, which is nowhere else and never shown again, and the token.

        Raises:
            UnknownAccountError: Nobody, or removed.
            FormError: A label, scopes or a time that cannot be.
        """
        now = self._clock.wall()
        label = label_of(label)
        if not scopes or not TOKEN_SCOPES.issuperset(scopes):
            words = f"one or more of: {', '.join(sorted(TOKEN_SCOPES))}"
            raise FormError(f"a token needs {words}", fields={"scopes": words})
        if expires_at is not None and expires_at <= now:
            raise FormError("a token has to end in the future", fields={"expires_at": "this is in the past"})
        secret, token = new_secret(TOKEN_PREFIX), self._ids(now)
        with self._writing() as connection:
            key = self._operator_row(connection, operator)["wrapped_key"]
            values = {
                "id": token,
                "operator": operator,
                "secret_sha256": digest(secret),
                "sealed_label": need(self._seal).seal(
                    key, operator, label.encode(), row=token_label_row(token)
                ),
                "scopes": canonical(sorted(scopes)),
                "created_at": now,
                "expires_at": expires_at,
            }
            connection.execute(insert(api_tokens).values(values))
            made = TokenChanged(
                type="token_created", token=token, operator=operator, scopes=tuple(sorted(scopes))
            )
            self._append(connection, [NewEvent(made)])
        return secret, self.token(token)

    def tokens(self) -> list[ApiToken]:
        """Every token there ever was, oldest first; those of somebody removed have no label."""
        with reading(self._engine) as connection:
            rows = connection.execute(_JOINED.order_by(api_tokens.c.created_at, api_tokens.c.id)).mappings()
            return [self._token(row) for row in rows]

    def good_tokens(self, operator: str) -> int:
        """How many tokens of an operator's are good now."""
        good = select(func.count()).where(
            api_tokens.c.operator == operator,
            api_tokens.c.revoked_at.is_(None),
            api_tokens.c.expires_at.is_(None) | (api_tokens.c.expires_at > self._clock.wall()),
        )
        with reading(self._engine) as connection:
            return int(connection.execute(good).scalar_one())

    def token(self, token: str) -> ApiToken:
        """One token by id.

        Raises:
            UnknownAccountError: There is none.
        """
        with reading(self._engine) as connection:
            row = connection.execute(_JOINED.where(api_tokens.c.id == token)).mappings().first()
        if row is None:
            raise UnknownAccountError("there is no such token")
        return self._token(row)

    def revoke_token(self, token: str) -> None:
        """Let a token be good no more; twice is once.

        Raises:
            UnknownAccountError: There is none.
        """
        kept = self.token(token)
        with self._writing() as connection:
            moved = connection.execute(
                update(api_tokens)
                .where(api_tokens.c.id == token, api_tokens.c.revoked_at.is_(None))
                .values(revoked_at=self._clock.wall())
            )
            if moved.rowcount:
                revoked = TokenChanged(
                    type="token_revoked",
                    token=token,
                    operator=kept.operator,
                    scopes=tuple(sorted(kept.scopes)),
                )
                self._append(connection, [NewEvent(revoked)])

    def _token(self, row: Mapping[Any, Any]) -> ApiToken:
        label = self._text_or_none(
            row["wrapped_key"], row["operator"], row["sealed_label"], token_label_row(row["id"])
        )
        return ApiToken(
            id=row["id"],
            operator=row["operator"],
            label=label,
            scopes=scopes_of(row["scopes"]),
            created_at=row["created_at"],
            used_at=row["used_at"],
            expires_at=row["expires_at"],
            revoked_at=row["revoked_at"],
        )


_JOINED = select(*api_tokens.c, operators.c.wrapped_key).join_from(
    api_tokens, operators, operators.c.id == api_tokens.c.operator
)


def scopes_of(kept: str) -> frozenset[Permission]:
    """Scopes as they are kept; one that this program does not know counts for nothing."""
    known = {each.value for each in Permission}
    return frozenset(Permission(scope) for scope in json.loads(kept) if scope in known)


def label_of(label: str) -> str:
    """A label as it is kept.

    Raises:
        FormError: It is empty, endless or holds what cannot be printed.
    """
    label = label.strip()
    if not 0 < len(label) <= TOKEN_LABEL_CHARS or not label.isprintable():
        words = f"1 to {TOKEN_LABEL_CHARS} printable characters"
        raise FormError(f"a label has {words}", fields={"label": words})
    return label
