"""The coffee corner on the project stream: what is told of somebody stands under their face."""

from typing import Any

import pytest
from shared_frames import NOTE, asked, gray, shared

from appliance.app.rendering import ViewHandlers
from appliance.wire.messages import RenderView

VIEWS = ViewHandlers()


def project(coffee: dict[str, Any] | None) -> Any:
    """The project view of somebody of whom this is told."""
    face = {**NOTE["faces"][0], **({} if coffee is None else {"coffee": coffee})}
    with shared([gray()], note={"faces": [face]}) as fd:
        return asked(VIEWS.render, RenderView(kind="project", quality=95), fd)


@pytest.mark.parametrize(
    "coffee",
    [
        {"phase": "counting", "left_s": 2.4},
        {"phase": "counted", "left_s": 0.0},
        {"phase": "too_soon", "left_s": 250.0},
    ],
)
def test_what_is_told_is_drawn_and_said_beside(coffee: dict[str, Any]) -> None:
    """For each phase, otherwise than without; and as values for who shows it otherwise."""
    with_coffee, without = project(coffee), project(None)

    assert with_coffee.blob != without.blob
    assert coffee == with_coffee.message.faces[0].coffee.model_dump()
    assert without.message.faces[0].coffee is None


def test_a_countdown_s_seconds_are_seen() -> None:
    """Three, two, one are three pictures."""
    drawn = {project({"phase": "counting", "left_s": left_s}).blob for left_s in (2.9, 1.9, 0.9, 0.0)}

    assert 3 == len(drawn)
