"""Deployed functions, contained, through the sockets of the process that hosts them."""

import io
import json
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from functions_box import GREETS, FunctionsBox, named

from appliance.deeplens.porting.report import from_json
from appliance.errors import FunctionError, PackageError, UnknownFunctionError
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
    RemoveFunction,
    StartFunction,
    StopFunction,
)

pytestmark = pytest.mark.debian(reason="bubblewrap")

ANSWERS = """
import greengrasssdk
client = greengrasssdk.client('iot-data')

def lambda_handler(event, context):
    topic = context.client_context.custom['subject']
    client.publish(topic='answers', payload='%s %s' % (topic, event['n'] / 2))
"""
"""Driven by messages: nothing happens when it is imported."""


NO_PIPE = """
import os, time, awscam
os.mkdir('/tmp/results.mjpeg')
while True:
    awscam.getLastFrame()
    time.sleep(0.05)
"""
"""Makes something else than a pipe where its stream belongs."""


def one(word: str) -> str:
    """A function that publishes a word."""
    return GREETS.replace("WORD", word)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FunctionsBox]:
    """A box whose hosting runs."""
    made = FunctionsBox(tmp_path_factory.mktemp("functions"))
    with made.hosting():
        yield made
    made.close()


@pytest.fixture(scope="module")
def hello(box: FunctionsBox) -> FunctionTaken:
    """A function that was deployed on it, `hello`, in the style of Python 2.7."""
    return box.deploy("hello", one("hello"))


def status(box: FunctionsBox, name: str) -> FunctionStatus:
    """How a function is."""
    return named(box.ask(ListFunctions(), FunctionsListed).functions, name)


def published(box: FunctionsBox, name: str, after: int = 0) -> FunctionMessages:
    """What a function published since."""
    return box.ask(AskFunctionMessages(name=name, after=after, wait_s=20), FunctionMessages)


def test_a_function_has_variables_of_its_own(box: FunctionsBox) -> None:
    """Beside those of the device, whose name for its thing gives way; after it was started anew as well."""
    code = """
import os, greengrasssdk
told = ' '.join([os.environ['BUCKET'], os.environ['AWS_IOT_THING_NAME'], os.environ['AWS_REGION']])
greengrasssdk.client('iot-data').publish(topic='t', payload=told)
def lambda_handler(event, context): pass
"""
    given = {"BUCKET": "a = b", "AWS_IOT_THING_NAME": "deeplens_mine"}
    box.deploy("reads", code, variables=given)
    first = published(box, "reads").messages[0]
    box.ask(StopFunction(name="reads"), Done)
    box.ask(StartFunction(name="reads"), Done)
    again = published(box, "reads", after=first.sequence).messages[0]
    how = status(box, "reads")
    box.ask(RemoveFunction(name="reads"), Done)

    assert ["a = b deeplens_mine us-east-1"] * 2 == [first.payload, again.payload]
    assert (("BUCKET",), "deeplens_mine") == (how.variables, how.thing)


def test_a_deployed_function_publishes(box: FunctionsBox, hello: FunctionTaken) -> None:
    """It is taken for Python 2.7, ported, started, sees the camera's frames at their size, and is heard."""
    first = published(box, "hello").messages[0]

    assert ("python2", "lambda_function.lambda_handler", False) == (
        hello.runtime,
        hello.handler,
        hello.replaced,
    )
    assert {"word": "hello", "width": 2688} == json.loads(first.payload)
    assert first.topic.startswith("$aws/things/deeplens_")


def test_messages_are_read_on_from_the_last(box: FunctionsBox, hello: FunctionTaken) -> None:
    """What comes after a number begins with the next one; the newest can be asked for."""
    del hello
    begun = published(box, "hello")
    more = published(box, "hello", after=begun.messages[-1].sequence)
    newest = box.ask(AskFunctionMessages(name="hello", most=3, newest=True), FunctionMessages)

    assert begun.messages[-1].sequence + 1 == more.messages[0].sequence
    assert newest.messages[0].sequence >= newest.newest - 3


