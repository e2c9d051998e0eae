"""Porting a function that is not deployed, to look at what would be changed; for `appliance deeplens port`.

Nothing is kept, deployed or run.
"""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.cli.context import Context
from appliance.cli.deeplens_trying import name_for

if TYPE_CHECKING:
    from appliance.deeplens.porting.report import PackageReport


def ported_here(
    context: Context, path: Path, runtime: str | None, handler: str, *, accept_uncontained: bool
) -> "PackageReport":
    """What porting a folder, a zip or a .py file changes.

    Raises:
        ContainmentError: This system does not contain what reads the sources, and that was not accepted.
        PackageError: It holds no function, or is no package.
        FunctionError: It cannot be ported.
    """
    from appliance.deeplens.containment import containment
    from appliance.deeplens.deploying import Wanted, lay_out
    from appliance.deeplens.package_reading import read_path
    from appliance.deeplens.project import runtime_of
    from appliance.deeplens.projects import Projects

    known = runtime_of(runtime) if runtime else None
    wanted = Wanted(name=name_for(path), runtime=known, handler=handler)
    package = read_path(path, handler)
    with (
        tempfile.TemporaryDirectory(prefix="appliance-port-") as scratch,
        Projects(Path(scratch, "functions")).laying_out(wanted.name) as folder,
    ):
        _, report = lay_out(
            folder,
            package,
            wanted,
            containment(),
            thing="deeplens_port",
            now=datetime.now(UTC),
            accepted=accept_uncontained or context.settings.deeplens.accept_uncontained,
        )
    return report
