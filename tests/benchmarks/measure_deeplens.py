"""A deployed function beside the loop: how soon it speaks, how fast it infers, what it costs the loop.

The whole appliance on the bundled scene, faces read in every frame. The function is of the templates' kind:
VOC's network on every frame, boxes drawn, the project stream written. The loop's time per frame (`beside`) is
sampled in turns in which the function works; in which it is stopped, by a signal, and a process counts
instead, for as much of a core as the function took with
its host; and in which it is stopped for so long that the loop has
noticed that nobody takes frames any more. Also the memory of the process that hosts, before the first
function and with one. Takes 20 minutes.
"""

import os
import signal
import statistics
import time
from pathlib import Path
from typing import TypeVar

import bench_rows  # noqa: F401 - one thread for numerical libraries, before they load
from beside import SETTLES_S, counting, sample, slower
from running import Box, prepared

from appliance.app.viewing import LEASE_S
from appliance.wire import Client
from appliance.wire.messages import (
    AskFunctionMessages,
    DeployFunction,
    Done,
    FunctionMessages,
    FunctionsListed,
    FunctionTaken,
    ListFunctions,
    Message,
    StopFunction,
    SupervisorStatus,
    SupervisorStatusRequest,
)

M = TypeVar("M", bound=Message)

TURNS = 20
SECONDS = 5.0
ALONE_AFTER_S = LEASE_S + SETTLES_S
"""So long after its last frame the loop goes on to hand out frames."""
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
WAIT_S = 60.0
SOURCE = """
import json, os
from threading import Thread
import awscam, cv2, greengrasssdk

client = greengrasssdk.client('iot-data')
topic = '$aws/things/{}/infer'.format(os.environ['AWS_IOT_THING_NAME'])
ret, frame = awscam.getLastFrame()
ret, jpeg = cv2.imencode('.jpg', frame)

class FIFO_Thread(Thread):
    def run(self):
        if not os.path.exists('/tmp/results.mjpeg'):
            os.mkfifo('/tmp/results.mjpeg')
        f = open('/tmp/results.mjpeg', 'w')
        while True:
            try:
                f.write(jpeg.tobytes())
            except IOError as e:
                continue

FIFO_Thread().start()
client.publish(topic=topic, payload='Object detection starts now')
model = awscam.Model('/opt/awscam/artifacts/mxnet_deploy_ssd_resnet50_300_FP16_FUSED.xml', {'GPU': 1})
while True:
    ret, frame = awscam.getLastFrame()
    parsed = model.parseResult('ssd', model.doInference(cv2.resize(frame, (300, 300))))
    seen = {}
    for found in parsed['ssd']:
        if found['prob'] > 0.25:
            seen[found['label']] = found['prob']
            cv2.rectangle(frame, (int(found['xmin']), int(found['ymin'])), (9, 9), (255, 165, 20), 4)
    client.publish(topic=topic, payload=json.dumps(seen))
    DRAW
"""
DRAWN = SOURCE.replace("DRAW", "ret, jpeg = cv2.imencode('.jpg', frame)")
"""As AWS's template: a JPEG of every frame at full size, which is most of its work."""
PLAIN = SOURCE.replace("    DRAW\n", "")
"""The same, its stream left as it was."""


def measure(box: Box) -> None:
    """Print the figures."""
    box.configure(str(box.pictures), when="always")
    with box.running(configured=True):
        box.wait_for_frames(20)
        time.sleep(8)
        print(f"hosting process, no function:     {_memory_mib(box):6.1f} MiB resident")
        for name, code in (("plain", PLAIN), ("drawn", DRAWN)):
            began = time.monotonic()
            message = DeployFunction(name=name, file="lambda_function.py")
            _ask(box, message, FunctionTaken, blob=code.encode())
            heard = _ask(box, AskFunctionMessages(name=name, wait_s=30), FunctionMessages)
            took = time.monotonic() - began
            print(f"{name}: deploy to first message:   {took:6.2f} s (goal 5): {heard.messages[0].payload!r}")
            time.sleep(3)
            before, since = _inferred(box, name), time.monotonic()
            cpu_s, host_s = _cpu_s(_hosted(box)), _cpu_s([_pid(box)])
            time.sleep(10)
            took = time.monotonic() - since
            share, hosts = (_cpu_s(_hosted(box)) - cpu_s) / took, (_cpu_s([_pid(box)]) - host_s) / took
            print(
                f"{name}: inferences a second:       {(_inferred(box, name) - before) / took:6.1f} (goal 15)"
            )
            print(f"{name}: of a core:                {share:8.0%}, its host {hosts:.0%}")
            print(f"{name}: hosting process:           {_memory_mib(box):6.1f} MiB resident")
            with counting(share + hosts) as instead:
                _signal([instead], stop=True)
                _turns(box, name, instead)
            _ask(box, StopFunction(name=name), Done)


def _turns(box: Box, name: str, instead: int) -> None:
    """Print the loop's time per frame alone, beside the function and beside what works instead of it."""
    took: dict[str, list[float]] = {"alone": [], "function": [], "counting": []}

    def at(kind: str, settles_s: float) -> None:
        time.sleep(settles_s)
        took[kind].append(sample(box, SECONDS)[0])

    for turn in range(TURNS):
        at("function", SETTLES_S)
        _signal(_hosted(box), stop=True)
        # In turn one before the other: what drifts falls on both.
        if turn % 2:
            at("alone", ALONE_AFTER_S)
            _signal([instead], stop=False)
            at("counting", SETTLES_S)
        else:
            time.sleep(LEASE_S)
            _signal([instead], stop=False)
            at("counting", SETTLES_S)
        _signal([instead], stop=True)
        if not turn % 2:
            at("alone", SETTLES_S)
        _signal(_hosted(box), stop=False)
    for kind, others in took.items():
        against = "" if kind == "alone" else f", {slower(took['alone'], others)} slower than alone"
        goal = " (goal 5 %)" if kind == "function" else ""
        print(f"{name}: the loop, ms a frame:      {statistics.median(others):6.2f} {kind}{against}{goal}")


def _signal(pids: list[int], *, stop: bool) -> None:
    """Let processes stop, or go on."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP if stop else signal.SIGCONT)


def _hosted(box: Box) -> list[int]:
    """Numbers of the processes below the one that hosts."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(
                stat.read_text("utf-8", "replace").rpartition(")")[2].split()[1]
            )
        except OSError:
            continue
    found, new = [], [_pid(box)]
    while new:
        new = [pid for pid, parent in parents.items() if parent in new]
        found += new
    return found


def _cpu_s(pids: list[int]) -> float:
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS_A_SECOND


def _ask(box: Box, message: Message, expect: type[M], *, blob: bytes = b"") -> M:
    client = Client(box.layout.socket("functions"), timeout_s=WAIT_S)
    return client.call(message, expect, blob=blob).message


def _inferred(box: Box, name: str) -> int:
    listed = Client(box.layout.socket("functions")).call(ListFunctions(), FunctionsListed).message
    return sum(sum(each.inferences.values()) for each in listed.functions if each.name == name)


def _pid(box: Box) -> int:
    status = Client(box.layout.socket("supervisor")).call(SupervisorStatusRequest(), SupervisorStatus).message
    return next(child.pid for child in status.children if child.name == "functions" and child.pid)


def _memory_mib(box: Box) -> float:
    lines = Path(f"/proc/{_pid(box)}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


if __name__ == "__main__":
    print(__doc__.partition("\n")[0])
    with prepared() as prepared_box:
        measure(prepared_box)
