"""`appliance web …`: the web process, for the supervisor and for systemd units."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import click

from appliance.errors import ApplianceError
from appliance.settings import Settings
from appliance.supervisor import die_with_parent, leave_last_words


class _Layout(Protocol):
    """Where things lie; what this process needs of it."""

    @property
    def certificate(self) -> Path:
        """The box's own certificate."""

    @property
    def certificate_key(self) -> Path:
        """Its private key."""

    @property
    def web_file(self) -> Path:
        """Where to tell the address."""

    def socket(self, process: str) -> Path:
        """The socket of a process."""


class _Context(Protocol):
    """What every command is handed."""

    layout: _Layout

    @property
    def settings(self) -> Settings:
        """The settings."""

    def log_as(self, process: str) -> None:
        """Set up diagnostics."""


@click.group(hidden=True)
def web() -> None:
    """The admin pages and the office screen."""


@web.command()
@click.pass_obj
def serve(context: _Context) -> None:
    """Serve them; appliance run starts it.

    It reads the site, web and log parts of the settings and asks the desk for everything else.
    """
    from web.serving import run_web

    with _as_process(context) as stop:
        layout = context.layout
        run_web(
            context.settings.web,
            sockets=layout.socket("web").parent,
            own_certificate=(layout.certificate, layout.certificate_key),
            tell=layout.web_file,
            stop=stop,
        )


@contextlib.contextmanager
def _as_process(context: _Context) -> Iterator[threading.Event]:
    """What every process does: end with its supervisor, log under its name, stop on SIGTERM."""
    die_with_parent()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        context.log_as("web")
        yield stop
    except ApplianceError as error:
        leave_last_words(error)
        raise
