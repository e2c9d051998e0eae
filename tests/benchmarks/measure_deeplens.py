"""A deployed function beside the loop: how soon it speaks, how fast it infers, what it costs the loop.

The whole appliance on the bundled scene, faces read in every frame. The function is of the templates' kind:
VOC's network on every frame, boxes drawn, the project stream written. The loop's time per frame is its own
count, in turns in which the function works and is stopped, by signals, and long enough for the loop to notice
that nobody takes frames any more: a machine that others share is now fast, now slow, so what is told is the
median of the turns' ratios, with where it lies in 95 of 100 drawings of turns. Beside it stands the same of a
process that only counts, as far behind as functions are, for as much of a core as the function took: what any
other work costs the loop on this machine. Also the memory of the process that hosts, before the first
function and with one. Takes half an hour.
"""

import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import bench_rows  # noqa: F401 - one thread for numerical libraries, before they load
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
SETTLES_S = 1.0
ALONE_AFTER_S = LEASE_S + SETTLES_S
"""So long after its last frame the loop goes on to hand out frames."""
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
DRAWINGS = 2000
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
COUNTING = """
import sys, time
from appliance.deeplens.view import NICE
from appliance.priority import give_way
give_way(NICE)
while True:
    began = time.monotonic()
    while time.monotonic() - began < float(sys.argv[1]) / 16:
        sum(range(1000))
    time.sleep(max(0, began + 1 / 16 - time.monotonic()))
"""


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
            before, cpu_s, since = _inferred(box, name), _cpu_s(_hosted(box)), time.monotonic()
            time.sleep(10)
            took = time.monotonic() - since
            share = (_cpu_s(_hosted(box)) - cpu_s) / took
            print(
                f"{name}: inferences a second:       {(_inferred(box, name) - before) / took:6.1f} (goal 15)"
            )
            print(f"{name}: of a core:                {share:8.0%}")
            print(f"{name}: hosting process:           {_memory_mib(box):6.1f} MiB resident")
            found = _turns(box, lambda: _hosted(box), ALONE_AFTER_S)
            print(f"{name}: the loop, ms per frame:    {found}, goal 5 %")
            _ask(box, StopFunction(name=name), Done)
            words = [sys.executable, "-c", COUNTING, str(share)]
            with subprocess.Popen(words, start_new_session=True) as counting:
                print(f"{name}: only counting instead:     {_turns(box, lambda: [counting.pid], SETTLES_S)}")
                counting.kill()


def _turns(box: Box, others: Callable[[], list[int]], alone_after_s: float) -> str:
    """The loop's time per frame while others work and while they are stopped, in words."""
    alone: list[float] = []
    beside: list[float] = []
    for turn in range(TURNS):
        # In turn one before the other: what drifts falls on both.
        for stopped in (True, False) if turn % 2 else (False, True):
            signalled = others()
            for pid in signalled:
                os.kill(pid, signal.SIGSTOP if stopped else signal.SIGCONT)
            time.sleep(alone_after_s if stopped else SETTLES_S)
            (alone if stopped else beside).append(_per_frame_ms(box))
            for pid in signalled:
                os.kill(pid, signal.SIGCONT)
    slower, least, most = _slower(alone, beside)
    return (
        f"{statistics.median(alone):6.2f} alone, {statistics.median(beside):.2f} beside it: "
        f"{slower:+.1%} ({least:+.1%} to {most:+.1%})"
    )


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


def _per_frame_ms(box: Box) -> float:
    before = box.camera_status()
    time.sleep(SECONDS)
    after = box.camera_status()
    frames = int(after["frames"]) - int(before["frames"])
    return (float(after["busy_s"]) - float(before["busy_s"])) / frames * 1000


def _slower(alone: list[float], beside: list[float]) -> tuple[float, float, float]:
    """Median of the turns' ratios less one, and the 2.5th and 97.5th hundredth of its bootstrap."""
    ratios = [with_it / without - 1 for without, with_it in zip(alone, beside, strict=True)]
    chance = random.Random(1)
    drawn = sorted(statistics.median(chance.choices(ratios, k=len(ratios))) for _ in range(DRAWINGS))
    return statistics.median(ratios), drawn[DRAWINGS // 40], drawn[-DRAWINGS // 40]


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
