"""What is said after settings were saved: what starts anew by itself, and what has to be started by hand.

Says it; who saves and restarts is the desk.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from flask import flash

from appliance.values import PARTS


def restarting(saved: Mapping[str, Any]) -> str:
    """Which processes start anew now, as a sentence with a space before it; empty for none.

    Args:
        saved: As the desk answers to `settings.save` and to what saves settings.
    """
    if not saved["restarting"]:
        return ""
    pages = " These pages come back by themselves." if "web" in saved["restarting"] else ""
    return f" Starting again now: {parts(saved['restarting'])}.{pages}"


def parts(names: Iterable[str]) -> str:
    """Processes, in words."""
    return ", ".join(PARTS.get(name, name) for name in names)


def told(saved: Mapping[str, Any]) -> None:
    """Say what became of a camera or a door that was saved.

    Args:
        saved: As the desk answers.
    """
    if saved["restarting"]:
        flash("Saved. The cameras start again with it, which takes a moment.", "good")
    elif saved["changed"] or saved["pending"]:
        flash("Saved.", "good")
    else:
        flash("Nothing was changed.")
    told_pending(saved)


def told_pending(saved: Mapping[str, Any]) -> None:
    """Say what has to be restarted by hand, where `appliance run` does not do it."""
    if saved["whole"]:
        flash("This holds once the whole appliance was started anew.", "warn")
    elif saved["pending"]:
        flash(f"It holds once somebody starts these again on the machine: {parts(saved['pending'])}.", "warn")
