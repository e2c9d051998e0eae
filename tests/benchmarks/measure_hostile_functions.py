"""The loop's frames beside functions that take what they can: how many, and what each takes.

The whole appliance on the bundled scene, faces read in every frame, its camera at ten frames a second. Each
function is deployed as anybody's is, in its view with its limits, and left running; what ends itself or is
ended is started again by the host, which is part of what is measured. Sampled in turns with the loop alone
(`beside`), and the same beside as many processes that only count as there are processors: what any other
work costs the loop on this machine. Needs bubblewrap. Takes ten minutes.
"""

import contextlib
import os
import statistics
import time

import bench_rows  # noqa: F401 - one thread for numerical libraries, before they load
from beside import counting, sample, slower
from running import Box, prepared

from appliance.app.viewing import LEASE_S
from appliance.wire import Client
from appliance.wire.messages import DeployFunction, Done, FunctionTaken, RemoveFunction

TURNS = 3
SECONDS = 4.0
STARTS_S = 4.0
ALONE_AFTER_S = LEASE_S + 1.0
_BEGIN = """
import awscam, greengrasssdk, mmap, os, signal, threading, time
def in_threads(act, count=8):
    def again():
        while True:
            act()
    for _ in range(count):
        threading.Thread(target=again).start()
"""
FUNCTIONS = {
    "forks without end": """
while True:
    try:
        os.fork()
    except OSError:
        pass
""",
    "spins in every process it may have": """
for _ in range(100):
    try:
        if os.fork() == 0:
            break
    except OSError:
        break
while True:
    pass
""",
    "prints without end": """
while True:
    os.write(1, b'over and over again\\n' * 500)
""",
    "takes memory until it is killed": """
while True:
    held = mmap.mmap(-1, 2 << 30)
    for page in range(0, 2 << 30, 4096):
        held[page] = 1
""",
    "fills its disk, again and again": """
while True:
    for place in ('/tmp', '/opt/awscam/artifacts'):
        try:
            with open(place + '/much', 'wb') as file:
                while True:
                    file.write(bytes(1 << 20))
        except OSError:
            os.remove(place + '/much')
""",
    "makes files without end": """
number = 0
while True:
    number += 1
    os.close(os.open('/tmp/%d' % number, os.O_CREAT | os.O_WRONLY))
""",
    "publishes without end": """
client = greengrasssdk.client('iot-data')
in_threads(lambda: client.publish(topic='t', payload=b'x' * 100000))
""",
    "takes frames without end": """
in_threads(awscam.getLastFrame)
""",
    "writes noise into its stream": """
os.mkfifo('/tmp/results.mjpeg')
file = open('/tmp/results.mjpeg', 'wb')
noise = os.urandom(1 << 20)
while True:
    try:
        file.write(b'\\xff\\xd8' + noise)
    except IOError:
        pass
""",
    "stops itself": """
awscam.getLastFrame()
os.kill(os.getpid(), signal.SIGSTOP)
""",
    "ends at once, every time": """
os._exit(3)
""",
    "floods its channel": """
import socket, stat
opened = [int(each) for each in os.listdir('/proc/self/fd') if os.path.exists('/proc/self/fd/' + each)]
channel = next(socket.socket(fileno=each) for each in opened if stat.S_ISSOCK(os.fstat(each).st_mode))
while True:
    try:
        channel.send(b'[' * 100000)
    except OSError:
        pass
""",
}
"""Sources by what each does."""


def measure(box: Box) -> None:
    """Print a line for each."""
    box.configure(str(box.pictures), when="always")
    client = Client(box.layout.socket("functions"), timeout_s=60)
    with box.running(configured=True):
        box.wait_for_frames(20)
        time.sleep(8)
        for what, source in FUNCTIONS.items():
            alone, beside = [], []
            for _ in range(TURNS):
                alone.append(sample(box, SECONDS))
                deploy = DeployFunction(name="hostile", file="lambda_function.py")
                client.call(deploy, FunctionTaken, blob=(_BEGIN + source).encode())
                time.sleep(STARTS_S)
                beside.append(sample(box, SECONDS))
                client.call(RemoveFunction(name="hostile"), Done)
                time.sleep(ALONE_AFTER_S)
            _tell(what, alone, beside)
        alone, beside = [], []
        for _ in range(TURNS):
            alone.append(sample(box, SECONDS))
            with contextlib.ExitStack() as working:
                for _ in range(os.cpu_count() or 1):
                    working.enter_context(counting(1.0))
                time.sleep(STARTS_S)
                beside.append(sample(box, SECONDS))
            time.sleep(1)
        _tell("as many that only count as processors", alone, beside)


def _tell(what: str, alone: list[tuple[float, float]], beside: list[tuple[float, float]]) -> None:
    ms, fps = ([each[column] for each in beside] for column in (0, 1))
    print(
        f"{what:40} {min(fps):5.1f} frames a second at least, {statistics.median(ms):6.2f} ms each: "
        f"{slower([each[0] for each in alone], ms)}"
    )


if __name__ == "__main__":
    print(__doc__.partition("\n")[0])
    with prepared() as prepared_box:
        measure(prepared_box)
