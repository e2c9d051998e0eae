"""One-time codes: whoever holds one may do one thing, once, for a while.

A code is spent in the transaction of what it allows, so that it is never spent for nothing and
never twice. A code that is typed is void after a few wrong ones; one in a link cannot be guessed.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from appliance.errors import DeniedError, NotSignedInError
from appliance.events import SignInLinkMade
from appliance.permissions import Role
from appliance.store.account_records import CodePurpose, Keypad, Operator, Screen
from appliance.store.api_tokens import label_of
from appliance.store.credentials import code_digest, new_code
from appliance.store.database import reading
from appliance.store.operators import Operators
from appliance.store.records import NewEvent
from appliance.store.screens import Screens
from appliance.store.tables import one_time_codes

LASTS: Final[Mapping[CodePurpose, timedelta]] = {
    CodePurpose.FIRST_RUN: timedelta(hours=24),
    CodePurpose.PASSWORD: timedelta(hours=72),
    CodePurpose.SCREEN: timedelta(minutes=10),
    CodePurpose.KEYPAD: timedelta(minutes=10),
}
"""For how long a code is good."""
MOST_ATTEMPTS: Final = 20
"""Wrong codes after which one that is typed is void: 20 of 2^40 in its ten minutes."""


_TYPED: Final = frozenset({CodePurpose.SCREEN, CodePurpose.KEYPAD})
"""What a code is typed for, on the device that it pairs."""


class Codes(Operators, Screens):
    """What lets somebody in who cannot sign in yet."""

    def first_run_code(self) -> str:
        """A code for making the first admin; those made before are void.

        Raises:
            DeniedError: There is an operator already.
        """
        with self._writing() as connection:
            self._lock_operators(connection)
            if self._any_operator(connection):
                raise _not_first()
            return self._new_code(connection, CodePurpose.FIRST_RUN)

    def password_code(self, operator: str, *, made_by: str | None = None) -> str:
        """A code with which an operator sets a password; one made for them before is void. It is logged.

        Raises:
            UnknownAccountError: Nobody, or removed.
        """
        with self._writing() as connection:
            self._operator_row(connection, operator)
            code = self._new_code(connection, CodePurpose.PASSWORD, operator=operator, made_by=made_by)
            self._append(connection, [NewEvent(SignInLinkMade(operator=operator, by=made_by))])
            return code

    def screen_code(self, label: str, *, made_by: str | None = None) -> str:
        """A short code that pairs a screen, to be typed.

        Raises:
            FormError: A label that cannot be.
        """
        label = label_of(label)
        with self._writing() as connection:
            return self._new_code(connection, CodePurpose.SCREEN, label=label, made_by=made_by)

    def keypad_code(self, label: str, lock: str, *, made_by: str | None = None) -> str:
        """A short code that pairs a keypad with a lock, to be typed.

        Args:
            label: Which device it is.
            lock: Id of a lock of the settings.
            made_by: Whoever asks.

        Raises:
            FormError: A label that cannot be.
        """
        label = label_of(label)
        with self._writing() as connection:
            return self._new_code(connection, CodePurpose.KEYPAD, label=label, made_by=made_by, lock=lock)

    def operator_of_code(self, code: str) -> Operator:
        """Who sets their password with a code; it stays good.

        Raises:
            NotSignedInError: The code is no good.
        """
        now = self._clock.wall()
        with reading(self._engine) as connection:
            wanted = _good(CodePurpose.PASSWORD, now).where(one_time_codes.c.code_sha256 == code_digest(code))
            row = connection.execute(wanted).mappings().first()
            if row is None:
                raise _no_good()
            return self._operator(self._operator_row(connection, row["operator"]))

    def first_run_code_is_good(self, code: str) -> bool:
        """Whether the code would make the first admin now; it stays good."""
        with reading(self._engine) as connection:
            wanted = _good(CodePurpose.FIRST_RUN, self._clock.wall())
            found = connection.execute(wanted.where(one_time_codes.c.code_sha256 == code_digest(code)))
            return found.first() is not None and not self._any_operator(connection)

    def add_first_admin(self, code: str, login: str, password_hash: str) -> Operator:
        """Make the first operator, an admin.

        Raises:
            NotSignedInError: The code is no good.
            DeniedError: There is an operator already.
            FormError: A login that cannot be; the code stays good.
        """
        with self._writing() as connection:
            self._lock_operators(connection)
            if self._any_operator(connection):
                raise _not_first()
            if self._spend(connection, CodePurpose.FIRST_RUN, code) is None:
                raise _no_good()
            made = self._add_operator(connection, login, Role.ADMIN, password_hash)
        return self.operator(made)

    def set_password_by_code(self, code: str, password_hash: str) -> Operator:
        """Give the operator that a code is for another password; all their sessions and tokens end.

        Raises:
            NotSignedInError: The code is no good.
        """
        with self._writing() as connection:
            spent = self._spend(connection, CodePurpose.PASSWORD, code)
            if spent is None:
                raise _no_good()
            self._operator_row(connection, spent["operator"])
            with self.acting(spent["operator"]):
                self._set_password(connection, spent["operator"], password_hash)
                self._end_tokens(connection, spent["operator"])
        return self.operator(spent["operator"])

    def pair_screen(self, code: str) -> tuple[str, Screen]:
        """Pair the screen that a code was made for; whoever made it stands in the log.

        Returns:
            What the screen is to present from now on, and the screen.

        Raises:
            NotSignedInError: The code is no good.
        """
        with self._writing() as connection:
            self._lock_operators(connection)
            spent = self._spend(connection, CodePurpose.SCREEN, code)
            paired = None if spent is None else self._add_screen(connection, spent["label"], spent["made_by"])
        if paired is None:  # said after the transaction: the attempt counts
            raise _no_good()
        secret, screen = paired
        return secret, self.screen(screen)

    def pair_keypad(self, code: str) -> tuple[str, Keypad]:
        """Pair the keypad that a code was made for; whoever made it stands in the log.

        Returns:
            What the keypad is to present from now on, and the keypad.

        Raises:
            NotSignedInError: The code is no good.
        """
        with self._writing() as connection:
            self._lock_operators(connection)
            spent = self._spend(connection, CodePurpose.KEYPAD, code)
            paired = None
            if spent is not None:
                paired = self._add_keypad(connection, spent["label"], spent["lock"], spent["made_by"])
        if paired is None:  # said after the transaction: the attempt counts
            raise _no_good()
        secret, keypad = paired
        return secret, self.keypad(keypad)

    # ------------------------------------------------------------ within a transaction

    def _new_code(
        self,
        connection: Connection,
        purpose: CodePurpose,
        *,
        operator: str | None = None,
        label: str = "",
        made_by: str | None = None,
        lock: str | None = None,
    ) -> str:
        now = self._clock.wall()
        if purpose not in _TYPED:  # several screens may be paired at a time
            connection.execute(
                delete(one_time_codes).where(
                    one_time_codes.c.purpose == purpose.value,
                    one_time_codes.c.operator.is_not_distinct_from(operator),
                )
            )
        connection.execute(delete(one_time_codes).where(one_time_codes.c.expires_at <= now))
        code = new_code(typed=purpose in _TYPED)
        values = {
            "id": self._ids(now),
            "code_sha256": code_digest(code),
            "purpose": purpose.value,
            "operator": operator,
            "label": label,
            "made_by": made_by,
            "lock": lock,
            "attempts": 0,
            "created_at": now,
            "expires_at": now + LASTS[purpose],
        }
        connection.execute(insert(one_time_codes).values(values))
        return code

    def _spend(self, connection: Connection, purpose: CodePurpose, code: str) -> Mapping[Any, Any] | None:
        """Take a code out of use and say what it was for; None: it is no good, and that counts."""
        now, wanted = self._clock.wall(), code_digest(code)
        good = _good(purpose, now)
        row = connection.execute(good.where(one_time_codes.c.code_sha256 == wanted)).mappings().first()
        if row is not None:
            spent = connection.execute(delete(one_time_codes).where(one_time_codes.c.id == row["id"]))
            return row if spent.rowcount else None
        connection.execute(
            update(one_time_codes)
            .where(one_time_codes.c.purpose == purpose.value)
            .values(attempts=one_time_codes.c.attempts + 1)
        )
        return None


def _good(purpose: CodePurpose, now: Any) -> Any:
    """The codes for a purpose that have not run out; of those that are typed, not tried too often."""
    good = select(one_time_codes).where(
        one_time_codes.c.purpose == purpose.value, one_time_codes.c.expires_at > now
    )
    return good.where(one_time_codes.c.attempts < MOST_ATTEMPTS) if purpose in _TYPED else good


def _no_good() -> NotSignedInError:
    return NotSignedInError("this code is no good: used, run out, or mistyped", hint="ask for a new one")


def _not_first() -> DeniedError:
    return DeniedError(
        "there is an admin already", hint="sign in", command="lost the password? appliance operators link"
    )
