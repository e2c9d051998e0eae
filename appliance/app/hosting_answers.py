"""What the process that hosts functions answers: from messages to the hosting, and back. Decides nothing."""

import threading
import time
from collections.abc import Callable

from appliance.app.hosting import Hosting
from appliance.deeplens.deploying import Wanted
from appliance.deeplens.function_log import harmless
from appliance.deeplens.hosted import HostedFunction
from appliance.deeplens.messages import FunctionMessage
from appliance.deeplens.package_reading import read_bytes
from appliance.deeplens.plain_file import read_plain
from appliance.errors import FunctionError
from appliance.wire import Handler, Message, Reply, Request
from appliance.wire.messages import (
    AskFunctionLog,
    AskFunctionMessages,
    AskPorting,
    AskProjectPicture,
    DeployFunction,
    Done,
    FunctionLogLines,
    FunctionMessages,
    FunctionsListed,
    FunctionStatus,
    FunctionTaken,
    Handed,
    HandToFunctions,
    ListFunctions,
    Porting,
    ProjectPicture,
    PublishedMessage,
    RemoveFunction,
    StartFunction,
    StopFunction,
)

_SHOWN = 300
"""Characters of a message in a list of functions."""
_PAYLOAD = 128 << 10
_ANSWER = 400 << 10
"""Bytes of payload in one answer, roughly: JSON may take twice as many."""
_REPORT_BYTES = 8 << 20


