"""How a function lives: messages to its handler, timers, and the ends that an import can come to."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from function_host import FunctionHost

from appliance.deeplens.guest import messages as said

DRIVEN = """
import json, sys, greengrasssdk
client = greengrasssdk.client('iot-data')
client.publish(topic='status', payload='ready')
calls = []

def function_handler(event, context):
    calls.append(event)
    if event == {'action': 'fail'}:
        return event['missing']
    if event == {'action': 'leave'}:
        sys.exit(3)
    answer = {
        'event': event, 'calls': len(calls), 'topic': context.client_context.custom['subject'],
        'function': context.function_name, 'memory': context.memory_limit_in_mb,
    }
    client.publish(topic='answers', payload=json.dumps(answer))
"""


@pytest.fixture(scope="module")
def driven(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FunctionHost]:
    """A function whose import comes back."""
    home = tmp_path_factory.mktemp("driven")
    with FunctionHost(home, handler="app/greengrassHelloWorld.function_handler") as host:
        host.write(DRIVEN, "app/greengrassHelloWorld.py")
        host.start()
        host.wait(lambda: host.heard(said.ImportReturned))
        yield host


def answered(host: FunctionHost, number: int, payload: bytes) -> said.Handled:
    """Deliver a message and wait until its handler came back."""
    host.send(said.Message(number, "deeplens/in", payload))
    host.wait(lambda: any(number == each.id for each in host.heard(said.Handled)))
    return host.heard(said.Handled)[-1]


def test_a_message_calls_the_handler_with_event_and_context(driven: FunctionHost) -> None:
    """JSON comes read; the context names the topic and the function; what was imported stays."""
    handled = answered(driven, 1, b'{"action": "capture"}')
    answer = json.loads(driven.published[-1][1])

    assert said.Handled(1, "") == handled
    assert {"action": "capture"} == answer["event"]
    assert ("deeplens/in", "function", 1536) == (answer["topic"], answer["function"], answer["memory"])


@pytest.mark.parametrize(
    ("number", "payload", "words"),
    [
        (10, b'{"action": "fail"}', "KeyError: 'missing'"),
        (11, b'{"action": "leave"}', "SystemExit: 3"),
    ],
)
def test_a_handler_that_raises_is_reported_and_the_function_goes_on(
    driven: FunctionHost, number: int, payload: bytes, words: str
) -> None:
    """File and line are the author's, in the log as well; the next message is handled."""
    handled = answered(driven, number, payload)
    after = answered(driven, number + 100, b'"next"')

    assert words in handled.error
    assert 'app/greengrassHelloWorld.py", line 1' in handled.error
    assert "appliance/deeplens" not in handled.error
    assert handled.error in driven.log
    assert "" == after.error


def test_messages_are_handled_in_order(driven: FunctionHost) -> None:
    """One after the other, none lost while there is room."""
    for number in range(200, 220):
        driven.send(said.Message(number, "t", b"%d" % number))
    driven.wait(lambda: any(219 == each.id for each in driven.heard(said.Handled)))
    handled = [each.id for each in driven.heard(said.Handled) if each.id >= 200]

    assert list(range(200, 220)) == handled


def test_a_function_that_waits_for_messages_says_that_its_import_came_back(driven: FunctionHost) -> None:
    """With no thread of its own; so the host does not miss frames."""
    assert [said.ImportReturned(0)] == driven.heard(said.ImportReturned)


def test_a_timer_that_arms_itself_again_lives_on(tmp_path: Path) -> None:
    """The tail of AWS's template: an error, the import comes back, and the timer goes on."""
    source = """
import awscam, greengrasssdk
from threading import Timer
client = greengrasssdk.client('iot-data')
def greengrass_infinite_infer_run():
    try:
        raise RuntimeError('no luck')
    except Exception as e:
        client.publish(topic='t', payload='Test failed: {}'.format(e))
    Timer(0.05, greengrass_infinite_infer_run).start()
greengrass_infinite_infer_run()
def function_handler(event, context):
    return
"""
    with FunctionHost(tmp_path, handler="lambda_function.function_handler") as host:
        host.start(source)
        host.wait_published(4)

        (returned,) = host.heard(said.ImportReturned)

        assert returned.threads >= 1
        assert {("t", b"Test failed: no luck")} == set(host.published)


def failing(tmp_path: Path, source: str, **options: Any) -> tuple[said.Ended, str, int | None]:
    """The last word of a function that ends by itself, its log, and how its process ended."""
    with FunctionHost(tmp_path, **options) as host:
        host.start(source)
        return host.wait_ended(), host.log, host.exit_code()


def test_an_import_that_raises_is_told_with_the_authors_line(tmp_path: Path) -> None:
    """The traceback begins with the function's file; none of our lines and none of the import's are in it."""
    ended, log, code = failing(tmp_path, "import json\n\ndef f():\n    return json.loads('{')\n\nf()\n")
    lines = ended.traceback.splitlines()

    assert ("import_failed", 1) == (ended.reason, code)
    assert [
        "Traceback (most recent call last):",
        f'  File "{tmp_path}/function/lambda_function.py", line 6, in <module>',
    ] == lines[:2]
    assert f'  File "{tmp_path}/function/lambda_function.py", line 4, in f' in lines
    assert lines[-1].startswith("json.decoder.JSONDecodeError")
    assert ended.traceback in log
    assert "importlib" not in ended.traceback


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def broken(:\n", "SyntaxError"),
        ("import module_that_nobody_has\n", "No module named 'module_that_nobody_has'"),
        ("from utils import something\n", "cannot import name 'something'"),
        ("raise KeyboardInterrupt\n", "KeyboardInterrupt"),
    ],
)
def test_every_way_to_fail_an_import_is_told(tmp_path: Path, source: str, words: str) -> None:
    """Broken text, missing modules, and what is no ordinary exception."""
    ended, _, code = failing(tmp_path, source)

    assert ("import_failed", 1) == (ended.reason, code)
    assert words in ended.traceback
    assert "lambda_function.py" in ended.traceback
    assert "guest/run.py" not in ended.traceback


