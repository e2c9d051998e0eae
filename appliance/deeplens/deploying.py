"""Laying a function out before it is deployed: its files written, ported in a view, described.

Putting it in its place is `projects`', starting it `hosted`'s; its files are read elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from pydantic import ValidationError

from appliance.deeplens.containment import Containment
from appliance.deeplens.package import Package, write_package
from appliance.deeplens.package_handler import check_handler, guess_handler
from appliance.deeplens.porting.report import PackageReport
from appliance.deeplens.project import Limits, Project
from appliance.deeplens.project_fault import fault_of
from appliance.deeplens.projects import FunctionFolder
from appliance.deeplens.starting import port
from appliance.errors import FunctionError

Runtime = Literal["python2", "python3"]

_THING: Final = "AWS_IOT_THING_NAME"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What whoever deploys a function says of it.

    Attributes:
        name: What it is to be called.
        runtime: Whose rules its sources follow; None: as they look.
        handler: Module and function; empty: as it looks.
        pinned: Whether its import never returns; None: that shows.
        subscriptions: Topics whose messages it is handed.
        publishes: Topics besides its infer topic that leave the box.
        network: Hosts granted.
        variables: Of its own; AWS_IOT_THING_NAME among them is what it is told that the box is called.
        memory_mb: Memory, MiB; None: as is usual.
        camera: Whose frames it gets; empty: the first's.
        accept_uncontained: Whether it may run where this system does not contain it.
    """

    name: str
    runtime: Runtime | None = None
    handler: str = ""
    pinned: bool | None = None
    subscriptions: Sequence[str] = ()
    publishes: Sequence[str] = ()
    network: Sequence[str] = ()
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    memory_mb: int | None = None
    camera: str = ""
    accept_uncontained: bool = False


def lay_out(
    folder: FunctionFolder,
    package: Package,
    wanted: Wanted,
    containment: Containment,
    *,
    thing: str,
    now: datetime,
    accepted: bool = False,
) -> tuple[Project, PackageReport]:
    """Lay a function out in a folder: sources, what is run, what porting did.

    Args:
        folder: Empty; see `Projects.laying_out`.
        package: Its files.
        wanted: What is said of it.
        containment: What this system allows.
        thing: What it is told that the box is called.
        now: Aware UTC time.
        accepted: Whether functions may run uncontained here.

    Raises:
        ContainmentError: It is not contained here, and that was not accepted.
        PackageError: It holds no function.
        FunctionError: What is said of it does not fit, or its sources cannot be ported.
    """
    handler = _handler(package, wanted)
    try:
        limits = Limits() if wanted.memory_mb is None else Limits(memory_mb=wanted.memory_mb)
        project = Project(
            name=wanted.name,
            runtime=wanted.runtime or "python2",
            handler=handler,
            pinned=wanted.pinned,
            subscriptions=tuple(wanted.subscriptions),
            publishes=tuple(wanted.publishes),
            network=tuple(wanted.network),
            variables={name: value for name, value in wanted.variables.items() if name != _THING},
            limits=limits,
            camera=wanted.camera,
            thing=wanted.variables.get(_THING, thing),
            accept_uncontained=wanted.accept_uncontained,
            source_sha256=package.sha256,
            deployed_at=now,
        )
    except ValidationError as error:
        where, words = fault_of(error)
        raise FunctionError(f"{where}: {words}") from None
    write_package(package, folder.source)
    report = port(
        folder,
        project,
        wanted.runtime,
        containment,
        accepted=accepted or project.accept_uncontained,
    )
    return project.model_copy(update={"runtime": report.runtime}), report


def _handler(package: Package, wanted: Wanted) -> str:
    return check_handler(package, wanted.handler) if wanted.handler else guess_handler(package)
