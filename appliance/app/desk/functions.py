"""Operations of hosted DeepLens functions: which there are, how they are, what they publish, print and draw.

The process that hosts functions does it all; here it is settled who may. What a package is, is read there:
nothing of it is opened here.
"""

from dataclasses import asdict
from typing import Any, Final, TypeVar

from pydantic import Field

from appliance.app.desk.in_person import only_in_person
from appliance.app.desk.operations import Answer, Arguments, Asked, Nothing, Operation
from appliance.app.desk.times import moment
from appliance.deeplens.porting.report import from_json
from appliance.errors import FormError, FunctionError, PackageError, PeerGoneError
from appliance.permissions import Permission
from appliance.services import Services
from appliance.wire import Client, Message, Reply
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
    ListFunctions,
    Porting,
    ProjectPicture,
    RemoveFunction,
    StartFunction,
    StopFunction,
)

M = TypeVar("M", bound=Message)

_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
_DEPLOY_S: Final = 90.0
_STOP_S: Final = 30.0
_SLACK_S: Final = 5.0


class WhichFunction(Arguments):
    """Attributes: name: of a deployed function."""

    name: str = Field(pattern=_NAME)


class NewFunction(Arguments):
    """A function to be deployed; its zip or .py file goes with it.

    Attributes:
        name: What it is to be called; one of that name is replaced.
        file: What the file is called.
        runtime: `python2` or `python3`; None: as its sources look.
        handler: Module and function; empty: as it looks.
        camera: Whose frames it gets; empty: the first's.
        subscriptions: Topics whose messages it is handed.
        network: Hosts it may reach, `host` or `host:port`.
        variables: Of its own: name → value.
    """

    name: str = Field(pattern=_NAME)
    file: str = Field(max_length=255)
    runtime: str | None = Field(default=None, pattern=r"^python[23]$")
    handler: str = Field(default="", max_length=320)
    camera: str = Field(default="", max_length=32)
    subscriptions: tuple[str, ...] = Field(default=(), max_length=32)
    network: tuple[str, ...] = Field(default=(), max_length=32)
    variables: dict[str, str] = Field(default={}, max_length=64, repr=False)


class MessagesAfter(Arguments):
    """Attributes: name; after: number of the last that is known; wait_s: for one more, seconds."""

    name: str = Field(pattern=_NAME)
    after: int = Field(default=0, ge=0)
    wait_s: float = Field(default=0.0, ge=0, le=5)


class PictureAfter(Arguments):
    """Attributes: name; after: number of the last that is known; wait_s: for another, seconds."""

    name: str = Field(pattern=_NAME)
    after: int = Field(default=0, ge=0)
    wait_s: float = Field(default=0.0, ge=0, le=5)


