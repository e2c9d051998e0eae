"""What numpy, OpenCV and Python's library had in 2018 and have no more, for functions of both Pythons."""

import ast
import sys
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from ported_runs import of, ported, run

from appliance.deeplens.porting import numpy_names, opencv_names, stricter
from appliance.deeplens.porting.deciding import parsed
from appliance.deeplens.porting.sources import Sources


def rewritten(text: str, own_methods: frozenset[str] = frozenset()) -> str:
    """The text with names of today."""
    source = Sources(text, ast.parse(text))
    numpy_names.rewrite(source, own_methods=own_methods)
    opencv_names.rewrite(source)
    return source.edits.applied()


def evaluated(expression: str) -> Any:
    """What a rewritten expression gives; a warning is an error."""
    names: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # numpy's matrices: for many years
        exec(rewritten(f"import numpy as np, cv2\nx = {expression}"), names)  # noqa: S102
    return names["x"]


@pytest.mark.parametrize("name", sorted(numpy_names.RENAMED))
def test_an_old_name_of_numpy_has_a_name_today(name: str) -> None:
    """Every name of the table leads to one that the installed numpy has, without a warning."""
    assert getattr(np, numpy_names.RENAMED[name]) is evaluated(f"np.{name}")


@pytest.mark.parametrize("name", sorted({*numpy_names.BUILTINS, *numpy_names.WRITTEN}))
def test_what_numpy_only_lent_is_written_out(name: str) -> None:
    """What is no name of numpy's any more is an expression that can be evaluated."""
    called = "(3)" if name == "long" else ""

    assert evaluated(f"np.{name}{called}") is not NotImplemented


def test_no_name_that_numpy_still_has_is_rewritten() -> None:
    """Apart from those that warn, what is there stays as the author wrote it."""
    kept = {name for name in (*numpy_names.RENAMED, *numpy_names.WRITTEN) if name in np.__all__}

    assert set() == kept - {"row_stack", "trapz"}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("np.int0(3.7)", 3),
        ("np.array([1.5], dtype=np.float).tolist()", [1.5]),
        ("np.zeros(1, np.bool).tolist()", [False]),
        ("np.asscalar(np.array([4]))", 4),
        ("list(map(np.asscalar, [np.array(1)]))", [1]),
        ("np.in1d([[1, 2]], [2]).tolist()", [False, True]),
        ("np.product([2, 3])", 6),
        ("np.cumproduct([2, 3]).tolist()", [2, 6]),
        ("np.zeros(2, np.uint8).tostring()", b"\0\0"),
        ("np.fromstring(b'\\x01\\x02', np.uint8).tolist()", [1, 2]),
        ("np.fromstring(b'\\x01', dtype=np.uint8).flags.writeable", True),
        ("np.fromstring(string=b'\\x01', dtype='uint8').tolist()", [1]),
        ("np.fromstring('1 2', sep=' ').tolist()", [1.0, 2.0]),
        ("np.array([1, 5]).ptp()", 4),
        ("np.array([[1, 5], [2, 2]]).ptp(axis=1).tolist()", [4, 0]),
        ("[a.itemset((0,), 7) or a.tolist() for a in [np.zeros(2)]][0]", [7.0, 0.0]),
        ("np.NINF < 0 < np.PINF and np.isnan(np.NaN)", True),
        ("np.asfarray([1]).dtype.kind", "f"),
        ("np.rank([[1]])", 2),
        ("np.alen([1, 2])", 2),
        ("np.mat([[1]]).shape", (1, 1)),
        ("np.linspace(0, 1, 3).tostring()[-1:]", b"?"),
        ("np.cast[np.uint8](3.0)", 3),
        ("np.find_common_type([np.uint8], [np.float32])", np.dtype("float32")),
    ],
)
def test_numpy_gives_what_it_gave(expression: str, expected: Any) -> None:
    """Names and methods that are gone do what they did."""
    assert expected == evaluated(expression)


