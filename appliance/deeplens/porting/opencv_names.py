"""OpenCV's names of its versions 2 and 3 → what they are in 4.

`cv2.cv.CV_…`, constants and classes that moved, and the three results `findContours` had in version 3, where
the call is taken apart into three names, or asked for the second, which were the contours;
`getUnconnectedOutLayers` gives one number a row as until 4.5.4. For Python 2 and Python 3 files alike.
"""

import ast
import re

from appliance.deeplens.porting.sources import Sources

MEASURE = "opencv"

RENAMED = {
    "CV_AA": "LINE_AA",
    "CV_FILLED": "FILLED",
    "CV_FOURCC": "VideoWriter_fourcc",
    "CV_HAAR_DO_CANNY_PRUNING": "CASCADE_DO_CANNY_PRUNING",
    "CV_HAAR_FIND_BIGGEST_OBJECT": "CASCADE_FIND_BIGGEST_OBJECT",
    "CV_HAAR_SCALE_IMAGE": "CASCADE_SCALE_IMAGE",
    "CV_LOAD_IMAGE_COLOR": "IMREAD_COLOR",
    "CV_LOAD_IMAGE_GRAYSCALE": "IMREAD_GRAYSCALE",
    "CV_LOAD_IMAGE_UNCHANGED": "IMREAD_UNCHANGED",
    "CV_L2": "NORM_L2",
    "CV_TERMCRIT_EPS": "TERM_CRITERIA_EPS",
    "CV_TERMCRIT_ITER": "TERM_CRITERIA_MAX_ITER",
    "FOURCC": "VideoWriter_fourcc",
    "BoxPoints": "boxPoints",
    "BackgroundSubtractorMOG": "createBackgroundSubtractorMOG2",
    "BackgroundSubtractorMOG2": "createBackgroundSubtractorMOG2",
    "createBackgroundSubtractorMOG": "createBackgroundSubtractorMOG2",
    "FastFeatureDetector": "FastFeatureDetector_create",
    "ORB": "ORB_create",
    "SIFT": "SIFT_create",
    "SimpleBlobDetector": "SimpleBlobDetector_create",
    "StereoBM": "StereoBM_create",
}
"""Old name → new name, both in `cv2`. Classes are renamed where they are called."""

_PREFIXES = (
    ("CV_CAP_", "CAP_"), ("CV_CHAIN_", "CHAIN_"), ("CV_CONTOURS_", "CONTOURS_"), ("CV_DIST_", "DIST_"),
    ("CV_EVENT_", "EVENT_"), ("CV_FONT_", "FONT_"), ("CV_HOUGH_", "HOUGH_"), ("CV_IMWRITE_", "IMWRITE_"),
    ("CV_INTER_", "INTER_"), ("CV_MOP_", "MORPH_"), ("CV_RETR_", "RETR_"), ("CV_SHAPE_", "MORPH_"),
    ("CV_THRESH_", "THRESH_"), ("CV_TM_", "TM_"), ("CV_WINDOW_", "WINDOW_"),
)  # fmt: skip
_COLOUR = re.compile(r"^CV_([A-Za-z0-9]+2[A-Za-z0-9]+)$")
_KEPT = re.compile(r"^CV_(?:\d+[USF]|MAKETYPE|VERSION)")
_THREE = 3


def renamed(name: str) -> str | None:
    """The new name of an old constant or function; None if it has none or is still called so."""
    if name in RENAMED:
        return RENAMED[name]
    if not name.startswith("CV_") or _KEPT.match(name):
        return None
    if found := _COLOUR.match(name):
        return f"COLOR_{found[1]}"
    for old, new in _PREFIXES:
        if name.startswith(old):
            return new + name[len(old) :]
    return name.removeprefix("CV_")


def rewrite(source: Sources) -> None:
    """Note the changes for every old name."""
    for node in source.of(ast.Attribute, ast.Import, ast.ImportFrom, ast.Assign, ast.Call):
        match node:
            case ast.Call(func=ast.Attribute(attr="getUnconnectedOutLayers"), args=[], keywords=[]):
                source.edits.wrap(*source.edits.span(node), "opencv_column(", ")", MEASURE)
            case ast.Attribute():
                _attribute(source, node)
            case ast.Import():
                _import(source, node)
            case ast.ImportFrom(
                module="cv2", names=[ast.alias(name="cv" | "cv2" as old, asname=name)], level=0
            ):
                _whole(source, node, f"import cv2 as {name or old}")
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Call() as call) if (
                len(targets) == _THREE and source.dotted(call.func) == "cv2.findContours"
            ):
                _three_results(source, call)
            case ast.Call() if source.dotted(node.func) == "cv2.findContours" and _asks_as_in_3(source, node):
                source.edits.wrap(*source.edits.span(node), "opencv_contours(", ")", MEASURE)
            case _:
                pass


def _attribute(source: Sources, node: ast.Attribute) -> None:
    where = source.dotted(node.value)
    if where not in {"cv2", "cv2.cv", "cv2.cv2"}:
        return
    inner = isinstance(node.value, ast.Attribute)  # written cv2.cv.X: the middle goes
    new = renamed(node.attr) or (renamed(f"CV_{node.attr}") if where == "cv2.cv" else None)
    if new is not None and new.removesuffix("_create") == node.attr and not _is_called(source, node):
        new = None  # the class itself is still called so
    if new is None and not inner:
        return
    end = source.edits.span(node)[1]
    start = source.edits.span(node.value.value)[1] if isinstance(node.value, ast.Attribute) else end
    written = f".{new or node.attr}" if inner else new or node.attr
    source.edits.replace(start if inner else end - len(node.attr), end, written, MEASURE)


def _is_called(source: Sources, node: ast.Attribute) -> bool:
    parent = source.parents[node]
    return isinstance(parent, ast.Call) and parent.func is node


def _import(source: Sources, node: ast.Import) -> None:
    """`import cv2.cv as cv` → `import cv2 as cv`; some wheels had a `cv2.cv2` as well."""
    for each in node.names:
        if each.name in {"cv2.cv", "cv2.cv2"}:
            start = source.edits.span(each)[0]
            source.edits.replace(start, start + len(each.name), "cv2", MEASURE)


def _three_results(source: Sources, call: ast.Call) -> None:
    picture = call.args[0] if call.args else None
    first = picture.id if isinstance(picture, ast.Name) else "None"
    source.edits.wrap(*source.edits.span(call), f"({first}, *", ")", MEASURE)


def _asks_as_in_3(source: Sources, call: ast.Call) -> bool:
    """Whether the second result is asked for and the first is not, or one or the other by the version."""
    match source.parents[call]:
        case ast.Subscript(slice=ast.Constant(value=1)):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]):
            asked = {_number_of(each, name) for each in source.of(ast.Subscript)}
            chosen = any(
                isinstance(each, ast.IfExp)
                and {0, 1} == {_number_of(each.body, name), _number_of(each.orelse, name)}
                for each in source.of(ast.IfExp)
            )
            return 1 in asked and (chosen or 0 not in asked)
        case _:
            return False


def _number_of(node: ast.AST, name: str) -> int | None:
    """The number in `name[number]`."""
    match node:
        case ast.Subscript(value=ast.Name(id=found), slice=ast.Constant(value=int(number))) if found == name:
            return number
        case _:
            return None


def _whole(source: Sources, node: ast.stmt, text: str) -> None:
    start, end = source.edits.span(node)
    source.edits.replace(start, end, text, MEASURE)