def test_the_list_says_how_it_is(box: FunctionsBox, hello: FunctionTaken) -> None:
    """Frames, messages and what it was deployed as are told, and whether functions are contained here."""
    del hello
    published(box, "hello")
    box.until(lambda: status(box, "hello").frames > 3)
    found = status(box, "hello")

    assert ("running", "running", "python2", 0) == (
        found.phase,
        found.wanted,
        found.runtime,
        found.restarts,
    )
    assert found.messages > 0
    assert box.ask(ListFunctions(), FunctionsListed).contained


def test_the_log_has_what_it_prints(box: FunctionsBox, hello: FunctionTaken) -> None:
    """A Python 2 `print` arrives as a line."""
    del hello
    published(box, "hello")
    box.until(lambda: any("hello begins" in each for each in log(box, "hello")))

    assert any(each.endswith("[started]") for each in log(box, "hello"))


def log(box: FunctionsBox, name: str) -> tuple[str, ...]:
    """The lines that a function printed."""
    return box.ask(AskFunctionLog(name=name), FunctionLogLines).lines


def test_the_project_stream_is_seen(box: FunctionsBox, hello: FunctionTaken) -> None:
    """What it writes to its FIFO comes as a whole JPEG, with a number."""
    del hello
    box.until(lambda: status(box, "hello").pictures > 0)
    reply = box.reply(AskProjectPicture(name="hello", wait_s=5), ProjectPicture)

    assert reply.message.sequence >= 1
    assert (b"\xff\xd8", b"\xff\xd9") == (reply.blob[:2], reply.blob[-2:])
    assert 0 == box.ask(AskProjectPicture(name="hello", after=10**6), ProjectPicture).sequence


def test_what_porting_changed_can_be_asked(box: FunctionsBox, hello: FunctionTaken) -> None:
    """The report says that the print statement was changed, and shows the line."""
    del hello
    report = from_json(box.reply(AskPorting(name="hello"), Porting).blob)

    assert "python2" == report.runtime
    assert "-print 'hello begins'" in report.diff


def test_a_running_function_is_replaced(box: FunctionsBox) -> None:
    """Another version under the name: its messages come, the old one's end; the chain says who did what."""
    box.deploy("twice", one("first"), by="ann")
    published(box, "twice")
    taken = box.deploy("twice", one("second"), by="bob")
    words = {each.payload for each in published(box, "twice").messages}

    assert taken.replaced
    assert any("second" in each for each in words)
    assert not any("first" in each for each in words)
    box.ask(RemoveFunction(name="twice", by="eve"), Done)
    box.until(lambda: ("function_removed", "twice") in [(kind, e["function"]) for kind, e in box.events()])
    assert [
        *(("function_deployed", "ann"), ("function_started", "ann")),
        *(("function_stopped", "bob"), ("function_deployed", "bob"), ("function_started", "bob")),
        *(("function_stopped", "eve"), ("function_removed", "eve")),
    ] == [(kind, event["by"]) for kind, event in box.events() if event["function"] == "twice"]


def test_what_cannot_be_deployed_leaves_the_old_one(box: FunctionsBox, hello: FunctionTaken) -> None:
    """Noise instead of a package is refused in words, and the one of that name goes on."""
    del hello
    before = published(box, "hello").newest
    with pytest.raises(PackageError, match="neither a zip nor"):
        box.ask(DeployFunction(name="hello", file="noise.zip"), FunctionTaken, blob=b"noise" * 50)

    assert published(box, "hello", after=before).messages
    assert "running" == status(box, "hello").phase


