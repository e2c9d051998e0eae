"""Asking the desk on behalf of whoever sent the request that is being answered."""

import json
from typing import Any

from appliance.errors import InputError
from web.access import credential
from web.desk import Answered
from web.surroundings import surroundings


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
