"""What a pinned function finds, all at once: one real process that looks at everything and publishes it."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from function_host import HEIGHT, WIDTH, FunctionHost

from appliance.deeplens.guest import messages as said

FUNCTION = """
import io, json, logging, os, sys, threading, time, urllib.request, zipfile
import cv2
import awscam
import awscamdldt
import awscam.model
import mo
import greengrasssdk
import greengrasssdk.Lambda
import DeepLens_Kinesis_Video as dkv
from utils import LocalDisplay
import helper

logger = logging.getLogger(__name__)
logging.basicConfig(level=logging.DEBUG)
client = greengrasssdk.client('iot-data')
topic = '$aws/things/{}/infer'.format(os.environ['AWS_IOT_THING_NAME'])

def tell(name, value):
    client.publish(topic=topic, payload=json.dumps({'name': name, 'value': value}), qos=0)

class Keeps:
    opens = open

def look():
    tell('module', [__name__, helper.__name__])
    tell('thread', threading.current_thread() is threading.main_thread())
    labels = Keeps().opens('labels.txt').read()
    tell('folder', [os.getcwd() == sys.path[0], labels, os.path.basename(sys.argv[0])])
    tell('vendored', greengrasssdk.__file__.startswith(os.getcwd()))
    tell('alias', [awscamdldt.getLastFrame is awscam.getLastFrame, awscam.model.Model is awscam.Model])
    ret, frame = awscam.getLastFrame()
    blue, green, red = frame[0, 0].tolist()
    tell('frame', [bool(ret), frame.shape, str(frame.dtype), frame.flags.writeable, blue + green, red])
    frame[:] = 7
    with open('/proc/self/maps') as maps:
        tell('maps', sorted({line.split()[1] for line in maps if 'memfd:frames' in line}))
    tell('own', awscam.getLastFrame()[1][9, 9].tolist() != [7, 7, 7])
    status, path = mo.optimize('deploy_corner', 300, 300, aux_inputs={'--epoch': 30})
    model = awscam.Model(path, {'GPU': 1})
    raw = model.doInference(cv2.resize(frame, (4, 4)))
    tell('boxes', [status, [each['label'] for each in model.parseResult('ssd', raw)['ssd']]])
    try:
        awscam.Model('/opt/awscam/artifacts/mxnet_golfball.xml', {'GPU': 1})
    except Exception as ex:
        client.publish(topic=topic, payload='Test failed: {}'.format(ex))
    tell('artifacts', os.path.exists('/opt/awscam/artifacts/mxnet_deploy_corner_FP16_FUSED.xml'))
    tell('body', greengrasssdk.Lambda.StreamingBody(b'x').read().decode())
    stream = dkv.createProducer('a', 'b', '', 'us-east-1').createStream('yard', 2)
    stream.stop()
    stream.start()
    tell('stream', stream.isActive)
    import botocore.session
    credentials = botocore.session.Session().get_credentials()
    tell('credentials', [credentials.access_key, credentials.secret_key, credentials.token])
    import boto3
    tell('region', boto3.client('s3').meta.endpoint_url)
    import numpy, requests, scipy.ndimage, urllib3
    packed = numpy, cv2, scipy, boto3, requests, urllib3
    tell('ours', [each.__file__.startswith(os.getcwd()) for each in packed])
    from PIL import Image
    tell('picture', Image.new('RGB', (2, 3)).size)
    urllib.request.urlretrieve('https://s3.amazonaws.com/dear-demo/boto_3_dist.zip', '/tmp/boto_3_dist.zip')
    tell('bootstrap', zipfile.ZipFile('/tmp/boto_3_dist.zip').namelist())
    display = LocalDisplay('480p')
    display.start()
    display.set_frame_data(frame)
    tell('display', [type(io.open('labels.txt')).__name__, display.resolution])
    logger.info('looked at everything')
    print('printed')
    tell('done', True)
    while True:
        awscam.getLastFrame()
        time.sleep(0.02)

look()

