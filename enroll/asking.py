"""Options that several commands of `appliance enroll` share, and what they are checked for."""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import click

from appliance.errors import EnrolmentError
from appliance.store import Consent
from enroll.consent import GIVEN_BY_CHARS, PURPOSES, TEXT_VERSION, checked_purposes, usable_given_by

_Command = TypeVar("_Command", bound=Callable[..., Any])

as_json_option = click.option("--json", "as_json", is_flag=True, help="As JSON.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")
person_argument = click.argument("person")


def consent_options(command: _Command) -> _Command:
    """`--consent` and `--purpose`, as `given_by` and `purposes`."""
    purpose = click.option(
        "--purpose",
        "purposes",
        multiple=True,
        type=click.Choice(list(PURPOSES)),
        default=("identify", "greet"),
        show_default=True,
        help="What the consent covers; may be repeated.",
    )
    given_by = click.option(
        "--consent", "given_by", required=True, help="How they agreed, e.g. 'signed form 2026-01-05'."
    )
    return given_by(purpose(command))


def checked_consent(given_by: str, purposes: tuple[str, ...]) -> Consent:
    """The consent that was given on the command line.

    Raises:
        EnrolmentError: Nothing is said of how they agreed, or to what.
    """
    agreed = usable_given_by(given_by)
    if agreed is None:
        raise EnrolmentError(
            f"--consent takes 1 to {GIVEN_BY_CHARS} printable characters",
            hint="say how the person agreed",
            command="the text is: appliance enroll text",
        )
    return Consent(purposes=checked_purposes(purposes), text_version=TEXT_VERSION, given_by=agreed)


def face_choice(value: str) -> int | Literal["largest"]:
    """A face's number from the left, from 1, or `largest`.

    Raises:
        click.BadParameter: Neither.
    """
    if value == "largest":
        return "largest"
    if value.isascii() and value.isdigit() and int(value) > 0:
        return int(value)
    raise click.BadParameter("it is a number from 1, counted from the left, or 'largest'")
