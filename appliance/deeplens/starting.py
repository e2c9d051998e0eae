"""Starting a deployed function in its view: what it sees there, its variables, and what goes on beside it.

Puts together what others make: the view (`view`, `launching`), the models shown to it, the streams beside
it. Porting a function's sources runs in such a view as well, without a channel.
"""

import configparser
import os
import select
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from appliance import private_files
from appliance.deeplens import view as views
from appliance.deeplens.containment import Containment
from appliance.deeplens.function_log import harmless
from appliance.deeplens.function_parts import Beside, Child
from appliance.deeplens.launching import launch
from appliance.deeplens.porting.report import PackageReport, from_json
from appliance.deeplens.project import Limits, Project
from appliance.deeplens.projects import FunctionFolder, Projects
from appliance.deeplens.view import Machine, View
from appliance.errors import FunctionError, SettingsError

_PORT_S: Final = 60.0
_MOST_REPORT: Final = 4 << 20
_PORT_LIMITS: Final = Limits(memory_mb=1024, processes=16, tmp_mb=64, artifacts_mb=16)
_CREDENTIALS: Final = {
    "aws_access_key_id": "AWS_ACCESS_KEY_ID",
    "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "aws_session_token": "AWS_SESSION_TOKEN",
}
_NEEDED: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@dataclass(frozen=True, slots=True)
class Shown:
    """What lies under /opt/awscam/artifacts besides what a function writes there.

    Attributes:
        files: Name there → file or folder outside.
        notes: Name there → content.
    """

    files: Mapping[str, Path] = field(default_factory=dict)
    notes: Mapping[str, bytes] = field(default_factory=dict)


class Surroundings(Protocol):
    """What a function is given besides its own folder."""

    def artefacts(self, project: Project) -> Shown:
        """The models it sees."""

    def out(self, project: Project) -> Path | None:
        """The folder with the device's streams, shown as /opt/awscam/out; None: an empty one."""

    def proxy(self, project: Project) -> Path | None:
        """The socket of its way to the hosts it was granted; None: it has no network."""

    def beside(self, project: Project) -> Beside:
        """What goes on beside its next run."""


class ContainedStarting:
    """Starts functions, contained.

    Args:
        projects: Where they lie.
        containment: What this system allows; asked when the first is started.
        surroundings: What they are given.
        environment: Variables of all of them.
        accepted: Whether all may run uncontained where this system does not contain them.
    """

    def __init__(
        self,
        projects: Projects,
        containment: Callable[[], Containment],
        surroundings: Surroundings,
        *,
        environment: Mapping[str, str],
        accepted: bool = False,
    ) -> None:
        self._projects = projects
        self._containment = containment
        self._surroundings = surroundings
        self._environment = dict(environment)
        self._accepted = accepted

    def start(self, project: Project) -> Child:
        """See `hosted.Starting`."""
        ported = self._projects.folder(project.name).ported
        if not ported.is_dir():
            raise FunctionError(f"the ported files of {project.name} are gone; deploy it again")
        shown = self._surroundings.artefacts(project)
        view = View(
            name=project.name,
            function=ported,
            limits=project.limits,
            artifacts=shown.files,
            notes=shown.notes,
            out=self._surroundings.out(project),
            proxy=self._surroundings.proxy(project),
            environment={**self._environment, **project.variables, **variables(project)},
            hidden=(self._projects.root.parent.parent,),
        )
        return launch(
            view,
            lambda machine: run_command(machine, project),
            self._containment(),
            accepted=self._accepted or project.accept_uncontained,
        )

    def beside(self, project: Project) -> Beside:
        """See `hosted.Starting`."""
        return self._surroundings.beside(project)


def variables(project: Project) -> dict[str, str]:
    """What a function is told of itself by variables; the first is read by nearly all of them."""
    return {"AWS_IOT_THING_NAME": project.thing, "AWS_LAMBDA_FUNCTION_NAME": project.name}


