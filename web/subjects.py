"""The site's subjects: one blueprint each. A new subject is one import and one line here."""

from flask import Blueprint

from web import accounts, events_stream, home, people

SUBJECTS: tuple[Blueprint, ...] = (
    home.blueprint,
    accounts.blueprint,
    events_stream.blueprint,
    people.blueprint,
)
"""In the order in which they are registered."""
