"""What happened, as pages tell it: sentences for whoever runs an office, with no inside word of the program.

Pure functions; who people, operators, tokens and screens are is handed in. The same event as `appliance
events` prints it, with figures and ids, is made in `appliance.dispatch.wording` and stands beside it.
"""

from appliance.app.desk import told_changed, told_clips, told_done, told_hosted, told_searched, told_seen
from appliance.app.desk.saying import Names, said
from appliance.events import Event

SUBJECTS = (told_changed, told_clips, told_done, told_hosted, told_searched, told_seen)
"""Whose sentences are registered."""

__all__ = ["Names", "sentence"]


def sentence(event: Event, names: Names) -> str:
    """What happened, without a capital at the beginning and a full stop at the end."""
    return said(event, names)
