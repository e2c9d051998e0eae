"""The site's subjects: one blueprint each. A new subject is one import and one line here."""

from flask import Blueprint

from web import accounts, cameras, doors, events_stream, home, live, people

SUBJECTS: tuple[Blueprint, ...] = (
    home.blueprint,
    accounts.blueprint,
    events_stream.blueprint,
    people.blueprint,
    live.blueprint,
    cameras.blueprint,
    doors.blueprint,
)
"""In the order in which they are registered."""
