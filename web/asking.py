"""Asking the desk on behalf of whoever sent the request that is being answered."""

from typing import Any

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
        ApplianceError: Anything else becomes a page that says so; views let it pass.
    """
    return surroundings().desk.ask(
        operation, arguments, credential=credential(), blob=blob, timeout_s=timeout_s
    )
