"""Numpy's numbers and pictures where Python 2's own were: what 64-bit Python 2.7 took is taken."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from ported_runs import ported, run

NUMBERS = """
import json
import numpy as np
from json import JSONEncoder
label = np.argmax(np.array([0.1, 0.7, 0.2]))
class Mine(JSONEncoder):
    def default(self, o):
        return o.tolist() if isinstance(o, np.ndarray) else JSONEncoder.default(self, o)
print json.dumps([label, {'n': np.int32(7)}, np.float64(0.5), np.arange(2)], default=lambda x: x.tolist())
print json.dumps({'label': label, 'row': np.arange(2)}, cls=Mine)
print json.dumps({'label': label})
print isinstance(label, int), isinstance(label, (int, long)), isinstance(label, (str, (float, int)))
print isinstance(np.float64(1), int), isinstance(np.float64(1), float), isinstance(np.bool_(True), int)
"""
NARROW = "import numpy as np\nprint isinstance(np.int32(1), int), isinstance(np.uint8(1), int)\n"
OWN = "class int(object):\n    pass\nprint isinstance(int(), int), isinstance(1, int)\n"
PICTURE = """
import cv2, urllib, urllib2
import numpy as np
answer = urllib2.urlopen({url!r})
print cv2.imdecode(np.asarray(bytearray(answer.read()), dtype='uint8'), -1).shape
print cv2.imdecode(np.fromstring(urllib.urlopen({url!r}).read(), np.uint8), 1).shape
print answer.headers['Content-Type'], answer.geturl() == {url!r}, answer.code
answer.close()
"""


def test_numpys_whole_numbers_are_pythons(tmp_path: Path) -> None:
    """`argmax` goes into JSON, beside a `default` and an encoder of the author's, and is an `int`."""
    folder, _ = ported(tmp_path, {"a.py": NUMBERS}, "python2")
    *told, first, second = run(folder, ["a.py"])["a.py"].splitlines()

    assert [[1, {"n": 7}, 0.5, [0, 1]], {"label": 1, "row": [0, 1]}, {"label": 1}] == list(
        map(json.loads, told)
    )
    assert ("True True True", "False True False") == (first, second)


@pytest.mark.parametrize(("source", "prints"), [(NARROW, "False False\n"), (OWN, "True False\n")])
def test_other_types_are_not_taken_for_whole_numbers(tmp_path: Path, source: str, prints: str) -> None:
    """Narrower numbers of numpy inherited from no `int`, and a file's own class `int` is its own."""
    folder, _ = ported(tmp_path, {"a.py": source}, "python2")

    assert {"a.py": prints} == run(folder, ["a.py"])


def test_a_picture_that_is_fetched_is_decoded(tmp_path: Path) -> None:
    """The two ways functions make pixels of an address, and what else they ask of the answer."""
    drawn, jpeg = cv2.imencode(".jpg", np.full((4, 6, 3), 90, np.uint8))
    (tmp_path / "picture.jpg").write_bytes(jpeg.tobytes())
    source = PICTURE.format(url=(tmp_path / "picture.jpg").as_uri())
    folder, _ = ported(tmp_path, {"a.py": source}, "python2")

    assert drawn
    assert {"a.py": "(4, 6, 3)\n(4, 6, 3)\nimage/jpeg True None\n"} == run(folder, ["a.py"])