def lambda_handler(event, context):
    return
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FunctionHost]:
    """The function, after it looked at everything; it goes on taking frames."""
    with FunctionHost(tmp_path_factory.mktemp("host"), models=True) as made:
        made.write("from awscam import nothing_here", "greengrasssdk/__init__.py")
        made.write("raise ImportError('vendored')", "awscam.py")
        made.write("import awscam", "helper.py")
        for each in (
            "numpy",
            "cv2",
            "boto3",
            "botocore",
            "PIL",
            "onnxruntime",
            "scipy",
            "requests",
            "urllib3",
        ):
            made.write("raise ImportError('built for another Python')", f"{each}/__init__.py")
        made.write("dog\ncat\n", "labels.txt")
        made.start(FUNCTION)
        made.wait(lambda: any(b'"done"' in payload for _, payload in made.published))
        yield made


def told(host: FunctionHost) -> dict[str, Any]:
    """What the function found, by name."""
    payloads = [payload for _, payload in host.published if payload.startswith(b"{")]
    return {each["name"]: each["value"] for each in map(json.loads, payloads)}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("module", ["lambda_function", "helper"]),
        ("thread", True),
        ("folder", [True, "dog\ncat\n", "lambda_function.py"]),
        ("vendored", False),
        ("alias", [True, True]),
        ("frame", [True, [HEIGHT, WIDTH, 3], "uint8", True, 255, 128]),
        ("own", True),
        ("maps", ["r--s"]),
        ("boxes", [0, [1, 2]]),
        ("artifacts", True),
        ("body", "x"),
        ("stream", True),
        ("credentials", ["local", "local", "local"]),
        ("region", "https://s3.amazonaws.com"),
        ("ours", [False] * 6),
        ("picture", [2, 3]),
        ("bootstrap", []),
        ("display", ["TextIOWrapper", [858, 480]]),
    ],
)
def test_a_function_finds_what_a_deeplens_had(host: FunctionHost, name: str, value: Any) -> None:
    """Modules, folder, frames, models, streams, credentials: as section 11 of the reference lists them."""
    assert value == told(host)[name]


def test_messages_go_to_the_things_topic(host: FunctionHost) -> None:
    """By the variable that nearly every function reads."""
    assert {"$aws/things/deeplens_appliance/infer"} == {topic for topic, _ in host.published}


def test_a_missing_model_is_published_with_its_name(host: FunctionHost) -> None:
    """As functions do with whatever is raised; the host has it too."""
    failed = [payload for _, payload in host.published if payload.startswith(b"Test failed")]
    missing = [each for each in host.heard(said.ModelLoaded) if each.state == "missing"]

    assert (1, True) == (len(failed), b"golfball" in failed[0])
    assert ["/opt/awscam/artifacts/mxnet_golfball.xml"] == [each.name for each in missing]


def test_the_host_hears_how_the_function_is(host: FunctionHost) -> None:
    """Who it is, what it takes and reads, and its streams; never that its import came back."""
    hello = host.heard(said.Hello)[0]

    assert "python3" == hello.runtime
    assert [said.Inferred("deploy_corner", 1)] == host.heard(said.Inferred)
    assert [said.Stream("create", "yard", 2.0), said.Stream("start", "yard", 2.0)] == host.heard(said.Stream)
    assert [] == host.heard(said.ImportReturned)
    assert host.heard(said.Taken)[-1].count >= 2


def test_a_function_in_its_loop_answers_pings(host: FunctionHost) -> None:
    """The import never returns, and the process still answers."""
    host.send(said.Ping(5))
    host.wait(lambda: said.Pong(5) in host.heard(said.Pong))

    assert host.exit_code() is None


def test_what_it_prints_and_logs_is_its_log(host: FunctionHost) -> None:
    """Logging has the form of Greengrass; what is printed comes at once; nothing is a traceback."""
    assert "][INFO]-lambda_function.py:" in host.log
    assert ",looked at everything\n" in host.log
    assert "printed\n" in host.log
    assert "Traceback" not in host.log


def test_its_project_stream_is_pictures_one_after_another(host: FunctionHost) -> None:
    """The stand-in for a missing `utils.LocalDisplay` makes the FIFO and writes JPEGs for ever."""
    with host.results.open("rb") as fifo:
        data = fifo.read(200_000)
    first = data.index(b"\xff\xd8", 1)

    assert b"\xff\xd8" == data[:2]
    assert b"\xff\xd9" == data[first - 2 : first]


