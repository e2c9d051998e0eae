"""A function of 2018, Python 2.7 with tabs, as it was: ported, started, and all of it works."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from function_host import HEIGHT, WIDTH, FunctionHost

FUNCTION = """
import os
import base64
import json
import urllib
import zipfile
import StringIO
import time
import greengrasssdk
from threading import Timer
from threading import Thread
import awscam
import cv2

def bootstrap():
\turllib.urlretrieve("https://s3.amazonaws.com/dear-demo/boto_3_dist.zip", "/tmp/boto_3_dist.zip")
        zip_ref = zipfile.ZipFile("/tmp/boto_3_dist.zip", 'r')
        zip_ref.extractall("/tmp/boto_dir")
        zip_ref.close()

bootstrap()
client = greengrasssdk.client('iot-data')
iotTopic = '$aws/things/{}/infer'.format(os.environ['AWS_IOT_THING_NAME'])
jpeg = None
Write_To_FIFO = True

class FIFO_Thread(Thread):
    def __init__(self):
        Thread.__init__(self)
    def run(self):
        fifo_path = "/tmp/results.mjpeg"
        if not os.path.exists(fifo_path):
            os.mkfifo(fifo_path)
        f = open(fifo_path,'w')
        client.publish(topic=iotTopic, payload="Opened Pipe")
        while Write_To_FIFO:
            try:
                f.write(jpeg.tobytes())
            except IOError as e:
                continue

def greengrass_infinite_infer_run():
    try:
        modelPath = "/opt/awscam/artifacts/mxnet_deploy_corner_FP16_FUSED.xml"
        mcfg = {"GPU": 1}
        client.publish(topic=iotTopic, payload="Face detection starts now")
        model = awscam.Model(modelPath, mcfg)
        ret, frame = awscam.getLastFrame()
        if ret == False:
            raise Exception, "Failed to get frame from the stream"
        print "scale", float(frame.shape[1]/300)
        global jpeg
        ret,jpeg = cv2.imencode('.jpg', frame)
        results_thread = FIFO_Thread()
        results_thread.start()
        text = StringIO.StringIO()
        text.write("a line\\n")
        client.publish(topic=iotTopic, payload=json.dumps({
            "division": [7/2, frame.shape[1]/300], "base64": base64.b64encode("dog"), "text": text.getvalue(),
            "keys": sorted({1: 'face'}.iteritems()), "boot": os.path.getsize("/tmp/boto_3_dist.zip")}))
        while True:
            ret, frame = awscam.getLastFrame()
            raw = model.doInference(cv2.resize(frame, (4, 4)))
            label = '{'
            for obj in model.parseResult('ssd', raw)['ssd']:
                if obj['prob'] > 0.1:
                    label += '"{}": {:.2f},'.format(obj['label'], obj['prob'])
            label += '"null": 0.0}'
            client.publish(topic=iotTopic, payload = label)
            ret,jpeg = cv2.imencode('.jpg', frame)
            time.sleep(0.02)
    except Exception as e:
        msg = "Test failed: " + str(e)
        client.publish(topic=iotTopic, payload=msg)
    Timer(15, greengrass_infinite_infer_run).start()

greengrass_infinite_infer_run()

def function_handler(event, context):
    return
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FunctionHost]:
    """The function, ported, after it published a few messages."""
    home = tmp_path_factory.mktemp("python2")
    handler = "greengrassHelloWorld.function_handler"
    with FunctionHost(home, handler=handler, runtime="python2", models=True) as made:
        made.write(FUNCTION, "greengrassHelloWorld.py")
        made.port()
        made.start()
        made.wait_published(5)
        yield made


def messages(host: FunctionHost) -> list[str]:
    """What it published, as text."""
    return [payload.decode() for _, payload in host.published]


def test_its_messages_are_those_of_the_device(host: FunctionHost) -> None:
    """It begins, and tells what it sees; nothing failed."""
    told = messages(host)

    assert "Face detection starts now" == told[0]
    assert not [each for each in told if "failed" in each]
    assert {"1", "2", "null"} >= set(json.loads(told[-1]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("division", [3, WIDTH // 300]),
        ("base64", "ZG9n"),
        ("text", "a line\n"),
        ("keys", [[1, "face"]]),
        ("boot", 22),
    ],
)
def test_it_finds_python_2s_ways(host: FunctionHost, name: str, value: Any) -> None:
    """Division of whole numbers, base64 as text, StringIO, iteritems, the download that is not made."""
    (found,) = [json.loads(each) for each in messages(host) if each.startswith('{"division"')]

    assert value == found[name]


def test_what_it_prints_is_in_its_log(host: FunctionHost) -> None:
    """The print statement, with the number that the device printed."""
    assert f"scale {float(WIDTH // 300)}\n" in host.log
    assert "Traceback" not in host.log


def test_its_project_stream_lives_though_it_is_opened_as_text(host: FunctionHost) -> None:
    """`open(path, 'w')` and bytes: whole JPEGs of whole frames come out."""
    with host.results.open("rb") as fifo:
        host.wait(lambda: "Opened Pipe" in messages(host))
        data = fifo.read(3_000_000)
    pictures = data.split(b"\xff\xd8\xff")

    assert len(pictures) > 2
    assert all(each.endswith(b"\xff\xd9") for each in pictures[1:-1])
    assert host.exit_code() is None
    assert (1520, 2688) == (HEIGHT, WIDTH)
