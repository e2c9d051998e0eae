"""A hosted function in the way of the DeepLens sample's featurizer, deployed and contained, feeds the search.

It sees the camera, has the featurizer that the box gives to functions, and publishes what that makes of each
frame as text to its infer topic; from there on it is the box's.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import kept_functions
import numpy as np
import pytest
from search_box import SIZE, SearchBox
from search_items import photographs

from appliance.deeplens.frame_fit import HEIGHT, WIDTH, fit
from appliance.settings import MqttSettings
from appliance.values import ImageArray
from appliance.wire.messages import AskFunctionLog, DeployFunction, FunctionLogLines, FunctionTaken

pytestmark = [pytest.mark.debian(reason="bubblewrap"), pytest.mark.usefixtures("session")]

THINGS = {each.id: each.bgr for each in photographs()}
KEPT = ("coffee", "chelsea", "rocket", "astronaut", "horse")
NAME = "featurizer"


def filling(name: str) -> ImageArray:
    """A frame that a thing fills: the function looks at all of it."""
    seen: ImageArray = cv2.resize(THINGS[name], SIZE, interpolation=cv2.INTER_AREA)
    return seen


def as_functions_see(picture: ImageArray) -> ImageArray:
    """A frame as a function is handed it, made as small as the sample makes it."""
    frame: ImageArray = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    fit(picture, frame)
    small: ImageArray = cv2.resize(frame, (224, 224))
    return small


@pytest.fixture
def box(tmp_path: Path) -> Iterator[SearchBox]:
    """A box with five things in its catalogue, that watches no camera itself and has no broker."""
    made = SearchBox(tmp_path, cameras=[])
    made.settings = made.settings.model_copy(update={"mqtt": MqttSettings()})
    with contextlib.closing(made), made.describing():
        for name in KEPT:
            made.add(name, THINGS[name], f"The {name}")
        yield made


def test_features_published_to_the_topic_find_their_matches(box: SearchBox) -> None:
    """What is held before the camera, each once; of what is not in the catalogue nothing is found."""
    code = kept_functions.files(NAME)["lambda_function.py"].encode()
    message = DeployFunction(name=NAME, file="lambda_function.py")
    box.scene = filling("coffee")
    with box.searching(), box.hosting() as functions:
        box.ready()
        functions.call(message, FunctionTaken, blob=code)
        box.until(lambda: box.newest().found)
        first = box.newest().found
        box.scene = filling("chelsea")
        box.until(lambda: len(box.newest().found) > 1)
        second = box.newest().found
        box.scene = filling("motorcycle_left")
        box.until(lambda: not box.newest().last[f"function/{NAME}"].known)
        newest, sources = box.newest(), box.told().sources
        own = [box.like(as_functions_see(filling(name))) for name in ("chelsea", "coffee")]
        log = functions.call(AskFunctionLog(name=NAME), FunctionLogLines).message

    assert [("function", NAME, "coffee")] == [
        (each.source, each.name, each.matches[0].item) for each in first
    ], log
    assert ["chelsea", "coffee"] == [each.matches[0].item for each in second]
    # As the box itself finds such a frame: neither colours nor numbers suffered on the way.
    for found, each in zip(second, own, strict=True):
        assert abs(found.matches[0].score - each.matches[0].score) < 0.02
    assert ["chelsea", "coffee"] == [each.matches[0].item for each in newest.found]
    assert [("function", NAME, "watching", "")] == [
        (each.source, each.name, each.state, each.words) for each in sources
    ]
