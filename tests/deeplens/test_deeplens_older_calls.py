"""What numpy, OpenCV and json took in 2018: one real function makes the calls that are refused today."""

import json
from pathlib import Path
from typing import Any

import pytest
from function_host import FunctionHost
from ported_runs import ported

FUNCTION = """
import json, threading
import boto3, requests
import cv2, numpy as np
import greengrasssdk

said = {}
frame = np.zeros((40, 40, 3), np.uint8)
point = np.float32([5.7, 6.2])
cv2.line(frame, (point[0], point[1]), tuple(np.array([30, 31])), (0, 0, np.int64(255)), 1)
said["line"] = frame[6, 5].tolist()
cv2.circle(frame, (np.float32(20.9), 20), np.float32(3.5), (255, 0, 0), -1)
said["circle"] = frame[20, 23].tolist() + frame[20, 24].tolist()
cv2.putText(frame, "dog", (point[0], 30.0), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1)
said["resized"] = cv2.resize(frame, (np.float32(20.5), 10.0)).shape
said["turned"] = cv2.warpAffine(frame, np.eye(2, 3), dsize=(np.float32(7), 8.5)).shape
try:
    cv2.line(frame, (float("nan"), 1), (2, 2), (0, 0, 0))
except cv2.error:
    said["nan"] = True
near = np.zeros((9, 9, 3), np.float32)
cv2.circle(near, center=(4.5, 4), radius=2.5, color=(.5, np.float64(.25), 1), thickness=-1)
said["shades"] = near[4, 6].tolist() + near[4, 7].tolist()
said["straight"] = cv2.warpPerspective(frame, np.eye(3), (np.float32(12), np.float32(9))).shape
for name, call in {
    "picture": lambda: cv2.line("x", (1.5, 1), (2, 2), (0, 0, 0)),
    "words": lambda: cv2.putText(frame, 3, (1, 1), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0)),
    "array": lambda: np.array([2 ** 80], np.int64),
    "endless": lambda: np.array([float("inf")], np.int32),
    "large": lambda: np.array([2 ** 63], np.int64),
    "parts": lambda: np.array([300], [("a", np.uint8)]),
    "object": lambda: json.dumps(object()),
}.items():
    try:
        said[name] = repr(call())
    except Exception as error:
        said[name] = type(error).__name__
boxes = cv2.dnn.NMSBoxes([[1, 1, 9, 9], [1, 1, 9, 9], [20, 20, 9, 9]], [0.9, 0.8, 0.7], 0.5, 0.4)
said["boxes"] = [int(each[0]) for each in boxes]
said["by_number"] = [["a", "b", "c"][each] for each in boxes] + [["a", "b"][each - 1] for each in boxes]
try:
    said["rows"] = [1, 2][boxes]
except TypeError as error:
    said["rows"] = str(error)
said["flat"] = boxes.flatten().tolist()
layers = opencv_column(np.array([200, 227], np.int32))
said["layers"] = [int(each[0]) for each in layers] + [range(300)[each - 1] for each in layers]
edges = np.zeros((20, 20), np.uint8)
edges[5:10, 5:10] = 255
found = opencv_contours(cv2.findContours(edges, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE))
contours, order = found
picked = found[0] if len(found) == 2 else found[1]
said["contours"] = [found[n] is contours for n in (0, 1, -2)] + [found[n] is order for n in (2, -1)]
said["areas"] = [cv2.contourArea(each) for each in picked] + [len(found[:1]), isinstance(found, tuple)]
said["no_boxes"] = len(cv2.dnn.NMSBoxes([[1, 1, 9, 9]], [0.1], 0.5, 0.4))
said["around"] = np.array([360, 100, -1], np.uint8).tolist() + np.array([300], dtype=np.uint8).tolist()
said["named"] = np.array(object=[300], dtype=np.uint8).tolist()
said["long"] = np.longdouble(1.5)
said["share"] = np.float32(0.5) * 100.0
contours, order = cv2.findContours(edges, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
contours.sort(key=cv2.contourArea)
said["lists"] = [type(contours).__name__, type(cv2.split(frame)).__name__]
said["window"] = [cv2.imshow("w", frame), cv2.waitKey(1), cv2.destroyAllWindows()]
said["matrix"] = cv2.getRotationMatrix2D(tuple(np.array([4, 6]) // 2), 0, 1.0).tolist()
said["inside"] = cv2.pointPolygonTest(contours[0], tuple(np.array([7, 7])), False)
said["ragged"] = [len(np.array([[1, 2], [3]])), np.asarray([300], np.uint8).tolist()]
said["ragged"] += [len(np.array([[1, 2], [3]], None)), np.asarray(a=[300], dtype=np.uint8).tolist()]
said["written"] = [str([np.float32(0.5)]), str(np.float32(0.5)), repr(np.int64(3))]
thread = threading.Thread(target=lambda: said["written"].append(str([np.float32(0.5)])))
thread.start()
thread.join()
try:
    cv2.imshow("w")
except cv2.error:
    said["window"].append("wrong")
np.save("/tmp/named.npy", np.array({"a": 1}, dtype=object))
said["objects"] = np.load("/tmp/named.npy").item()
histogram = cv2.calcHist([edges], [0], None, [2], [0, 256])
one = np.array([[3.5], [4.5]])
said["one"] = cv2.circle(np.zeros((9, 9, 3), np.uint8), (one[0], one[1]), 0, (9, 9, 9), -1)[4, 3].tolist()
said["ones"] = [int(np.where(np.arange(5) == 3)[0]), "%d" % histogram[1], float(histogram[1])]
said["packed"] = [requests.__name__, boto3.__name__]
greengrasssdk.client("iot-data").publish(topic="t", payload=json.dumps(said))
"""


