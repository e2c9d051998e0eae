"""The two templates nearly every function came from, written anew in Python 2's style, run after porting.

The project stream is a FIFO in the test's own folder; `open` there takes text and bytes, as the host's does.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ported_runs import ROOT, ported

JPEG = (b"\xff\xd8", b"\xff\xd9")

# A camera, a model and a broker, in files of the function's own.
DEVICE = """
import json
import numpy as np

def getLastFrame():
    return True, np.zeros((1520, 2688, 3), np.uint8)

class Model:
    def __init__(self, path, options): pass
    def doInference(self, frame):
        assert frame.shape == (300, 300, 3), frame.shape
        return {'detection_out': np.zeros(7, np.float32)}
    def parseResult(self, kind, raw):
        box = {'label': 12, 'prob': 0.5, 'xmin': 100.0, 'ymin': 50.0, 'xmax': 200.0, 'ymax': 150.0}
        return {kind: [box, dict(box, prob=0.1)]}
"""
BROKER = """
import json, sys
class Client:
    def publish(self, topic, payload):
        sys.stdout.write(json.dumps([topic, payload]) + '\\n')
        sys.stdout.flush()
def client(name): return Client()
"""

# A global picture, a thread that writes it, boxes that add their own x to make up for what division cut off.
FIFO_THREAD = """
import os
import greengrasssdk
from threading import Timer
import time
import awscam
import cv2
from threading import Thread

client = greengrasssdk.client('iot-data')
iotTopic = '$aws/things/{}/infer'.format(os.environ['AWS_IOT_THING_NAME'])
jpeg = None
Write_To_FIFO = True
frames = 0

class FIFO_Thread(Thread):
    def __init__(self):
        ''' Constructor. '''
        Thread.__init__(self)

    def run(self):
        fifo_path = os.environ['STREAM']
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
    global jpeg, frames, Write_To_FIFO
    try:
        modelPath = "/opt/awscam/artifacts/mxnet_deploy_ssd_resnet50_300_FP16_FUSED.xml"
        modelType = "ssd"
        input_width = 300
        input_height = 300
        max_threshold = 0.25
        outMap = ({1: 'aeroplane', 12: 'dog'})
        results_thread = FIFO_Thread()
        ret, frame = awscam.getLastFrame()
        ret, jpeg = cv2.imencode('.jpg', frame)
        results_thread.start()
        mcfg = {"GPU": 1}
        model = awscam.Model(modelPath, mcfg)
        client.publish(topic=iotTopic, payload="Model loaded")
        ret, frame = awscam.getLastFrame()
        if ret == False:
            raise Exception("Failed to get frame from the stream")
        yscale = float(frame.shape[0]/input_height)
        xscale = float(frame.shape[1]/input_width)
        doInfer = True
        while doInfer:
            ret, frame = awscam.getLastFrame()
            if ret == False:
                raise Exception, "Failed to get frame from the stream"
            frameResize = cv2.resize(frame, (input_width, input_height))
            inferOutput = model.doInference(frameResize)
            parsed_results = model.parseResult(modelType, inferOutput)['ssd']
            label = '{'
            for obj in parsed_results:
                if obj['prob'] > max_threshold:
                    xmin = int( xscale * obj['xmin'] ) + int((obj['xmin'] - input_width/2) + input_width/2)
                    ymin = int( yscale * obj['ymin'] )
                    xmax = int( xscale * obj['xmax'] ) + int((obj['xmax'] - input_width/2) + input_width/2)
                    ymax = int( yscale * obj['ymax'] )
                    cv2.rectangle(frame, (xmin, ymin), (xmax, ymax), (255, 165, 20), 4)
                    label += '"{}": {:.2f},'.format(outMap[obj['label']], obj['prob'] )
                    label_show = "{}:    {:.2f}%".format(outMap[obj['label']], obj['prob']*100 )
                    cv2.putText(frame, label_show, (xmin, ymin-15),cv2.FONT_HERSHEY_SIMPLEX, 2, (255,165,20))
            label += '"box": "%s"' % `(xmin, ymin, xmax, ymax)`
            label += '}'
            client.publish(topic=iotTopic, payload = label)
            ret, jpeg = cv2.imencode('.jpg', frame)
            frames += 1
            if frames == 3:
                raise Exception, "enough"
            time.sleep(0.05)
    except Exception, e:
        Write_To_FIFO = False
        msg = "Test failed: " + str(e)
        client.publish(topic=iotTopic, payload=msg)

greengrass_infinite_infer_run()

def function_handler(event, context):
    return
"""

# A class that keeps the newest picture; written with print statements, tabs and division feeding a slice.
LOCAL_DISPLAY = """
from threading import Thread, Event
import os
import json
import numpy as np
import awscam
import cv2
import greengrasssdk

