"""The site's subjects: one blueprint each. A new subject is one import and one line here."""

from flask import Blueprint

from web import (
    accounts,
    cameras,
    captures,
    devices,
    doors,
    events_stream,
    home,
    keys,
    live,
    log,
    machine,
    operators,
    people,
    screen,
    set_up,
    settings,
)
from web.api import calls
from web.api import page as api_page

SUBJECTS: tuple[Blueprint, ...] = (
    home.blueprint,
    accounts.blueprint,
    operators.blueprint,
    set_up.blueprint,
    events_stream.blueprint,
    people.blueprint,
    live.blueprint,
    log.blueprint,
    captures.blueprint,
    keys.blueprint,
    settings.blueprint,
    machine.blueprint,
    cameras.blueprint,
    doors.blueprint,
    screen.blueprint,
    devices.blueprint,
    calls.blueprint,
    api_page.blueprint,
)
"""In the order in which they are registered."""
