"""Two projects of DeepLens' blog on a running appliance: the dog that is filmed, and what a picture is like.

Told on the clip of a puppy where it is, and everywhere on a picture of a cat.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import kept_functions
import pytest
from browser import installed, open_browser, open_page
from hosted_models import shared
from playwright.sync_api import Page
from sessions import session_nice
from web_site import CHEAP, PASSWORD

from appliance.app.desk.passwords import Passwords
from appliance.app.detecting import opened_detector
from appliance.deeplens.frame_fit import placed
from appliance.deeplens.view import NICE
from appliance.models.folder import ModelFolder
from appliance.models.install import install
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.wire import Client
from appliance.wire.messages import (
    FunctionsListed,
    ListFunctions,
    Status,
    StatusRequest,
    SupervisorStatus,
    SupervisorStatusRequest,
)
from web import cookies
from web.desk import DeskClient

pytestmark = [pytest.mark.slow, pytest.mark.debian(reason="bubblewrap, chromium, ffmpeg")]

PATIENCE_S = 90.0
THINGS = Path(__file__).parents[2] / "data" / "things"
EACH = 5
"""Every how many pictures of the camera our own detector looks at one."""


@dataclass(frozen=True)
class Told:
    """A running appliance with both functions on it.

    Attributes:
        state: Its directory.
        source: What its camera sees.
        thing: What is to be found there.
        messages: What the dog's function had published when it had begun to film, or found the thing.
    """

    state: Path
    source: Path
    thing: str
    messages: list[tuple[str, str]]

    def session(self) -> tuple[str, str]:
        """Where the pages are, and the secret of a session of the admin."""
        layout = Layout(self.state)
        port = json.loads(layout.web_file.read_text())["port"]
        asked = {"name": "Ada", "password": PASSWORD}
        secret = DeskClient(layout.socket("desk")).ask("session.open", asked).result["secret"]
        return f"https://localhost:{port}", str(secret)


def command(state: Path, *words: object) -> list[str]:
    """A command line of ours."""
    return [sys.executable, "-m", "appliance", "--state", str(state), *map(str, words)]


def until(met: Callable[[], Any], what: str) -> Any:
    """Wait until something is true; what it was."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := met():
            return found
        time.sleep(0.2)
    raise AssertionError(f"never: {what}")


