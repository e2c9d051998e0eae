"""Shadows of things, as AWS IoT keeps them: a desired and a reported state, merged key by key, with versions.

Kept in memory, for as long as the function's process lives; nothing is published of a change.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

MAX_DOCUMENT_BYTES: Final = 8 * 1024
"""The limit of AWS IoT."""
MAX_THINGS: Final = 64


class ShadowFaultError(Exception):
    """A shadow was not given, changed or deleted.

    Attributes:
        code: As AWS IoT has it: 400, 404, 409, 413.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class _Shadow:
    version: int = 0
    state: dict[str, dict[str, Any]] = field(default_factory=dict)


class Shadows:
    """The shadows of a function's things; used from any thread."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        """Note the clock.

        Args:
            now: Seconds since 1970.
        """
        self._now = now
        self._lock = threading.Lock()
        self._shadows: dict[str, _Shadow] = {}

    def get(self, thing: str) -> bytes:
        """A thing's shadow: state, what is desired and not reported, version.

        Raises:
            ShadowFaultError: There is none.
        """
        with self._lock:
            shadow = self._found(thing)
            state: dict[str, Any] = dict(shadow.state)
            delta = _delta(state.get("desired", {}), state.get("reported", {}))
            if delta and "reported" in state:
                state["delta"] = delta
            return self._written(state, shadow.version)

    def update(self, thing: str, document: bytes) -> bytes:
        """Merge a document into a thing's shadow, making it if there is none; what was accepted.

        Raises:
            ShadowFaultError: It is no such document, too large, or for another version.
        """
        if len(document) > MAX_DOCUMENT_BYTES:
            raise ShadowFaultError(413, "The payload exceeds the maximum size allowed")
        try:
            given = json.loads(document)
        except (ValueError, RecursionError) as error:
            raise ShadowFaultError(400, "Payload is not valid JSON") from error
        state = given.get("state") if isinstance(given, dict) else None
        if not isinstance(state, dict):
            raise ShadowFaultError(400, "Missing required node: state")
        parts = {key: state[key] for key in ("desired", "reported") if key in state}
        if not all(part is None or isinstance(part, dict) for part in parts.values()):
            raise ShadowFaultError(400, "State node must be an object")
        with self._lock:
            shadow = self._shadows.get(thing, _Shadow())
            if given.get("version", shadow.version) != shadow.version:
                raise ShadowFaultError(409, "Version conflict")
            if thing not in self._shadows and len(self._shadows) >= MAX_THINGS:
                raise ShadowFaultError(413, f"There is room for {MAX_THINGS} shadows")
            merged = dict(shadow.state)
            for key, part in parts.items():
                merged[key] = {} if part is None else _merged(merged.get(key, {}), part)
            merged = {key: part for key, part in merged.items() if part}
            if len(json.dumps(merged)) > MAX_DOCUMENT_BYTES:
                raise ShadowFaultError(413, "The shadow exceeds the maximum size allowed")
            self._shadows[thing] = _Shadow(shadow.version + 1, merged)
            return self._written(parts, shadow.version + 1)

    def delete(self, thing: str) -> bytes:
        """Delete a thing's shadow; its version.

        Raises:
            ShadowFaultError: There is none.
        """
        with self._lock:
            shadow = self._found(thing)
            del self._shadows[thing]
            return json.dumps({"version": shadow.version, "timestamp": int(self._now())}).encode()

    def _found(self, thing: str) -> _Shadow:
        shadow = self._shadows.get(thing)
        if shadow is None:
            raise ShadowFaultError(404, f"No shadow exists with name: '{thing}'")
        return shadow

    def _written(self, state: dict[str, Any], version: int) -> bytes:
        return json.dumps({"state": state, "version": version, "timestamp": int(self._now())}).encode()


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The one with the other's keys in place of its own; a key of null goes."""
    merged = dict(old)
    for key, value in new.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            before = merged.get(key)
            merged[key] = _merged(before if isinstance(before, dict) else {}, value)
        else:
            merged[key] = value
    return merged


def _delta(desired: dict[str, Any], reported: dict[str, Any]) -> dict[str, Any]:
    """What is desired and not so reported."""
    delta: dict[str, Any] = {}
    for key, value in desired.items():
        other = reported.get(key)
        if isinstance(value, dict) and isinstance(other, dict):
            inner = _delta(value, other)
            if inner:
                delta[key] = inner
        elif value != other:
            delta[key] = value
    return delta
