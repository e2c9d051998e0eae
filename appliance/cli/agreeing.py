"""Asking before something that cannot be taken back."""

import sys

import click

from appliance.errors import InputError


def agree(question: str, *, yes: bool) -> None:
    """Ask, unless it was said beforehand.

    Args:
        question: Its first line is also what is said where nobody can be asked.
        yes: It was said beforehand.

    Raises:
        InputError: Nobody is there to be asked, or they do not want it.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise InputError(question.splitlines()[0], hint="say that you know: --yes")
    if not click.confirm(question, err=True):
        raise InputError("nothing was done")
