"""Models in the view that a function really has: read-only files, limits, and OpenVINO under all of that."""

import importlib
import json
from pathlib import Path

import pytest
from commands import call
from hosted_models import PERSON

from appliance.models.folder import ModelFolder

pytestmark = pytest.mark.debian(reason="bubblewrap")

FUNCTION = """
import json, os
import awscam, cv2, greengrasssdk, mo
client = greengrasssdk.client('iot-data')
topic = '$aws/things/%s/infer' % os.environ['AWS_IOT_THING_NAME']
still = cv2.imread('astronaut.jpg')

def say(*words):
    client.publish(topic=topic, payload=json.dumps(words))

for name, side in (('deploy_ssd_resnet50_300', 300), ('cats', 224), ('mine', 224)):
    error, path = mo.optimize(name, side, side)
    model = awscam.Model(path, {'GPU': 1})
    layers = model.doInference(cv2.resize(still, (side, side)))
    label = model.parseResult('ssd', layers)['ssd'][0]['label'] if side == 300 else None
    say(error, os.path.isfile(path), sorted(layers), label)
try:
    awscam.Model('mxnet_action_recognition_v2.0_FP16_FUSED.xml', {'GPU': 1})
except Exception as error:
    say('action recognition' in str(error))
try:
    open('/opt/awscam/artifacts/voc-ssd.onnx', 'ab')
    say('opened')
except EnvironmentError:
    say('refused')
while True:
    awscam.getLastFrame()

def lambda_handler(event, context):
    pass
"""


def test_every_kind_of_model_runs_inside_a_view(tmp_path: Path, model_folder: ModelFolder) -> None:
    """A built-in one, a stand-in, an OpenVINO IR; what is lost is said by name; weights stay as they are."""
    openvino = importlib.import_module("openvino")
    network = openvino.convert_model(str(model_folder.path("efficientnet-lite0")))
    network.reshape([1, 224, 224, 3])
    openvino.save_model(network, str(tmp_path / "mine.xml"), compress_to_fp16=False)
    install = ("--state", tmp_path / "state", "deeplens", "models", "install")
    said = ("--kind", "raw", "--layout", "nhwc", "--input", "224x224")
    assert call(*install, "mine", tmp_path / "mine.xml", tmp_path / "mine.bin", *said).code == 0
    assert call(*install, "cats", "--like", "cats-and-dogs").code == 0
    folder = tmp_path / "look"
    folder.mkdir()
    (folder / "lambda_function.py").write_text(FUNCTION)
    (folder / "astronaut.jpg").write_bytes(PERSON.read_bytes())

    done = call(
        "--state",
        tmp_path / "state",
        "deeplens",
        "try",
        folder,
        "--frames",
        "2",
        "--seconds",
        "240",
        "--json",
    )
    first = json.loads(done.out.splitlines()[0])
    objects, cats, mine, lost, written = (json.loads(each) for each in first["first_messages"])

    # Everything ran, but for the model that is lost on purpose, of which the verdict speaks.
    assert "does not" == first["verdict"]
    assert first["why"].startswith("no model mxnet_action_recognition")
    assert objects == [0, True, ["detection_out"], 15]
    assert cats == [0, True, ["prob"], None]
    assert mine == [0, True, ["features", "probabilities"], None]
    assert lost == [True]
    assert written == ["refused"]
