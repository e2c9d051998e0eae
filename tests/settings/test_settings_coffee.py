"""Coffee corners in the settings: before cameras that there are, and that read faces."""

from typing import Any

import pytest
from pydantic import ValidationError

from appliance.cli.context import with_camera
from appliance.settings import CameraSettings, CoffeeSettings, DoorSettings, Settings


def settings(when: str = "always", **coffee: Any) -> dict[str, Any]:
    """Two cameras, one at a door."""
    return {
        "cameras": [
            {"id": "corner", "source": "scene:coffee", "when": when},
            {"id": "entrance", "source": "scene:door"},
        ],
        "doors": [{"id": "main", "camera": "entrance"}, {"id": "side", "camera": "corner"}],
        "coffee": coffee,
    }


@pytest.mark.parametrize("when", ["always", "approach"])
def test_a_corner_before_a_camera_that_reads_faces(when: str) -> None:
    """Always, or when somebody comes."""
    found = Settings.model_validate(settings(when, cameras=["corner"]))

    assert ("corner",) == found.coffee.cameras


@pytest.mark.parametrize(
    ("when", "cameras", "words"),
    [
        ("always", ["kitchen"], "there is no camera 'kitchen'; there are: corner, entrance"),
        ("always", ["corner", "entrance"], "camera 'entrance' reads faces when = 'door'"),
        ("door", ["corner"], "before a coffee corner set 'always'"),
        ("always", ["corner", "corner"], "names one camera twice"),
    ],
)
def test_a_corner_where_none_can_be_is_refused(when: str, cameras: list[str], words: str) -> None:
    """In words that say what to do."""
    with pytest.raises(ValidationError, match=words):
        Settings.model_validate(settings(when, cameras=cameras))


@pytest.mark.parametrize(
    ("corners", "source", "when", "counted"),
    [
        (("corner",), "clip.mp4", "always", ("camera",)),
        (("corner",), "clip.mp4", "door", ()),
        ((), "clip.mp4", "always", ()),
        ((), "scene:coffee", "always", ("camera",)),
        (("yard",), "clip.mp4", "always", ()),
    ],
)
def test_another_source_is_a_corner_if_the_first_camera_is(
    corners: tuple[str, ...], source: str, when: str, counted: tuple[str, ...]
) -> None:
    """Or if it is the rendered corner; and never where faces are read at a door."""
    cameras = [
        CameraSettings.model_validate({"id": name, "source": "scene:coffee", "when": "always"})
        for name in ("corner", "yard")
    ]
    given = Settings(
        cameras=tuple(cameras),
        doors=(DoorSettings(id="main", camera="corner"),),
        coffee=CoffeeSettings(cameras=corners),
    )

    assert counted == with_camera(given, source, when).coffee.cameras
