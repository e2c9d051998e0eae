"""What may be asked of the desk: each operation with its arguments, its permission and who carries it out.

Deny by default: an operation without a permission cannot be registered but as `PUBLIC`, and each call is
authorised here by what the caller presents, whatever the web process thinks of them. What operations do
is for the modules beside this one.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from appliance.errors import DeniedError, FormError, NotSignedInError, WireError
from appliance.permissions import Caller, Permission
from appliance.settings.wording import in_words
from appliance.wire import Handler, Message, Reply, Request
from appliance.wire.messages import AskDesk, DeskAnswered

PUBLIC: Final = "public"
"""For the few operations that somebody not signed in needs: signing in, the first admin, pairing."""


class Arguments(BaseModel):
    """What an operation is told: strict about names, and never shown in a log."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)


class Nothing(Arguments):
    """No arguments."""


A = TypeVar("A", bound=Arguments)
"""An operation's own arguments."""


@dataclass(frozen=True, slots=True)
class Asked(Generic[A]):
    """One call of an operation.

    Attributes:
        arguments: Checked.
        caller: Who asks; None: nobody who is known, which only a public operation sees.
        blob: Raw bytes that came along, e.g. a picture file.
        credential: What the caller presented, for the operations that end or renew it.
    """

    arguments: A
    caller: Caller | None
    blob: bytes
    credential: str

    @property
    def who(self) -> Caller:
        """The caller of an operation that is not public.

        Raises:
            NotSignedInError: There is none.
        """
        if self.caller is None:
            raise _not_signed_in()
        return self.caller


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes of an operation.

    Attributes:
        result: JSON values.
        blob: Raw bytes beside it.
    """

    result: Any = None
    blob: bytes = b""


@dataclass(frozen=True, slots=True)
class Operation(Generic[A]):
    """Something that may be asked.

    Attributes:
        name: `subject.verb`, stable; part of the API.
        arguments: Their model.
        permission: Who may; `PUBLIC`: everybody.
        run: Carries it out. What it raises of ours goes back to the caller.
        waits: It may take long: who asks has to be somebody who may when it is answered, too.
    """

    name: str
    arguments: type[A]
    permission: Permission | Literal["public"]
    run: Callable[[Asked[A]], Answer]
    waits: bool = False


class Desk:
    """Carries out operations for those who may.

    Args:
        identify: From what a caller presents to who they are; None: nobody.
        operations: All there are.
        acting: Given the id of who asks, lets what is logged meanwhile say so: `Store.acting`. An operation
            that hands work to another thread has to do so there itself.

    Raises:
        ValueError: Two operations of one name.
    """

    def __init__(
        self,
        identify: Callable[[str], Caller | None],
        operations: Iterable[Operation[Any]],
        acting: Callable[[str | None], AbstractContextManager[None]] = lambda _: nullcontext(),
    ) -> None:
        self._identify = identify
        self._acting = acting
        self._operations: dict[str, Operation[Any]] = {}
        for each in operations:
            if each.name in self._operations:
                raise ValueError(f"two operations are called {each.name}")
            self._operations[each.name] = each

    @property
    def operations(self) -> Mapping[str, Operation[Any]]:
        """All there are, by name."""
        return self._operations

    def handlers(self) -> dict[type[Message], Handler]:
        """By message, for a server."""
        return {AskDesk: self._answer}

    def ask(
        self, operation: str, arguments: Mapping[str, Any], *, credential: str = "", blob: bytes = b""
    ) -> Answer:
        """Carry out one operation.

        Raises:
            WireError: There is no such operation.
            NotSignedInError: Nobody is known by the credential, and the operation is not public.
            DeniedError: The caller may not.
            FormError: The arguments do not fit.
            ApplianceError: Whatever the operation raises.
        """
        wanted = self._operations.get(operation)
        if wanted is None:
            raise WireError(
                f"the desk knows no operation {operation[:60]!r}",
                hint="our processes run different versions of the program; restart them all",
            )
        caller = self._admitted(wanted, credential)
        try:
            checked = wanted.arguments.model_validate(dict(arguments))
        except ValidationError as error:
            raise _unfit(error, wanted.arguments) from None
        with self._acting(None if caller is None else caller.id):
            answer = wanted.run(Asked(checked, caller, blob, credential))
        if wanted.waits:
            self._admitted(wanted, credential)
        return answer

    def _admitted(self, wanted: Operation[Any], credential: str) -> Caller | None:
        """Who asks, if they may; None: nobody, for a public operation.

        Raises:
            NotSignedInError: Nobody is known by the credential, and the operation is not public.
            DeniedError: The caller may not.
        """
        caller = self._identify(credential) if credential else None
        if wanted.permission != PUBLIC:
            if caller is None:
                raise _not_signed_in()
            if not caller.may(wanted.permission):
                raise DeniedError(
                    f"this needs the permission {wanted.permission.value!r}",
                    hint="an admin may, or a token that was given this scope",
                )
        return caller

    def _answer(self, request: Request[AskDesk]) -> Reply[DeskAnswered]:
        asked = request.message
        answer = self.ask(
            asked.operation,
            asked.arguments,
            credential=asked.credential.get_secret_value(),
            blob=request.blob,
        )
        return Reply(DeskAnswered(result=answer.result), blob=answer.blob)


def _not_signed_in() -> NotSignedInError:
    return NotSignedInError("nobody is signed in", hint="sign in, or present a token")


def _unfit(error: ValidationError, arguments: type[BaseModel]) -> FormError:
    """Which field is wrong, in words; never what stood in it."""
    fields = {
        ".".join(str(part) for part in fault["loc"]) or "form": in_words(fault, arguments)
        for fault in error.errors(include_url=False, include_input=False)
    }
    first, words = next(iter(fields.items()))
    if len(fields) > 1:
        return FormError(f"{len(fields)} fields cannot be taken: {', '.join(fields)}", fields=fields)
    return FormError(f"{first}: {words}", fields=fields)