class LocalDisplay(Thread):
    \"\"\" Writes frames to a FIFO. \"\"\"
    def __init__(self, resolution):
        super(LocalDisplay, self).__init__()
        RESOLUTION = {'1080p' : (1920, 1080), '720p' : (1280, 720), '480p' : (858, 480)}
        if resolution not in RESOLUTION.keys():
            raise Exception("Invalid resolution")
        self.resolution = RESOLUTION[resolution]
        self.frame = cv2.imencode('.jpg', 255*np.ones([640, 480, 3]))[1]
        self.stop_request = Event()

    def run(self):
        result_path = os.environ['STREAM']
        if not os.path.exists(result_path):
            os.mkfifo(result_path)
        with open(result_path, 'w') as fifo_file:
            while not self.stop_request.isSet():
                try:
                    fifo_file.write(self.frame.tobytes())
                except IOError:
                    continue

    def set_frame_data(self, frame):
        ret, jpeg = cv2.imencode('.jpg', cv2.resize(frame, self.resolution))
        if not ret:
            raise Exception('Failed to set frame data')
        self.frame = jpeg

    def join(self):
        self.stop_request.set()

def infinite_infer_run():
    try:
        client = greengrasssdk.client('iot-data')
        iot_topic = '$aws/things/{}/infer'.format(os.environ['AWS_IOT_THING_NAME'])
        local_display = LocalDisplay('480p')
        local_display.start()
        model = awscam.Model('/opt/awscam/artifacts/model_algo_1.xml', {'GPU': 1})
        for number in xrange(3):
            ret, frame = awscam.getLastFrame()
            w, h = frame.shape[1], frame.shape[0]
            square = frame[:, (w-h)/2:(w+h)/2]
            found = model.parseResult('ssd', model.doInference(cv2.resize(square, (300, 300))))
            cloud_output = {}
            for obj in found['ssd']:
                if obj['prob'] > 0.25:
                    cv2.circle(frame, (w/2, h/2), 40/3, (255, 165, 20), 10)
                    cloud_output['dog'] = obj['prob']
            local_display.set_frame_data(frame)
            cloud_output['size'] = square.tostring().__len__() / 3
            client.publish(topic=iot_topic, payload=json.dumps(cloud_output))
MIXED print "frame", number,
        local_display.join()
    except Exception as ex:
        client.publish(topic=iot_topic, payload='Error in lambda: {}'.format(ex))

infinite_infer_run()

def lambda_handler(event, context):
    return
""".replace("    ", "\t").replace("MIXED ", "        \t")  # eight spaces and a tab: as deep as two tabs
OPEN = """
import builtins, io, os, sys
from appliance.deeplens.porting import python2
real = builtins.open
class Tolerant(io.FileIO):
    def write(self, data):
        return super().write(data.encode('latin-1') if isinstance(data, str) else data)
builtins.open = lambda path, *a, **k: (
    Tolerant(path, 'w') if path == os.environ['STREAM'] else real(path, *a, **k))
python2.install()
sys.path.insert(0, '.')
import importlib
importlib.import_module(sys.argv[1])
"""


@pytest.mark.parametrize(
    ("module", "source", "expected"),
    [
        # 8 * 100 + 100 and 5 * 50, as Python 2 on 2688 x 1520; truly divided it were 996 and 253.
        ("greengrassHelloWorld", FIFO_THREAD, '{"dog": 0.50,"box": "(900, 250, 1800, 750)"}'),
        ("lambda_function", LOCAL_DISPLAY, '{"dog": 0.5, "size": 2310400}'),
    ],
)
def test_a_template_infers_publishes_and_streams(
    module: str, source: str, expected: str, tmp_path: Path
) -> None:
    """Three messages with the boxes Python 2 drew, and JPEGs in the project stream until it ends itself."""
    files = {f"{module}.py": source, "awscam.py": DEVICE, "greengrasssdk.py": BROKER}
    folder, report = ported(tmp_path, files)
    stream = tmp_path / "results.mjpeg"
    os.mkfifo(stream)
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "STREAM": str(stream), "AWS_IOT_THING_NAME": "deeplens_test"
    }  # fmt: skip

    with subprocess.Popen(
        [sys.executable, "-c", OPEN, module], cwd=folder, env=environment, stdout=subprocess.PIPE
    ) as function:
        pictures = stream.read_bytes()
        assert function.stdout is not None
        printed = function.stdout.read().decode()

    assert () == report.failed
    assert 0 == function.returncode
    said = [json.loads(line[line.index("[") :]) for line in printed.splitlines() if "[" in line]
    assert 3 == [payload for _, payload in said].count(expected)
    assert {"$aws/things/deeplens_test/infer"} == {topic for topic, _ in said}
    assert pictures.startswith(JPEG[0])
    assert pictures.count(JPEG[0]) >= 1
    assert JPEG[1] in pictures