@pytest.mark.parametrize(
    "opened",
    [
        "io.open(PATH, 'w')",
        "pathlib.Path(PATH).open('wb')",
        "pathlib.Path('/tmp/./results.mjpeg').open('w')",
        "codecs.open(PATH, 'wb')",
    ],
)
def test_its_project_stream_is_opened_in_any_way(tmp_path: Path, opened: str) -> None:
    """Text or bytes, by whichever module: what is written arrives as it is."""
    source = f"""
import codecs, io, os, pathlib
PATH = '/tmp/results.mjpeg'
os.mkfifo(PATH)
file = {opened}
file.write(b'\\xff\\xd8 a picture \\xff\\xd9')
file.flush()
"""
    with FunctionHost(tmp_path) as host:
        host.start(source)
        host.wait(host.results.exists)
        with host.results.open("rb") as fifo:
            assert b"\xff\xd8 a picture \xff\xd9" == fifo.read(16)


@pytest.mark.parametrize(
    "thread",
    ["time.sleep(1000)", "swallow(time.sleep, 1000)", "swallow(awscam.getLastFrame)", "spin()"],
)
def test_a_function_that_is_told_to_stop_ends(tmp_path: Path, thread: str) -> None:
    """Although its import never returns and its threads would keep it alive; and it says so."""
    source = f"""
import signal, threading, time, awscam
signal.signal(signal.SIGTERM, signal.SIG_IGN)
def swallow(act, *given):
    while True:
        try:
            act(*given)
        except BaseException:
            continue
def spin():
    while True:
        pass
threading.Thread(target=lambda: {thread}).start()
swallow(awscam.getLastFrame)
"""
    with FunctionHost(tmp_path, frames=False) as host:
        host.start(source)
        host.wait(lambda: host.heard(said.FrameWanted))
        host.send(said.Stop())

        assert said.Ended("stopped", "") == host.wait_ended()
        assert 0 == host.exit_code()


def test_a_function_whose_host_is_gone_ends(tmp_path: Path) -> None:
    """Nobody is left behind."""
    with FunctionHost(tmp_path) as host:
        host.start("import time\nwhile True: time.sleep(1)\n")
        host.wait(lambda: host.heard(said.Hello))
        host._channel.close()
        deadline = time.monotonic() + 30
        while host.exit_code() is None and time.monotonic() < deadline:
            time.sleep(0.02)

        assert host.exit_code() is not None


def test_what_a_function_starts_has_no_channel(tmp_path: Path) -> None:
    """A program that it runs inherits neither the descriptor nor the variable that names it."""
    source = """
import os, subprocess, greengrasssdk
out = subprocess.check_output(["sh", "-c", "ls /proc/self/fd; echo x${DEEPLENS_CHANNEL}x"], close_fds=False)
greengrasssdk.client("iot-data").publish(topic="t", payload=out)
"""
    with FunctionHost(tmp_path) as host:
        host.start(source)
        ((_, out),) = host.wait_published()

    assert b"xx" == out.split()[-1]
    assert {b"0", b"1", b"2"} >= set(out.split()[:-2])
    assert os.environ.get("DEEPLENS_CHANNEL") is None


@pytest.mark.parametrize("first", ["awscam.getLastFrame()", ""])
def test_a_child_that_a_function_forks_takes_frames_and_publishes(tmp_path: Path, first: str) -> None:
    """`multiprocessing`: the child's frames are frames, and what it says arrives beside its parent's.

    Also where the parent took none before it forked.
    """
    source = """
import multiprocessing, os, awscam, greengrasssdk
client = greengrasssdk.client('iot-data')
def work():
    shape = awscam.getLastFrame()[1].shape
    client.publish(topic='child', payload=str(shape))
FIRST
for n in range(3):
    child = multiprocessing.get_context('fork').Process(target=work)
    child.start()
    child.join()
client.publish(topic='parent', payload='done')
def lambda_handler(event, context): pass
"""
    with FunctionHost(tmp_path, greets_after_s=0.5) as host:
        host.start(source.replace("FIRST", first))

        assert [("child", b"(1520, 2688, 3)")] * 3 + [("parent", b"done")] == host.wait_published(4)
