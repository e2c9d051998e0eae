"""Our errors, across a socket: what a handler raises is raised again at the caller, as the same class.

Only classes of `appliance.errors` travel, by name, and only their own fields; nothing of a
traceback does.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from appliance.errors import (
    ActionError,
    ApplianceError,
    ChainBrokenError,
    FeaturesError,
    FormError,
    PhotoError,
    ThrottledError,
    UnusableVideoError,
    WireError,
)
from appliance.wire.messages import Failure

_MESSAGE_LENGTH = 4000
"""Characters of a message or hint that travel, so that no error is too long to be sent."""


def _family(root: type[ApplianceError]) -> Iterator[type[ApplianceError]]:
    """A class and everything below it that `appliance.errors` itself defines."""
    if root.__module__ == ApplianceError.__module__:
        yield root
    for below in root.__subclasses__():
        yield from _family(below)


def _by_name() -> Mapping[str, type[ApplianceError]]:
    return {cls.__name__: cls for cls in _family(ApplianceError)}


def to_failure(error: ApplianceError) -> Failure:
    """The message for an error; a class of some room's own travels as its nearest ancestor of ours."""
    known = _by_name()
    name = next(cls.__name__ for cls in type(error).__mro__ if cls.__name__ in known)
    return Failure(
        error=name,
        message=error.message[:_MESSAGE_LENGTH],
        hint=error.hint[:_MESSAGE_LENGTH],
        reason=_reason(error),
        position=error.position if isinstance(error, ChainBrokenError) else 0,
        permanent=error.permanent if isinstance(error, ActionError) else False,
        fields=error.fields if isinstance(error, FormError) else {},
        wait_s=error.wait_s if isinstance(error, ThrottledError) else 0.0,
    )


def _reason(error: ApplianceError) -> str:
    """The stable code that some errors carry."""
    if isinstance(error, PhotoError | FeaturesError):
        return error.reason
    return error.fault if isinstance(error, UnusableVideoError) else ""


def to_error(failure: Failure) -> ApplianceError:
    """The error for a message, ready to be raised; a class we do not know becomes a WireError."""
    cls = _by_name().get(failure.error, WireError)
    fields: tuple[tuple[type[ApplianceError], Mapping[str, Any]], ...] = (
        (PhotoError, {"reason": failure.reason}),
        (FeaturesError, {"reason": failure.reason}),
        (UnusableVideoError, {"fault": failure.reason}),
        (ChainBrokenError, {"position": failure.position}),
        (ActionError, {"permanent": failure.permanent}),
        (FormError, {"fields": failure.fields}),
        (ThrottledError, {"wait_s": failure.wait_s}),
    )
    more = next((own for kind, own in fields if issubclass(cls, kind)), {})
    return cls(failure.message, hint=failure.hint, **more)
