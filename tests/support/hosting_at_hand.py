"""Two hosted functions behind the socket of the process that hosts them: for pages, without any function.

It answers as `appliance.app.hosting` does; `tests/deeplens` holds that one to the same messages.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import cv2
import numpy as np

from appliance.deeplens.porting.report import Change, FileReport, PackageReport, to_json
from appliance.errors import PackageError, UnknownFunctionError
from appliance.services import Layout
from appliance.wire import Handler, Message, Reply, Request, Server
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
    PublishedMessage,
    RemoveFunction,
    StartFunction,
    StopFunction,
)

AT = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)
TOPIC = "$aws/things/deeplens_front/infer"
DIFF = "--- lambda_function.py\n+++ lambda_function.py\n@@ -3 +3 @@\n-print 'dog'\n+print('dog')\n"


class HostedFunctions:
    """What is deployed.

    Attributes:
        functions: By name.
        deployed: What was asked to be deployed, with the package.
        contained: Whether they are.
        said: What each published, oldest first.
        printed: The newest lines of each.
        diff: Of what was changed to run one.
    """

    def __init__(self) -> None:
        self.functions = {
            "dogs": FunctionStatus(
                name="dogs",
                phase="running",
                runtime="python2",
                handler="greengrassHelloWorld.function_handler",
                camera="entrance",
                thing="deeplens_front",
                memory_mb=1536,
                deployed_at=AT,
                running_s=3725.0,
                frames=40_211,
                idle_s=0.1,
                inferences={"deploy_ssd_resnet50_300": 40_210},
                messages=3,
                last_message='{"dog": 0.9996}',
                last_at=AT,
                loaded=("/opt/awscam/artifacts/mxnet_deploy_ssd_resnet50_300_FP16_FUSED.xml",),
                pictures=812,
            ),
            "birds": FunctionStatus(
                name="birds",
                phase="waiting",
                runtime="python3",
                handler="lambda_function.lambda_handler",
                memory_mb=1536,
                deployed_at=AT,
                fault="its import raised NameError: name 'bird' is not defined (lambda_function.py, line 31)",
                restarts=4,
                missing={"bird_classification_resnet-18": "no weights of it are to be had"},
                network=("s3.amazonaws.com:443",),
                variables=("BUCKET",),
            ),
        }
        self.deployed: list[tuple[DeployFunction, bytes]] = []
        self.contained = True
        self.said = ["Loading object detection model", "Object detection model loaded", '{"dog": 0.9996}']
        self.printed = ["2026-05-04T08:30:00Z [started]", "2026-05-04T08:30:01Z <b>hello</b>"]
        self.diff = DIFF
        picture = np.full((480, 858, 3), (92, 78, 60), np.uint8)
        cv2.rectangle(picture, (270, 150), (560, 420), (255, 165, 20), 3)
        cv2.putText(picture, "dog:    99.96%", (270, 140), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 165, 20), 2)
        self.picture = cv2.imencode(".jpg", picture)[1].tobytes()

    def handlers(self) -> dict[type[Message], Handler]:
        """By message, for a server."""
        return {
            ListFunctions: self._list,
            DeployFunction: self._deploy,
            StartFunction: self._start,
            StopFunction: self._stop,
            RemoveFunction: self._remove,
            AskFunctionMessages: self._messages,
            AskFunctionLog: self._log,
            AskPorting: self._porting,
            AskProjectPicture: self._picture,
        }

    def _list(self, _: Request[ListFunctions]) -> Reply[FunctionsListed]:
        said = "functions are contained: bubblewrap gives each its own view, by an account of its own"
        open_to = ("how busy the machine is can be told by them",)
        if not self.contained:
            said, open_to = "nothing contains functions here", ("they may read what this account may read",)
        found = tuple(self.functions[name] for name in sorted(self.functions))
        return Reply(FunctionsListed(functions=found, contained=self.contained, statement=said, open=open_to))

    def _deploy(self, request: Request[DeployFunction]) -> Reply[FunctionTaken]:
        message = request.message
        if not request.blob.startswith(b"PK"):
            raise PackageError("the file is no zip", hint="take the one that was uploaded to Lambda")
        self.deployed.append((message, request.blob))
        replaced = message.name in self.functions
        self.functions[message.name] = self.functions["dogs"].model_copy(update={"name": message.name})
        return Reply(
            FunctionTaken(
                name=message.name,
                replaced=replaced,
                runtime="python2",
                handler="lambda_function.lambda_handler",
                changed=("lambda_function.py",),
            )
        )

    def _start(self, request: Request[StartFunction]) -> Reply[Done]:
        self._becomes(request.message.name, phase="running", wanted="running")
        return Reply(Done())

    def _stop(self, request: Request[StopFunction]) -> Reply[Done]:
        self._becomes(request.message.name, phase="stopped", wanted="stopped")
        return Reply(Done())

    def _remove(self, request: Request[RemoveFunction]) -> Reply[Done]:
        self._one(request.message.name)
        del self.functions[request.message.name]
        return Reply(Done())

    def _messages(self, request: Request[AskFunctionMessages]) -> Reply[FunctionMessages]:
        self._one(request.message.name)
        found = tuple(
            PublishedMessage(sequence=number, at=AT, topic=TOPIC, payload=text, bytes=len(text))
            for number, text in enumerate(self.said, 1)
            if number > request.message.after
        )
        return Reply(FunctionMessages(messages=found, newest=len(self.said), dropped=0))

    def _log(self, request: Request[AskFunctionLog]) -> Reply[FunctionLogLines]:
        self._one(request.message.name)
        return Reply(FunctionLogLines(lines=tuple(self.printed)))

    def _porting(self, request: Request[AskPorting]) -> Reply[Porting]:
        self._one(request.message.name)
        change = Change("Python 2 print", (3,))
        file = FileReport("lambda_function.py", "ported", runtime="python2", changes=(change,))
        report = PackageReport("python2", ("it prints as Python 2 does",), (file,), diff=self.diff)
        return Reply(Porting(), blob=to_json(report).encode())

    def _picture(self, request: Request[AskProjectPicture]) -> Reply[ProjectPicture]:
        one = self._one(request.message.name)
        if not one.pictures or request.message.after == one.pictures:
            return Reply(ProjectPicture(sequence=0))
        return Reply(ProjectPicture(sequence=one.pictures), blob=self.picture)

    def _one(self, name: str) -> FunctionStatus:
        if name not in self.functions:
            raise UnknownFunctionError(f"no function {name!r} is deployed")
        return self.functions[name]

    def _becomes(self, name: str, **changed: str) -> None:
        self.functions[name] = self._one(name).model_copy(update=changed)


@contextmanager
def hosting_at_hand(layout: Layout) -> Iterator[HostedFunctions]:
    """The socket, answered until the end of the block."""
    hosted = HostedFunctions()
    with Server(layout.socket("functions"), hosted.handlers()):
        yield hosted