class Functions:
    """Carries out what is asked about hosted functions.

    Args:
        services: Where the process that hosts them listens.
    """

    def __init__(self, services: Services) -> None:
        self._host = Client(services.layout.socket("functions"))

    def operations(self) -> list[Operation[Any]]:
        """All of them."""
        may = Permission.FUNCTIONS
        return [
            Operation("functions.list", Nothing, may, self.list_functions),
            Operation("functions.deploy", NewFunction, may, self.deploy, waits=True),
            Operation("functions.start", WhichFunction, may, self.start),
            Operation("functions.stop", WhichFunction, may, self.stop, waits=True),
            Operation("functions.remove", WhichFunction, may, self.remove, waits=True),
            Operation("functions.messages", MessagesAfter, may, self.messages, waits=True),
            Operation("functions.log", WhichFunction, may, self.log),
            Operation("functions.porting", WhichFunction, may, self.porting),
            Operation("functions.picture", PictureAfter, may, self.picture, waits=True),
        ]

    def list_functions(self, asked: Asked[Nothing]) -> Answer:
        """Every deployed function and how it is, and whether this system contains them.

        `{there, functions: [{name, phase, wanted, runtime, handler, camera, thing, subscriptions, network,
        variables, memory_mb, deployed_at, fault, restarts, running_s, frames, idle_s, inferences, messages,
        dropped, last_message, last_at, loaded, missing, died, pictures, waits, trouble, stream_trouble}],
        contained, statement, open}`; `there` is whether the process that hosts functions runs.
        """
        del asked
        try:
            listed = self._ask(ListFunctions(), FunctionsListed).message
        except PeerGoneError:
            gone = {"functions": [], "contained": False, "statement": "", "open": []}
            return Answer({"there": False, **gone})
        return Answer(
            {
                "there": True,
                "functions": [_told(each) for each in listed.functions],
                "contained": listed.contained,
                "statement": listed.statement,
                "open": list(listed.open),
            }
        )

    def deploy(self, asked: Asked[NewFunction]) -> Answer:
        """Deploy a zip or a .py file and start it: `{name, replaced, runtime, handler, changed, failed}`.

        For somebody who is signed in: it is a program, and what it is granted lets pictures leave. That one
        may run uncontained is said on the machine alone: it would be a shell for whoever gets this far.

        Raises:
            FormError: The file cannot be taken, or may not run as this system is.
        """
        only_in_person(asked.who)
        given = asked.arguments
        message = DeployFunction.model_validate({**given.model_dump(), "by": asked.who.operator or None})
        try:
            taken = self._ask(message, FunctionTaken, blob=asked.blob, timeout_s=_DEPLOY_S).message
        except PackageError as error:
            raise FormError(error.message, fields={"file": error.message}, hint=error.hint) from None
        except FunctionError as error:
            raise FormError(error.message, fields={}, hint=error.hint) from None
        return Answer(
            {
                "name": taken.name,
                "replaced": taken.replaced,
                "runtime": taken.runtime,
                "handler": taken.handler,
                "changed": list(taken.changed),
                "failed": dict(taken.failed),
            }
        )

    def start(self, asked: Asked[WhichFunction]) -> Answer:
        """Let one run, now and whenever the appliance does."""
        self._ask(StartFunction(name=asked.arguments.name, by=asked.who.operator or None), Done)
        return Answer()

    def stop(self, asked: Asked[WhichFunction]) -> Answer:
        """End one; it stays deployed."""
        message = StopFunction(name=asked.arguments.name, by=asked.who.operator or None)
        self._ask(message, Done, timeout_s=_STOP_S)
        return Answer()

    def remove(self, asked: Asked[WhichFunction]) -> Answer:
        """End one and delete all that belongs to it; for somebody who is signed in."""
        only_in_person(asked.who)
        message = RemoveFunction(name=asked.arguments.name, by=asked.who.operator or None)
        self._ask(message, Done, timeout_s=_STOP_S)
        return Answer()

    def messages(self, asked: Asked[MessagesAfter]) -> Answer:
        """What one published after a number, the newest hundred: `{messages, newest, dropped}`.

        A message is `{sequence, at, topic, payload, bytes}`; a payload is cut where it is long.
        """
        given = asked.arguments
        message = AskFunctionMessages(name=given.name, after=given.after, wait_s=given.wait_s, newest=True)
        found = self._ask(message, FunctionMessages, timeout_s=given.wait_s + _SLACK_S).message
        told = [{**each.model_dump(), "at": moment(each.at)} for each in found.messages]
        return Answer({"messages": told, "newest": found.newest, "dropped": found.dropped})

    def log(self, asked: Asked[WhichFunction]) -> Answer:
        """The newest lines that one printed, oldest first."""
        found = self._ask(AskFunctionLog(name=asked.arguments.name), FunctionLogLines)
        return Answer(list(found.message.lines))

    def porting(self, asked: Asked[WhichFunction]) -> Answer:
        """What was changed to run one: `{runtime, reasons, files, diff}`.

        A file is `{path, outcome, runtime, reasons, changes: [{measure, lines}], notes, error, error_line}`.

        Raises:
            FunctionError: There is no report, or it is none.
        """
        blob = self._ask(AskPorting(name=asked.arguments.name), Porting).blob
        try:
            return Answer(asdict(from_json(blob)))
        except ValueError as error:
            raise FunctionError(str(error)) from error

    def picture(self, asked: Asked[PictureAfter]) -> Answer:
        """The newest picture of one's project stream: `{sequence}`, 0 for none; a JPEG in the blob."""
        given = asked.arguments
        message = AskProjectPicture(name=given.name, after=given.after, wait_s=given.wait_s)
        found = self._ask(message, ProjectPicture, timeout_s=given.wait_s + _SLACK_S)
        return Answer({"sequence": found.message.sequence}, blob=found.blob)

    def _ask(
        self, message: Message, answer: type[M], *, blob: bytes = b"", timeout_s: float | None = None
    ) -> Reply[M]:
        return self._host.call(message, answer, blob=blob, timeout_s=timeout_s or _SLACK_S)


def _told(each: FunctionStatus) -> dict[str, Any]:
    told: dict[str, Any] = each.model_dump(mode="json")
    for name in ("deployed_at", "last_at"):
        value = getattr(each, name)
        told[name] = None if value is None else moment(value)
    return told