def test_a_module_that_is_not_there_is_told(tmp_path: Path) -> None:
    """The handler names a file that the package lacks."""
    ended, _, _ = failing(tmp_path, "", handler="other.handler")

    assert "import_failed" == ended.reason
    assert "ModuleNotFoundError: No module named 'other'\n" == ended.traceback


def test_a_function_that_leaves_says_so(tmp_path: Path) -> None:
    """`sys.exit` waits for its threads, as Python does, and is no failure."""
    source = """
import sys, greengrasssdk, threading
client = greengrasssdk.client('iot-data')
threading.Timer(0.1, lambda: client.publish(topic='t', payload='late')).start()
sys.exit()
"""
    with FunctionHost(tmp_path) as host:
        host.start(source)
        ended = host.wait_ended()

        assert (said.Ended("exited", ""), 0) == (ended, host.exit_code())
        assert [("t", b"late")] == host.published


@pytest.mark.parametrize(
    ("leaving", "code", "words"),
    [("sys.exit(3)", 3, ""), ("sys.exit('no camera')", 1, "no camera\n"), ("exit()", 0, "")],
)
def test_a_function_leaves_with_the_number_python_gives(
    tmp_path: Path, leaving: str, code: int, words: str
) -> None:
    """A number is passed on; a text is printed and is 1."""
    ended, log, left = failing(tmp_path, f"import sys\n{leaving}\n")

    assert ("exited", code, words) == (ended.reason, left, log)


def test_a_template_that_failed_and_returned_is_told_to_the_host(tmp_path: Path) -> None:
    """Its error is published, its display goes on, its main thread is over: the host knows all of it."""
    source = """
from threading import Thread, Event
import os, cv2, numpy as np, greengrasssdk, awscam
class LocalDisplay(Thread):
    def __init__(self, resolution):
        super(LocalDisplay, self).__init__()
        self.frame = cv2.imencode('.jpg', 255*np.ones([640, 480, 3]))[1]
        self.stop_request = Event()
    def run(self):
        result_path = '/tmp/results.mjpeg'
        if not os.path.exists(result_path):
            os.mkfifo(result_path)
        with open(result_path, 'w') as fifo_file:
            while not self.stop_request.is_set():
                try:
                    fifo_file.write(self.frame.tobytes())
                except IOError:
                    continue
    def join(self):
        self.stop_request.set()
def infinite_infer_run():
    client = greengrasssdk.client('iot-data')
    try:
        local_display = LocalDisplay('480p')
        local_display.start()
        awscam.getLastFrame()
        model = awscam.Model('/opt/awscam/artifacts/golfball.xml', {'GPU': 1})
    except Exception as ex:
        client.publish(topic='t', payload='Error in object detection lambda: {}'.format(ex))
infinite_infer_run()
def lambda_handler(event, context):
    return
"""
    with FunctionHost(tmp_path, models=True) as host:
        host.start(source)
        host.wait(lambda: host.heard(said.ImportReturned))
        ((_, error),) = host.wait_published()
        with host.results.open("rb") as fifo:
            picture = fifo.read(5000)

        assert error.startswith(b"Error in object detection lambda: there is no model 'golfball'")
        assert [said.ImportReturned(1)] == host.heard(said.ImportReturned)
        assert picture.startswith(b"\xff\xd8\xff")
        assert host.exit_code() is None


def test_a_display_thread_keeps_a_function_alive_although_its_join_waits_for_nothing(tmp_path: Path) -> None:
    """AWS's template overrides `join`; the function goes on as long as the thread, without a busy core."""
    source = """
import os, sys, threading, time, greengrasssdk
client = greengrasssdk.client('iot-data')
class LocalDisplay(threading.Thread):
    joined = 0
    def run(self):
        before = os.times()
        time.sleep(0.5)
        after = os.times()
        busy = after.user + after.system - before.user - before.system
        client.publish(topic='t', payload='%d %d' % (self.joined, busy > 0.25))
    def join(self):
        LocalDisplay.joined += 1
LocalDisplay().start()
sys.exit()
"""
    with FunctionHost(tmp_path) as host:
        host.start(source)
        ended = host.wait_ended()

        assert "exited" == ended.reason
        assert [("t", b"0 0")] == host.published


def test_a_function_without_handler_ends_when_its_threads_do(tmp_path: Path) -> None:
    """A script that runs through is over, and everything it published came before its last word."""
    source = """
import greengrasssdk
for n in range(100):
    greengrasssdk.client('iot-data').publish(topic='t', payload=str(n))
"""
    with FunctionHost(tmp_path) as host:
        host.start(source)
        ended = host.wait_ended()

        assert "no_handler" == ended.reason
        assert [("t", b"%d" % n) for n in range(100)] == host.published


def test_a_thread_that_dies_is_in_the_log_with_the_authors_line(tmp_path: Path) -> None:
    """The process goes on; the host reads of it in the log."""
    source = """
import threading, greengrasssdk
def display():
    raise ValueError('no picture')
thread = threading.Thread(target=display); thread.start(); thread.join()
greengrasssdk.client('iot-data').publish(topic='t', payload='still here')
def lambda_handler(event, context): pass
"""
    with FunctionHost(tmp_path) as host:
        host.start(source)
        host.wait_published()

        assert "Exception in thread Thread-1 (display):" in host.log
        assert 'lambda_function.py", line 4, in display' in host.log
        assert host.exit_code() is None
