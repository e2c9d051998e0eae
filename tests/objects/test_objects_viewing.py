"""Things on the project stream: boxes, labels and percentages on a copy, and the same as values beside it."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from shared_frames import asked, gray, shared

from appliance.app.rendering import ViewHandlers
from appliance.camera.annotate import OBJECT, annotate, object_mark
from appliance.errors import WireError
from appliance.values import ImageArray
from appliance.wire.messages import RenderView

VIEWS = ViewHandlers()
DOG = {"box": [100, 80, 300, 240], "label": "dog", "score": 0.974, "track": 3}


def pixels(content: bytes) -> ImageArray:
    """A JPEG's pixels, red first."""
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture)


def noted(*objects: dict[str, object]) -> bytes:
    """What the loop says of a frame with these things."""
    return json.dumps({"doors": {}, "faces": [], "objects": objects}).encode()


def test_the_project_view_has_a_box_around_each_thing_and_the_device_view_has_none() -> None:
    """Drawn for who looks; told beside it for pages."""
    with shared([gray(640, 360)], note=noted(DOG)) as fd:
        project = asked(VIEWS.render, RenderView(kind="project"), fd)
        device = asked(VIEWS.render, RenderView(kind="device"), fd)
    (dog,) = project.message.objects
    left_edge = pixels(project.blob)[100:220, 98:103].astype(int)
    blue = left_edge[..., 2] - left_edge[..., 0]

    assert ("dog", 0.974, 3, (100, 80, 300, 240)) == (dog.label, dog.score, dog.track, dog.box)
    assert blue.max(axis=1).min() > 60
    assert 0 == np.ptp(pixels(device.blob))


def test_a_frame_of_before_there_were_things_is_shown_as_ever() -> None:
    """A note without objects has none."""
    with shared([gray()], note=b'{"doors": {}, "faces": []}') as fd:
        assert () == asked(VIEWS.render, RenderView(kind="project"), fd).message.objects


@pytest.mark.parametrize("broken", [{"box": [1, 2]}, {**DOG, "score": "NaN"}, {**DOG, "label": None}])
def test_a_thing_that_is_none_is_refused(broken: dict[str, object]) -> None:
    """The note is ours or the frame is not shown."""
    with shared([gray()], note=noted(broken)) as fd, pytest.raises(WireError, match="note"):
        asked(VIEWS.render, RenderView(kind="project"), fd)


@pytest.mark.parametrize(("score", "percent"), [(0.974, "dog 97%"), (1.0, "dog 100%"), (0.0949, "dog 9%")])
def test_a_mark_says_what_and_how_certain(score: float, percent: str) -> None:
    """In the sample project's colour, at whole pixels."""
    mark = object_mark("dog", score, (9.6, 20.4, 100.0, 200.5))

    assert (percent, OBJECT, (10, 20, 100, 200)) == (mark.caption, mark.colour, mark.corners)


def test_a_frame_is_left_as_it_is_when_things_are_drawn() -> None:
    """What is drawn on is a copy; evidence is never drawn on."""
    frame = np.full((120, 160, 3), 77, np.uint8)
    drawn = annotate(frame, [object_mark("dog", 0.9, (20, 40, 80, 100))], {})

    assert {77} == set(np.unique(frame))
    assert OBJECT in {tuple(int(v) for v in each) for each in drawn.reshape(-1, 3)}