class HostingAnswers:
    """Answers for the hosted functions.

    Args:
        hosting: The functions; opened when they are first needed.
        check: Judges what somebody asks for one, before it is deployed; raises FunctionError.
    """

    def __init__(self, hosting: Callable[[], Hosting], check: Callable[[DeployFunction], None]) -> None:
        self._hosting = hosting
        self._check = check
        self._deploying = threading.Lock()

    def handlers(self) -> dict[type[Message], Handler]:
        """By message, for a server."""
        return {
            DeployFunction: self._deploy,
            StartFunction: self._start,
            StopFunction: self._stop,
            RemoveFunction: self._remove,
            ListFunctions: self._list,
            AskFunctionMessages: self._messages,
            AskFunctionLog: self._log,
            AskProjectPicture: self._picture,
            AskPorting: self._porting,
            HandToFunctions: self._hand,
        }

    def _deploy(self, request: Request[DeployFunction]) -> Reply[FunctionTaken]:
        asked = request.message
        self._check(asked)
        package = read_bytes(request.blob, asked.file, asked.handler)
        wanted = Wanted(
            name=asked.name,
            runtime=asked.runtime,
            handler=asked.handler,
            pinned=asked.pinned,
            subscriptions=asked.subscriptions,
            publishes=asked.publishes,
            network=asked.network,
            variables=asked.variables,
            memory_mb=asked.memory_mb,
            camera=asked.camera,
            accept_uncontained=asked.accept_uncontained,
        )
        # One at a time: porting takes a processor, and the loop has the other.
        with self._deploying:
            project, report, replaced = self._hosting().deploy(package, wanted, asked.by)
        return Reply(
            FunctionTaken(
                name=project.name,
                replaced=replaced,
                runtime=project.runtime,
                handler=project.handler,
                changed=tuple(each.path for each in report.files if each.outcome == "ported")[:200],
                failed={each.path: each.fault[:300] for each in report.failed[:50]},
            )
        )

    def _start(self, request: Request[StartFunction]) -> Reply[Done]:
        self._hosting().start(request.message.name, request.message.by)
        return Reply(Done())

    def _stop(self, request: Request[StopFunction]) -> Reply[Done]:
        self._hosting().stop(request.message.name, request.message.by)
        return Reply(Done())

    def _remove(self, request: Request[RemoveFunction]) -> Reply[Done]:
        self._hosting().remove(request.message.name, request.message.by)
        return Reply(Done())

    def _list(self, _: Request[ListFunctions]) -> Reply[FunctionsListed]:
        hosting = self._hosting()
        known = [self._status(hosting, each) for each in hosting.functions()]
        damaged = [
            FunctionStatus(name=each.name, phase="damaged", fault=each.reason)
            for each in hosting.projects.look()[1]
        ]
        found = hosting.containment
        return Reply(
            FunctionsListed(
                functions=(*known, *damaged),
                contained=found.works,
                statement=found.statement,
                open=found.not_contained,
            )
        )

    def _messages(self, request: Request[AskFunctionMessages]) -> Reply[FunctionMessages]:
        asked = request.message
        ring = self._hosting().function(asked.name).messages
        after = max(asked.after, ring.newest - asked.most) if asked.newest else asked.after
        if after > ring.newest:
            after = 0  # counted by a process that is no more
        told: list[PublishedMessage] = []
        left = _ANSWER
        for each in ring.after(after, most=asked.most, wait_s=asked.wait_s):
            message = _published(each)
            left -= len(message.payload)
            if left < 0 and told:
                break
            told.append(message)
        return Reply(FunctionMessages(messages=tuple(told), newest=ring.newest, dropped=ring.dropped))

    def _log(self, request: Request[AskFunctionLog]) -> Reply[FunctionLogLines]:
        lines = self._hosting().function(request.message.name).log.tail(request.message.lines)
        kept: list[str] = []
        left = _ANSWER
        for each in reversed(lines):
            left -= len(each)
            if left < 0:
                break
            kept.append(harmless(each))
        return Reply(FunctionLogLines(lines=tuple(reversed(kept))))

    def _picture(self, request: Request[AskProjectPicture]) -> Reply[ProjectPicture]:
        asked = request.message
        hosting = self._hosting()
        hosting.function(asked.name)
        found = hosting.surroundings.stream(asked.name).latest(asked.after, asked.wait_s)
        if found is None:
            return Reply(ProjectPicture(sequence=0))
        return Reply(ProjectPicture(sequence=found[0]), blob=found[1])

    def _porting(self, request: Request[AskPorting]) -> Reply[Porting]:
        hosting = self._hosting()
        name = hosting.function(request.message.name).project.name
        path = hosting.projects.folder(name).report
        try:
            return Reply(Porting(), blob=read_plain(path, _REPORT_BYTES))
        except OSError as error:
            raise FunctionError(f"{path} cannot be read: {error.strerror}", hint="deploy it again") from error

    def _hand(self, request: Request[HandToFunctions]) -> Reply[Handed]:
        asked, hosting = request.message, self._hosting()
        if asked.name:
            took = int(hosting.function(asked.name).deliver(asked.topic, request.blob))
        else:
            took = hosting.hand(asked.topic, request.blob)
        return Reply(Handed(functions=took))

    def _status(self, hosting: Hosting, function: HostedFunction) -> FunctionStatus:
        project, state = function.project, function.state
        now = time.monotonic()
        newest = function.messages.after(function.messages.newest - 1, most=1)
        last = newest[0] if newest else None
        alive = state.phase == "running"
        stream = hosting.surroundings.stream(project.name)
        return FunctionStatus(
            name=project.name,
            phase=state.phase,
            wanted=project.wanted,
            runtime=project.runtime,
            handler=project.handler,
            camera=project.camera,
            thing=project.thing,
            subscriptions=project.subscriptions,
            publishes=project.publishes,
            network=project.network,
            variables=tuple(project.variables),
            memory_mb=project.limits.memory_mb,
            accept_uncontained=project.accept_uncontained,
            deployed_at=project.deployed_at,
            source_sha256=project.source_sha256,
            fault=harmless(state.fault),
            restarts=state.restarts,
            running_s=round(now - state.started_s, 1) if alive else 0.0,
            frames=state.frames,
            idle_s=round(now - state.last_frame_s, 1) if state.last_frame_s else None,
            inferences=state.inferences,
            messages=function.messages.newest,
            dropped=function.messages.dropped,
            last_message=harmless(last.text[:_SHOWN]) if last is not None else "",
            last_at=last.at if last is not None else None,
            loaded=state.loaded,
            missing=state.missing,
            died=state.died,
            pictures=stream.pictures,
            waits=state.driven,
            trouble=function.trouble,
            stream_trouble=stream.trouble,
        )


def _published(message: FunctionMessage) -> PublishedMessage:
    return PublishedMessage(
        sequence=message.sequence,
        at=message.at,
        topic=message.topic,
        payload=message.payload[:_PAYLOAD].decode("utf-8", "replace"),
        bytes=len(message.payload),
    )