def test_names_imported_from_numpy_are_followed() -> None:
    """`from numpy import product` binds the same name to today's function."""
    names: dict[str, Any] = {}

    exec(rewritten("from numpy import product, int0 as whole, array\nx = product([whole(2), 3])"), names)  # noqa: S102

    assert 6 == names["x"]


def test_somebody_elses_tostring_stays() -> None:
    """A `tostring` with arguments, or of a class of the package, is not numpy's."""
    text = "import xml.etree.ElementTree as ET\nx = ET.tostring(tree)\n"
    own = "class A:\n    def tostring(self): return 1\nA().tostring()\n"

    assert text == rewritten(text)
    assert own == rewritten(own, frozenset({"tostring"}))


def test_a_variable_called_np_is_not_numpy() -> None:
    """Only what was imported as numpy is taken for it."""
    text = "np = object()\nx = np.int0\n"

    assert text == rewritten(text)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cv2.cv.CV_CAP_PROP_FRAME_WIDTH", cv2.CAP_PROP_FRAME_WIDTH),
        ("cv2.cv.CV_BGR2GRAY", cv2.COLOR_BGR2GRAY),
        ("cv2.CV_LOAD_IMAGE_COLOR", cv2.IMREAD_COLOR),
        ("cv2.CV_AA", cv2.LINE_AA),
        ("cv2.cv.CV_HAAR_SCALE_IMAGE", cv2.CASCADE_SCALE_IMAGE),
        ("cv2.cv.CV_FOURCC(*'MJPG')", cv2.VideoWriter_fourcc(*"MJPG")),  # type: ignore[attr-defined]
        ("cv2.cv.BoxPoints", cv2.boxPoints),
        ("cv2.CV_8U", cv2.CV_8U),
        ("cv2.cv.CV_32F", cv2.CV_32F),
        ("type(cv2.SIFT())", cv2.SIFT),
        ("type(cv2.BackgroundSubtractorMOG2())", cv2.BackgroundSubtractorMOG2),
        ("isinstance(1, cv2.ORB)", False),
        ("cv2.cv.CV_RETR_EXTERNAL", cv2.RETR_EXTERNAL),
        ("cv2.cv.CV_THRESH_BINARY", cv2.THRESH_BINARY),
        ("cv2.cv.CV_WINDOW_NORMAL", cv2.WINDOW_NORMAL),
    ],
)
def test_opencvs_old_names_lead_to_todays(expression: str, expected: Any) -> None:
    """Constants and classes of OpenCV 2 and 3 are what they are called in 4."""
    assert expected == evaluated(expression)


@pytest.mark.parametrize(
    "imported",
    [
        "import cv2.cv as cv",
        "from cv2 import cv",
        "from cv2 import cv2 as cv",
        "import cv2.cv2 as cv",
        "import cv2\ncv = None\nimport cv2.cv as cv",
    ],
)
def test_the_old_module_of_opencv_is_opencv(imported: str) -> None:
    """`cv2.cv` under a name of its own leads to `cv2`."""
    names: dict[str, Any] = {}

    exec(rewritten(f"{imported}\nx = cv.CV_BGR2HSV"), names)  # noqa: S102

    assert cv2.COLOR_BGR2HSV == names["x"]


def test_contours_come_in_threes_where_three_are_taken() -> None:
    """Version 3 gave the picture first; who takes two gets two."""
    text = (
        "import cv2\nimport numpy as np\np = np.zeros((9, 9), np.uint8)\np[2:5, 2:5] = 255\n"
        "_, a, b = cv2.findContours(p, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)\n"
        "c, d = cv2.findContours(p, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)\n"
    )
    names: dict[str, Any] = {}

    exec(rewritten(text), names)  # noqa: S102

    assert (1, 1) == (len(names["a"]), len(names["c"]))
    assert names["_"] is names["p"]


