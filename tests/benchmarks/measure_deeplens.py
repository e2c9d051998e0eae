"""A deployed function beside the loop: how soon it speaks, how fast it infers, what it costs the loop.

The whole appliance on the bundled scene, faces read in every frame. The function is of the templates' kind:
VOC's network on every frame, boxes drawn, the project stream written. The loop's time per frame is its own
count, in turns with and without the function: a machine that others share is now fast, now slow, so what is
told is the median of the turns' ratios, with where it lies in 95 of 100 drawings of turns. Also the memory of
the process that hosts, before the first function and with one.
"""

import random
import statistics
import time
from pathlib import Path
from typing import TypeVar

import bench_rows  # noqa: F401 - one thread for numerical libraries, before they load
from running import Box, prepared

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
    StartFunction,
    StopFunction,
    SupervisorStatus,
    SupervisorStatusRequest,
)

M = TypeVar("M", bound=Message)

TURNS = 12
SECONDS = 5.0
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
            alone: list[float] = []
            beside: list[float] = []
            rates: list[float] = []
            for _ in range(TURNS):
                _ask(box, StopFunction(name=name), Done)
                alone.append(_per_frame_ms(box))
                _ask(box, StartFunction(name=name), Done)
                time.sleep(3)
                before, since = _inferred(box, name), time.monotonic()
                beside.append(_per_frame_ms(box))
                rates.append((_inferred(box, name) - before) / (time.monotonic() - since))
            slower, least, most = _slower(alone, beside)
            print(f"{name}: inferences a second:       {statistics.median(rates):6.1f} (goal 15)")
            print(
                f"{name}: the loop, ms per frame:    {statistics.median(alone):6.2f} alone, "
                f"{statistics.median(beside):.2f} beside it: {slower:+.1%} "
                f"({least:+.1%} to {most:+.1%}; goal 5 %)"
            )
            print(f"{name}: hosting process:           {_memory_mib(box):6.1f} MiB resident")
            _ask(box, StopFunction(name=name), Done)


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


def _memory_mib(box: Box) -> float:
    status = Client(box.layout.socket("supervisor")).call(SupervisorStatusRequest(), SupervisorStatus).message
    pid = next(child.pid for child in status.children if child.name == "functions" and child.pid)
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


if __name__ == "__main__":
    print(__doc__.partition("\n")[0])
    with prepared() as prepared_box:
        measure(prepared_box)
