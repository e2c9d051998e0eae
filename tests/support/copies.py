"""Copying as processes do it that know nothing of each other: a round each."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from appliance.app.copies import copying_of, sync_state
from appliance.errors import SinkError
from appliance.services import Services
from appliance.settings import S3Settings
from appliance.sinks.copying import Copying

PART = 4096
"""Small, so that small captures are sent in parts."""


@contextmanager
def copying_for(settings: S3Settings, services: Services) -> Iterator[Copying]:
    """What copies, as one process has it; what it is connected to is let go of at the end."""
    copying = copying_of(settings, services, threading.Event(), part_bytes=PART)
    try:
        yield copying
    finally:
        copying.let_go_of_connections()


def copy(settings: S3Settings, services: Services) -> list[str]:
    """One round, as a process that just started does it."""
    with copying_for(settings, services) as copying:
        return [copied.capture for copied in copying.round(lambda: False)]


def until_done(settings: S3Settings, services: Services, tries: int = 60) -> list[SinkError]:
    """Round after round, each by one that knows nothing of the one before; what went wrong on the way."""
    wrong: list[SinkError] = []
    for _ in range(tries):
        try:
            copy(settings, services)
        except SinkError as error:
            wrong.append(error)
        if not sync_state(settings, services).backlog.due:
            return wrong
    raise AssertionError("it never came to an end")
