"""Operations of accounts: signing in and out, passwords and the links that set them, the first admin.

What is kept of whom is the store's business, how passwords are hashed that of `passwords`, and who waits
after failures that of `guarding`. Nothing here tells anybody whether a name exists.
"""

from typing import Any

from pydantic import Field, SecretStr

from appliance.app.desk.guarding import Guard
from appliance.app.desk.operations import PUBLIC, Answer, Arguments, Asked, Nothing, Operation
from appliance.app.desk.passwords import Passwords, check_password
from appliance.app.desk.times import moment
from appliance.errors import DeniedError, FormError, NotSignedInError
from appliance.permissions import Permission
from appliance.services import Services
from appliance.store import KeptPassword, Operator, OperatorState, Store

_NAME = Field(max_length=200)
_PASSWORD = Field(max_length=1024)
_CODE = Field(max_length=100)
_CLIENT = Field(default="", max_length=100)
_ID = Field(max_length=36)


class SignIn(Arguments):
    """Attributes: name and password as typed; client: the address it comes from, to slow down guesses."""

    name: str = _NAME
    password: SecretStr = _PASSWORD
    client: str = _CLIENT


class WhichSession(Arguments):
    """Attributes: session: id of one of the caller's own."""

    session: str = _ID


class NewPassword(Arguments):
    """Attributes: old: the password so far; new: the one from now on."""

    old: SecretStr = _PASSWORD
    new: SecretStr = _PASSWORD


class WithCode(Arguments):
    """Attributes: code: from a link's fragment."""

    code: SecretStr = _CODE


class FirstRunState(Arguments):
    """Attributes: code: from the link, to hear whether it is good; may be left out."""

    code: SecretStr | None = Field(default=None, max_length=100)


class FirstAdmin(Arguments):
    """Attributes: code: from the link; name and password: chosen."""

    code: SecretStr = _CODE
    name: str = _NAME
    password: SecretStr = _PASSWORD
    client: str = _CLIENT


class Redeem(Arguments):
    """Attributes: code: from the link; password: chosen."""

    code: SecretStr = _CODE
    password: SecretStr = _PASSWORD
    client: str = _CLIENT


