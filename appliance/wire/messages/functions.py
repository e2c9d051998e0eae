"""What the process that hosts functions is asked: to deploy, start and stop them, and what they say and show.

A function's package travels in the blob beside `DeployFunction`, a message's payload in the one beside
`HandToFunctions`, a picture beside the answer. Whoever is named in `by` did it; the log says so.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from appliance.wire.messages.message import Message

_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"


class DeployFunction(Message):
    """Deploy the package in the blob, in the place of one of the same name. Answered by `FunctionTaken`.

    Attributes:
        name: What it is to be called.
        file: What the package's file is called; its end says what it is.
        runtime: Whose rules its sources follow; None: as they look.
        handler: Module and function; empty: as it looks.
        pinned: Whether its import never returns; None: that shows.
        subscriptions: Topics whose messages it is handed.
        publishes: Topics besides its infer topic that leave the box.
        network: Hosts granted.
        variables: Of its own: name → value.
        memory_mb: Memory, MiB; None: as is usual.
        camera: Whose frames it gets; empty: the first's.
        accept_uncontained: Whether it may run where this system does not contain it.
        by: Opaque id of who asks.
    """

    type: Literal["deploy_function"] = "deploy_function"
    version: Literal[1] = 1
    name: str = Field(pattern=_NAME)
    file: str = Field(max_length=255)
    runtime: Literal["python2", "python3"] | None = None
    handler: str = Field(default="", max_length=320)
    pinned: bool | None = None
    subscriptions: tuple[str, ...] = Field(default=(), max_length=32)
    publishes: tuple[str, ...] = Field(default=(), max_length=32)
    network: tuple[str, ...] = Field(default=(), max_length=32)
    variables: Mapping[str, str] = Field(default={}, repr=False)
    memory_mb: int | None = None
    camera: str = Field(default="", max_length=32)
    accept_uncontained: bool = False
    by: str | None = Field(default=None, max_length=64)


class FunctionTaken(Message):
    """It is deployed, and started.

    Attributes:
        replaced: Whether one of that name was there.
        runtime: Whose rules its sources follow.
        handler: Module and function.
        changed: Files that porting changed.
        failed: Files that could not be ported → why.
    """

    type: Literal["function_taken"] = "function_taken"
    version: Literal[1] = 1
    name: str
    replaced: bool
    runtime: str
    handler: str
    changed: tuple[str, ...] = ()
    failed: Mapping[str, str] = {}


class StartFunction(Message):
    """Let a deployed function run, now and whenever the appliance does. Answered by `Done`."""

    type: Literal["start_function"] = "start_function"
    version: Literal[1] = 1
    name: str = Field(pattern=_NAME)
    by: str | None = Field(default=None, max_length=64)


class StopFunction(Message):
    """End a function; it stays deployed. Answered by `Done` once none of it is left."""

    type: Literal["stop_function"] = "stop_function"
    version: Literal[1] = 1
    name: str = Field(pattern=_NAME)
    by: str | None = Field(default=None, max_length=64)


class RemoveFunction(Message):
    """End a function and delete all that belongs to it. Answered by `Done`."""

    type: Literal["remove_function"] = "remove_function"
    version: Literal[1] = 1
    name: str = Field(pattern=_NAME)
    by: str | None = Field(default=None, max_length=64)


class ListFunctions(Message):
    """Which functions are deployed, and how are they? Answered by `FunctionsListed`."""

    type: Literal["list_functions"] = "list_functions"
    version: Literal[1] = 1


class FunctionStatus(BaseModel):
    """One function.

    Attributes:
        phase: stopped, starting, running, waiting (it failed, and is started again), refused, damaged.
        wanted: Whether it is to run.
        variables: Names of its own; no values.
        fault: Why it failed last, in words; empty if it did not.
        restarts: Times it was started again since it was wanted.
        running_s: Seconds since its last start; 0 while it does not run.
        frames: Frames it took since then.
        idle_s: Seconds since it took the last; None: it took none.
        inferences: Model → pictures it read since its start.
        messages: Number of its newest message.
        dropped: Messages lost.
        last_message: The newest, shortened; empty: none.
        last_at: When.
        loaded: Models it has.
        missing: Model it asked for and that there is not → why.
        died: What its threads that died raised.
        pictures: Different pictures of its project stream so far.
        waits: Whether it waits for messages.
        trouble: Why it gets no frames, in words; empty while it does.
        stream_trouble: Why its project stream is not read, in words; empty if it is, or there is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
    name: str
    phase: str
    wanted: str = "running"
    runtime: str = ""
    handler: str = ""
    camera: str = ""
    thing: str = ""
    subscriptions: tuple[str, ...] = ()
    publishes: tuple[str, ...] = ()
    network: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    memory_mb: int = 0
    accept_uncontained: bool = False
    deployed_at: datetime | None = None
    source_sha256: str = ""
    fault: str = ""
    restarts: int = 0
    running_s: float = 0.0
    frames: int = 0
    idle_s: float | None = None
    inferences: Mapping[str, int] = {}
    messages: int = 0
    dropped: int = 0
    last_message: str = ""
    last_at: datetime | None = None
    loaded: tuple[str, ...] = ()
    missing: Mapping[str, str] = {}
    died: tuple[str, ...] = ()
    pictures: int = 0
    waits: bool = False
    trouble: str = ""
    stream_trouble: str = ""