def test_a_zip_slip_is_refused(box: FunctionsBox) -> None:
    """A name that leads out of the package: nothing is deployed."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("lambda_function.py", one("x"))
        archive.writestr("../../escaped.py", "x = 1")
    with pytest.raises(PackageError, match="leads out of the package"):
        box.ask(DeployFunction(name="slip", file="a.zip"), FunctionTaken, blob=content.getvalue())

    with pytest.raises(UnknownFunctionError):
        box.ask(StopFunction(name="slip"), Done)


def test_a_function_driven_by_messages(box: FunctionsBox) -> None:
    """It waits; a message of its topic is answered, by Python 2's division; others are not its."""
    box.deploy("answers", ANSWERS, subscriptions=("door/+",), runtime="python2")
    box.until(lambda: status(box, "answers").waits)

    assert 0 == hand(box, "window/1", 3)
    assert 1 == hand(box, "door/1", 3)
    assert "door/1 1" == published(box, "answers").messages[0].payload
    box.ask(RemoveFunction(name="answers"), Done)


def hand(box: FunctionsBox, topic: str, number: int) -> int:
    """Hand a message over; how many functions took it."""
    return box.ask(HandToFunctions(topic=topic), Handed, blob=json.dumps({"n": number}).encode()).functions


@pytest.mark.slow
def test_a_killed_host_leaves_no_process_and_its_functions_come_back(tmp_path: Path) -> None:
    """Kill -9 of the host: every process of a function ends with it.

    The next one runs what ran, leaves stopped what was stopped, and tells what is damaged.
    """
    box = FunctionsBox(tmp_path)
    command = [sys.executable, "-m", "appliance", "--state", str(box.layout.state), "process", "functions"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        box.until(box.answers)
        for name in ("runs", "rests"):
            box.deploy(name, one(name))
            assert published(box, name).messages
        box.ask(StopFunction(name="rests"), Done)
        assert (True, False) == (bool(running("runs")), bool(running("rests")))
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    box.until(lambda: not running("runs"))

    broken = box.layout.functions / "broken" / "project.json"
    broken.parent.mkdir()
    broken.write_text("{}", encoding="utf-8")
    with box.hosting():
        assert published(box, "runs").messages
        assert ("stopped", "stopped") == (status(box, "rests").phase, status(box, "rests").wanted)
        assert ("damaged", True) == (
            status(box, "broken").phase,
            str(broken) in status(box, "broken").fault,
        )
        box.ask(StartFunction(name="rests"), Done)
        assert published(box, "rests").messages
        box.ask(RemoveFunction(name="broken"), Done)
    box.close()


def running(name: str) -> list[int]:
    """Processes whose current folder is a function's."""
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdecimal():
            try:
                folder = str((each / "cwd").readlink())
            except OSError:
                continue
            found += [int(each.name)] * folder.endswith(f"/lambda/{name}")
    return found


def test_a_topic_of_the_box_is_not_a_functions(box: FunctionsBox) -> None:
    """A wildcard among the topics that may leave is refused when it is deployed."""
    with pytest.raises(FunctionError, match="publishes"):
        box.deploy("greedy", one("x"), publishes=("appliance/#",))


def test_what_is_no_stream_shows_in_how_a_function_is(box: FunctionsBox) -> None:
    """A folder, link or file where the pipe belongs: its owner reads that in the list."""
    box.deploy("no-pipe", NO_PIPE)
    try:
        box.until(lambda: bool(status(box, "no-pipe").stream_trouble))

        assert "results.mjpeg is a folder, not a pipe" == status(box, "no-pipe").stream_trouble
    finally:
        box.ask(RemoveFunction(name="no-pipe"), Done)


def test_one_whose_ported_files_are_gone_says_what_to_do(box: FunctionsBox) -> None:
    """Its fault is in words of ours, not in those of the program that makes its view."""
    box.deploy("hollow", one("hollow"))
    try:
        box.ask(StopFunction(name="hollow"), Done)
        shutil.rmtree(box.layout.functions / "hollow" / "ported")
        box.ask(StartFunction(name="hollow"), Done)
        box.until(lambda: bool(status(box, "hollow").fault))

        assert "the ported files of hollow are gone; deploy it again" == status(box, "hollow").fault
    finally:
        box.ask(RemoveFunction(name="hollow"), Done)
