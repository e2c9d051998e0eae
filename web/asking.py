"""Asking the desk on behalf of whoever sent the request that is being answered."""

import json
from typing import Any, Final

from flask import g

from appliance.errors import InputError
from web.access import credential
from web.desk import Answered
from web.surroundings import surroundings

_ANSWERS: Final = "desk_answers"


def ask(operation: str, *, blob: bytes = b"", timeout_s: float | None = None, **arguments: Any) -> Answered:
    """Carry out an operation as the caller of this view.

        people = ask("people.list").result
        ask("people.rename", person=person, name=name)

    Args:
        operation: Its name, `subject.verb`.
        blob: A file that goes with it.
        timeout_s: Seconds it may take; 10 unless said.
        arguments: The operation's own.

    Raises:
        FormError: What was filled in does not fit; show the form again with `error.fields`.
        InputError: It holds half a character (a lone surrogate, as JSON can write it); nothing can keep that.
        ApplianceError: Anything else becomes a page that says so; views let it pass.
    """
    try:
        json.dumps(arguments, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InputError("that is no text", hint="it holds half of a character") from None
    return surroundings().desk.ask(
        operation, arguments, credential=credential(), blob=blob, timeout_s=timeout_s
    )


def ask_once(operation: str, **arguments: Any) -> Any:
    """What an operation answers that changes nothing; while one request is answered it is asked once.

    For pages whose parts ask by themselves, without knowing of each other.

    Raises:
        ApplianceError: As `ask` does.
    """
    answers: dict[tuple[str, str], Any] = g.setdefault(_ANSWERS, {})
    asked = (operation, json.dumps(arguments, sort_keys=True))
    if asked not in answers:
        answers[asked] = ask(operation, **arguments).result
    return answers[asked]