class Accounts:
    """Carries out what is asked about operators.

    Args:
        services: The store is used, and the clocks.
        passwords: Hashes and compares.
        guard: Of everything that can be guessed at.
    """

    def __init__(self, services: Services, passwords: Passwords, guard: Guard) -> None:
        self._store: Store = services.store
        self._passwords = passwords
        self._guard = guard

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        return [
            Operation("session.open", SignIn, PUBLIC, self.sign_in),
            Operation("session.check", Nothing, PUBLIC, self.check),
            Operation("session.close", Nothing, Permission.ACCOUNT, self.sign_out),
            Operation("session.list", Nothing, Permission.ACCOUNT, self.list_sessions),
            Operation("session.end", WhichSession, Permission.ACCOUNT, self.end_session),
            Operation("password.change", NewPassword, Permission.ACCOUNT, self.change_password),
            Operation("password.link", WithCode, PUBLIC, self.whose_link),
            Operation("password.redeem", Redeem, PUBLIC, self.redeem),
            Operation("first_run.state", FirstRunState, PUBLIC, self.first_run_state),
            Operation("first_run.create_admin", FirstAdmin, PUBLIC, self.create_admin),
        ]

    # ------------------------------------------------------------ one's own

    def sign_in(self, asked: Asked[SignIn]) -> Answer:
        """Open a session for who knows the password.

        Raises:
            NotSignedInError: Name or password is wrong; which, is not said.
            ThrottledError: Tried too often.
        """
        given = asked.arguments
        password = given.password.get_secret_value()
        with self._guard.sign_in(given.name, given.client):
            operator, kept = self._fitting(self._store.kept_password(given.name), password)
        if self._passwords.outdated(kept):
            self._store.refresh_hash(operator.id, old=kept, new=self._passwords.hash(password))
        return self._signed_in(operator)

    def check(self, asked: Asked[Nothing]) -> Answer:
        """Who the caller is; null: nobody. Not permitted to fail, so that web can ask for everybody."""
        caller = asked.caller
        if caller is None:
            return Answer(None)
        name = ""
        if caller.kind == "screen":
            name = self._store.screen(caller.id).label
        elif caller.operator:
            name = self._store.operator(caller.operator).login or ""
        return Answer(
            {
                "kind": caller.kind,
                "id": caller.id,
                "operator": caller.operator,
                "session": caller.session,
                "name": name,
                "role": caller.role.value,
                "permissions": sorted(each.value for each in caller.permissions),
            }
        )

    def sign_out(self, asked: Asked[Nothing]) -> Answer:
        """End the session that this was asked in."""
        who = asked.who
        self._store.end_session(who.session, who.operator)
        return Answer()

    def list_sessions(self, asked: Asked[Nothing]) -> Answer:
        """The caller's own sessions."""
        who = asked.who
        return Answer(
            [
                {
                    "id": each.id,
                    "created_at": moment(each.created_at),
                    "used_at": moment(each.used_at),
                    "expires_at": moment(each.expires_at),
                    "this": each.id == who.session,
                }
                for each in self._store.sessions(who.operator)
            ]
        )

    def end_session(self, asked: Asked[WhichSession]) -> Answer:
        """End one of the caller's own sessions.

        Raises:
            UnknownAccountError: It is not theirs, or over.
        """
        self._store.end_session(asked.arguments.session, asked.who.operator)
        return Answer()

    def change_password(self, asked: Asked[NewPassword]) -> Answer:
        """Another password for the caller; their other sessions end.

        Their tokens go on, as `tokens` of the answer says how many: they are no passwords, programs rest on
        them, and whoever changes theirs in peace has nothing to fear of them. A link ends them, too.

        Raises:
            FormError: The current one is wrong, or the new one is not worth having.
            ThrottledError: The current one was wrong too often.
        """
        who, given = asked.who, asked.arguments
        kept = self._store.kept_password_of(who.operator)
        login = kept.operator.login or ""
        check_password(given.new.get_secret_value(), login=login, field="new")
        try:
            with self._guard.own(who.operator):
                self._fitting(kept, given.old.get_secret_value())
        except NotSignedInError:  # they are; a field is wrong
            words = "this is not your password"
            raise FormError(words, fields={"old": words}) from None
        hashed = self._passwords.hash(given.new.get_secret_value())
        self._store.set_password(who.operator, hashed, keep_session=who.session)
        return Answer({"tokens": self._store.good_tokens(who.operator)})

    # ------------------------------------------------------------ with a link

    def whose_link(self, asked: Asked[WithCode]) -> Answer:
        """Whose password the link sets.

        Raises:
            NotSignedInError: The link is no good.
        """
        return Answer(
            {"name": self._store.operator_of_code(asked.arguments.code.get_secret_value()).login or ""}
        )

    def redeem(self, asked: Asked[Redeem]) -> Answer:
        """Set the password that the link is for, and sign its owner in; what they were known by ends.

        A link is for who lost a password, or fears that somebody has it: neither a session nor a token that
        was made with the old one is good any more.

        Raises:
            NotSignedInError: The link is no good.
            FormError: The password is not worth having; the link stays good.
            DeniedError: The password is set, but whose it is may not sign in.
            ThrottledError: Links were tried too often.
        """
        given, code = asked.arguments, asked.arguments.code.get_secret_value()
        with self._guard.tried(given.client):
            login = self._store.operator_of_code(code).login or ""
            check_password(given.password.get_secret_value(), login=login)
            hashed = self._passwords.hash(given.password.get_secret_value())
            operator = self._store.set_password_by_code(code, hashed)
        self._guard.chosen(login, given.client)
        if operator.state is not OperatorState.ACTIVE:
            raise DeniedError("the password is set, but you may not sign in", hint="ask an admin")
        return self._signed_in(operator)

    def first_run_state(self, asked: Asked[FirstRunState]) -> Answer:
        """Whether the first admin is still to be made, and whether the code, if one is given, would do."""
        code = asked.arguments.code
        return Answer(
            {
                "needed": not self._store.has_operators(),
                "code_good": code is not None and self._store.first_run_code_is_good(code.get_secret_value()),
            }
        )

    def create_admin(self, asked: Asked[FirstAdmin]) -> Answer:
        """Make the first admin and sign them in.

        Raises:
            NotSignedInError: The code is no good.
            DeniedError: There is an operator already.
            FormError: Name or password cannot be; the code stays good.
            ThrottledError: Codes were tried too often.
        """
        given = asked.arguments
        code = given.code.get_secret_value()
        with self._guard.tried(given.client):
            if self._store.has_operators():
                raise DeniedError("there is an admin already", hint="sign in instead")
            if not self._store.first_run_code_is_good(code):  # before the expensive part
                raise NotSignedInError("this link is no good any more", hint="ask an admin for a new one")
            check_password(given.password.get_secret_value(), login=given.name)
            hashed = self._passwords.hash(given.password.get_secret_value())
            operator = self._store.add_first_admin(code, given.name, hashed)
        self._guard.chosen(given.name, given.client)
        return self._signed_in(operator)

    # ------------------------------------------------------------ shared

    def _fitting(self, kept: KeptPassword | None, password: str) -> tuple[Operator, str]:
        """Whose password it is, and its hash; that there is none is found out in the same time.

        Raises:
            NotSignedInError: It is not the one that is kept.
        """
        fits = self._passwords.fits(None if kept is None else kept.hash, password)
        if kept is None or kept.hash is None or not fits:
            raise _wrong()
        return kept.operator, kept.hash

    def _signed_in(self, operator: Operator) -> Answer:
        secret, session = self._store.open_session(operator.id)
        return Answer(
            {"secret": secret, "expires_at": moment(session.expires_at), "operator": described(operator)}
        )


def _wrong() -> NotSignedInError:
    return NotSignedInError("the name or the password is wrong", hint="lost it? An admin can make a new link")


def described(operator: Operator) -> dict[str, Any]:
    """An operator as JSON values."""
    return {
        "id": operator.id,
        "name": operator.login,
        "role": operator.role.value,
        "state": operator.state.value,
        "has_password": operator.has_password,
        "created_at": moment(operator.created_at),
        "changed_at": moment(operator.changed_at),
    }
