"""Parts of a function's surroundings: variables, events, the old download, paths where there is no view."""

import json
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.deeplens.guest import bootstrap_download, environment, sound
from appliance.deeplens.guest.device_paths import DevicePaths
from appliance.deeplens.guest.events import Context, event
from appliance.deeplens.guest.local_display import LocalDisplay

BOOTSTRAP = "https://s3.amazonaws.com/dear-demo/boto_3_dist.zip"
FUNCTION = {"folder": "/opt/awscam/greengrass/ggc/deployment/lambda/dog", "handler": "m.h", "memory_mb": 512}


def test_a_function_finds_the_variables_of_the_device() -> None:
    """Thing, region, its own name, and credentials that open nothing, so that boto3 starts at all."""
    told = environment.completed({}, **FUNCTION)  # type: ignore[arg-type]

    assert told["AWS_IOT_THING_NAME"].startswith("deeplens_")
    assert ("us-east-1", "us-east-1") == (told["AWS_REGION"], told["AWS_DEFAULT_REGION"])
    assert ("dog", "512", FUNCTION["folder"]) == (
        told["AWS_LAMBDA_FUNCTION_NAME"],
        told["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        told["LAMBDA_TASK_ROOT"],
    )
    assert all(told[each] for each in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))


def test_what_the_host_has_set_is_left_alone() -> None:
    """Credentials handed over are not mixed with dummies, and a region counts for both variables."""
    given = {"AWS_ACCESS_KEY_ID": "real", "AWS_SECRET_ACCESS_KEY": "real", "AWS_REGION": "eu-west-1"}
    told = environment.completed({**given, "AWS_IOT_THING_NAME": "deeplens_x"}, **FUNCTION)  # type: ignore[arg-type]

    assert not {"AWS_IOT_THING_NAME", "AWS_SESSION_TOKEN", *given} & set(told)
    assert "eu-west-1" == told["AWS_DEFAULT_REGION"]


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        (b'{"action": "capture"}', {"action": "capture"}),
        (b"hello", "hello"),
        (b"\xff", b"\xff"),
        (b"", ""),
        (b"3", 3),
    ],
)
def test_a_payload_becomes_the_event(payload: bytes, value: Any) -> None:
    """JSON is read; other text is text; anything else its bytes."""
    assert value == event(payload)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=8))
def test_json_comes_through_unchanged(value: Any) -> None:
    """Whatever somebody publishes as JSON is what the handler gets."""
    assert value == event(json.dumps(value).encode())


def test_a_context_is_lambdas() -> None:
    """What handlers read of it: names, the topic, the time that is left."""
    context = Context("deeplens/in", arn="arn:aws:lambda:us-east-1:0:function:dog:1", memory_mb=512)

    assert ("dog", "1", 512) == (context.function_name, context.function_version, context.memory_limit_in_mb)
    assert {"subject": "deeplens/in"} == context.client_context.custom
    assert 0 <= context.get_remaining_time_in_millis() <= 3000
    assert len(context.aws_request_id) == 36


@pytest.mark.parametrize(
    "url",
    [
        BOOTSTRAP,
        "http://dear-demo.s3.amazonaws.com/boto_3_dist.zip",
        "https://s3-us-west-2.amazonaws.com/dear-demo/boto_3_dist.zip",
    ],
)
def test_the_old_download_of_boto3_is_an_empty_archive(tmp_path: Path, url: str) -> None:
    """Nothing is fetched; the archive unpacks, to nothing, and boto3 is there without it."""

    def never(*_arguments: Any) -> None:
        raise AssertionError("it was fetched")

    file = tmp_path / "boto_3_dist.zip"
    name, _ = bootstrap_download.retrieving(never)(url, str(file))

    assert str(file) == name
    assert [] == zipfile.ZipFile(file).namelist()


