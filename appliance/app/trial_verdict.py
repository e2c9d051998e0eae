"""What is said of a function that was tried: it runs, it waits for messages, or it does not, and why.

Judges what was seen from outside; whether it saw what its author meant, nobody can say here.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from appliance.deeplens.function_state import FunctionState

Verdict = Literal["runs", "waits", "does not"]

_ENOUGH: Final = 3
"""Frames after which a function counts as running."""
_WRONG: Final = re.compile(
    r"\b(?:errors?|fail(?:s|ed|ures?)?|exceptions?|traceback|not found|unable)\b", re.IGNORECASE
)
"""Words of messages that say that something went wrong, as functions of AWS's templates say it."""
_NOTHING_WRONG: Final = re.compile(
    r"\b(?:no|without|0)\s+(?:an?\s+)?(?:errors?|failures?|exceptions?)\b", re.IGNORECASE
)
_NO_SHADOW: Final = re.compile(
    r"Request for shadow state returned error code 404 with message No shadow exists with name: '[^']*'"
)
"""What a thing without a shadow is answered, here as by AWS: an answer that functions are made for."""
_LOOKED_AT: Final = 400
_SHOWN: Final = 200


def verdict(state: FunctionState, errors: Sequence[str], *, dark: bool) -> tuple[Verdict, str]:
    """What is said of it, and why.

    Args:
        state: How it is at the end.
        errors: What it published that says that something went wrong.
        dark: It has a project stream that holds no picture.
    """
    faults = (
        state.fault,
        f"a thread died: {state.died[0]}" if state.died else "",
        f"it published: {short(errors[0])}" if errors else "",
        *(f"no model {name}: {why}" for name, why in state.missing.items()),
        f"it took {state.frames} frames" if state.frames < _ENOUGH and not state.driven else "",
        "its stream holds no picture" if dark else "",
    )
    why = next((each for each in faults if each), "")
    if why:
        return "does not", why
    return ("waits", "it waits for messages") if state.waits else ("runs", "")


def says_error(text: str) -> bool:
    """Whether a message says that something went wrong.

    Of JSON, a name such as `errors` counts only if there are any, and words in its texts.
    """
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        told = text
    return _says(told, 0)


def short(text: str) -> str:
    """The beginning of a message."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _says(told: Any, depth: int) -> bool:
    if isinstance(told, str):
        return _WRONG.search(_NOTHING_WRONG.sub("", _NO_SHADOW.sub("", told[:_LOOKED_AT]))) is not None
    if depth > 2:  # noqa: PLR2004 - deeper than functions nest what they tell
        return False
    if isinstance(told, Mapping):
        return any(
            (_says(str(name), depth) and bool(each)) or _says(each, depth + 1) for name, each in told.items()
        )
    if isinstance(told, list):
        return any(_says(each, depth + 1) for each in told)
    return False
