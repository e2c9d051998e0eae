"""Operators: who may sign in, as what, and with which password's hash.

What they sign in as is personal. It rests sealed under a key of the operator's own, like a subject's
name, and is looked up by opening all of them: there are few. Removing somebody destroys that key. Every
change is one transaction with its event. Hashing and judging passwords is done before this room.
"""

import unicodedata
from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import Connection, delete, insert, select, text, update

from appliance.errors import DeniedError, FormError, UnknownAccountError
from appliance.events import Event, OperatorChanged, PasswordChanged
from appliance.permissions import Role
from appliance.store.account_records import KeptPassword, Operator, OperatorState
from appliance.store.changing import Changing
from appliance.store.database import reading
from appliance.store.records import NewEvent
from appliance.store.sealing import login_row, need
from appliance.store.tables import api_tokens, one_time_codes, operator_sessions, operators

LOGIN_CHARS = 64

_Change = Literal["operator_added", "operator_changed", "operator_removed"]


class Operators(Changing):
    """Who may sign in."""

    def operators(self, *, removed: bool = False) -> list[Operator]:
        """Everybody, by time of being added; those removed only if asked for."""
        wanted = select(operators).order_by(operators.c.created_at, operators.c.id)
        if not removed:
            wanted = wanted.where(operators.c.state != OperatorState.REMOVED.value)
        with reading(self._engine) as connection:
            return [self._operator(row) for row in connection.execute(wanted).mappings()]

    def operator(self, operator: str) -> Operator:
        """One of them by id, somebody removed included.

        Raises:
            UnknownAccountError: There never was one of that id.
        """
        with reading(self._engine) as connection:
            return self._operator(self._operator_row(connection, operator, removed=True))

    def has_operators(self) -> bool:
        """Whether anybody was admitted who was not removed."""
        with reading(self._engine) as connection:
            return self._any_operator(connection)

    def kept_password(self, login: str) -> KeptPassword | None:
        """What the password of who signs in as `login` is held against; None: nobody signs in as that."""
        wanted = folded(login)
        kept = None
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(operators).where(operators.c.state != OperatorState.REMOVED.value)
            ).mappings()
            for row in rows:  # to the end: how long it takes does not tell who is there
                found = self._operator(row)
                if found.login is not None and folded(found.login) == wanted:
                    good = found.state is OperatorState.ACTIVE
                    kept = KeptPassword(found, row["password_hash"] if good else None)
        return kept

    def kept_password_of(self, operator: str) -> KeptPassword:
        """The same for somebody who is known by id.

        Raises:
            UnknownAccountError: Nobody, or removed.
        """
        with reading(self._engine) as connection:
            row = self._operator_row(connection, operator)
        return KeptPassword(self._operator(row), row["password_hash"])

    def add_operator(self, login: str, role: Role, *, password_hash: str | None = None) -> Operator:
        """Admit somebody.

        Args:
            login: What they sign in as: 1 to 64 printable characters without spaces, as nobody else does,
                capitals aside.
            role: Admin or viewer.
            password_hash: None: they choose a password with a link.

        Raises:
            FormError: A login that cannot be, or is taken; a role that cannot sign in.
            StoreError: This process holds no key.
        """
        with self._writing() as connection:
            self._lock_operators(connection)
            made = self._add_operator(connection, login, role, password_hash)
        return self.operator(made)

    def change_operator(
        self, operator: str, *, role: Role | None = None, disabled: bool | None = None
    ) -> Operator:
        """Give somebody another role, or let them in no more, or again. In effect with their next call.

        Who is disabled loses every session and token. What changes nothing is not logged.

        Raises:
            UnknownAccountError: Nobody, or removed.
            DeniedError: They are the last admin who can sign in.
            FormError: A role that cannot sign in.
        """
        with self._writing() as connection:
            self._lock_operators(connection)
            row = self._operator_row(connection, operator)
            state = OperatorState(row["state"])
            if disabled is not None:
                state = OperatorState.DISABLED if disabled else OperatorState.ACTIVE
            wanted = {"role": _signs_in(role or Role(row["role"])).value, "state": state.value}
            if wanted != {"role": row["role"], "state": row["state"]}:
                if wanted["role"] != Role.ADMIN or state is not OperatorState.ACTIVE:
                    self._keep_an_admin(connection, row)
                self._update_operator(connection, operator, wanted)
                if state is OperatorState.DISABLED:
                    self._end_everything(connection, operator)
                changed = self._about(
                    "operator_changed", operator, wanted["role"], disabled=state is OperatorState.DISABLED
                )
                self._append(connection, [NewEvent(changed)])
        return self.operator(operator)

    def remove_operator(self, operator: str) -> bool:
        """Let somebody in no more, and forget their name; an opaque id stays, for what they did.

        Returns:
            Whether nothing of the name is left in the write-ahead log either; see `remove_subject`.

        Raises:
            UnknownAccountError: Nobody, or removed already.
            DeniedError: They are the last admin who can sign in.
        """
        with self._writing() as connection:
            self._lock_operators(connection)
            row = self._operator_row(connection, operator)
            self._keep_an_admin(connection, row)
            self._end_everything(connection, operator)
            gone = {
                "state": OperatorState.REMOVED.value,
                "wrapped_key": None,
                "sealed_login": None,
                "password_hash": None,
            }
            self._update_operator(connection, operator, gone)
            connection.execute(
                update(api_tokens).where(api_tokens.c.operator == operator).values(sealed_label=None)
            )
            removed = self._about("operator_removed", operator, row["role"])
            self._append(connection, [NewEvent(removed)])
        return self._scrub()

    def set_password(self, operator: str, password_hash: str, *, keep_session: str | None = None) -> None:
        """Give somebody another password; their other sessions and links end with it. Their tokens go on.

        Args:
            operator: Id.
            password_hash: argon2id in its own notation.
            keep_session: Id of the session it was asked for in, which goes on.

        Raises:
            UnknownAccountError: Nobody, or removed.
        """
        with self._writing() as connection:
            self._operator_row(connection, operator)
            self._set_password(connection, operator, password_hash, keep_session)

    def refresh_hash(self, operator: str, *, old: str, new: str) -> None:
        """Keep the same password as another hash, made with newer parameters; unless it changed meanwhile."""
        with self._writing() as connection:
            connection.execute(
                update(operators)
                .where(operators.c.id == operator, operators.c.password_hash == old)
                .values(password_hash=new)
            )

    # ------------------------------------------------------------ within a transaction

    def _add_operator(self, connection: Connection, login: str, role: Role, password_hash: str | None) -> str:
        login = _checked(login)
        for row in connection.execute(
            select(operators).where(operators.c.state != OperatorState.REMOVED.value)
        ).mappings():
            taken = self._operator(row).login
            if taken is not None and folded(taken) == folded(login):
                raise FormError(
                    "somebody signs in as that already", fields={"name": "somebody signs in as that already"}
                )
        seal, now = need(self._seal), self._clock.wall()
        operator = self._ids(now)
        key = seal.new_subject_key(operator)
        values = {
            "id": operator,
            "role": _signs_in(role).value,
            "state": OperatorState.ACTIVE.value,
            "wrapped_key": key,
            "sealed_login": seal.seal(key, operator, login.encode(), row=login_row(operator)),
            "password_hash": password_hash,
            "created_at": now,
            "changed_at": now,
        }
        connection.execute(insert(operators).values(values))
        self._append(connection, [NewEvent(self._about("operator_added", operator, role.value))])
        return operator

    def _set_password(
        self, connection: Connection, operator: str, password_hash: str, keep_session: str | None = None
    ) -> None:
        ending = delete(operator_sessions).where(operator_sessions.c.operator == operator)
        if keep_session is not None:
            ending = ending.where(operator_sessions.c.id != keep_session)
        connection.execute(ending)
        connection.execute(delete(one_time_codes).where(one_time_codes.c.operator == operator))
        self._update_operator(connection, operator, {"password_hash": password_hash})
        changed: Event = PasswordChanged(operator=operator)
        self._append(connection, [NewEvent(changed)])

    def _lock_operators(self, connection: Connection) -> None:
        """Nobody else adds, changes or removes operators until the transaction ends, on any box."""
        if connection.dialect.name == "postgresql":
            connection.execute(text("LOCK TABLE operators IN SHARE ROW EXCLUSIVE MODE"))

    def _any_operator(self, connection: Connection) -> bool:
        wanted = select(operators.c.id).where(operators.c.state != OperatorState.REMOVED.value).limit(1)
        return connection.execute(wanted).first() is not None

    def _operator_row(
        self, connection: Connection, operator: str, *, removed: bool = False
    ) -> Mapping[Any, Any]:
        row = connection.execute(select(operators).where(operators.c.id == operator)).mappings().first()
        if row is None or (not removed and row["state"] == OperatorState.REMOVED.value):
            raise UnknownAccountError("there is no such operator", command="see: appliance operators list")
        return row

    def _keep_an_admin(self, connection: Connection, row: Mapping[Any, Any]) -> None:
        """Somebody stays who can let others in.

        Raises:
            DeniedError: Without the one in `row` nobody would.
        """
        able = (
            operators.c.role == Role.ADMIN.value,
            operators.c.state == OperatorState.ACTIVE.value,
            operators.c.password_hash.is_not(None),
        )
        admins = connection.execute(select(operators.c.id).where(*able)).scalars().all()
        if list(admins) == [row["id"]]:
            raise DeniedError(
                "this is the last admin who can sign in", hint="make somebody else an admin first"
            )

    def _end_everything(self, connection: Connection, operator: str) -> None:
        """Whatever an operator is known by is good no more."""
        for table in (operator_sessions, one_time_codes):
            connection.execute(delete(table).where(table.c.operator == operator))
        self._end_tokens(connection, operator)

    def _end_tokens(self, connection: Connection, operator: str) -> None:
        now = self._clock.wall()
        connection.execute(
            update(api_tokens)
            .where(api_tokens.c.operator == operator, api_tokens.c.revoked_at.is_(None))
            .values(revoked_at=now)
        )

    def _update_operator(self, connection: Connection, operator: str, values: Mapping[str, Any]) -> None:
        changed = {**values, "changed_at": self._clock.wall()}
        connection.execute(update(operators).where(operators.c.id == operator).values(changed))

    def _about(self, change: _Change, operator: str, role: str, *, disabled: bool = False) -> OperatorChanged:
        return OperatorChanged(type=change, operator=operator, role=role, disabled=disabled)

    def _operator(self, row: Mapping[Any, Any]) -> Operator:
        return Operator(
            id=row["id"],
            login=self._text_or_none(
                row["wrapped_key"], row["id"], row["sealed_login"], login_row(row["id"])
            ),
            role=Role(row["role"]),
            state=OperatorState(row["state"]),
            has_password=row["password_hash"] is not None,
            created_at=row["created_at"],
            changed_at=row["changed_at"],
        )


def folded(login: str) -> str:
    """A login as it is compared: in one way of writing, without regard to capitals."""
    return unicodedata.normalize("NFKC", login.strip()).casefold()


def _checked(login: str) -> str:
    """A login as it is kept.

    Raises:
        FormError: It cannot be one.
    """
    login = unicodedata.normalize("NFC", login).strip()
    if not 0 < len(login) <= LOGIN_CHARS or not login.isprintable() or " " in login:
        words = f"1 to {LOGIN_CHARS} printable characters, without spaces"
        raise FormError(f"a name to sign in with has {words}", fields={"name": words})
    return login


def _signs_in(role: Role) -> Role:
    """The role, if people may have it.

    Raises:
        FormError: It is a screen's.
    """
    if role is Role.SCREEN:
        raise FormError("nobody signs in as a screen", fields={"role": "admin or viewer"})
    return role