@pytest.mark.parametrize(
    "url",
    [
        "https://s3.amazonaws.com/dear-demo/other.zip",
        "https://s3.amazonaws.com.example.org/dear-demo/boto_3_dist.zip",
        "file:///dear-demo/boto_3_dist.zip",
        "https://example.org/dear-demo/boto_3_dist.zip",
    ],
)
def test_every_other_address_is_asked(tmp_path: Path, url: str) -> None:
    """Only that one download is answered here; the others go where they always went."""
    asked: list[Any] = []
    fetch = bootstrap_download.retrieving(lambda *arguments: asked.append(arguments))
    fetch(url, "/x")
    fetch(BOOTSTRAP)

    assert [(url, "/x"), (BOOTSTRAP, None)] == asked
    assert not bootstrap_download.is_bootstrap(urllib.request.pathname2url(str(tmp_path)))


@pytest.mark.parametrize(
    ("path", "led"),
    [
        ("/tmp/results.mjpeg", "/r/tmp/results.mjpeg"),
        (b"/opt/awscam/out", b"/r/opt/awscam/out"),
        ("/opt/awscam/../awscam/x", "/r/opt/awscam/x"),
        (Path("/home/aws_cam/x"), "/r/home/aws_cam/x"),
        ("/sys/class/net/mlan0/address", "/r/sys/class/net/mlan0/address"),
        ("/tmp", "/r/tmp"),
    ],
)
def test_a_path_of_the_device_leads_into_the_folder_laid_out_like_it(path: Any, led: Any) -> None:
    """As text, bytes or path; also the roundabout way."""
    assert led == DevicePaths("/r/").leading(path)


@pytest.mark.parametrize(
    "path",
    [
        "labels.txt",
        "/etc/hosts",
        "/tmpfile",
        "/r/tmp/x",
        "/tmp/python/lib/x.py",
        "/opt/awscamera",
        3,
        None,
        "/opt/awscam/../../etc/passwd",
        "/sys/class/net/lo",
    ],
)
def test_other_paths_stay_as_they_are(path: Any) -> None:
    """Relative ones, those of the system, those already led, Python's own, descriptors."""
    assert path == DevicePaths("/r", ("/tmp/python",)).leading(path)


@pytest.mark.parametrize(
    ("name", "size"), [("480p", (480, 858)), ("720p", (720, 1280)), ("1080p", (1080, 1920))]
)
def test_the_display_scales_to_the_resolution_asked_for(name: str, size: tuple[int, int]) -> None:
    """A white canvas first, then whatever it is given, in one of the three sizes; and white again."""
    display = LocalDisplay(name)
    jpegs = [display._jpeg]
    display.set_frame_data(np.zeros((1520, 2688, 3), np.uint8))
    jpegs.append(display._jpeg)
    display.reset_frame_data()
    jpegs.append(display._jpeg)
    shown = [np.asarray(cv2.imdecode(np.frombuffer(each, np.uint8), cv2.IMREAD_COLOR)) for each in jpegs]

    assert [size] * 3 == [each.shape[:2] for each in shown]
    assert [(255, 255), (0, 0), (255, 255)] == [(each.min(), each.max()) for each in shown]


def test_the_display_refuses_what_its_template_refused() -> None:
    """Another resolution, and what is no picture; `join` waits for nothing, also before any `start`."""
    with pytest.raises(Exception, match=r"^Invalid resolution$"):
        LocalDisplay("4k")
    display = LocalDisplay("480p")
    with pytest.raises(cv2.error):
        display.set_frame_data(None)

    assert display.join() is None
    assert display.stop_request.is_set()


def test_sounds_are_not_played_and_that_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """The calls that functions make of two libraries return at once, with a line in the log for each file."""
    made = sound.modules()
    made["playsound"].playsound("woof.mp3", block=False)
    mixer = made["pygame"].mixer
    mixer.init(44100)
    mixer.music.load("woof.mp3")
    mixer.music.play(-1)
    mixer.Sound("door.wav").play()

    assert not mixer.music.get_busy()
    assert ["no sound here: 'woof.mp3' is not played", "no sound here: 'door.wav' is not played"] == (
        capsys.readouterr().out.splitlines()
    )
