"""A function run in the foreground, for who writes or tries one: nothing is deployed, no event is logged.

It runs in the same view, ported by the same rules, as it would when deployed. What it did is told as numbers
and words; whether that is what its author meant, nobody can say here.
"""

import contextlib
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from appliance.app.function_surroundings import surroundings_in
from appliance.app.trial_verdict import says_error, short, verdict
from appliance.deeplens.containment import Containment
from appliance.deeplens.deploying import Wanted, lay_out
from appliance.deeplens.frame_feed import FrameFeeds
from appliance.deeplens.frame_source import FrameSource
from appliance.deeplens.function_beside import FunctionBeside
from appliance.deeplens.function_log import FunctionLog, Tail
from appliance.deeplens.function_run import Patience
from appliance.deeplens.function_state import FunctionState
from appliance.deeplens.guest import object_store
from appliance.deeplens.hosted import Host, HostedFunction
from appliance.deeplens.messages import FunctionMessage
from appliance.deeplens.package import Package
from appliance.deeplens.porting.report import PackageReport
from appliance.deeplens.project import Project
from appliance.deeplens.projects import Projects
from appliance.deeplens.starting import ContainedStarting, Shown, environment_of
from appliance.settings import DeepLensSettings

_LOOK_S: Final = 0.1
_OVER: Final = frozenset({"refused", "stopped"})
_STREAM_S: Final = 4.0
"""How long a stream that somebody attached to is given for its first picture."""
_PIPE_S: Final = 0.5
"""How long one that has none yet is given to make its pipe."""
_FIRST: Final = 5


@dataclass(frozen=True, slots=True)
class Trial:
    """A function in the foreground.

    Attributes:
        project: What it is.
        report: What porting it changed.
        function: The function.
        beside: Its project stream.
    """

    project: Project
    report: PackageReport
    function: HostedFunction
    beside: FunctionBeside


@dataclass(frozen=True, slots=True)
class Bounds:
    """When a trial is over, whichever comes first.

    Attributes:
        frames: Frames taken; None: as many as come.
        seconds: Seconds from its start; None: however long.
    """

    frames: int | None = None
    seconds: float | None = None


@contextlib.contextmanager
def trial(
    package: Package,
    wanted: Wanted,
    containment: Containment,
    make_source: Callable[[str], FrameSource],
    settings: DeepLensSettings,
    *,
    shown: Callable[[], Shown],
    said: Callable[[FunctionMessage], None] = lambda _message: None,
) -> Iterator[Trial]:
    """A function, laid out in a private folder that goes with the block, and started.

    Raises:
        ContainmentError: It is not contained here, and that was not accepted.
        FunctionError: It cannot be ported.
        PackageError: It holds no function.
    """
    with contextlib.ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="appliance-function-"))
        projects = Projects(Path(scratch, "functions"))
        surroundings = stack.enter_context(
            surroundings_in(
                shown,
                make_source,
                Path(scratch, "out"),
                told=lambda name, line: FunctionLog(projects.folder(name).log).write(line),
            )
        )
        with projects.laying_out(wanted.name) as folder:
            project, report = lay_out(
                folder,
                package,
                wanted,
                containment,
                thing=settings.thing or "deeplens_trial",
                now=datetime.now(UTC),
                accepted=settings.accept_uncontained,
            )
            placed = projects.put(folder, project)
        feeds = FrameFeeds(make_source, fps=settings.fps)
        starting = ContainedStarting(
            projects,
            lambda: containment,
            surroundings,
            environment=_environment(settings),
            accepted=settings.accept_uncontained,
        )
        host = Host(
            starting,
            feeds,
            wall=lambda: datetime.now(UTC),
            published=lambda _project, message: said(message),
            patience=Patience(frame_s=settings.silent_s),
            again=False,
        )
        function = HostedFunction(project, host, FunctionLog(placed.log))
        function.start()
        try:
            yield Trial(project, report, function, surroundings.stream(project.name))
        finally:
            function.stop()
            feeds.close()


def follow(
    running: Trial,
    bounds: Bounds,
    stop: threading.Event,
    *,
    over: threading.Event | None = None,
    events: Sequence[str] = (),
    echo: Callable[[str], None] = lambda _line: None,
) -> float:
    """Wait until a trial is over; the seconds it took.

    It is over when its bounds are reached, it has ended or failed, or `stop` is set.

    Args:
        running: Begun.
        bounds: When it is over.
        stop: Ends it.
        over: Set when there will be no more frames; ends it too.
        events: Messages it is handed once its module is imported.
        echo: Told each line that it prints.
    """
    begun = time.monotonic()
    enough_at: float | None = None
    waiting = list(events)
    printed = Tail(running.function.log)
    while not stop.wait(_LOOK_S):
        now = time.monotonic()
        state = running.function.state
        for line in printed.more():
            echo(line)
        if state.phase in _OVER or (over is not None and over.is_set()):
            break
        if bounds.seconds is not None and now - begun >= bounds.seconds:
            break
        if waiting and state.imported:
            running.function.deliver("try", waiting.pop(0).encode())
        if not waiting and _enough(state, bounds, len(events)):
            enough_at = enough_at or now
            # Its stream begins after its first inference: it gets its time, where it has one.
            patience_s = _STREAM_S if running.beside.has_pipe else _PIPE_S
            if running.beside.pictures or now - enough_at >= patience_s:
                break
    printed.close()
    return time.monotonic() - begun


def _enough(state: FunctionState, bounds: Bounds, handed: int) -> bool:
    """Whether it took its frames, or is done with its messages if it is driven by them."""
    if bounds.frames is None:
        return False
    return state.frames >= bounds.frames or (state.driven and state.handled >= handed)


def told(running: Trial, seconds: float) -> dict[str, Any]:
    """What a trial came to, as JSON values."""
    state = running.function.state
    messages = running.function.messages.after(0, most=1000)
    errors = [each.text for each in messages if says_error(each.text)]
    dark = _attached(running.beside) and not running.beside.pictures
    word, why = verdict(state, errors, dark=dark)
    return {
        "name": running.project.name,
        "runtime": running.project.runtime,
        "handler": running.project.handler,
        "seconds": round(seconds, 1),
        "frames": state.frames,
        "inferences": dict(state.inferences),
        "messages": state.messages,
        "first_messages": [short(each.text) for each in messages[:_FIRST]],
        "last_messages": [short(each.text) for each in messages[_FIRST:][-_FIRST:]],
        "dropped": state.dropped,
        "project_stream": {"pictures": running.beside.pictures, "attached": _attached(running.beside)},
        "threads_died": list(state.died),
        "error_messages": [short(each) for each in errors[:_FIRST]],
        "missing_models": dict(state.missing),
        "loaded_models": list(state.loaded),
        "driven_by_messages": state.driven,
        "fault": state.fault,
        "uploads": sum(object_store.KEPT in line for line in running.function.log.tail(1000)),
        "log": list(running.function.log.tail(12)),
        "verdict": word,
        "why": why,
    }


def _environment(settings: DeepLensSettings) -> dict[str, str]:
    """The variables of a trial: uploads have a place to go to, where the settings name none."""
    told = environment_of(settings.region, settings.endpoint_url, settings.credentials_file)
    return told if settings.endpoint_url else {**told, object_store.ENVIRONMENT: "1"}


def _attached(beside: FunctionBeside) -> bool:
    status = beside.status
    return status is not None and status.attached