def run_command(machine: Machine, project: Project) -> Sequence[str]:
    """The command that runs a function in its view."""
    return views.python_command(
        machine,
        "appliance.deeplens.guest.run",
        *("--handler", project.handler, "--runtime", project.runtime),
        *("--memory-mb", str(project.limits.memory_mb)),
    )


def port(
    folder: FunctionFolder, project: Project, runtime: str | None, containment: Containment, *, accepted: bool
) -> PackageReport:
    """Make of a function's sources what is run, in a view: nothing of a function is read outside of one.

    Args:
        folder: With `source`; `ported` is made, and `report` written.
        project: What it is; its handler's file is asked which Python it is, if need be.
        runtime: Whose rules the sources follow; None: as they look.
        containment: What this system allows.
        accepted: Whether it may be done uncontained where this system does not contain it.

    Returns:
        What was done.

    Raises:
        ContainmentError: It is not contained here, and that was not accepted.
        FunctionError: It did not come to an end, or failed.
    """
    folder.ported.mkdir(mode=0o700, exist_ok=True)
    # Below a folder that is ours alone; the account in the view is another.
    folder.ported.chmod(0o777)
    view = View(name=project.name, function=folder.source, limits=_PORT_LIMITS, writable=folder.ported)
    child = launch(
        view,
        lambda machine: [
            *views.python_command(machine, "appliance.deeplens.porting"),
            *("--handler", f"{project.module.replace('.', '/')}.py", "--diff"),
            *(("--runtime", runtime) if runtime else ()),
            *(view.folder, views.WRITABLE),
        ],
        containment,
        accepted=accepted,
        with_channel=False,
        longest_s=_PORT_S,
    )
    try:
        printed = _printed(child.outputs[0])
        ended = child.wait(_PORT_S)
        trouble = child.trouble()
    finally:
        child.kill()
        child.close()
        folder.ported.chmod(0o755)
    lines = printed.strip().splitlines() or [b""]
    last = next((each for each in reversed(lines) if each.startswith(b"{")), lines[-1])
    try:
        report = from_json(last)
    except ValueError as error:
        words = trouble or harmless(last.decode("utf-8", "replace")) or ended or "it took too long"
        raise FunctionError(f"{project.name} cannot be made to run: {words}"[:500]) from error
    private_files.replace(folder.report, last)
    return report


def _printed(descriptor: int) -> bytes:
    """What is printed until the end, the newest of it where it is too much, within the time for porting."""
    deadline = time.monotonic() + _PORT_S
    kept = b""
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([descriptor], [], [], left)[0]:
            break
        got = os.read(descriptor, 1 << 16)
        if not got:
            break
        kept = (kept + got)[-_MOST_REPORT:]
    return kept


def environment_of(region: str, endpoint_url: str | None, credentials_file: Path | None) -> dict[str, str]:
    """The variables by which AWS's library finds region, address and credentials.

    Raises:
        SettingsError: The file of credentials cannot be read, or has none; nothing of it is told.
    """
    told = {"AWS_REGION": region, "AWS_DEFAULT_REGION": region, "AWS_EC2_METADATA_DISABLED": "true"}
    if endpoint_url:
        told |= {"AWS_ENDPOINT_URL": endpoint_url, "AWS_ENDPOINT_URL_S3": endpoint_url}
    if credentials_file is None:
        return told  # in the view, made-up ones stand in that open nothing
    parser = configparser.ConfigParser(interpolation=None)
    where = "deeplens.credentials_file"
    try:
        parser.read_string(credentials_file.read_text(encoding="utf-8"))
        given = dict(parser["default"])
    except (OSError, ValueError, configparser.Error, KeyError) as error:
        raise SettingsError(f"{where}: no credentials of a profile `default` can be read there") from error
    found = {variable: given[key] for key, variable in _CREDENTIALS.items() if key in given}
    if not set(_NEEDED) <= set(found):
        raise SettingsError(f"{where}: the profile `default` has no key and secret")
    return {**told, **found}