@pytest.mark.parametrize(
    "text",
    [
        "x = f'{1/2} \\d'\n",
        "import numpy as np\ny = np.zeros(3) / 2\n",
        "# ä\r\nclass A:\r\n\tdef f(self) -> int:\r\n\t\treturn 7 / 2\r\n",
        "def f(*, a): return a.keys(), map(f, a), round(a), a.next(), a.decode('hex')\n",
        "import base64, queue\nprint(base64.b64encode(b''), end='')\n",
        "async def f(): return await f()",
        "",
    ],
)
def test_python_3_that_needs_nothing_is_the_same_to_the_byte(text: str, tmp_path: Path) -> None:
    """Tabs, line ends, missing last ones and every other habit of the author's stay."""
    content = b"\xef\xbb\xbf" + text.encode()

    folder, report = ported(tmp_path, {"a.py": content}, "python3")

    assert content == (folder / "a.py").read_bytes()
    assert "unchanged" == of(report, "a.py").outcome


PYTHON3 = {
    "clock": ("import time\nprint(time.clock() >= 0, end='')", "True"),
    "abstract": ("import collections\nprint(issubclass(dict, collections.Mapping), end='')", "True"),
    "from_abstract": ("from collections import Iterable\nprint(isinstance([], Iterable), end='')", "True"),
    "alive": ("import threading as t\nprint(t.currentThread().isAlive(), f'')", "True \n"),
    "set": ("import threading as t\nprint(t.Event().isSet(), f'')", "False \n"),
    "tostring": ("import numpy as np\nprint(np.zeros(1, 'u1').tostring(), f'{7/2}')", "b'\\x00' 3.5\n"),
    "identity": ("r = 0\nprint(r is not 0, r is 0, f'', end='')", "False True "),
    "escapes": ("import re\nprint(re.match('\\d', '7')[0], 'ä\\.', f'', end='')", "7 ä\\. "),
    "mode": ("import os\nprint(open(os.devnull, mode='rU').read(), f'', end='')", " "),
    "linux": ("import platform\nprint(platform.linux_distribution()[0], f'', end='')", "Ubuntu "),
    "base64_lines": ("import base64\nprint(base64.encodestring(b'a'), f'', end='')", "b'YQ==\\n' "),
}  # fmt: skip


CGI = "import warnings\nwarnings.simplefilter('ignore')\nimport cgi\nprint(cgi.escape('<a>'), f'', end='')"
if sys.version_info < (3, 13):
    PYTHON3["cgi"] = (CGI, "&lt;a&gt; ")


def test_python_3_of_2018_runs(tmp_path: Path) -> None:
    """What changed under Python 3 functions since 3.7 does what it did, without a warning."""
    files = {f"row_{name}.py": source for name, (source, _) in PYTHON3.items()}
    folder, report = ported(tmp_path, files)

    printed = run(folder, list(files), "python3")

    assert {"python3"} == {each.runtime for each in report.files}
    assert {f"row_{name}.py": expected for name, (_, expected) in PYTHON3.items()} == printed


def test_texts_over_several_lines_are_mended_where_they_stand() -> None:
    """A backslash in the middle of a long text is found behind letters of several bytes."""
    text = "x = ('ä', '''ö\n\\d ä''', \"\\.\")\n"
    source = Sources(text, parsed(text))

    stricter.texts(source)

    assert "x = ('ä', '''ö\n\\\\d ä''', \"\\\\.\")\n" == source.edits.applied()


PILLOW = """from PIL import Image, ImageDraw, ImageFont
picture = Image.new("RGB", (90, 30)).resize((60, 20), Image.ANTIALIAS)
draw = ImageDraw.Draw(picture)
font = ImageFont.load_default()
width, height = draw.textsize("dog", font=font)
print(picture.size, 10 < width < 60, 5 < height < 20, font.getsize("dog") == (width, height))
"""


@pytest.mark.parametrize(
    ("runtime", "expected"),
    [("python2", "((60, 20), True, True, True)\n"), ("python3", "(60, 20) True True True\n")],
)
def test_pillow_measures_texts_by_its_old_names(tmp_path: Path, runtime: Any, expected: str) -> None:
    """`Image.ANTIALIAS`, `textsize` and `getsize`, gone since Pillow 10, are there for functions of both."""
    folder, _ = ported(tmp_path, {"f.py": PILLOW}, runtime)

    assert {"f.py": expected} == run(folder, ["f.py"], runtime)
