"""Sources of every kind that can run here, each showing the same numbered pictures."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from camera_servers import MjpegCamera
from camera_sources import RECORDINGS, ScriptedSource, settings_for

from appliance.camera import Source, open_source
from appliance.clock import SystemClock


@pytest.fixture(params=[*RECORDINGS, "http_mjpeg", "scripted"])
def any_source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Source]:
    """One source of each kind, showing numbered pictures."""
    with _source(request.param, tmp_path) as source:
        yield source


@pytest.fixture(params=[*RECORDINGS, "http_mjpeg", "scripted", "scene"])
def any_kind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Source]:
    """One source of each kind, whatever it shows."""
    with _source(request.param, tmp_path) as source:
        yield source


@contextmanager
def _source(kind: str, folder: Path) -> Iterator[Source]:
    """A source of that kind."""
    if kind == "scripted":
        yield ScriptedSource(pictures=12)
    elif kind == "scene":
        yield open_source(settings_for("scene:door", width_px=320, height_px=192), SystemClock())
    elif kind == "http_mjpeg":
        with MjpegCamera() as camera:
            yield open_source(settings_for(camera.url), SystemClock())
    else:
        yield open_source(settings_for(RECORDINGS[kind](folder)), SystemClock())


@pytest.fixture(params=RECORDINGS)
def recording(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    """A recording of twelve numbered pictures, of each kind."""
    return open_source(settings_for(RECORDINGS[request.param](tmp_path)), SystemClock())


@pytest.fixture
def mjpeg_camera() -> Iterator[MjpegCamera]:
    """A network camera that serves MJPEG."""
    with MjpegCamera() as camera:
        yield camera
