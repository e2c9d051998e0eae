"""The functions that are deployed, hosted: what can be asked of the process that does it, carried out.

One function's life is `appliance.deeplens.hosted`'s, where it lies `appliance.deeplens.projects`'. What a
function is given is put together here; what it publishes goes on from here.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Final, Literal

from appliance.app.function_surroundings import FunctionSurroundings
from appliance.deeplens.containment import Containment, containment
from appliance.deeplens.deploying import Wanted, lay_out
from appliance.deeplens.function_log import FunctionLog
from appliance.deeplens.hosted import Change, Host, HostedFunction
from appliance.deeplens.messages import FunctionMessage
from appliance.deeplens.package import Package
from appliance.deeplens.porting.report import PackageReport
from appliance.deeplens.project import Project
from appliance.deeplens.projects import Projects
from appliance.deeplens.topics import matches
from appliance.errors import FunctionError, UnknownFunctionError
from appliance.events import Event, FunctionChanged, FunctionDeployed

_Changed = Literal["function_started", "function_stopped", "function_failed"]
_CHANGED: Final[Mapping[Change, _Changed]] = {
    "started": "function_started",
    "stopped": "function_stopped",
    "failed": "function_failed",
}


class Hosting:
    """The deployed functions of this box.

    Args:
        projects: Where they lie.
        host: Makes what one is given, from who is to be told of changes and messages.
        surroundings: Streams and models.
        happened: Takes what is to be logged; returns at once.
        published: Takes each message; returns at once.
        thing: What functions are told that the box is called.
        accepted: Whether all may run where this system does not contain them.
        wall: Wall clock, aware UTC.
    """

    def __init__(
        self,
        projects: Projects,
        host: Callable[["Hosting"], Host],
        surroundings: FunctionSurroundings,
        *,
        happened: Callable[[Event], None],
        published: Callable[[Project, FunctionMessage], None],
        thing: str,
        accepted: bool,
        wall: Callable[[], datetime],
    ) -> None:
        self.projects = projects
        self.surroundings = surroundings
        self.published = published
        self._make_host = host
        self._happened = happened
        self._thing = thing
        self._accepted = accepted
        self._wall = wall
        self._changing = threading.Lock()
        self._functions: dict[str, HostedFunction] = {}
        self._by: dict[str, str | None] = {}
        """Function → who asked for what it does next."""

    @cached_property
    def host(self) -> Host:
        """What functions are given."""
        return self._make_host(self)

    @cached_property
    def containment(self) -> Containment:
        """What this system allows; found out once."""
        return containment()

    def open(self) -> None:
        """Put right what a crash left, and start what is to run.

        Raises:
            FunctionError: The functions' folder cannot be written.
        """
        self.projects.tidy()
        for project in self.projects.all():
            function = self._added(project)
            if project.wanted == "running":
                function.start()

    def close(self) -> None:
        """End every function; what is to run is started again the next time."""
        with self._changing:
            functions = self.functions()
        for each in functions:
            each.stop(wait=False)
        for each in functions:
            each.stop()
        self.surroundings.close()

    def functions(self) -> Sequence[HostedFunction]:
        """The functions, by name."""
        found = self._functions.copy()
        return [found[name] for name in sorted(found)]

    def function(self, name: str) -> HostedFunction:
        """One of them.

        Raises:
            UnknownFunctionError: There is none of that name.
        """
        found = self._functions.get(name)
        if found is None:
            raise UnknownFunctionError(
                f"no function {name[:80]} is deployed", command="see what is: appliance deeplens list"
            )
        return found

    def deploy(
        self, package: Package, wanted: Wanted, by: str | None = None
    ) -> tuple[Project, PackageReport, bool]:
        """Deploy a function and start it; the one it replaces runs until it is laid out.

        Returns:
            What it is, what porting did, and whether it replaced one.

        Raises:
            FunctionError: It cannot be; the one of the same name goes on.
        """
        with self.projects.laying_out(wanted.name) as folder:
            project, report = lay_out(
                folder,
                package,
                wanted,
                self.containment,
                thing=self._thing,
                now=self._wall(),
                accepted=self._accepted,
            )
            with self._changing:
                old = self._functions.get(project.name)
                if old is not None:
                    self._by[project.name] = by
                    old.stop()
                self._by[project.name] = by
                self.surroundings.forget(project.name)
                try:
                    self.projects.put(folder, project)
                except FunctionError:
                    if old is not None:
                        old.start()
                    raise
                function = self._add(project)
        self._happened(
            FunctionDeployed(
                type="function_deployed",
                function=project.name,
                source_sha256=project.source_sha256,
                network=project.network,
                contained=self.containment.works,
                by=by,
            )
        )
        function.start()
        return project, report, old is not None

    def start(self, name: str, by: str | None = None) -> None:
        """Let a function run, now and whenever the appliance does.

        Raises:
            FunctionError: There is none, or that cannot be kept.
        """
        function = self.function(name)
        with self._changing:
            function.project = function.project.wanting("running")
            self.projects.save(function.project)
            self._by[name] = by
        function.start()

    def stop(self, name: str, by: str | None = None) -> None:
        """End a function; it stays deployed.

        Raises:
            FunctionError: There is none, or that cannot be kept.
        """
        function = self.function(name)
        with self._changing:
            function.project = function.project.wanting("stopped")
            self.projects.save(function.project)
            self._by[name] = by
        function.stop()

    def remove(self, name: str, by: str | None = None) -> None:
        """End a function and delete it.

        Raises:
            FunctionError: There is none, or it cannot be deleted.
        """
        with self._changing:
            function = self._functions.pop(name, None)
            if function is not None:
                self._by[name] = by
                function.stop()
            self._by.pop(name, None)
            self.projects.remove(name)
            self.surroundings.forget(name)
        self._happened(FunctionDeployed(type="function_removed", function=name, by=by))

    def hand(self, topic: str, payload: bytes, *, but: str = "") -> int:
        """Hand a message to the functions that subscribe to its topic; how many took it.

        Args:
            topic: Of the message.
            payload: Of the message.
            but: Name of the function that published it: it is not handed its own.
        """
        return sum(
            each.deliver(topic, payload)
            for each in self.functions()
            if each.project.name != but
            and any(matches(pattern, topic) for pattern in each.project.subscriptions)
        )

    def subscriptions(self) -> frozenset[str]:
        """Topics that functions subscribe to which are to run."""
        found = list(self._functions.values())
        return frozenset(
            topic
            for each in found
            if each.project.wanted == "running"
            for topic in each.project.subscriptions
        )

    def changed(self, project: Project, change: Change, reason: str) -> None:
        """A function began, ended or failed: for the log, with whoever asked for the first two."""
        by = None if change == "failed" else self._by.pop(project.name, None)
        self._happened(
            FunctionChanged(
                type=_CHANGED[change],
                function=project.name,
                reason=_code(reason) if change == "failed" else "",
                by=by,
            )
        )

    def told(self, name: str, line: str) -> None:
        """Keep a line in a function's log, if it is still there."""
        with contextlib.suppress(UnknownFunctionError):
            self.function(name).log.write(line)

    def _added(self, project: Project) -> HostedFunction:
        with self._changing:
            return self._add(project)

    def _add(self, project: Project) -> HostedFunction:
        log = FunctionLog(self.projects.folder(project.name).log)
        function = self._functions[project.name] = HostedFunction(project, self.host, log)
        return function


@contextlib.contextmanager
def opened(hosting: Hosting) -> Iterator[Hosting]:
    """The functions run until the end of the block."""
    try:
        hosting.open()
        yield hosting
    finally:
        hosting.close()


def _code(reason: str) -> Literal["ended", "silent", "limits", "refused", "failed"]:
    """The log's word for why a function failed: its own words may hold anything."""
    if "killed: it " in reason:
        return "limits"
    if "has not answered" in reason or "took no frame" in reason:
        return "silent"
    if "not contained" in reason:
        return "refused"
    return "ended" if reason.startswith(("its module", "it ended", "exit", "killed by")) else "failed"