class FunctionsListed(Message):
    """The deployed functions.

    Attributes:
        contained: Whether this system contains functions.
        statement: That in a sentence.
        open: What a function is not held off from, sentence by sentence.
    """

    type: Literal["functions_listed"] = "functions_listed"
    version: Literal[1] = 1
    functions: tuple[FunctionStatus, ...]
    contained: bool
    statement: str
    open: tuple[str, ...] = ()


class AskFunctionMessages(Message):
    """What did a function publish? Answered by `FunctionMessages`.

    Attributes:
        after: Number of the last message that is there already.
        most: How many at once; the oldest first.
        wait_s: Seconds to wait for one if there is none.
        newest: The newest instead of the oldest, where there are more.
    """

    type: Literal["ask_function_messages"] = "ask_function_messages"
    version: Literal[1] = 1
    name: str = Field(pattern=_NAME)
    after: int = Field(default=0, ge=0)
    most: int = Field(default=100, ge=1, le=1000)
    wait_s: float = Field(default=0.0, ge=0, le=30)
    newest: bool = False


class PublishedMessage(BaseModel):
    """One message.

    Attributes:
        sequence: From 1; starts anew when the process that hosts does.
        payload: As text; bytes that are none are replaced.
        bytes: Length of the payload; more than what is told where it was shortened.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
    sequence: int
    at: datetime
    topic: str
    payload: str
    bytes: int


class FunctionMessages(Message):
    """What a function published.

    Attributes:
        newest: Number of its newest message.
        dropped: Messages lost.
    """

    type: Literal["function_messages"] = "function_messages"
    version: Literal[1] = 1
    messages: tuple[PublishedMessage, ...]
    newest: int
    dropped: int


class AskFunctionLog(Message):
    """What did a function print? Answered by `FunctionLogLines`."""

    type: Literal["ask_function_log"] = "ask_function_log"
    version: Literal[1] = 1
    name: str = Field(pattern=_NAME)
    lines: int = Field(default=200, ge=1, le=2000)


class FunctionLogLines(Message):
    """The newest lines, oldest first, without what a terminal would act on."""

    type: Literal["function_log_lines"] = "function_log_lines"
    version: Literal[1] = 1
    lines: tuple[str, ...]


class AskProjectPicture(Message):
    """The newest picture of a function's project stream. Answered by `ProjectPicture`.

    Attributes:
        after: Number of the picture that is there already.
        wait_s: Seconds to wait for another.
    """

    type: Literal["ask_project_picture"] = "ask_project_picture"
    version: Literal[1] = 1
    name: str = Field(pattern=_NAME)
    after: int = Field(default=0, ge=0)
    wait_s: float = Field(default=0.0, ge=0, le=10)


class ProjectPicture(Message):
    """A JPEG is in the blob, as the function wrote it; or none is.

    Attributes:
        sequence: Its number; 0: there is none.
    """

    type: Literal["project_picture"] = "project_picture"
    version: Literal[1] = 1
    sequence: int


class AskPorting(Message):
    """What did porting change of a function? Answered by `Porting`."""

    type: Literal["ask_porting"] = "ask_porting"
    version: Literal[1] = 1
    name: str = Field(pattern=_NAME)


class Porting(Message):
    """The report is in the blob, as JSON; see `appliance.deeplens.porting.report`."""

    type: Literal["porting"] = "porting"
    version: Literal[1] = 1


class HandToFunctions(Message):
    """A message of a topic, payload in the blob, for the functions that subscribe. Answered by `Handed`.

    Attributes:
        name: For this function alone, whatever it subscribes to; empty: for all that subscribe.
    """

    type: Literal["hand_to_functions"] = "hand_to_functions"
    version: Literal[1] = 1
    topic: str = Field(max_length=256)
    name: str = Field(default="", max_length=64)


class Handed(Message):
    """How many functions took it."""

    type: Literal["handed"] = "handed"
    version: Literal[1] = 1
    functions: int
