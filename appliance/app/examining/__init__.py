"""`appliance doctor`: looks at everything the appliance needs and says in plain words how it is.

Mends nothing. Opening a database that an older version wrote brings it up to date, as every
command does. Each look is a function that returns findings, a module per subject; one that fails
becomes a finding itself and the others go on.
"""

from collections.abc import Callable, Iterator

from appliance.app.examining.configured import keys, recipients, settings_fit
from appliance.app.examining.contained import contained
from appliance.app.examining.copied import copies
from appliance.app.examining.filmed import filmed
from appliance.app.examining.finding import Finding, Health, found
from appliance.app.examining.heard import heard
from appliance.app.examining.hosted import hosted
from appliance.app.examining.indexed import indexed
from appliance.app.examining.machine import clock, models, python, state
from appliance.app.examining.processes import processes
from appliance.app.examining.recorded import recorded
from appliance.app.examining.streams import streams
from appliance.app.examining.told import told
from appliance.app.examining.views import views
from appliance.services import Layout
from appliance.settings import Settings

__all__ = ["Finding", "Health", "examine"]

_LOOKS: tuple[tuple[str, Callable[[Settings, Layout], Iterator[Finding]]], ...] = (
    ("python", python),
    ("settings", settings_fit),
    ("models", models),
    ("state", state),
    ("keys", keys),
    ("log", recorded),
    ("recipients", recipients),
    ("copies", copies),
    ("mqtt", told),
    ("index", indexed),
    ("sound", heard),
    ("functions", hosted),
    ("cameras", views),
    ("video", streams),
    ("clips", filmed),
    ("functions", contained),
    ("clock", clock),
    ("processes", processes),
)


def examine(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """Look at everything, one finding after the other."""
    for subject, look in _LOOKS:
        yield from found(subject, look(settings, layout))