def published(state: Path, name: str) -> list[tuple[str, str]]:
    """Topic and payload of each message that is kept."""
    done = subprocess.run(
        command(state, "deeplens", "messages", name, "--last", 1000, "--json"),
        capture_output=True,
        text=True,
        check=False,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return [(row["topic"], row["payload"]) for row in rows]


def camera(state: Path) -> dict[str, Any]:
    """What the loop says of its camera."""
    status = Client(Layout(state).socket("loop")).call(StatusRequest(), Status).message
    found: dict[str, Any] = next(iter(status.details["cameras"].values()))
    return found


def phase(state: Path, name: str) -> str:
    """How a deployed function is."""
    listed = Client(Layout(state).socket("functions")).call(ListFunctions(), FunctionsListed).message
    return next(each.phase for each in listed.functions if each.name == name)


@pytest.fixture(scope="module", params=[pytest.param("dog", marks=pytest.mark.material), "cat"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """The appliance on a clip or pictures, with both functions deployed by the command line."""
    folder = tmp_path_factory.mktemp("deeplens")
    install(ModelFolder())
    if request.param == "dog":
        material = os.environ.get("APPLIANCE_TEST_MATERIAL")
        if not material:
            pytest.skip("APPLIANCE_TEST_MATERIAL names no folder")
        source = Path(material) / "testdata" / "videos" / "dog.mp4"
    else:
        source = folder / "pictures"
        source.mkdir()
        for name in ("chelsea.png", "coffee.png"):
            shutil.copy(THINGS / name, source)
    state = folder / "state"
    state.mkdir(mode=0o700)
    (state / "appliance.toml").write_text("[web]\nport = 0\n", encoding="utf-8")
    with open_services(Settings(), Layout(state), create=True) as services:
        code = services.store.first_run_code()
        services.store.add_first_admin(code, "Ada", Passwords(CHEAP).hash(PASSWORD))
    process = subprocess.Popen(command(state, "run", "--camera", source, "--when", "always"))
    try:
        until(lambda: Layout(state).socket("functions").exists(), "the process that hosts functions")
        dog = kept_functions.zipped(folder / "dog.zip", "dog")
        deploy = command(state, "deeplens", "deploy", dog, "--name", "dogs", "--runtime", "python2.7")
        subprocess.run(deploy, check=True, timeout=PATIENCE_S)
        thing = str(request.param)
        found = until(
            lambda: (rows := published(state, "dogs")) and any(_boxes(row, thing) for row in rows) and rows,
            f"a {thing}",
        )
        yield Told(state, source, thing, found)
    finally:
        process.terminate()
        ended = process.wait(60)
    assert 0 == ended


def test_the_seeds_messages_arrive(told: Told) -> None:
    """Model, producer and stream in order, what is seen by name and likelihood, and the filming."""
    topics = {topic for topic, _ in told.messages}
    said = [payload for topic, payload in told.messages if topic.endswith("/infer")]
    seen = [json.loads(each) for each in said if each.startswith("{")]

    assert [
        "Loading object detection model",
        "Object detection model loaded",
        "Producer created",
        "Stream dogstream created",
    ] == said[:4]
    assert any(0.25 < each.get(told.thing, 0) <= 1 for each in seen)
    assert {"boxes"} == {each for each in topics if not each.startswith("$aws/things/")}
    assert (told.thing == "dog") == any(each.startswith("Start streaming video at 20") for each in said)
    assert not [each for each in said if "Error" in each]


def test_what_the_seed_films_is_a_clip_of_its_stream(told: Told) -> None:
    """Begun by the function alone, for the stream with the device's prefix; without a dog there is none."""

    def clips() -> list[dict[str, Any]]:
        done = subprocess.run(
            command(told.state, "clips", "list", "--json"), capture_output=True, text=True, check=False
        )
        return [row for row in json.loads(done.stdout) if row["fragments"] > 1]

    found = until(clips, "a clip of what the function films") if told.thing == "dog" else clips()
    streams = {"dog": [["deeplens-dogstream"]], "cat": []}[told.thing]
    stops = "Stop streaming video at 20"  # a minute after it began, and once more every minute
    if told.thing == "dog":
        until(lambda: any(text.startswith(stops) for _, text in published(told.state, "dogs")), stops)

    assert streams == [clip["streams"] for clip in found[-1:]]
    assert all(not clip["causes"] and clip["end_ms"] > clip["begin_ms"] for clip in found)
    assert all(clip["end_ms"] + 2 * 3_600_000 == clip["keep_until_ms"] for clip in found)


def test_its_boxes_are_where_our_detector_sees_the_thing(told: Told) -> None:
    """In pixels of the frame of 2688 x 1520, in some picture of the same recording."""
    drawn = [corners for row in told.messages for corners in _boxes(row, told.thing)]
    ours = _seen(told.source, told.thing)

    assert drawn
    assert all(max(shared(tuple(box), other) for other in ours) > 0.55 for box in drawn)


def test_its_project_stream_is_played_by_ffmpeg(told: Told) -> None:
    """Over HTTP, as multipart of JPEGs, by who is signed in."""
    url, secret = told.session()
    done = subprocess.run(
        [
            *("ffprobe", "-v", "error", "-f", "mpjpeg", "-tls_verify", "0"),
            *("-headers", f"Cookie: {cookies.SESSION}={secret}\r\n", "-read_intervals", "%+#4"),
            *("-show_entries", "packet=size:stream=codec_name,width,height", "-of", "json"),
            f"{url}/functions/dogs/project.mjpeg",
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    found = json.loads(done.stdout)

    assert [{"codec_name": "mjpeg", "width": 858, "height": 480}] == found["streams"]
    assert len(found["packets"]) >= 3


def test_its_project_stream_plays_in_ffplay(told: Told, tmp_path: Path) -> None:
    """Shown picture after picture, on a screen that is not there, until it has played a while."""
    url, secret = told.session()
    said = tmp_path / "said"
    with said.open("wb") as output:
        player = subprocess.Popen(
            [
                *("ffplay", "-hide_banner", "-f", "mpjpeg", "-tls_verify", "0"),
                *("-headers", f"Cookie: {cookies.SESSION}={secret}\r\n"),
                f"{url}/functions/dogs/project.mjpeg",
            ],
            env={**os.environ, "SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"},
            stderr=output,
        )
    try:
        until(
            lambda: any(float(at) >= 0.2 for at in re.findall(r"([\d.]+) M-V:", said.read_text())),
            "pictures that are played",
        )
    finally:
        player.kill()
        player.wait()

    assert "Video: mjpeg" in said.read_text()


def test_its_project_stream_plays_in_chromium(told: Told) -> None:
    """On its page: pictures of the display's size, another one soon, and its messages beside them."""
    if not installed():
        pytest.skip("Debian package chromium")
    url, secret = told.session()
    with open_browser() as browser, open_page(browser, url, secret=secret) as (page, _):
        page.goto("/functions/dogs")
        until(lambda: _size(page)[0] > 0, "a picture on the page")
        size = _size(page)
        shot = page.locator("[data-picture]").screenshot()
        until(lambda: page.locator("[data-picture]").screenshot() != shot, "another picture")
        messages = page.locator("[data-messages]").inner_text()

    assert [858, 480] == size
    assert "{" in messages


def test_the_featurizer_publishes_1280_numbers(told: Told, tmp_path: Path) -> None:
    """The visual search's function beside it: how it is, then a frame, and its features in a row."""
    packed = kept_functions.zipped(tmp_path / "visual-search.zip", "featurizer")
    subprocess.run(command(told.state, "deeplens", "deploy", packed), check=True, timeout=PATIENCE_S)
    messages = until(
        lambda: (rows := published(told.state, "visual-search")) and len(rows) > 4 and rows, "features"
    )[:4]
    said = [text.partition(":")[0] for _, text in messages]
    features = [float(each) for each in json.loads(messages[-1][1])["features"].split(",")]

    begun = ["Model optimization SUCCEEDED", "Model loaded SUCCESSFULLY"]
    assert [*begun, "frame retrieved", '{ "features"'] == said
    assert 1280 == len(features)
    assert len(set(features)) > 100


@pytest.mark.parametrize("takes", ["fork()", "write(1, b'over and over again' * 500)"])
def test_the_loop_looks_at_its_frames_beside_functions_that_take_what_they_can(
    told: Told, tmp_path: Path, takes: str
) -> None:
    """One that forks, or prints, without a pause; the dog's function works beside it."""
    source = f"import os\nwhile True:\n    try: os.{takes}\n    except OSError: pass\n"
    (tmp_path / "lambda_function.py").write_text(source, encoding="utf-8")
    deploy = command(told.state, "deeplens", "deploy", tmp_path / "lambda_function.py", "--name", "greedy")
    subprocess.run(deploy, check=True, timeout=PATIENCE_S)
    try:
        until(lambda: phase(told.state, "greedy") == "running", "a function that runs")
        before = camera(told.state)
        after = until(
            lambda: (now := camera(told.state)) and now["frames"] > before["frames"] + 40 and now, "40 frames"
        )
        still = phase(told.state, "greedy")
    finally:
        subprocess.run(command(told.state, "deeplens", "remove", "greedy"), check=True, timeout=PATIENCE_S)

    assert "running" == still
    # None is dropped on a machine that is ours alone; where others work, too, a few are.
    assert after["dropped"] - before["dropped"] < 10


def test_what_hosts_functions_runs_behind_the_loop(told: Told) -> None:
    """Their sessions, and where there are several processors, one is left to the loop."""
    client = Client(Layout(told.state).socket("supervisor"))
    children = client.call(SupervisorStatusRequest(), SupervisorStatus).message.children
    loop, functions = (
        next(child.pid for child in children if child.name == name and child.pid)
        for name in ("loop", "functions")
    )
    every = os.sched_getaffinity(loop)

    assert (0, NICE) == (session_nice(loop), session_nice(functions))
    assert (every - {min(every)} or every) == os.sched_getaffinity(functions)


def _size(page: Page) -> list[int]:
    """Width and height of the picture on a function's page, pixels; 0 before there is one."""
    size: list[int] = page.locator("img[data-picture]").evaluate("i => [i.naturalWidth, i.naturalHeight]")
    return size


def _boxes(row: tuple[str, str], thing: str) -> list[list[float]]:
    """Corners of the boxes of a thing that a message of the function's second topic tells of."""
    topic, payload = row
    if topic != "boxes":
        return []
    return [corners[:4] for label, *corners in json.loads(payload) if label == thing]


def _seen(source: Path, thing: str) -> list[tuple[float, ...]]:
    """Corners in the frame of every box that our own detector finds of a thing."""
    detector = opened_detector(ModelFolder(), "voc", 0.25)
    found = []
    for picture in _pictures(source):
        height, width = picture.shape[:2]
        for each in detector.detect(picture):
            if each.label == thing:
                box = placed(width, height).from_camera(each.box)
                found.append((box.x, box.y, box.x + box.width, box.y + box.height))
    return found


def _pictures(source: Path) -> Iterator[Any]:
    if source.is_dir():
        yield from (cv2.imread(str(path)) for path in sorted(source.iterdir()))
        return
    clip = cv2.VideoCapture(str(source))
    number = 0
    while (read := clip.read())[0]:
        if number % EACH == 0:
            yield read[1]
        number += 1
    clip.release()