@pytest.mark.parametrize("runtime", ["python2", "python3"])
def test_what_was_taken_in_2018_is_taken(tmp_path: Path, runtime: str) -> None:
    """Fractions are cut off points and sizes, numbers go round; what was refused then still is."""
    with FunctionHost(tmp_path, runtime=runtime) as host:
        for name in ("urllib3", "idna", "certifi"):
            host.write("raise ImportError('of another Python')\n", f"{name}/__init__.py")
        host.start(FUNCTION)
        ((_, payload),) = host.wait_published()
    said: dict[str, Any] = json.loads(payload)

    assert [0, 0, 255] == said["line"]
    assert [255, 0, 0, 0, 0, 0] == said["circle"]
    assert ([10, 20, 3], [9, 12, 3]) == (said["resized"], said["straight"])
    assert ([8, 7, 3], [0.5, 0.25, 1, 0, 0, 0]) == (said["turned"], said["shades"])
    assert ["error", "error", "OverflowError", "OverflowError", "OverflowError", "OverflowError"] == [
        said[each] for each in ("picture", "words", "array", "endless", "large", "parts")
    ]
    assert ("TypeError", True) == (said["object"], said["nan"])
    assert ([44], 1.5) == (said["named"], said["long"])
    assert ([0, 2], 0) == (said["boxes"], said["no_boxes"])
    assert (["a", "c", "b", "b"], [0, 2]) == (said["by_number"], said["flat"])
    assert ([200, 227, 199, 226], "several rows are no number") == (said["layers"], said["rows"])
    assert [True] * 5 == said["contours"]
    assert (["list", "list"], [None, -1, None, "wrong"]) == (said["lists"], said["window"])
    assert ([[1, 0, 0], [0, 1, 0]], 1.0) == (said["matrix"], said["inside"])
    assert ([2, [44], 2, [44]], ["[0.5]", "0.5", "3", "[0.5]"]) == (said["ragged"], said["written"])
    assert {"a": 1} == said["objects"]
    assert [16.0, 1, True] == said["areas"]
    assert [104, 100, 255, 44] == said["around"]
    assert [9, 9, 9] == said["one"]
    assert (50.0, [3, "25", 25.0]) == (said["share"], said["ones"])
    assert ["requests", "boto3"] == said["packed"]


def test_the_last_layers_are_counted_one_a_row(tmp_path: Path) -> None:
    """`getUnconnectedOutLayers` gave a column until OpenCV 4.5.4: functions take the first of each row."""
    text = "names = [every[i[0] - 1] for i in net.getUnconnectedOutLayers()]\n"

    target, _ = ported(tmp_path, {"lambda_function.py": text}, "python3")

    assert "opencv_column(net.getUnconnectedOutLayers())]" in (target / "lambda_function.py").read_text()


WRAPPED = "opencv_contours(cv2.findContours(p, 1, 2))"
PLAIN = "cv2.findContours(p, 1, 2)"
CONTOURS = {
    "found = CALL; use(found[1])": WRAPPED,
    "found = CALL; use(found[0] if len(found) == 2 else found[1])": WRAPPED,
    "found = CALL; use(found[1] if len(found) == 3 else found[0])": WRAPPED,
    "mine = CALL[1]": WRAPPED,
    "found = CALL; use(found[0], found[1])": PLAIN,
    "found = CALL; use(found[0])": PLAIN,
    "found = CALL; use(other[1])": PLAIN,
    "found = CALL; use(found[-2])": PLAIN,
    "mine = CALL[0]": PLAIN,
    "a, b = CALL": PLAIN,
    "grab(CALL)": PLAIN,
    "found = other.findContours(p, 1, 2); use(found[1])": "",
}


def test_contours_are_counted_as_in_version_3(tmp_path: Path) -> None:
    """The second result alone, or one by the version: who takes the first takes the second of today."""
    files = {f"a{at}.py": f"import cv2\n{text.replace('CALL', PLAIN)}\n" for at, text in enumerate(CONTOURS)}

    target, _ = ported(tmp_path, files, "python3")

    assert [f"import cv2\n{text.replace('CALL', call)}\n" for text, call in CONTOURS.items()] == [
        (target / name).read_text() for name in files
    ]
